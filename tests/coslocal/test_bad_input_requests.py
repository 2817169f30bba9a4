"""Bad requests that are good HTTP: documents, signatures, parameters. COS's own errors, and nothing is changed."""

import base64
import hashlib
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.http import Headers, Request
from coslocal.operations.configuration import CONFIGURATIONS
from coslocal.routes import COPY, COPY_PART, IMAGE, ROUTES, Route
from coslocal.signature import sign
from coslocal.wire.address import decode
from coslocal.wire.xml import parse

BUCKET = "pics-1250000000"
HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"

DOCUMENTS = {
    "nothing closed": b"<Delete><Object><Key>a",
    "not XML": b"{\"a\": 1}",
    "another root": b"<Nonsense/>",
    "binary": bytes(range(256)),
    "an entity": b'<!DOCTYPE a [<!ENTITY x "y">]><Delete>&x;</Delete>',
    "a bomb": b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><Delete>&c;</Delete>',
    "an outside entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>&x;</Delete>',
    "too deep": b"<a>" * 5000 + b"</a>" * 5000,
    "an encoding that is none": b"<?xml version='1.0' encoding='nonsense'?><Delete/>",
    "an encoding that lies": b"<?xml version='1.0' encoding='utf-16'?><Delete/>",
    "two roots": b"<Delete/><Delete/>",
    "a megabyte of one name": b"<" + b"a" * 1_000_000 + b"/>",
    "twenty thousand attributes": b"<Delete " + b" ".join(b"a%d='1'" % n for n in range(20_000)) + b"/>",
    "a null": b"<Delete>\0</Delete>",
}  # fmt: skip


def content_md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def everything(core: Any) -> "list[Any]":
    store = core.app.store
    objects = [(item, b"".join(store.read(item.blob))) for item in store.scan(BUCKET)]
    return [
        objects,
        [store.configurations(BUCKET, item.key) for item, _ in objects],
        store.configurations(BUCKET, ""),
        store.uploads(BUCKET),
        store.buckets(),
    ]


@pytest.fixture
def full(core: Any) -> Iterator[Any]:
    """A core that holds something of everything; at the end of a test it holds the same."""
    core.ask("PUT", "/kept", b"kept", {"x-cos-tagging": "a=1", "x-cos-acl": "public-read"})
    core.ask("PUT", "/?cors", b"<CORSConfiguration/>")
    core.upload = core.ask("POST", "/big?uploads").xml.findtext("UploadId")
    core.events.clear()
    before = everything(core)
    yield core
    assert everything(core) == before
    assert core.events == []


def target_of(route: Route, upload: str) -> str:
    path = "/" if route.level == "bucket" else "/kept"
    if route.sub_resource in (None, COPY):
        return path
    if route.sub_resource in ("uploadId", COPY_PART):
        return f"/big?uploadId={upload}&partNumber=1"
    more = {"append": "&position=4", "inventory": "&id=x", "intelligenttiering": "&id=x"}.get(route.sub_resource, "")
    return f"{path}?{route.sub_resource}{more}"


# What reads an XML document.
WITH_XML = [
    ("PUT", "bucket", None), ("POST", "bucket", "delete"), ("PUT", "bucket", "acl"), ("PUT", "object", "acl"),
    ("PUT", "bucket", "tagging"), ("PUT", "object", "tagging"), ("PUT", "bucket", "style"),
    ("GET", "bucket", "style"), ("DELETE", "bucket", "style"), ("POST", "object", "uploadId"),
    *(("PUT", "bucket", each.name) for each in CONFIGURATIONS if each.root),
]  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation_that_reads_xml_refuses_what_is_none(full: Any, name: str) -> None:
    body = DOCUMENTS[name]
    routes = {(route.method, route.level, route.sub_resource): route for route in ROUTES}
    for wanted in WITH_XML:
        target = target_of(routes[wanted], full.upload)
        answer = full.ask(wanted[0], target, body, {"Content-MD5": content_md5(body)})
        assert (answer.status, answer.code) == (400, "MalformedXML"), (wanted, name, answer.body[:300])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.level} {route.sub_resource}")
