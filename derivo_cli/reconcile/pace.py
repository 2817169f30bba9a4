"""How fast: the platform's requests a second, kept to by slots in time, and concurrency that follows the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from derivo.clock import Clock, Deadline
from derivo.cos import Cos, CosFailure, Processed
from derivo.settings import Settings

# Of a limit, so that something is left for the function and for others.
SHARE = 0.9
_PATIENCE_SECONDS = 300.0

T = TypeVar("T")


def patiently(clock: Clock, ask: Callable[[], T], passes: Callable[[Exception], bool]) -> T:
    """The answer, asked for again with growing pauses for five minutes, while failures are of a kind that passes."""
    deadline = Deadline(clock, _PATIENCE_SECONDS)
    attempt = 0
    while True:
        try:
            return ask()
        except Exception as failure:
            attempt += 1
            if not (passes(failure) and deadline.back_off(attempt)):
                raise


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
    """How many sources are worked on at once. While the rate is not reached it looks for where more no longer helps,
    one round of answers after the other: doubled at first, then a quarter up while that makes it faster, a quarter down
    while that makes it no slower. Half after an answer that says too fast. Thread-safe.

    How long an answer takes decides nothing by itself: large sources take longer, and then more at once are right.
    """

    STEP = 1.25
    GAIN = 0.05
    """Of the speed: what less is noise."""
    ROUND = 8

    def __init__(self, most: int, start: int = 4) -> None:
        self._most = most
        self._limit = float(min(start, most))
        self._step = 2.0
        self._upward = True
        self._busy = 0
        self._free = threading.Condition()
        self._answers = self._held = 0
        self._since: float | None = None
        self._before: tuple[float, float] | None = None
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
        """An answer came. `waited`: the rate held the request back, so more at once would not help."""
        with self._free:
            if self._since is None:
                self._since = began
            self._answers += 1
            self._held += waited
            if self._answers >= max(self.ROUND, 2 * self.limit) and ended > self._since:
                self._judge(self._answers / (ended - self._since), held=2 * self._held > self._answers)
                self._answers = self._held = 0
                self._since = ended
            self._free.notify_all()

    def throttled(self, began: float, now: float) -> None:
        """A request was refused as too many. Requests begun before the last cut say nothing new."""
        with self._free:
            if began >= self._cut_at:
                self._limit = max(1.0, self._limit / 2)
                self._step, self._before, self._cut_at = self.STEP, None, now

    def _judge(self, speed: float, *, held: bool) -> None:
        """A round is over, with so many answers a second."""
        if held:
            self._before = None
            return
        if self._before is None or self._before[0] == self._limit:
            self._upward = True
        elif self._upward and speed < self._before[1] * (1 + self.GAIN):
            self._upward, self._step = False, self.STEP
        elif not self._upward and speed < self._before[1] * (1 - self.GAIN):
            self._upward = True
        self._before = (self._limit, speed)
        if self._upward:
            self._limit = min(float(self._most), max(self._limit + 1, self._limit * self._step))
        else:
            self._limit = max(1.0, min(self._limit - 1, self._limit / self._step))


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
