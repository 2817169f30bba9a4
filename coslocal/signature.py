"""COS's request signature (COS 4; vendor document 436/7778): making one, and verifying one in any of its carriers."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from coslocal.http import Request
from coslocal.wire.address import Address, decode
from coslocal.wire.errors import AccessDenied, InvalidAccessKeyId, RequestTimeTooSkewed, SignatureDoesNotMatch

# A client whose clock is ahead by less than this is believed. An end in the past never is: presigned URLs must expire.
CLOCK_SLACK = 15 * 60
_TIMES = re.compile(r"([0-9]{1,12});([0-9]{1,12})")
_FIELDS = ("q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature")
# Parameters that carry a signature and mean nothing else.
CARRIERS = frozenset((*_FIELDS, "sign", "x-cos-security-token"))


@dataclass(frozen=True)
class Signer:
    """Who signed a request, and the lower-case names of the headers that the signature covers."""

    access_key: str
    headers: frozenset[str]


def encode(text: str) -> str:
    """RFC 3986, everything but letters, digits and `-_.~` encoded, as UTF-8."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="-_.~")


def sign(
    method: str,
    path: str,
    *,
    access_key: str,
    secret: str,
    start: int,
    end: int,
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """The Authorization value for a decoded `path`, covering exactly `headers` and `parameters`; times in seconds."""
    signed_headers = {encode(name).lower(): encode(value.strip()) for name, value in (headers or {}).items()}
    signed_parameters = {encode(name).lower(): encode(value) for name, value in (parameters or {}).items()}
    times = f"{start};{end}"
    signature = _signature(secret, times, times, _http_string(method, path, signed_parameters, signed_headers))
    values = ("sha1", access_key, times, times, _listed(signed_headers), _listed(signed_parameters), signature)
    return "&".join(f"{name}={value}" for name, value in zip(_FIELDS, values, strict=True))


def verify(request: Request, address: Address, credentials: Mapping[str, str], now: float) -> Signer | None:
    """Who signed the request; None when nobody did.

    Raises AccessDenied (malformed, or expired), RequestTimeTooSkewed, InvalidAccessKeyId, SignatureDoesNotMatch.
    """
    fields = _carried(request, address)
    if fields is None:
        return None
    missing = [name for name in _FIELDS if name not in fields]
    if missing:
        raise AccessDenied(f"The signature has no {', '.join(missing)}")
    if fields["q-sign-algorithm"] != "sha1":
        raise AccessDenied("q-sign-algorithm must be sha1")
    secret = credentials.get(fields["q-ak"])
    if secret is None:
        raise InvalidAccessKeyId
    check_times(fields["q-sign-time"], now)
    check_times(fields["q-key-time"], now)
    parameters = _covered(((item.name, item.value) for item in address.parameters), fields["q-url-param-list"])
    if None in parameters.values():  # `?acl` and no parameter at all are two requests: one is not signed by the other
        raise SignatureDoesNotMatch
    # An empty header and none mean the same (COS 5): one that did not come has the value "".
    headers = _covered(((name, value.strip()) for name, value in request.headers), fields["q-header-list"])
    # Python signs the host without its port, Node and Go with it (COS 2). It is the one that the request is routed by:
    # a signed Host header beside an absolute-form target for another bucket proves nothing.
    for host in (address.name, address.authority):
        if "host" in headers:
            headers["host"] = encode(host)
        text = _http_string(request.method, address.path, parameters, headers)
        expected = _signature(secret, fields["q-key-time"], fields["q-sign-time"], text)
        if hmac.compare_digest(expected.encode(), fields["q-signature"].encode("utf-8", "surrogateescape")):
            return Signer(fields["q-ak"], frozenset(headers))
    raise SignatureDoesNotMatch


def _carried(request: Request, address: Address) -> dict[str, str] | None:
    """The seven fields, from the header, from the query, or from `?sign=`; an empty header means anonymous."""
    header = request.headers.get("Authorization")
    if header is not None:
        return _pairs(header)
    if "q-signature" in address.parameters:
        return {item.name: item.value for item in reversed(list(address.parameters)) if item.name in _FIELDS}
    whole = address.parameters.get("sign")
    return None if whole is None else _pairs(whole)


def _pairs(text: str) -> dict[str, str]:
    found = (piece.partition("=") for piece in text.strip().split("&"))
    return {name: value for name, _, value in found}


def check_times(times: str, now: float) -> None:
    """Whether `<start>;<end>` holds now. Raises AccessDenied, RequestTimeTooSkewed."""
    found = _TIMES.fullmatch(times)
    if found is None:
        raise AccessDenied("q-sign-time and q-key-time must be <start>;<end> in unix seconds")
    start, end = map(int, found.groups())
    if now > end:
        raise AccessDenied("Request has expired")
    if now + CLOCK_SLACK < start:
        raise RequestTimeTooSkewed


def _covered(pairs: Iterable[tuple[str, str]], listing: str) -> dict[str, str | None]:
    """The listed names with their values, both encoded; None for one that did not come.

    Values of a name that came twice are joined, so that a second one cannot ride on the signature of the first.
    """
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(encode(name).lower(), []).append(value)
    # Python lists names in the query encoded twice: one layer is off already, and an unencoded list is met half-way.
    names = (name if name in sent else encode(decode(name)).lower() for name in listing.lower().split(";") if name)
    return {name: "&".join(map(encode, sent[name])) if name in sent else None for name in names}


def _listed(encoded: Mapping[str, str]) -> str:
    return ";".join(sorted(encoded))


def _http_string(
    method: str, path: str, parameters: Mapping[str, str | None], headers: Mapping[str, str | None]
) -> bytes:
    lines = (method.lower(), path, _joined(parameters), _joined(headers), "")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _joined(encoded: Mapping[str, str | None]) -> str:
    return "&".join(f"{name}={value or ''}" for name, value in sorted(encoded.items()))


def _signature(secret: str, key_times: str, sign_times: str, http_string: bytes) -> str:
    key = _hmac(secret.encode(), key_times.encode())
    digest = hashlib.sha1(http_string, usedforsecurity=False).hexdigest()
    return _hmac(key.encode(), f"sha1\n{sign_times}\n{digest}\n".encode())


def _hmac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha1).hexdigest()
