"""Time, passed in: a clock that tests can drive, and the deadline of one invocation."""

from __future__ import annotations

import random
import time
from typing import Optional, Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds since some fixed point."""

    def time(self) -> float:
        """Unix seconds."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


# A call needs this long to have a fair chance, and this much is kept back for logging and raising in good order.
LEAST_CALL_SECONDS = 1.0
MARGIN_SECONDS = 0.5


class Deadline:
    """When this invocation must be done. `longest_call` caps a single call; all in seconds."""

    def __init__(self, clock: Clock, budget: float, *, longest_call: float = 60.0) -> None:
        self._clock = clock
        self._end = clock.monotonic() + budget - MARGIN_SECONDS
        self._longest_call = longest_call

    def call_timeout(self) -> Optional[float]:
        """The time-out for a call begun now, or None when it could not end in time."""
        left = self._end - self._clock.monotonic()
        return min(left, self._longest_call) if left >= LEAST_CALL_SECONDS else None

    def back_off(self, attempt: int, *, base: float = 0.5, most: float = 20.0) -> bool:
        """Sleep before try number `attempt` + 1, full jitter. False, without sleeping, when no time would be left."""
        pause = random.uniform(0, min(most, base * 2.0**attempt))
        if self._end - self._clock.monotonic() - pause < LEAST_CALL_SECONDS:
            return False
        self._clock.sleep(pause)
        return True