def test_no_operation_breaks_on_a_body_it_did_not_expect(core: Any, route: Route) -> None:
    core.ask("PUT", "/kept", b"kept")
    upload = core.ask("POST", "/big?uploads").xml.findtext("UploadId")
    if route.level == "ci" or route.sub_resource == IMAGE:
        return
    host = "service.cos.myqcloud.com" if route.level == "service" else HOST
    target = "/" if route.level == "service" else target_of(route, upload)
    for body in (*DOCUMENTS.values(), b""):
        for headers in ({}, {"Content-MD5": content_md5(body)}, {"Pic-Operations": "{"}):
            answer = core.ask(route.method, target, body, headers, host=host)
            assert answer.status < 500 or answer.status == 501, (route, body[:40], answer.body[:300])
            if answer.status >= 400 and route.method != "HEAD":
                assert [child.tag for child in parse(answer.body, "Error")][:2] == ["Code", "Message"]


@pytest.mark.parametrize("md5", ["", "x", "1B2M2Y8AsgTpgAmY7PhCfg==", "=" * 24, "é", "\udcff", "A" * 10_000])
def test_wrong_content_md5_of_documents(full: Any, md5: str) -> None:
    body = b"<Delete><Object><Key>kept</Key></Object></Delete>"
    answer = full.ask("POST", "/?delete", body, {"Content-MD5": md5}, signed=True)
    assert (answer.status, answer.code in ("BadDigest", "InvalidDigest", "InvalidRequest")) == (400, True)


# -- signatures


def signed(core: Any, method: str, target: str, *, over: "dict[str, str]", start: int = 0, end: int = 60) -> str:
    path, _, query = target.partition("?")
    parameters = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    return sign(
        method, decode(path), access_key="AKIDlocal", secret="SKlocal", start=int(core.now) + start,
        end=int(core.now) + end, headers=over, parameters=parameters,
    )  # fmt: skip


def send(core: Any, method: str, target: str, headers: "dict[str, str]", body: bytes = b"") -> Any:
    """With exactly these headers."""
    return core.ask(method, target, body, headers, signed=False)


def test_a_signature_is_good_for_its_time_and_its_request_only(full: Any) -> None:
    signature = signed(full, "GET", "/kept?acl=", over={"host": HOST})
    again = [send(full, "GET", "/kept?acl=", {"Authorization": signature}).status for _ in range(3)]
    assert again == [200, 200, 200]  # a replay is a retry while the time lasts
    for method, target in (
        ("PUT", "/kept?acl="), ("DELETE", "/kept?tagging="), ("GET", "/other?acl="), ("GET", "/kept?acl=x"),
        ("GET", "/Kept?acl="), ("GET", "/kept/?acl="), ("GET", "//kept?acl="),
    ):  # fmt: skip
        answer = send(full, method, target, {"Authorization": signature})
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), (method, target)
    full.now += 61
    answer = send(full, "GET", "/kept?acl=", {"Authorization": signature})
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert "expired" in answer.xml.findtext("Message")
    full.now -= 61


def test_times_that_are_none_or_not_yet(full: Any) -> None:
    for start, end, code in ((0, -1, "AccessDenied"), (3600, 7200, "RequestTimeTooSkewed"), (60, 0, None)):
        signature = signed(full, "GET", "/kept?acl=", over={"host": HOST}, start=start, end=end)
        answer = send(full, "GET", "/kept?acl=", {"Authorization": signature})
        assert answer.code == code if code else answer.status in (200, 403)
    signature = signed(full, "GET", "/kept?acl=", over={"host": HOST})
    for times in ("", ";", "0;99999999999999999999", "-5;5", "a;b", "1;2;3", "1 ;2"):
        forged = "&".join(
            f"{name}={times if name in ('q-sign-time', 'q-key-time') else value}"
            for name, _, value in (pair.partition("=") for pair in signature.split("&"))
        )
        assert send(full, "GET", "/kept?acl=", {"Authorization": forged}).status == 403


SIGNED = {"host": HOST, "content-md5": content_md5(b"body"), "x-cos-meta-a": "1", "content-length": "4"}


