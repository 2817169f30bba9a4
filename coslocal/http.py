"""Plain values for an HTTP exchange. No web framework leaks past server.py; no operation writes to a socket."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol


class Headers:
    """An ordered multi-map of header names (case kept) to text values; look-up ignores case. It does not change."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)
        self._values: dict[str, list[str]] = {}
        for name, value in self._pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str) -> str | None:
        """The first value, or None when absent or empty (COS clients send empty values to mean absent)."""
        return next(filter(None, self._values.get(name.lower(), ())), None)

    def all(self, name: str) -> list[str]:
        return list(self._values.get(name.lower(), ()))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values


@dataclass(frozen=True)
class Request:
    """A request as it came off the wire.

    `target` is the raw request target (origin-form or absolute-form, percent-encoding untouched). `headers` hold text
    decoded as UTF-8 with surrogateescape. `body` is read once; `length` is its length in bytes when known.
    """

    method: str
    target: str
    headers: Headers
    body: Body = field(default_factory=io.BytesIO)
    length: int | None = None
    remote: str = "127.0.0.1"


class Body(Protocol):
    """Bytes to be read once: at most `size` a call, b"" at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Counted:
    """A body of unknown length that counts what is read of it."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._body.read(size)
        self.count += len(chunk)
        return chunk


NO_ANSWER = -1


@dataclass
class Response:
    """A response: `body` is bytes, or an iterator of chunks together with `length` in bytes.

    `cut` breaks the connection after so many bytes of the body, or with NO_ANSWER before anything is sent; `rate` is
    how many bytes of a streamed body may be sent a second.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterator[bytes] = b""
    length: int | None = None
    cut: int | None = None
    rate: int | None = None

    def close(self) -> None:
        """Let go of a streamed body that nobody will read to its end."""
        _close(self.body)


def first_bytes(body: bytes | Iterator[bytes], size: int) -> Iterator[bytes]:
    """The beginning of a response's body; the rest is let go."""
    try:
        for chunk in (body,) if isinstance(body, bytes) else body:
            yield chunk[:size]
            size -= len(chunk)
            if size <= 0:
                return
    finally:
        if not isinstance(body, bytes):
            _close(body)


def _close(body: object) -> None:
    end = getattr(body, "close", None)
    if end is not None:
        end()


class Handler(Protocol):
    """What answers requests: never with an exception, and from many threads at once."""

    def handle(self, request: Request) -> Response: ...


class Doorkeeper(Handler, Protocol):
    """What also knows of some requests, before their body comes, that they will be refused."""

    def refusal(self, request: Request) -> Response | None:
        """The refusal of a request whose body is not read: nothing in it could change that. None to go on."""

    def is_quick(self, request: Request) -> bool:
        """Whether `handle` can be called at once (atonce.py)."""
