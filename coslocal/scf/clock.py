"""Time, passed in: the system's, or one that tests move by hand."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """`now()` is unix seconds; `wait` sleeps on a held condition until it is notified or the time has come."""

    def now(self) -> float: ...

    def watch(self, condition: threading.Condition) -> None:
        """Have the condition notified whenever the time jumps. Called once, before the first `wait` on it."""

    def wait(self, condition: threading.Condition, until: float | None) -> None: ...


class SystemClock:
    """The machine's time. It never runs backwards: the wall clock is read once, then the monotonic one counts on."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return time.monotonic() + self._offset

    def watch(self, condition: threading.Condition) -> None:
        pass  # it does not jump

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        condition.wait(None if until is None else max(0.0, until - self.now()))


class ManualClock:
    """A time that stands still until `advance` or `move_to` moves it: six hours of retries pass in a moment."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._conditions: list[threading.Condition] = []

    def now(self) -> float:
        return self._now

    def watch(self, condition: threading.Condition) -> None:
        self._conditions.append(condition)

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        condition.wait()

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` (not negative) and wake everyone who waits for the time."""
        self.move_to(self._now + seconds)

    def move_to(self, when: float) -> None:
        """Move on to `when`, unix seconds; a time that is past already changes nothing."""
        self._now = max(self._now, when)
        for condition in self._conditions:
            with condition:
                condition.notify_all()
