"""What may go wrong with one request: before its effect, after it, or with its answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from coslocal.http import Response


class Killed(BaseException):
    """The platform, or a crash, ended the actor in the middle of a call. No code of ours may catch it."""


KILLS = "kills"


@dataclass(frozen=True)
class Fault:
    """`kind`: kills, resets, errors, throttling, or what is wrong with an answer; `after` the effect, or before it;
    `spoil` makes the answer."""

    kind: str
    after: bool
    name: str = ""
    spoil: Callable[[Response], Response] | None = None

    def __str__(self) -> str:
        return f"{self.name or self.kind} {self._when}"

    @property
    def counted(self) -> str:
        """Under what it is counted."""
        return self.kind if self.kind.startswith("answers") else f"{self.kind} {self._when}"

    @property
    def _when(self) -> str:
        return f"{'after' if self.after else 'before'} the effect"


def _error(status: int, code: str) -> Callable[[Response], Response]:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>chaos</Message></Error>".encode()
    return lambda response: Response(status, [("Content-Type", "application/xml"), ("x-cos-request-id", "CHAOS")], body)


def _plain(status: int, body: bytes) -> Callable[[Response], Response]:
    return lambda response: Response(status, [("Content-Type", "text/html"), ("x-cos-request-id", "CHAOS")], body)


def _without_one_object(response: Response) -> Response:
    body = response.body if isinstance(response.body, bytes) else b""
    start, end = body.rfind(b"<Object>"), body.rfind(b"</Object>") + len(b"</Object>")
    return Response(response.status, response.headers, body[:start] + body[end:]) if start >= 0 else response


def _cut_short(response: Response) -> Response:
    body = response.body if isinstance(response.body, bytes) else b""
    return Response(response.status, response.headers, body[: len(body) * 2 // 3])


def _broken_off(response: Response) -> Response:
    """The connection breaks in the middle of the body."""
    size = len(response.body) if isinstance(response.body, bytes) else 0
    return Response(response.status, response.headers, response.body, cut=size // 2) if size else response


def _other_keys(response: Response) -> Response:
    body = response.body if isinstance(response.body, bytes) else b""
    return Response(response.status, response.headers, body.replace(b"<Key>out/", b"<Key>elsewhere/"))


# Only what is worth another try: a permanent failure is acknowledged, and would rightly leave the bucket as it is.
_ERRORS = (
    (503, "SlowDown"),
    (503, "ServiceUnavailable"),
    (500, "InternalError"),
    (429, "TooManyRequests"),
    (408, "RequestTimeout"),
    (403, "RequestTimeTooSkewed"),
    (403, "ExpiredToken"),
)


def draw(roll: random.Random, method: str, processes: bool) -> Fault:
    """A fault for one request. `processes`: its answer tells what CI wrote."""
    what = roll.random()
    if what < 0.2:
        return Fault(KILLS, roll.random() < 0.6)
    if what < 0.45:
        return Fault("resets", roll.random() < 0.6)
    if what < 0.75 or not processes:
        status, code = roll.choice(_ERRORS)
        if method == "HEAD":  # its errors have no body: the status alone tells (COS 5)
            status = roll.choice([503, 500, 429])
            return Fault(_kind(status), roll.random() < 0.2, f"{status}", _plain(status, b""))
        return Fault(_kind(status), roll.random() < 0.2, f"{status} {code}", _error(status, code))
    name, spoil = roll.choice(_SPOILT)
    partial = spoil is _without_one_object
    return Fault("answers of part of the results" if partial else "answers that cannot be read", True, name, spoil)


def _kind(status: int) -> str:
    return "throttling" if status in (429, 503) else "errors"


_SPOILT: tuple[tuple[str, Callable[[Response], Response]], ...] = (
    ("one result missing from the answer", _without_one_object),
    ("answer cut short", _cut_short),
    ("connection broken within the answer", _broken_off),
    ("answer with other keys", _other_keys),
    ("empty answer", _plain(200, b"")),
    ("HTML answer", _plain(200, b"<html><body>hello<br></body></html>")),
    ("502 of a proxy", _plain(502, b"<html>bad gateway")),
    ("SlowDown under 200", _error(200, "SlowDown")),
)
