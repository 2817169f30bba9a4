"""Outcome: what became of one derivative, and which failures are worth another try. Pure.

Law 3: every planned derivative ends in exactly one outcome. The table below is the one place that tells permanent from
retryable; what it does not name is decided by HTTP status: 3xx and 4xx are permanent but for 408 and 429. All else is
retryable, an unknown error under 200 too: a retry too many is cheaper than a derivative that nobody makes.
"""

from __future__ import annotations

from typing import Optional

import msgspec

from derivo.plan import Planned

UP_TO_DATE = "up_to_date"

# reason -> what it says. Nothing was to do; the event is acknowledged.
REASONS: dict[str, str] = {
    "derived_at_upload": "the uploader's own request made it, and it stands",
    UP_TO_DATE: "a manifest, or what an earlier try told, proves that it was made of this very source by the same rule,"
    " and it stands",
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
    "NotMade": (
        False,
        "CI leaves this derivative out of every answer, even when asked for it alone: it refuses the rule",
    ),
    "WrongKey": (False, "COS wrote another key than asked for, which is named: it reads fileids in another way"),
    "BatchFailed": (True, "CI's batch job ended as a whole, which the message tells of, without this derivative"),
    "NotForBatch": (True, "no batch job of CI can give this derivative its key; the direct engine can"),
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


# CI's own numbers, which may stand where COS has a name (CI 9.2, 9.3; that they map like this is documented nowhere).
NUMBERS: dict[str, str] = {
    "-901": "ServiceUnavailable",
    "-60932": "SignatureDoesNotMatch",
    "-60936": "AccessDenied",
    "-60938": "SignatureDoesNotMatch",
    "-60948": "NoProcessAuthority",
    "-60949": "SlowDown",
    "-60950": "InvalidImageSource",
    "-60955": "InvalidPicOperations",
    "-60967": "InvalidPicOperations",
    "-60972": "InvalidPicOperations",
    "-60983": "InvalidRequest",
    "-60987": "InvalidImageSource",
    "-60996": "ImageTooLarge",
    "-60997": "InvalidPicOperations",
    "-60998": "InvalidPicOperations",
    "-62999": "InvalidImageFormat",
}


def is_retryable(code: str, status: int = 0) -> bool:
    """Whether another try may end better. `status` is the HTTP status, 0 when there was none."""
    known = CODES.get(code)
    if known is not None:
        return known[0]
    return not 300 <= status < 500 or status in (408, 429)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is written, skipped (with `reason`) or failed (with `code`, and `retryable`).

    Of a written derivative, and of one that is proved to stand: width and height in pixels, size in bytes, format as CI
    names it, ETag without quotes. `instead` is the key that COS wrote in the derivative's place, by mistake.
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
    instead: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the derivative stands, as far as the run can tell, and its facts are here."""
        return self.status == WRITTEN or self.reason == UP_TO_DATE

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


def failed(derivative: Planned, code: str, *, status: int = 0, message: str = "", instead: str = "") -> Outcome:
    return Outcome(
        derivative=derivative,
        status=FAILED,
        code=code,
        retryable=is_retryable(code, status),
        message=message[:300],
        instead=instead,
    )


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a plan gave: one outcome a derivative, and the facts of the source that CI, and the last HEAD,
    reported on the way. `gone`: it does not exist (any more). `unheard` counts calls of which no answer came: CI may
    still write what it makes of the source as it was then."""

    outcomes: tuple[Outcome, ...]
    gone: bool = False
    calls: int = 0
    heads: int = 0
    unheard: int = 0
    source_etag: Optional[str] = None
    source_size: Optional[int] = None
    source_format: str = ""
    source_width: int = 0
    source_height: int = 0
    source_color: str = ""
    source_orientation: int = 0
    request_ids: tuple[str, ...] = ()
