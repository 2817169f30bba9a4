"""The policy of an upload by form, and its signature (vendor document 436/14690 of 2024-11, 436/41164 of 2024-03).

The form's `policy` is base64 of JSON; the signature covers its plain text: HMAC-SHA1 by the sign key over its SHA-1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coslocal.signature import check_times
from coslocal.wire.errors import (
    AccessDenied,
    EntityTooLarge,
    EntityTooSmall,
    InvalidAccessKeyId,
    MalformedPOSTRequest,
    SignatureDoesNotMatch,
)

_SIGNED = ("q-sign-algorithm", "q-ak", "q-key-time", "q-signature", "policy")


@dataclass(frozen=True)
class Policy:
    """What is still to be held against an upload: `sizes` is the least and the most bytes of the file."""

    sizes: tuple[int, int] | None = None

    def check_size(self, size: int) -> None:
        """Raises EntityTooSmall, EntityTooLarge."""
        if self.sizes is not None and size < self.sizes[0]:
            raise EntityTooSmall
        if self.sizes is not None and size > self.sizes[1]:
            raise EntityTooLarge


def sign_policy(policy: str, *, secret: str, key_time: str) -> str:
    """The q-signature of a policy's plain text."""
    key = hmac.new(secret.encode(), key_time.encode(), hashlib.sha1).hexdigest()
    digest = hashlib.sha1(policy.encode(), usedforsecurity=False).hexdigest()
    return hmac.new(key.encode(), digest.encode(), hashlib.sha1).hexdigest()


def is_signed(fields: Mapping[str, str]) -> bool:
    return any(name in fields for name in _SIGNED)


def verify_policy(fields: Mapping[str, str], bucket: str, credentials: Mapping[str, str], now: float) -> Policy:
    """The policy of a form, once its signature, its time and its conditions on the fields hold.

    Raises AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, MalformedPOSTRequest.
    """
    missing = [name for name in _SIGNED if not fields.get(name)]
    if missing:
        raise AccessDenied(f"The form has no {', '.join(missing)}")
    if fields["q-sign-algorithm"] != "sha1":
        raise AccessDenied("q-sign-algorithm must be sha1")
    secret = credentials.get(fields["q-ak"])
    if secret is None:
        raise InvalidAccessKeyId
    check_times(fields["q-key-time"], now)
    text = _plain(fields["policy"])
    expected = sign_policy(text, secret=secret, key_time=fields["q-key-time"])
    if not hmac.compare_digest(expected.encode(), fields["q-signature"].encode("utf-8", "surrogateescape")):
        raise SignatureDoesNotMatch
    return _hold(text, fields, bucket, now)


def _plain(policy: str) -> str:
    try:
        return base64.b64decode("".join(policy.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        raise MalformedPOSTRequest("The policy is not base64 of UTF-8") from None


def _hold(text: str, fields: Mapping[str, str], bucket: str, now: float) -> Policy:
    try:
        policy = json.loads(text)
        expiration, conditions = policy["expiration"], policy["conditions"]
        ends = _moment(expiration)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise MalformedPOSTRequest("The policy must be JSON with an expiration and conditions") from None
    if now > ends:
        raise AccessDenied(
            f"You post object request has been expired, expiration time: {int(ends)} but the time now : {int(now)}"
        )
    if not isinstance(conditions, list):
        raise MalformedPOSTRequest("The conditions of the policy must be a list")
    sizes = None
    for condition in conditions:
        sizes = _check(condition, {**fields, "bucket": bucket}) or sizes
    return Policy(sizes)


def _moment(text: str) -> float:
    """ISO 8601; what names no zone is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _check(condition: Any, fields: Mapping[str, str]) -> tuple[int, int] | None:
    """Hold one condition against the fields; the sizes where it is about these."""
    if isinstance(condition, dict):
        for name, value in condition.items():
            _must(name, value, fields, begins=False)
        return None
    if isinstance(condition, list) and len(condition) == 3:
        kind, first, second = condition
        if kind in ("eq", "starts-with"):
            _must(first, second, fields, begins=kind == "starts-with")
            return None
        if kind == "content-length-range" and type(first) is int and type(second) is int:
            return first, second
    raise MalformedPOSTRequest(f"The policy has a condition that is not known: {json.dumps(condition)[:200]}")


def _must(name: Any, value: Any, fields: Mapping[str, str], *, begins: bool) -> None:
    if not isinstance(name, str) or not isinstance(value, str):
        raise MalformedPOSTRequest("A condition of the policy compares a field with a text")
    lower = name.removeprefix("$").lower()
    # the policy speaks of q-sign-time, the form has q-key-time
    found = fields.get(lower, fields.get("q-key-time", "") if lower == "q-sign-time" else "")
    if not (found.startswith(value) if begins else found == value):
        raise AccessDenied(f"Condition key {lower} doesn't match the value {value}")
