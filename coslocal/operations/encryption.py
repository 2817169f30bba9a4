"""Server-side encryption as clients see it. Bytes are stored as they come; a customer's key is only compared.

What COS answers to a missing or a wrong customer key is not documented; S3's codes stand in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping

from coslocal.operations.call import Call
from coslocal.wire.errors import AccessDenied, InvalidArgument, InvalidRequest

BY_COS = "x-cos-server-side-encryption"
_ALGORITHM, _KEY, _KEY_MD5 = (f"{BY_COS}-customer-{part}" for part in ("algorithm", "key", "key-MD5"))
_KMS_KEY = f"{BY_COS}-cos-kms-key-id"
_TOLD = (BY_COS, _KMS_KEY, _ALGORITHM, _KEY_MD5)
_SOURCE = "x-cos-copy-source-" + BY_COS.removeprefix("x-cos-")


def kept(call: Call) -> dict[str, str]:
    """The headers of a request that say how its object is encrypted; of a customer's key only its MD5 is kept."""
    found = {name: value for name in (BY_COS, _KMS_KEY) if (value := call.header(name)) is not None}
    digest = _customer_key(call, BY_COS)
    return found if digest is None else {**found, _ALGORITHM: "AES256", _KEY_MD5: digest}


def told(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the answer to an upload says of it."""
    return [(name, headers[name]) for name in _TOLD if name in headers]


def without(headers: Mapping[str, str]) -> dict[str, str]:
    """An object's headers but those of its encryption: a copy has its own."""
    return {name: value for name, value in headers.items() if name not in _TOLD}


def check(call: Call, headers: Mapping[str, str], *, source: bool = False) -> None:
    """Whether the request brings the customer's key of these headers, if there is one. Raises CosError."""
    wanted = headers.get(_KEY_MD5)
    given = _customer_key(call, _SOURCE if source else BY_COS)
    if wanted is None and given is not None:
        raise InvalidRequest("The object is not encrypted with a key of yours")
    if wanted is not None and given is None:
        raise InvalidRequest("The object is encrypted with a key of yours, which this request lacks")
    if wanted != given:
        raise AccessDenied("The key is not the one that the object is encrypted with")


def _customer_key(call: Call, prefix: str) -> str | None:
    """The MD5 of a customer's key in the request, after checking all three headers; None without any."""
    algorithm, key, digest = (call.header(f"{prefix}-customer-{part}") for part in ("algorithm", "key", "key-MD5"))
    if (algorithm, key, digest) == (None, None, None):
        return None
    try:
        raw = base64.b64decode(key or "", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    actual = base64.b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode()
    if algorithm != "AES256" or len(raw) != 32 or digest != actual:
        raise InvalidArgument(f"{prefix}-customer-* must be AES256, 32 bytes in base64, and the MD5 of those")
    return actual
