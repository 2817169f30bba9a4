"""Outcome: what became of one derivative, and which failures are worth another try. Pure.

Law 3: every planned derivative ends in exactly one outcome. The table below is the one place that tells permanent from
retryable; what it does not name is decided by HTTP status (5xx, 429 and 408 are retryable, other 4xx permanent).
"""

from __future__ import annotations

from typing import Optional

import msgspec

from derivo.plan import Planned

# reason -> what it says. Nothing was to do; the event is acknowledged.
REASONS: dict[str, str] = {
    "derived_at_upload": "the uploader's own request made it, and it stands",
    "source_gone": "the source does not exist any more: its removal has its own event",
    "unchanged": "the manifest would be the same, so it was not written",
}

WRITTEN = "written"
SKIPPED = "skipped"
FAILED = "failed"

# code -> (retryable, why). Codes: COS error codes (CI 9.1, COS 4), then our own for what never reached an error body.
CODES: dict[str, tuple[bool, str]] = {
    "InvalidPicOperations": (False, "the rule itself is refused; the same request would be refused again"),
    "InvalidImageFormat": (False, "the source is not an image that CI reads"),
    "InvalidImageSource": (False, "the source is damaged or cut short"),
    "ImageTooLarge": (False, "the source is over the byte limit"),
    "ImageResolutionExceed": (False, "the source or the result is over the side, pixel or frame limit"),
    "InvalidArgument": (False, "the request is malformed"),
    "InvalidRequest": (False, "the request is malformed"),
    "NoSuchBucket": (False, "the bucket does not exist"),
    "NoProcessAuthority": (False, "CI is not bound to the bucket, or the role may not process"),
    "AccessDenied": (False, "the execution role lacks a right"),
    "SignatureDoesNotMatch": (False, "the credentials are wrong"),
    "InvalidAccessKeyId": (False, "the credentials are unknown"),
    "KeyTooLong": (False, "the derivative's key is over 850 bytes"),
    "RequestTimeTooSkewed": (True, "the clock of this instance is off; another instance may be right"),
    "ExpiredToken": (True, "the temporary keys ran out; the next invocation gets new ones"),
    "SlowDown": (True, "throttled"),
    "TooManyRequests": (True, "throttled"),
    "ServiceUnavailable": (True, "the service is not available now"),
    "InternalError": (True, "the service failed"),
    "RequestTimeout": (True, "the service gave up waiting"),
    "NetworkError": (True, "no answer came back; whether the work was done is unknown, and doing it twice is harmless"),
    "UnreadableAnswer": (True, "the answer was not the documented XML, so what was written is unknown"),
    "MissingFromAnswer": (True, "CI answered, but did not name this derivative"),
    "Redirected": (False, "COS answered with a redirection: the bucket lies in another region"),
    "SourceChanged": (True, "the source was overwritten faster than it could be processed"),
    "BudgetExceeded": (True, "this instance made more calls a minute than its budget allows: a loop, or a flood"),
    "Deadline": (True, "not begun: the time left in this invocation was too short"),
    "InvalidRequestKey": (False, "the SDK cannot send this key"),
    # what the plan already knows cannot be made; no call is spent on it
    "key_too_long": (False, "the derivative's key would be over 850 bytes"),
    "bad_key": (False, "the derivative's key would be one that COS cannot have"),
    "overwrites_source": (False, "the derivative would overwrite its source"),
    "collides": (False, "an earlier derivative of the source has the same key"),
    "source_too_large": (False, "the source is over CI's byte limit"),
}


def is_retryable(code: str, status: int = 0) -> bool:
    """Whether another try may end better. `status` is the HTTP status, 0 when there was none."""
    known = CODES.get(code)
    if known is not None:
        return known[0]
    return status >= 500 or status in (408, 429)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is written, skipped (with `reason`) or failed (with `code`, and `retryable`).

    Of a written derivative: width and height in pixels, size in bytes, format as CI names it, ETag without quotes.
    """

    derivative: Planned
    status: str
    reason: str = ""
    code: str = ""
    retryable: bool = False
    message: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    size: int = 0
    etag: str = ""

    @property
    def text(self) -> str:
        """`written`, `skipped(reason)`, `failed(permanent, code)` or `failed(retryable, code)`."""
        if self.status == SKIPPED:
            return f"skipped({self.reason})"
        if self.status == FAILED:
            return f"failed({'retryable' if self.retryable else 'permanent'}, {self.code})"
        return self.status


def skipped(derivative: Planned, reason: str) -> Outcome:
    return Outcome(derivative=derivative, status=SKIPPED, reason=reason)


def failed(derivative: Planned, code: str, *, status: int = 0, message: str = "") -> Outcome:
    return Outcome(
        derivative=derivative, status=FAILED, code=code, retryable=is_retryable(code, status), message=message[:300]
    )


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a plan gave: one outcome a derivative, and the facts of the source that CI, and the last HEAD,
    reported on the way. `gone`: it does not exist (any more)."""

    outcomes: tuple[Outcome, ...]
    gone: bool = False
    calls: int = 0
    heads: int = 0
    source_etag: Optional[str] = None
    source_size: Optional[int] = None
    source_format: str = ""
    source_width: int = 0
    source_height: int = 0
    source_color: str = ""
    source_orientation: int = 0
    request_ids: tuple[str, ...] = ()
