"""The API's signature, version 3 (TC3-HMAC-SHA256; vendor document 583/33846): making one, and verifying one."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from coslocal.http import Request
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.place import Place

LONGEST_SKEW = 300
"""Seconds that X-TC-Timestamp may be away from the server's time."""
UNSIGNED = "UNSIGNED-PAYLOAD"
_ALGORITHM = "TC3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/\s,]+)/(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<service>[a-z0-9]+)"
    r"/tc3_request, ?SignedHeaders=(?P<headers>[a-z0-9-]+(?:;[a-z0-9-]+)*), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_MUST_BE_SIGNED = ("content-type", "host")


@dataclass(frozen=True)
class Signer:
    """Who signed, and for which service."""

    secret_id: str
    service: str


def sign(
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    secret_id: str,
    secret_key: str,
    timestamp: int,
    path: str = "/",
    query: str = "",
) -> str:
    """The Authorization value over exactly `headers` and `body`; X-TC-Timestamp has to say `timestamp` too."""
    values = {name.lower(): value for name, value in headers.items()}
    names = ";".join(sorted(values))
    canonical = _canonical(method, path, query, names, values, body)
    signature = _signature(secret_key, _date(timestamp), service, str(timestamp), canonical)
    credential = f"{secret_id}/{_date(timestamp)}/{service}/tc3_request"
    return f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"


def verify(request: Request, place: Place, body: bytes, credentials: Mapping[str, str], now: float) -> Signer:
    """Who signed the request, whose body is `body`. Raises ApiError: an AuthFailure, or MissingParameter."""
    given = _AUTHORIZATION.fullmatch(request.headers.get("Authorization") or "")
    if given is None:
        raise ApiError(
            "AuthFailure.InvalidAuthorization",
            "The Authorization header must be TC3-HMAC-SHA256 Credential=<SecretId>/<date>/<service>/tc3_request,"
            " SignedHeaders=content-type;host, Signature=<hex>; signatures of version 1 are not offered",
        )
    names = given["headers"].split(";")
    if names != sorted(set(names)) or not set(_MUST_BE_SIGNED) <= set(names):
        raise ApiError(
            "AuthFailure.InvalidAuthorization", "SignedHeaders must be in order and hold content-type and host"
        )
    secret = credentials.get(given["id"])
    if secret is None:
        raise ApiError("AuthFailure.SecretIdNotFound", "The SecretId is not one of this coslocal's credentials")
    timestamp = _timestamp(request, given["date"], now)
    payload = _payload(request, body)
    for values in _readings(request, place, names):
        canonical = _canonical(request.method, place.path, place.query, given["headers"], values, payload)
        expected = _signature(secret, given["date"], given["service"], timestamp, canonical)
        if hmac.compare_digest(expected, given["signature"]):
            return Signer(given["id"], given["service"])
    raise ApiError(
        "AuthFailure.SignatureFailure",
        "The provided credentials could not be validated. Please check your signature is correct.",
    )


def _timestamp(request: Request, date: str, now: float) -> str:
    text = request.headers.get("X-TC-Timestamp")
    if text is None:
        raise ApiError("MissingParameter", "The request has no X-TC-Timestamp")
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise ApiError("InvalidParameter", "X-TC-Timestamp must be a number of seconds")
    skew = abs(int(text) - now)
    if skew > LONGEST_SKEW:
        raise ApiError(
            "AuthFailure.SignatureExpire",
            f"X-TC-Timestamp is {skew:.0f} s away from the server's time; {LONGEST_SKEW} s are allowed",
        )
    if date != _date(int(text)):
        raise ApiError("AuthFailure.SignatureFailure", "The date in Authorization is not X-TC-Timestamp's, in UTC")
    return text


def _readings(request: Request, place: Place, names: list[str]) -> list[dict[str, str]]:
    """The signed headers' values as they are, and in lower case: the document asks for the latter, SDKs do the former.

    A header that came twice or not at all has no value that could be signed. The host is the one that is asked for.
    """
    values = {}
    for name in names:
        sent = request.headers.all(name)
        if name != "host" and len(sent) != 1:
            raise ApiError("AuthFailure.SignatureFailure", f"The signed header {name} must be there once")
        values[name] = place.authority if name == "host" else sent[0].strip()
    return [values, {name: value.lower() for name, value in values.items()}]


def _payload(request: Request, body: bytes) -> bytes:
    return UNSIGNED.encode() if request.headers.get("X-TC-Content-SHA256") == UNSIGNED else body


def _canonical(method: str, path: str, query: str, names: str, values: Mapping[str, str], payload: bytes) -> bytes:
    headers = "".join(f"{name}:{values[name]}\n" for name in names.split(";"))
    text = "\n".join((method, path, query, headers, names, hashlib.sha256(payload).hexdigest()))
    return text.encode("utf-8", "surrogateescape")


def _signature(secret_key: str, date: str, service: str, timestamp: str, canonical: bytes) -> str:
    digest = hashlib.sha256(canonical).hexdigest()
    key = f"TC3{secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = _hmac(key, part).digest()
    return _hmac(key, "\n".join((_ALGORITHM, timestamp, f"{date}/{service}/tc3_request", digest))).hexdigest()


def _hmac(key: bytes, message: str) -> hmac.HMAC:
    return hmac.new(key, message.encode(), hashlib.sha256)


def _date(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
