"""How fast: the platform's requests a second, kept to by slots in time, and concurrency that follows the answers."""

from __future__ import annotations

import threading

from derivo.clock import Clock
from derivo.cos import Cos, CosFailure, Processed
from derivo.settings import Settings

# Of a limit, so that something is left for the function and for others.
SHARE = 0.9


class Rate:
    """At most `per_second` calls a second: each waits for its slot in time. Slots missed are made up for half a second,
    so that a pause of this machine does not lower the rate. Thread-safe."""

    SLACK_SECONDS = 0.5

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._gap = 1.0 / per_second
        self._next = clock.monotonic()
        self._lock = threading.Lock()

    def wait(self, slots: int = 1) -> float:
        """Wait for a slot, and take so many that come next. Returns the seconds waited."""
        with self._lock:
            now = self._clock.monotonic()
            slot = max(self._next, now - self.SLACK_SECONDS)
            self._next = slot + self._gap * slots
        pause = max(0.0, slot - now)
        if pause:
            self._clock.sleep(pause)
        return pause


class Concurrency:
    """How many sources are worked on at once: one more for each round of good answers while the rate is not reached;
    half after an answer that says too fast; one less when answers take three times as long as the quickest did.

    Thread-safe.
    """

    SLOW = 3.0

    def __init__(self, most: int, start: int = 4) -> None:
        self._most = most
        self._limit = float(min(start, most))
        self._busy = 0
        self._free = threading.Condition()
        self._quickest = float("inf")
        self._usual = 0.0
        self._cut_at = float("-inf")

    @property
    def limit(self) -> int:
        return int(self._limit)

    def acquire(self) -> None:
        """Wait until another source may begin."""
        with self._free:
            self._free.wait_for(lambda: self._busy < self.limit)
            self._busy += 1

    def release(self) -> None:
        """A source is done."""
        with self._free:
            self._busy -= 1
            self._free.notify()

    def answered(self, began: float, ended: float, *, waited: bool) -> None:
        """An answer came, to a request that took so long. `waited`: the rate held it back, so more would not help."""
        with self._free:
            took = ended - began
            self._quickest = min(self._quickest, took)
            self._usual = took if not self._usual else 0.9 * self._usual + 0.1 * took
            if self._usual > self.SLOW * self._quickest and self._limit > 4:
                self._limit = max(4.0, self._limit - 1.0 / self._limit)
            elif not waited:
                self._limit = min(float(self._most), self._limit + 1.0 / self._limit)
            self._free.notify()

    def throttled(self, began: float, now: float) -> None:
        """A request was refused as too many. Requests begun before the last cut say nothing new."""
        with self._free:
            if began >= self._cut_at:
                self._limit = max(1.0, self._limit / 2)
                self._cut_at = now


_TOO_MANY = frozenset(["SlowDown", "TooManyRequests", "ServiceUnavailable", "RequestTimeout"])


class PacedCos(Cos):
    """COS with processing calls held to a rate; what they say of the load goes to the concurrency."""

    def __init__(self, settings: Settings, clock: Clock, rate: Rate, concurrency: Concurrency) -> None:
        super().__init__(settings)
        self._clock = clock
        self._rate = rate
        self._concurrency = concurrency

    def process(
        self, *, bucket: str, region: str, key: str, pic_operations: str, timeout: float, spoken: bool = False
    ) -> Processed:
        waited = self._rate.wait() > 0
        began = self._clock.monotonic()
        try:
            answer = super().process(
                bucket=bucket, region=region, key=key, pic_operations=pic_operations, timeout=timeout, spoken=spoken
            )
        except CosFailure as failure:
            if failure.code in _TOO_MANY or failure.status in (429, 503):
                self._concurrency.throttled(began, self._clock.monotonic())
            raise
        self._concurrency.answered(began, self._clock.monotonic(), waited=waited)
        return answer
