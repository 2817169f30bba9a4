import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coslocal.http import Headers, Request
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.place import locate
from coslocal.tencentapi.signature3 import Signer, sign, verify

NOW = 1_700_000_000


@dataclass(frozen=True)
class Sent:
    """A request as it is on the wire; the signature's own parts are headers like the others."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_header(self, name: str, value: str | None) -> "Sent":
        kept = [(key, old) for key, old in self.headers if key != name]
        return replace(self, headers=(*kept, *([(name, value)] if value is not None else [])))

    def header(self, name: str) -> str:
        return dict(self.headers)[name]


def signed(
    body: bytes = b'{"a": 1}',
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    host: str = "scf.tencentcloudapi.com",
    extra: Mapping[str, str] | None = None,
    timestamp: int = NOW,
    secret_id: str = "AKIDtest",
    secret_key: str = "SKtest",
) -> Sent:
    """`extra` headers are signed too."""
    covered = {"Content-Type": "application/json", "Host": host, **(extra or {})}
    authorization = sign(
        method,
        covered,
        body,
        service="scf",
        secret_id=secret_id,
        secret_key=secret_key,
        timestamp=timestamp,
        path=path,
        query=query,
    )
    headers = {**covered, "X-TC-Timestamp": str(timestamp), "Authorization": authorization}
    return Sent(method, path + (f"?{query}" if query else ""), tuple(headers.items()), body)


def check(sent: Sent, *, now: float = NOW) -> Signer:
    request = Request(sent.method, sent.target, Headers(list(sent.headers)), io.BytesIO(sent.body), len(sent.body))
    return verify(request, locate(request), sent.body, {"AKIDtest": "SKtest"}, now)


def refusal(sent: Sent, *, now: float = NOW) -> str:
    with pytest.raises(ApiError) as refused:
        check(sent, now=now)
    return refused.value.code


def test_the_vendors_worked_example() -> None:
    """583/33846, its secret as printed there until 2020."""
    made = sign(
        "POST",
        {"Content-Type": "application/json; charset=utf-8", "Host": "cvm.tencentcloudapi.com"},
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}',
        service="cvm",
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        timestamp=1551113065,
    )
    assert made == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request,"
        " SignedHeaders=content-type;host,"
        " Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


@pytest.mark.parametrize("away", [-300, 0, 300])
def test_five_minutes_away_are_believed(away: int) -> None:
    assert check(signed(), now=NOW + away) == Signer("AKIDtest", "scf")


@pytest.mark.parametrize("away", [-301, 301, 10**9])
def test_what_is_further_away_has_expired(away: int) -> None:
    assert refusal(signed(), now=NOW + away) == "AuthFailure.SignatureExpire"


def test_a_proxy_is_asked_with_the_whole_url_and_that_host_is_the_signed_one() -> None:
    sent = signed()
    assert check(replace(sent, target="http://scf.tencentcloudapi.com/")) == Signer("AKIDtest", "scf")
    assert refusal(replace(sent, target="http://cvm.tencentcloudapi.com/")) == "AuthFailure.SignatureFailure"


def test_values_may_be_signed_in_lower_case_as_the_document_says() -> None:
    upper = signed(host="SCF.tencentcloudapi.com", extra={"X-TC-Action": "Invoke"})
    lower = signed(host="scf.tencentcloudapi.com", extra={"X-TC-Action": "invoke"})
    assert check(upper.with_header("Authorization", lower.header("Authorization"))) == Signer("AKIDtest", "scf")


def test_a_payload_may_be_left_unsigned_when_that_is_what_was_signed() -> None:
    open_payload = signed(b"UNSIGNED-PAYLOAD").with_header("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")
    assert check(replace(open_payload, body=b"anything")) == Signer("AKIDtest", "scf")
    closed = signed().with_header("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")
    assert refusal(closed) == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda sent: sent.with_header("Authorization", None), "AuthFailure.InvalidAuthorization"),
        (lambda sent: sent.with_header("Authorization", "SKIP"), "AuthFailure.InvalidAuthorization"),
        (
            lambda sent: sent.with_header("Authorization", "q-sign-algorithm=sha1&q-ak=AKIDtest"),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            lambda sent: sent.with_header(
                "Authorization", sent.header("Authorization").replace("content-type;host", "host")
            ),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            lambda sent: sent.with_header(
                "Authorization", sent.header("Authorization").replace("content-type;host", "host;content-type")
            ),
            "AuthFailure.InvalidAuthorization",
        ),
        (lambda sent: sent.with_header("X-TC-Timestamp", None), "MissingParameter"),
        (lambda sent: sent.with_header("X-TC-Timestamp", "now"), "InvalidParameter"),
        (lambda sent: sent.with_header("X-TC-Timestamp", "9" * 5000), "InvalidParameter"),
        (lambda sent: sent.with_header("X-TC-Timestamp", str(NOW + 1)), "AuthFailure.SignatureFailure"),
        (lambda sent: sent.with_header("Content-Type", None), "AuthFailure.SignatureFailure"),
        (
            lambda sent: replace(sent, headers=(*sent.headers, ("content-type", "text/plain"))),
            "AuthFailure.SignatureFailure",
        ),
        (lambda sent: replace(sent, method="PUT"), "AuthFailure.SignatureFailure"),
    ],
)
def test_what_is_missing_or_changed_has_its_code(change: object, code: str) -> None:
    assert callable(change)
    assert refusal(change(signed())) == code


def test_an_unknown_id_and_a_wrong_key_are_told_apart() -> None:
    assert refusal(signed(secret_id="AKIDother")) == "AuthFailure.SecretIdNotFound"
    assert refusal(signed(secret_key="SKother")) == "AuthFailure.SignatureFailure"


def test_the_date_of_the_scope_is_the_timestamps_in_utc() -> None:
    midnight = 1_700_006_400
    assert check(signed(timestamp=midnight), now=midnight) == Signer("AKIDtest", "scf")
    late = signed(timestamp=midnight - 1).with_header("X-TC-Timestamp", str(midnight))
    assert refusal(late, now=midnight) == "AuthFailure.SignatureFailure"


token = st.text("abcXYZ019-_.", min_size=1, max_size=8)


@settings(max_examples=150)
@given(
    body=st.binary(max_size=60),
    path=st.text("/abc%20+", max_size=10).map(lambda text: "/" + text),
    query=st.text("ab=&%+", max_size=10),
    host=token,
    extra=st.dictionaries(token.map(lambda text: "x-" + text.lower().replace("_", "-").replace(".", "-")), token),
    data=st.data(),
)
def test_what_was_signed_verifies_and_no_byte_of_it_can_be_changed(
    body: bytes, path: str, query: str, host: str, extra: dict[str, str], data: st.DataObject
) -> None:
    extra = {name: value for name, value in extra.items() if name not in ("x-tc-timestamp", "x-tc-content-sha256")}
    sent = signed(body, path=path, query=query, host=host, extra=extra)
    assert check(sent) == Signer("AKIDtest", "scf")

    part = data.draw(st.sampled_from(["body", "target", *(name for name, _ in sent.headers)]))
    old = sent.body if part == "body" else (sent.target if part == "target" else sent.header(part)).encode()
    at = data.draw(st.integers(0, len(old)))
    byte = data.draw(st.integers(0x21, 0x7E))
    new = data.draw(st.sampled_from([old[:at] + bytes([byte]) + old[at:], old[:at] + old[at + 1 :]]))
    if at < len(old):
        new = data.draw(st.sampled_from([new, old[:at] + bytes([byte]) + old[at + 1 :]]))
    assume(new.lower() != old.lower())  # headers may be signed in lower case
    assume(not (part == "target" and (new in (old + b"?", old.removesuffix(b"?")) or not new.startswith(b"/"))))
    assume(not (part == "Authorization" and new.replace(b" ", b"") == old.replace(b" ", b"")))
    if part == "body":
        changed = replace(sent, body=new)
    elif part == "target":
        changed = replace(sent, target=new.decode())
    else:
        changed = sent.with_header(part, new.decode())
    with pytest.raises(ApiError):
        check(changed)
