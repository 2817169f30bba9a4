"""Uploads by form, as a browser sends them."""

import base64
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata

from coslocal.operations.post_policy import sign_policy
from coslocal.signature import sign
from coslocal.wire.errors import MalformedPOSTRequest
from coslocal.wire.form import read_form

BUCKET = "pics-1250000000"


def form_of(core: Any, conditions: "list[Any] | None" = None, *, ends: float = 60, **fields: str) -> "dict[str, str]":
    """The fields of a form with a signed policy; `Content_Type` in Python is Content-Type in the form."""
    times = f"{int(core.now)};{int(core.now) + 60}"
    always = [{"q-sign-algorithm": "sha1"}, {"q-ak": "AKIDlocal"}, {"q-sign-time": times}]
    policy = json.dumps({"expiration": _iso(core.now + ends), "conditions": [*always, *(conditions or [])]})
    named = {name if name.startswith("success") else name.replace("_", "-"): value for name, value in fields.items()}
    return {
        "key": "up/a.txt", "policy": base64.b64encode(policy.encode()).decode(), "q-sign-algorithm": "sha1",
        "q-ak": "AKIDlocal", "q-key-time": times, "q-signature": sign_policy(policy, secret="SKlocal", key_time=times),
        **named,
    }  # fmt: skip


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def send(core: Any, fields: "dict[str, str]", file: bytes = b"hello", name: str = "photo 中.txt", **more: Any) -> Any:
    body, content_type = encode_multipart_formdata([*fields.items(), ("file", (name, file, "text/plain"))])
    return core.ask("POST", "/", body, {"Content-Type": content_type}, signed=False, **more)


def test_a_form_with_a_policy_becomes_an_object(core: Any) -> None:
    answer = send(core, form_of(core))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Location"] == f"http://{core.host}/up/a.txt"
    got = core.ask("GET", "/up/a.txt")
    assert (got.body, got.headers["ETag"]) == (b"hello", answer.headers["ETag"])
    # what the browser says of the file is not used (436/14690)
    assert core.ask("HEAD", "/up/a.txt").headers["Content-Type"] == "text/plain"
    (event,) = core.events
    assert (event.name, event.key, event.size) == ("cos:ObjectCreated:Post", "up/a.txt", 5)
    assert "q-signature" not in str(event.request_headers)
    assert core.app.journal.count("post_object") == 1


def test_fields_become_headers_of_the_object(core: Any) -> None:
    fields = form_of(core, Content_Type="image/webp", Cache_Control="no-cache", x_cos_meta_Colour="blue",
                     acl="public-read", x_cos_storage_class="STANDARD_IA")  # fmt: skip
    assert send(core, fields).status == 204
    headers = core.ask("HEAD", "/up/a.txt", signed=False).headers
    assert headers["Content-Type"] == "image/webp"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["x-cos-meta-Colour"] == "blue"
    assert headers["x-cos-storage-class"] == "STANDARD_IA"


def test_the_file_s_own_name_may_be_asked_for(core: Any) -> None:
    fields = form_of(core, [["starts-with", "$key", "in/"]], key="in/${filename}")
    assert send(core, fields, name='a "b" é.png').status == 204
    assert core.ask("HEAD", "/in/a%20%22b%22%20%C3%A9.png").status == 200


def test_what_success_is_answered_with(core: Any) -> None:
    assert send(core, form_of(core, success_action_status="200")).status == 200
    assert send(core, form_of(core, success_action_status="418")).status == 204
    made = send(core, form_of(core, success_action_status="201"))
    assert made.status == 201
    assert [child.tag for child in made.xml] == ["Location", "Bucket", "Key", "ETag"]
    assert (made.xml.tag, made.xml.findtext("Key"), made.xml.findtext("Bucket")) == ("PostResponse", "up/a.txt", BUCKET)
    sent_on = send(core, form_of(core, success_action_redirect="http://my.site/done?x=1"))
    assert sent_on.status == 303
    where = urlsplit(sent_on.headers["Location"])
    assert where.netloc == "my.site"
    told = {name: value for name, (value,) in parse_qs(where.query).items()}
    assert told == {"x": "1", "bucket": BUCKET, "key": "up/a.txt", "etag": made.headers["ETag"]}


