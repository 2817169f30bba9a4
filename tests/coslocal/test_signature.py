import io
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.http import Headers, Request
from coslocal.signature import Signer, encode, sign, verify
from coslocal.wire.address import locate
from coslocal.wire.errors import (
    AccessDenied,
    CosError,
    InvalidAccessKeyId,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
)

CREDENTIALS = {"AKID": "secret"}
NOW = 1_700_000_000
HOST = "pics-1250000000.cos.ap-guangzhou.myqcloud.com"

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
header_value = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
headers_strategy = st.dictionaries(
    st.sampled_from(["x-cos-acl", "Pic-Operations", "range", "x-cos-meta-a"]), header_value, max_size=3
)
parameters_strategy = st.dictionaries(text.filter(lambda name: name == name.lower()), text, max_size=3).filter(
    lambda found: len({encode(name).lower() for name in found}) == len(found)
)


def request(
    method: str, path: str, parameters: dict[str, str], headers: dict[str, str], authorization: str | None
) -> Request:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())
    target = quote(path, safe="/") + (f"?{query}" if query else "")
    pairs = [("Host", HOST), *headers.items()]
    if authorization is not None:
        pairs.append(("Authorization", authorization))
    return Request(method, target, Headers(pairs), io.BytesIO(), 0)


def check(given: Request, now: float = NOW) -> Signer | None:
    return verify(given, locate(given), CREDENTIALS, now)


def signed(method: str, path: str, parameters: dict[str, str], headers: dict[str, str]) -> str:
    return sign(
        method, path, access_key="AKID", secret="secret", start=NOW, end=NOW + 60,
        headers={"host": HOST, **headers}, parameters=parameters,
    )  # fmt: skip


@given(path=text.map(lambda key: "/" + key), parameters=parameters_strategy, headers=headers_strategy)
def test_what_is_signed_is_believed(path: str, parameters: dict[str, str], headers: dict[str, str]) -> None:
    found = check(request("PUT", path, parameters, headers, signed("PUT", path, parameters, headers)))
    assert found is not None and found.access_key == "AKID"
    assert found.headers == {"host", *(name.lower() for name in headers)}


def changed(data: st.DataObject, value: str, alphabet: str = "abcxyz0189") -> str:
    at = data.draw(st.integers(0, len(value) - 1))
    return (
        value[:at] + data.draw(st.sampled_from(alphabet).filter(lambda letter: letter != value[at])) + value[at + 1 :]
    )


@given(
    data=st.data(),
    path=text.map(lambda key: "/" + key),
    parameters=parameters_strategy.filter(bool),
    headers=headers_strategy.filter(bool),
)
def test_one_change_in_a_covered_part_is_refused(
    data: st.DataObject, path: str, parameters: dict[str, str], headers: dict[str, str]
) -> None:
    authorization = signed("PUT", path, parameters, headers)
    method, part = "PUT", data.draw(st.sampled_from(["method", "path", "parameter", "header", "authorization"]))
    if part == "method":
        method = "GET"
    elif part == "path":
        path = "/" + changed(data, path[1:])
    elif part == "parameter":
        name = data.draw(st.sampled_from(sorted(parameters)))
        parameters = {**parameters, name: changed(data, parameters[name])}
    elif part == "header":
        name = data.draw(st.sampled_from(sorted(headers)))
        headers = {**headers, name: changed(data, headers[name])}
    else:
        authorization = changed(data, authorization)
    with pytest.raises(CosError):
        check(request(method, path, parameters, headers, authorization))


def test_the_same_signature_in_the_query_bare_encoded_or_whole() -> None:
    authorization = sign(
        "GET", "/中 a", access_key="AKID", secret="secret", start=NOW, end=NOW + 60,
        headers={"host": HOST}, parameters={"imageMogr2/thumbnail/!50p": ""},
    )  # fmt: skip
    path = "/" + quote("中 a")
    rule = "imageMogr2%2Fthumbnail%2F%2150p="
    encoded = "&".join(
        f"{name}={quote(value, safe='')}"
        for name, _, value in (pair.partition("=") for pair in authorization.split("&"))
    )
    for query in (f"{rule}&{authorization}", f"{rule}&{encoded}", f"{rule}&sign={quote(authorization, safe='')}"):
        given = Request("GET", f"{path}?{query}", Headers([("Host", HOST)]), io.BytesIO(), 0)
        assert check(given) == Signer("AKID", frozenset({"host"}))