@pytest.mark.parametrize(
    "tampered", [("x-cos-meta-a", "2"), ("x-cos-meta-a", None), ("content-md5", content_md5(b"evil"))]
)
def test_a_signed_header_cannot_be_changed_or_taken_away(full: Any, tampered: "tuple[str, str | None]") -> None:
    signature = signed(full, "PUT", "/new", over=SIGNED)
    name, value = tampered
    headers = {**SIGNED, "Authorization": signature}
    headers.pop("host")
    headers.pop(name)
    if value is not None:
        headers[name] = value
    answer = send(full, "PUT", "/new", headers, b"body")
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_a_second_value_cannot_ride_on_a_signed_header(full: Any) -> None:
    signature = signed(full, "PUT", "/new", over=SIGNED)
    pairs = [*SIGNED.items(), ("Authorization", signature), ("x-cos-meta-a", "2")]
    answer = full.app.handle(Request("PUT", "/new", Headers(pairs), io.BytesIO(b"body"), 4))
    assert answer.status == 403


def test_unsigned_pic_operations_do_nothing(full: Any) -> None:
    signature = signed(full, "POST", "/kept?image_process=", over={"host": HOST})
    rules = '{"rules": [{"fileid": "/new", "rule": "imageMogr2/format/png"}]}'
    answer = send(full, "POST", "/kept?image_process=", {"Authorization": signature, "Pic-Operations": rules})
    assert (answer.status, answer.code) == (403, "AccessDenied")


authorizations = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.tuples(
            st.sampled_from(["q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list",
                             "q-url-param-list", "q-signature", "x"]),
            st.sampled_from(["sha1", "AKIDlocal", "1;9999999999", "host", "", "%%%", "é"]) | st.text(max_size=10),
        ), max_size=10,
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(authorizations, st.sampled_from(["header", "query", "sign"]))
def test_no_authorization_made_up_lets_anyone_in(made_up: str, carrier: str) -> None:
    core = _made_up_core()
    if carrier == "header":
        answer = core.ask("GET", "/secret", headers={"Authorization": made_up}, signed=False)
    else:
        query = quote(made_up, safe="=&;") if carrier == "query" else "sign=" + quote(made_up, safe="")
        answer = core.ask("GET", f"/secret?{query}", signed=False)
    assert answer.status == 403
    assert b"content" not in answer.body.replace(b"Content", b"")


_CORES: "list[Any]" = []


@pytest.fixture(autouse=True)
def _a_core(core: Any) -> Iterator[None]:
    core.ask("PUT", "/secret", b"content")
    _CORES[:] = [core]
    yield


def _made_up_core() -> Any:
    return _CORES[0]


# -- parameters and headers of every kind

oddities = st.one_of(
    st.text(max_size=20), st.integers().map(str), st.sampled_from(["", "-1", "0", "1e9", "٣", "NaN", "%00", "a" * 5000])
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["prefix", "delimiter", "marker", "max-keys", "encoding-type", "max-uploads", "part-number-marker",
                     "partNumber", "uploadId", "position", "versionId", "id", "response-expires"]), oddities,
    st.sampled_from(["GET /", "GET /?uploads&", "GET /secret?uploadId=x&", "PUT /x?partNumber=1&", "GET /secret?",
                     "POST /secret?append&", "PUT /?inventory&", "DELETE /secret?uploadId="]),
)  # fmt: skip
def test_any_parameter_may_hold_anything(name: str, value: str, where: str) -> None:
    method, _, target = where.partition(" ")
    joint = "" if target.endswith(("?", "&", "=")) else "?"
    answer = _made_up_core().ask(method, f"{target}{joint}{name}={quote(value, safe='')}")
    assert answer.status < 500 or answer.status == 501


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Range", "Content-Type", "Expires",
                     "x-cos-acl", "x-cos-grant-read", "x-cos-copy-source", "x-cos-copy-source-range",
                     "x-cos-storage-class", "x-cos-tagging", "x-cos-metadata-directive", "Pic-Operations", "Origin",
                     "Content-MD5", "Content-Length", "x-cos-server-side-encryption-customer-key"]), oddities,
    st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]),
)  # fmt: skip
def test_any_header_may_hold_anything(name: str, value: str, method: str) -> None:
    core = _made_up_core()
    core.ask("PUT", "/scratch", b"content")
    length = None if name == "Content-Length" else -1
    answer = core.ask(method, "/scratch", b"body", {name: value.strip()}, length=length)
    assert answer.status < 500 or answer.status == 501, answer.body
