"""The SCF side of coslocal: object events, timers and invocations in, runs of functions out."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.scf import triggers as binding
from coslocal.scf.burst import MOST_PER_MINUTE, Burst
from coslocal.scf.clock import Clock, ManualClock, SystemClock
from coslocal.scf.code import Code
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
from coslocal.scf.versions import DEFAULT, Phase

LARGEST_EVENT = 128 * 1024
"""Bytes of an asynchronous event (SCF 2.6)."""
LARGEST_SYNC_EVENT = 6 * 1024 * 1024
"""Bytes of a synchronous one (SCF 2.6)."""


Template = Callable[[str, Path], Function]
"""Makes the function of a name that the API deploys, with its folder, before what the API says of it is put over it."""


def _no_log(request_id: str, line: str) -> None:
    pass


class Scf:
    """Functions and the triggers that feed them. Subscribe `notify` to a store's events.

    `log` gets a request id and a line, from many threads, and must not raise: what functions print, and how failed
    runs ended. It never gets an event, which holds the uploader's signature. `kept` makes waiting events outlive this
    object; `burst` is how many instances may start in a minute; `settling` is how many seconds a function is Creating,
    Updating, Publishing or Deleting after the API was asked for it; `template` is what a function that the API deploys
    has beside what the API says, such as its interpreter. Raises TriggerError and FunctionError for what the
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
        settling: float = 0.0,
        template: Template | None = None,
        log: Log = _no_log,
    ) -> None:
        self.account = account
        self.settling = settling
        self._template = template or (lambda name, root: Function(name=name, root=root))
        self._lock = threading.RLock()
        self._going: dict[str, float] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.triggers = binding.check(triggers)
        self.timers = check_timers(timers)
        self.dialects = dialects or Dialects()
        self._clock = clock or SystemClock()
        self._bells = Timers(self.timers, self._ring, clock=self._clock, zone=ZONES[self.dialects["timer-zone"]])
        wanted = {function.name: function for function in functions}
        bound = [(trigger.function, str(trigger)) for trigger in self.triggers]
        for function, trigger in bound + [(timer.function, timer.name) for timer in self.timers]:
            if function not in wanted:
                raise FunctionError(f"there is no function {function!r} for the trigger {trigger}")
        self._platform = platform = Platform(
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
        self._bells.start()
        return sum(function.take_up() for function in self.functions.values())

    # -- events

    def notify(self, event: ObjectEvent) -> None:
        """Queue the event for the one function that its trigger names, if any. Returns at once (SCF 1.6)."""
        for trigger in self.triggers:
            if trigger.matches(event, any_case=self.dialects["trigger-case"] == "ignored"):
                deployed = self.functions.get(trigger.function)
                if deployed is None:  # deleted at this very moment
                    return
                target = deployed.function.target(trigger.qualifier)
                body = envelope(record(event, target=target, dialects=self.dialects))
                subject = f"{event.name} {event.bucket}/{printable(event.key)}"
                self._deliver(deployed, self._message(body, subject, source="COS", qualifier=trigger.qualifier))
                return

    def invoke_async(
        self, name: str, event: Any, *, subject: str = "an invocation", qualifier: str = DEFAULT
    ) -> Result:
        """Queue an event (any JSON value) for a function: invocation type `Event` (SCF 4).

        Status 202 when it was taken in; otherwise why it was refused, of which the caller alone hears.
        """
        return self._queue(self.functions[name], self._message(event, subject, source="API", qualifier=qualifier))

    def invoke(self, name: str, event: Any, *, qualifier: str = DEFAULT) -> Result:
        """Run a function with an event (any JSON value), once, and wait: type `RequestResponse` (SCF 4)."""
        message = self._message(event, "an invocation", source="API", qualifier=qualifier)
        if len(message.event) > LARGEST_SYNC_EVENT:
            text = f"the event takes {len(message.event)} bytes, more than 6 MB"
            return Result(request_id=message.request_id, status=TOO_LARGE, message=text)
        return self.functions[name].run(message)

    def _ring(self, timer: Timer, when: float) -> None:
        deployed = self.functions.get(timer.function)
        if deployed is not None:
            subject = f"timer {timer.name}"
            self._deliver(
                deployed, self._message(timer.event(when), subject, source="TIMER", qualifier=timer.qualifier)
            )

    def _message(self, event: Any, subject: str, *, source: str, qualifier: str) -> Message:
        text = json.dumps(event, separators=(",", ":"))
        return Message(
            request_id=str(uuid.uuid4()), event=text, subject=subject, source=source, pushed=self._clock.now(),
            qualifier=qualifier,
        )  # fmt: skip

    @staticmethod
    def _queue(deployed: Deployment, message: Message) -> Result:
        if len(message.event) > LARGEST_EVENT:
            text = f"the event takes {len(message.event)} bytes, more than 128 KB"
            return Result(request_id=message.request_id, status=TOO_LARGE, message=text)
        return deployed.push(message)

    def _deliver(self, deployed: Deployment, message: Message) -> None:
        """Queue what nobody waits for: refused, it becomes a dead letter."""
        result = self._queue(deployed, message)
        if result.status != TAKEN_IN:
            deployed.bury(Dead(message, result))

    def forget(self) -> None:
        """Drop the events that wait for a function; runs that have begun come to their end and are not tried again."""
        for function in list(self.functions.values()):
            function.forget()

    # -- changes

    @property
    def folder(self) -> Path:
        """Where the code of what the API deploys is unpacked: it lasts as long as this object."""
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="coslocal-scf-", ignore_cleanup_errors=True)
            return Path(self._folder.name)

    def phase(self, doing: str, problem: str = "") -> Phase:
        """What is begun now, for as long as `settling` says."""
        return Phase(doing, self._clock.now() + self.settling, problem)

    def deployed(self, name: str) -> Deployment | None:
        """The function of this name; none once it is deleted."""
        with self._lock:
            if name in self._going and self._going[name] <= self._clock.now():
                del self._going[name]
                gone = self.functions[name]
                self.functions = {other: item for other, item in self.functions.items() if other != name}
                gone.delete()
            return self.functions.get(name)

    def template(self, name: str) -> Function:
        """A function of this name without code as yet. Raises FunctionError when it cannot be named so."""
        return self._template(name, self.folder)

    def deploy(self, function: Function, code: Code, problem: str) -> None:
        """Begin a function that is not there yet; with a problem it will have failed."""
        with self._lock:
            made = Deployment(function, self._platform, code=code, phase=self.phase("Creating", problem))
            self.functions = {**self.functions, function.name: made}
        made.take_up()

    def remove(self, name: str) -> None:
        """Delete a function with its triggers; it is gone when `settling` is over."""
        with self._lock:
            self.triggers = tuple(trigger for trigger in self.triggers if trigger.function != name)
            for timer in [timer for timer in self.timers if timer.function == name]:
                self.unset_timer(timer)
            phase = self.phase("Deleting")
            self.functions[name].latest.phase = phase
            self._going[name] = phase.until
        self.deployed(name)

    def bind(self, trigger: binding.Trigger) -> None:
        """Raises TriggerError when the platform would not take it beside the others."""
        with self._lock:
            self.triggers = binding.check((*self.triggers, trigger))

    def unbind(self, trigger: binding.Trigger) -> None:
        with self._lock:
            self.triggers = tuple(other for other in self.triggers if other != trigger)

    def set_timer(self, timer: Timer) -> None:
        """Raises TriggerError when the platform would not take it beside the others."""
        with self._lock:
            timers = check_timers((*self.timers, timer))
            self._bells.add(timer)
            self.timers = timers

    def unset_timer(self, timer: Timer) -> None:
        with self._lock:
            self._bells.remove(timer)
            self.timers = tuple(other for other in self.timers if other != timer)

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
        left = [message for function in self.functions.values() for message in function.close()]
        if self._folder is not None:
            self._folder.cleanup()
        return left

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
