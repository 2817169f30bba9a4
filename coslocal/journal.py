"""The journal: what was asked of this coslocal, newest last. Tests and the demo count calls with it."""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request and its answer. `time` is unix seconds; `error` the wire code or ""; `rules` those in Pic-Operations;
    `fault` what struck it (`latency+error`); `status` 0 where the connection was reset instead of answered.

    No header is kept: nothing here can hold a signature.
    """

    time: float
    method: str
    operation: str
    bucket: str
    key: str
    status: int
    error: str
    bytes_in: int
    bytes_out: int
    rules: int
    request_id: str
    fault: str = ""

    def __post_init__(self) -> None:
        """Thousands of them are kept: what they share, they have once."""
        for name in ("method", "bucket"):
            object.__setattr__(self, name, sys.intern(getattr(self, name)))

    def as_json(self) -> dict[str, Any]:
        return {name: _printable(value) for name, value in asdict(self).items()}


def _printable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


class Journal:
    """The last `size` exchanges, and how often each operation was asked for since the last `clear`. Thread-safe."""

    def __init__(self, size: int = 2_000) -> None:
        self._lock = threading.Lock()
        self._last: deque[Exchange] = deque(maxlen=size)
        self._counts: Counter[str] = Counter()
        self._bytes_in = 0
        self._bytes_out = 0

    def add(self, exchange: Exchange) -> None:
        with self._lock:
            self._last.append(exchange)
            self._counts[exchange.operation] += 1
            self._bytes_in += exchange.bytes_in
            self._bytes_out += exchange.bytes_out

    def count(self, operation: str | None = None) -> int:
        """How often `operation` was asked for (`image_process`, `get_object`), or anything at all."""
        with self._lock:
            return self._counts.total() if operation is None else self._counts[operation]

    def entries(self, operation: str | None = None) -> list[Exchange]:
        with self._lock:
            return [entry for entry in self._last if operation in (None, entry.operation)]

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(self._counts.items()))

    def traffic(self) -> tuple[int, int]:
        """Body bytes (in, out) since the last `clear`."""
        with self._lock:
            return self._bytes_in, self._bytes_out

    def clear(self) -> None:
        with self._lock:
            self._last.clear()
            self._counts.clear()
            self._bytes_in = self._bytes_out = 0
