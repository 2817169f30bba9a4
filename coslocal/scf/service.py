"""The SCF side of coslocal: object events, timers and invocations in, runs of functions out."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.scf import triggers as binding
from coslocal.scf.burst import MOST_PER_MINUTE, Burst
from coslocal.scf.clock import Clock, ManualClock, SystemClock
from coslocal.scf.deadletters import DeadLetters
from coslocal.scf.deployment import Deployment, Platform, printable
from coslocal.scf.event import envelope, record
from coslocal.scf.function import Account, Function, FunctionError
from coslocal.scf.kept import Kept
from coslocal.scf.result import TAKEN_IN, TOO_LARGE, Result
from coslocal.scf.runlog import RunLog
from coslocal.scf.runner import Log
from coslocal.scf.schedule import Dead, Message, Policy
from coslocal.scf.timers import ZONES, Timer, Timers, check_timers

LARGEST_EVENT = 128 * 1024
"""Bytes of an asynchronous event (SCF 2.6)."""
LARGEST_SYNC_EVENT = 6 * 1024 * 1024
"""Bytes of a synchronous one (SCF 2.6)."""


def _no_log(request_id: str, line: str) -> None:
    pass


class Scf:
    """Functions and the triggers that feed them. Subscribe `notify` to a store's events.

    `log` gets a request id and a line, from many threads, and must not raise: what functions print, and how failed
    runs ended. It never gets an event, which holds the uploader's signature. `kept` makes waiting events outlive this
    object; `burst` is how many instances may start in a minute. Raises TriggerError and FunctionError for what the
    platform would refuse. Use as a context manager, or call `close`; `start` sets the timers going and takes up the
    events that were kept, once the functions can reach what they need.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        triggers: Iterable[binding.Trigger] = (),
        *,
        account: Account,
        timers: Iterable[Timer] = (),
        policy: Policy | None = None,
        clock: Clock | None = None,
        dialects: Dialects | None = None,
        dead_letters: DeadLetters | None = None,
        kept: Kept | None = None,
        burst: int = MOST_PER_MINUTE,
        log: Log = _no_log,
    ) -> None:
        self.account = account
        self.triggers = binding.check(triggers)
        self.timers = check_timers(timers)
        self._dialects = dialects or Dialects()
        self._clock = clock or SystemClock()
        self._bells = Timers(self.timers, self._ring, clock=self._clock, zone=ZONES[self._dialects["timer-zone"]])
        wanted = {function.name: function for function in functions}
        bound = [(trigger.function, str(trigger)) for trigger in self.triggers]
        for function, trigger in bound + [(timer.function, timer.name) for timer in self.timers]:
            if function not in wanted:
                raise FunctionError(f"there is no function {function!r} for the trigger {trigger}")
        platform = Platform(
            account=account, policy=policy or Policy(), clock=self._clock, burst=Burst(self._clock, burst),
            dead_letters=dead_letters, kept=kept, log=log,
        )  # fmt: skip
        self.runs: RunLog = platform.runs
        self.functions: Mapping[str, Deployment] = {
            name: Deployment(function, platform) for name, function in wanted.items()
        }

    def __enter__(self) -> Scf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> int:
        """Set the timers going, and queue what an earlier run left waiting; how many events these were."""
        if self.timers:
            self._bells.start()
        return sum(function.take_up() for function in self.functions.values())

    # -- events

    def notify(self, event: ObjectEvent) -> None:
        """Queue the event for the one function that its trigger names, if any. Returns at once (SCF 1.6)."""
        for trigger in self.triggers:
            if trigger.matches(event, any_case=self._dialects["trigger-case"] == "ignored"):
                target = self.functions[trigger.function].function.target
                body = envelope(record(event, target=target, dialects=self._dialects))
                subject = f"{event.name} {event.bucket}/{printable(event.key)}"
                self._deliver(trigger.function, self._message(body, subject, source="COS"))
                return

    def invoke_async(self, name: str, event: Any, *, subject: str = "an invocation") -> Result:
        """Queue an event (any JSON value) for a function: invocation type `Event` (SCF 4).

        Status 202 when it was taken in; otherwise why it was refused, of which the caller alone hears.
        """
        return self._queue(name, self._message(event, subject, source="API"))

    def invoke(self, name: str, event: Any) -> Result:
        """Run a function with an event (any JSON value), once, and wait: type `RequestResponse` (SCF 4)."""
        message = self._message(event, "an invocation", source="API")
        if len(message.event) > LARGEST_SYNC_EVENT:
            text = f"the event takes {len(message.event)} bytes, more than 6 MB"
            return Result(request_id=message.request_id, status=TOO_LARGE, message=text)
        return self.functions[name].run(message)

    def _ring(self, timer: Timer, when: float) -> None:
        self._deliver(timer.function, self._message(timer.event(when), f"timer {timer.name}", source="TIMER"))

    def _message(self, event: Any, subject: str, *, source: str) -> Message:
        text = json.dumps(event, separators=(",", ":"))
        return Message(
            request_id=str(uuid.uuid4()), event=text, subject=subject, source=source, pushed=self._clock.now()
        )

    def _queue(self, name: str, message: Message) -> Result:
        if len(message.event) > LARGEST_EVENT:
            text = f"the event takes {len(message.event)} bytes, more than 128 KB"
            return Result(request_id=message.request_id, status=TOO_LARGE, message=text)
        return self.functions[name].push(message)

    def _deliver(self, name: str, message: Message) -> None:
        """Queue what nobody waits for: refused, it becomes a dead letter."""
        result = self._queue(name, message)
        if result.status != TAKEN_IN:
            self.functions[name].bury(Dead(message, result))

    # -- rest

    def status(self) -> dict[str, Any]:
        """Each function's queue and counts; `idle` when nothing runs, waits, or is about to."""
        settled = self._bells.wait_quiet(0) and all(item.status()["idle"] for item in self.functions.values())
        functions = {name: item.status() for name, item in self.functions.items()}
        return {"idle": settled and all(item["idle"] for item in functions.values()), "functions": functions}

    def wait_idle(self, timeout: float) -> bool:
        """Wait up to `timeout` real seconds until nothing runs and nothing waits for a retry; True when that is so."""
        return self._wait(timeout, Deployment.wait_empty)

    def drain(self, timeout: float = 60.0) -> bool:
        """`wait_idle` on a ManualClock: moves it on to each next attempt, so that hours of retries take no time."""
        if not isinstance(self._clock, ManualClock):
            return self.wait_idle(timeout)
        deadline = time.monotonic() + timeout
        while self._wait(deadline - time.monotonic(), Deployment.wait_quiet):
            due = [when for item in self.functions.values() if (when := item.next_due()) is not None]
            if not due:
                return True
            self._clock.move_to(min(due))
        return False

    def pause(self, grace: float) -> None:
        """Begin no more runs, end the timers, and give what runs up to `grace` seconds. Events are still taken in."""
        self._bells.close()
        deadline = time.monotonic() + grace
        for function in self.functions.values():
            function.pause(max(0.0, deadline - time.monotonic()))

    def close(self) -> list[Message]:
        """Stop, killing what still runs. Events that were not handled are returned; they are kept, or become dead
        letters where nothing keeps them."""
        self.pause(0)
        return [message for function in self.functions.values() for message in function.close()]

    def _wait(self, timeout: float, quiet: Callable[[Deployment, float], bool]) -> bool:
        """Until all queues are quiet at once: a function may have raised an event for another while it ran."""
        deadline = time.monotonic() + timeout
        functions = list(self.functions.values())
        while True:
            if not self._bells.wait_quiet(max(0.0, deadline - time.monotonic())):
                return False
            for function in functions:
                if not quiet(function, max(0.0, deadline - time.monotonic())):
                    return False
            if self._bells.wait_quiet(0) and all(quiet(function, 0.0) for function in functions):
                return True
