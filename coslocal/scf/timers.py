"""Timer triggers: which function gets an event at which times (SCF 6.2; 583/9708 of 2024-12-02)."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from coslocal.scf.clock import Clock
from coslocal.scf.cron import Cron, CronError, parse
from coslocal.scf.triggers import MOST_PER_FUNCTION, TriggerError

LONGEST_MESSAGE = 4096
"""Bytes."""
MOST_AT_ONCE = 1000
"""Events of one timer when the clock jumps; the times beyond are skipped."""
ZONES = {"utc+8": timezone(timedelta(hours=8)), "utc": UTC}
"""The choices of the dialect `timer-zone`."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}\Z")


@dataclass(frozen=True, kw_only=True)
class Timer:
    """`function`, its version or alias `qualifier`, gets an event with `message` whenever `cron` says so, unless the
    timer is not `enabled`. Raises TriggerError."""

    name: str
    function: str
    cron: Cron
    message: str = ""
    qualifier: str = "$DEFAULT"
    enabled: bool = True

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise TriggerError(
                f"timer {self.name[:80]!r}: a name has letters, digits, - and _, begins with a letter and has at most"
                " 60 characters"
            )
        size = len(self.message.encode("utf-8", "surrogateescape"))
        if size > LONGEST_MESSAGE:
            raise TriggerError(f"timer {self.name}: its message takes {size} bytes of {LONGEST_MESSAGE}")

    def event(self, when: float) -> dict[str, Any]:
        """The whole event (SCF 6.2); `when` is unix seconds."""
        time = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"Type": "Timer", "TriggerName": self.name, "Time": time, "Message": self.message}


def parse_timer(text: str, *, function: str) -> Timer:
    """A timer from its command-line form `NAME=CRON[;MESSAGE]`. Raises TriggerError."""
    name, mark, rest = text.partition("=")
    expression, _, message = rest.partition(";")
    if not mark:
        raise TriggerError(f"timer {text[:200]!r} is not of the form NAME=CRON[;MESSAGE], CRON being seven fields")
    try:
        return Timer(name=name, function=function, cron=parse(expression), message=message)
    except CronError as error:
        raise TriggerError(f"timer {name[:80]}: {error}") from error


def check_timers(timers: Iterable[Timer]) -> tuple[Timer, ...]:
    """The timers, when the platform would accept them together: names are a function's own, and it has at most ten.

    Raises TriggerError.
    """
    bound = tuple(timers)
    for (function, name), count in Counter((timer.function, timer.name) for timer in bound).items():
        if count > 1:
            raise TriggerError(f"function {function} has two timers named {name}")
    for function, count in Counter(timer.function for timer in bound).items():
        if count > MOST_PER_FUNCTION:
            raise TriggerError(f"function {function} has {count} timers; the platform allows {MOST_PER_FUNCTION}")
    return bound


class Timers:
    """A thread that calls `fire(timer, when)` for every time that has come since this was made, or the timer was
    added, in order. Raises TriggerError for a timer that would never fire.
    """

    def __init__(
        self, timers: Iterable[Timer], fire: Callable[[Timer, float], None], *, clock: Clock, zone: timezone
    ) -> None:
        self._fire = fire
        self._clock = clock
        self._zone = zone
        self._changed = threading.Condition()
        self._ended = False
        self._next: dict[Timer, int | None] = {}
        for timer in timers:
            self.add(timer)
        self._thread = threading.Thread(target=self._work, name="scf-timers", daemon=True)

    def add(self, timer: Timer) -> None:
        """Ring this one too, from now on."""
        with self._changed:
            when = timer.cron.next_after(self._clock.now(), self._zone)
            if when is None:
                raise TriggerError(f"timer {timer.name}: {timer.cron} names no time that is still to come")
            if timer.enabled:
                self._next[timer] = when
                self._changed.notify_all()

    def remove(self, timer: Timer) -> None:
        with self._changed:
            self._next.pop(timer, None)
            self._changed.notify_all()

    def start(self) -> None:
        self._clock.watch(self._changed)
        self._thread.start()

    def wait_quiet(self, timeout: float) -> bool:
        """Wait (real seconds) until every time that has come by the clock has been seen to."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._thread.is_alive() or not self._due(), timeout)

    def close(self) -> None:
        """Fire no more. Does nothing to one that was not started."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def _due(self) -> list[tuple[int, Timer]]:
        now = self._clock.now()
        return [(when, timer) for timer, when in self._next.items() if when is not None and when <= now]

    def _work(self) -> None:
        fired = Counter[Timer]()
        with self._changed:
            while not self._ended:
                due = self._due()
                if due:
                    when, timer = min(due, key=lambda item: item[0])
                    fired[timer] += 1
                    self._ring(timer, when, behind=fired[timer] >= MOST_AT_ONCE)
                else:
                    fired.clear()
                    coming = [when for when in self._next.values() if when is not None]
                    self._clock.wait(self._changed, min(coming, default=None))

    def _ring(self, timer: Timer, when: int, *, behind: bool) -> None:
        """The next time moves on only once the event is out, so that who waits for quiet finds it in the queue."""
        self._fire(timer, when)
        self._next[timer] = timer.cron.next_after(self._clock.now() if behind else when, self._zone)
        self._changed.notify_all()