# -- the policy

ANOTHER = base64.b64encode(b'{"expiration": "2099-01-01T00:00:00Z", "conditions": []}').decode()


@pytest.mark.parametrize(
    "conditions",
    [
        [{"key": "up/a.txt"}],
        [{"bucket": BUCKET}],
        [["eq", "$key", "up/a.txt"]],
        [["starts-with", "$key", "up/"], ["starts-with", "$Content-Type", ""]],
        [["content-length-range", 1, 5]],
    ],
)
def test_conditions_that_hold(core: Any, conditions: "list[Any]") -> None:
    assert send(core, form_of(core, conditions)).status == 204


@pytest.mark.parametrize(
    ("conditions", "status", "code"),
    [
        ([{"key": "other"}], 403, "AccessDenied"),
        ([{"bucket": "other-1250000000"}], 403, "AccessDenied"),
        ([["starts-with", "$key", "private/"]], 403, "AccessDenied"),
        ([["eq", "$Content-Type", "image/png"]], 403, "AccessDenied"),
        ([["content-length-range", 6, 100]], 400, "EntityTooSmall"),
        ([["content-length-range", 0, 4]], 400, "EntityTooLarge"),
        ([["in", "$key", ["a"]]], 400, "MalformedPOSTRequest"),
        ([["eq", "$key"]], 400, "MalformedPOSTRequest"),
        ([5], 400, "MalformedPOSTRequest"),
        ([{"key": 5}], 400, "MalformedPOSTRequest"),
    ],
)
def test_conditions_that_do_not_hold(core: Any, conditions: "list[Any]", status: int, code: str) -> None:
    answer = send(core, form_of(core, conditions))
    assert (answer.status, answer.code) == (status, code)
    assert core.ask("HEAD", "/up/a.txt").status == 404
    assert core.events == []


def test_the_documented_message_of_a_condition(core: Any) -> None:
    fields = form_of(core, [{"key": "other"}])
    assert send(core, fields).xml.findtext("Message") == "Condition key key doesn't match the value other"
    late = send(core, form_of(core, ends=-5))
    assert re.fullmatch("You post object request has been expired, .*", late.xml.findtext("Message"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"q-signature": "0" * 40}, "SignatureDoesNotMatch"),
        ({"policy": ANOTHER}, "SignatureDoesNotMatch"),
        ({"q-ak": "AKIDother"}, "InvalidAccessKeyId"),
        ({"q-key-time": "1;2"}, "AccessDenied"),
        ({"q-key-time": "nonsense"}, "AccessDenied"),
        ({"q-sign-algorithm": "md5"}, "AccessDenied"),
        ({"policy": "%%%"}, "MalformedPOSTRequest"),
        ({"policy": ""}, "AccessDenied"),
        ({"q-signature": ""}, "AccessDenied"),
        ({"key": ""}, "MalformedPOSTRequest"),
        ({"key": "x" * 851}, "KeyTooLong"),
        ({"x-cos-storage-class": "GOLD"}, "InvalidArgument"),
        ({"x-cos-meta-a": "b\r\nSet-Cookie: c"}, "InvalidArgument"),
        ({"success_action_redirect": "http://a/\r\nSet-Cookie: c"}, "InvalidArgument"),
        ({"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, "BadDigest"),
    ],
)  # fmt: skip
def test_forms_that_are_refused(core: Any, change: "dict[str, str]", code: str) -> None:
    answer = send(core, {**form_of(core), **change})
    assert (answer.status >= 400, answer.code) == (True, code)
    assert [item.key for item in core.app.store.scan(BUCKET)] == []


