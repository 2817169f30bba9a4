"""What a function prints, cut into log lines within the platform's limits (SCF 7)."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_LINE = 8 * 1024
MOST_LINES = 5000
MOST_BYTES = 1024 * 1024
PERIOD = 5.0
"""Seconds that MOST_LINES and MOST_BYTES are counted over."""


class Output:
    """Takes bytes as they come and calls `emit` with each line of at most 8 KB; the rest of a longer line is cut.

    What goes beyond 5,000 lines or 1 MB in five seconds is dropped, and one line says so. Memory is bounded.
    """

    def __init__(self, emit: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._now = now
        self._line = bytearray()
        self._started = now()
        self._lines = self._bytes = 0

    def feed(self, data: bytes) -> None:
        first, *others = data.split(b"\n")
        self._append(first)
        for piece in others:
            self._end_line()
            self._append(piece)

    def finish(self) -> None:
        """Emit a last line that has no line break."""
        if self._line:
            self._end_line()

    def _append(self, piece: bytes) -> None:
        self._line += piece[: LONGEST_LINE - len(self._line)]

    def _end_line(self) -> None:
        line, self._line = bytes(self._line), bytearray()
        now = self._now()
        if now - self._started >= PERIOD:
            self._started, self._lines, self._bytes = now, 0, 0
        was_open = self._is_open()
        self._lines += 1
        self._bytes += len(line)
        if self._is_open():
            self._emit(line.decode("utf-8", "replace").rstrip("\r"))
        elif was_open:
            self._emit("[output over 5000 lines or 1 MB in 5 s is dropped here, as in the cloud]")

    def _is_open(self) -> bool:
        return self._lines <= MOST_LINES and self._bytes <= MOST_BYTES