def test_host_may_be_signed_with_and_without_its_port() -> None:
    for signed_host in ("b-1.localhost", "B-1.localhost:9000"):
        authorization = sign(
            "GET", "/a", access_key="AKID", secret="secret", start=NOW, end=NOW + 1, headers={"host": signed_host}
        )
        sent = Headers([("Host", "B-1.localhost:9000"), ("Authorization", authorization)])
        assert check(Request("GET", "/a", sent)) is not None
    sent = Headers([("Host", "other-1.localhost:9000"), ("Authorization", authorization)])
    with pytest.raises(SignatureDoesNotMatch):
        check(Request("GET", "/a", sent))


def test_the_target_s_host_counts_and_not_another_in_the_host_header() -> None:
    authorization = signed("GET", "/a", {}, {})
    sent = Headers([("Host", HOST), ("Authorization", authorization)])
    assert check(Request("GET", f"http://{HOST}/a", sent)) is not None
    with pytest.raises(SignatureDoesNotMatch):
        check(Request("GET", f"http://other-{HOST}/a", sent))


def test_nobody_signed() -> None:
    assert check(Request("GET", "/a", Headers([("Host", HOST)]))) is None
    assert check(Request("GET", "/a", Headers([("Host", HOST), ("Authorization", "")]))) is None


def test_a_second_value_cannot_ride_on_the_signature_of_the_first() -> None:
    authorization = signed("PUT", "/a", {"prefix": ""}, {"x-cos-acl": "private"})
    twice = Request("PUT", "/a?prefix=&prefix=x", Headers([("Host", HOST), ("x-cos-acl", "private"), ("Authorization", authorization)]))  # fmt: skip  # noqa: E501
    with pytest.raises(SignatureDoesNotMatch):
        check(twice)
    pairs = [("Host", HOST), ("x-cos-acl", "private"), ("X-Cos-Acl", "public-read"), ("Authorization", authorization)]
    with pytest.raises(SignatureDoesNotMatch):
        check(Request("PUT", "/a?prefix=", Headers(pairs)))


@pytest.mark.parametrize("signed_query", [{"acl": ""}, {"acl": "", "prefix": "x"}])
def test_a_parameter_that_is_signed_must_come_even_when_it_is_empty(signed_query: dict[str, str]) -> None:
    authorization = signed("GET", "/a", signed_query, {})
    assert check(request("GET", "/a", signed_query, {}, authorization)) is not None
    with pytest.raises(SignatureDoesNotMatch):
        check(request("GET", "/a", {k: v for k, v in signed_query.items() if k != "acl"}, {}, authorization))


def test_a_signed_header_that_is_empty_may_be_left_out() -> None:
    authorization = signed("PUT", "/a", {}, {"content-type": ""})
    assert check(request("PUT", "/a", {}, {}, authorization)) is not None


def test_times() -> None:
    given = request("GET", "/a", {}, {}, signed("GET", "/a", {}, {}))
    assert check(given, NOW + 60) is not None
    assert check(given, NOW - 100) is not None
    with pytest.raises(AccessDenied, match="Request has expired"):
        check(given, NOW + 61)
    with pytest.raises(RequestTimeTooSkewed):
        check(given, NOW - 3600)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("q-ak=AKID", "q-ak=nobody"), InvalidAccessKeyId),
        (("q-sign-algorithm=sha1", "q-sign-algorithm=md5"), AccessDenied),
        (("q-sign-time=", "q-other="), AccessDenied),
        ((f"q-key-time={NOW};", f"q-key-time={NOW}-"), AccessDenied),
        (("q-sign-algorithm=sha1&", "AWS4-HMAC-SHA256 "), AccessDenied),
    ],
)
def test_what_cannot_be_a_signature_is_refused_with_its_reason(change: tuple[str, str], error: type[CosError]) -> None:
    authorization = signed("GET", "/a", {}, {}).replace(*change)
    with pytest.raises(error):
        check(request("GET", "/a", {}, {}, authorization))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_in_the_header_is_an_error_and_no_crash(authorization: str) -> None:
    try:
        assert check(request("GET", "/a", {}, {}, authorization)) is None
    except CosError:
        return
    assert authorization == ""