def test_without_a_policy_a_signature_or_an_open_bucket_is_needed(core: Any) -> None:
    assert send(core, {"key": "a"}).code == "AccessDenied"
    body, kind = encode_multipart_formdata([("key", "a"), ("file", ("a", b"x", "text/plain"))])
    assert core.ask("POST", "/", body, {"Content-Type": kind}).status == 204  # signed as any request
    core.ask("PUT", "/?acl", b"", {"x-cos-acl": "public-read-write"})
    assert send(core, {"key": "b"}).status == 204


def test_the_signature_of_a_request_may_be_a_field(core: Any) -> None:
    now = int(core.now)
    signature = sign("POST", "/", access_key="AKIDlocal", secret="SKlocal", start=now, end=now + 60)
    assert send(core, {"key": "a", "Signature": signature}).status == 204
    assert send(core, {"key": "b", "Signature": signature.replace("q-signature=", "q-signature=0")}).code == (
        "SignatureDoesNotMatch"
    )


def test_no_bucket_no_upload(core: Any) -> None:
    answer = send(core, form_of(core), host="none-1250000000.cos.ap-guangzhou.myqcloud.com")
    assert answer.code == "NoSuchBucket"


# -- forms that are none


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=b"],
)
def test_other_content_types(core: Any, kind: str) -> None:
    answer = core.ask("POST", "/", b"--b--\r\n", {"Content-Type": kind}, signed=False)
    assert (answer.status, answer.code) == (400, "MalformedPOSTRequest")


def test_a_form_cut_anywhere_stores_nothing(core: Any) -> None:
    body, kind = encode_multipart_formdata([*form_of(core).items(), ("file", ("a", b"x" * 50, "text/plain"))])
    for end in range(0, len(body) - 4, 7):
        answer = core.ask("POST", "/", body[:end], {"Content-Type": kind}, signed=False)
        assert answer.status >= 400
    assert [item.key for item in core.app.store.scan(BUCKET)] == []
    assert core.ask("POST", "/", body, {"Content-Type": kind}, signed=False).status == 204


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--b", b"--b\r\n", b"--b--", b"--b\r\n\r\nno name\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--bx\r\nContent-Disposition: form-data; name=key\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nX: " + b"y" * 50_000 + b"\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=key\r\n\r\n" + b"x" * 2_000_000 + b"\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=key\r\n\r\nx\r\n--b--\r\n",
    ],
)  # fmt: skip
def test_bodies_that_are_no_form(core: Any, body: bytes) -> None:
    answer = core.ask("POST", "/", body, {"Content-Type": "multipart/form-data; boundary=b"}, signed=False)
    assert (answer.status, answer.code) == (400, "MalformedPOSTRequest")


class Dribble(io.BytesIO):
    """A body that comes in small pieces."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: "int | None" = -1, /) -> bytes:
        return super().read(self._size)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1, max_size=8)


@settings(max_examples=80, deadline=None)
@given(
    fields=st.lists(st.tuples(names.filter(lambda name: name.lower() != "file"), st.text(max_size=20)), max_size=5),
    file=st.binary(max_size=300) | st.sampled_from([b"\r\n--b", b"\r\n", b"--b--", b"\r\n--", b"\r\n--b\r\n" * 9]),
    filename=names,
    size=st.integers(1, 50),
)
def test_what_a_client_encodes_is_read_back(fields: Any, file: bytes, filename: str, size: int) -> None:
    body, kind = encode_multipart_formdata([*fields, ("file", (filename, file, "a/b"))], boundary="b9d8e7")
    form = read_form(Dribble(body, size), kind)
    assert [(name, value.encode("utf-8", "surrogateescape")) for name, value in form.pairs] == [
        (name, value.encode("utf-8", "surrogatepass")) for name, value in fields
    ]
    assert form.filename == filename
    assert form.file is not None
    read = b""
    while chunk := form.file.read(7):
        read += chunk
    assert read == file
    form.file.finish()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 9))
def test_any_bytes_end_in_a_form_or_in_one_error(noise: bytes, size: int) -> None:
    try:
        form = read_form(Dribble(b"--b\r\n" + noise, size), "multipart/form-data; boundary=b")
        if form.file is not None:
            form.file.finish()
    except MalformedPOSTRequest:
        pass
