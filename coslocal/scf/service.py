"""The SCF side of coslocal: object events in, runs of functions out."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.scf import triggers as binding
from coslocal.scf.clock import Clock, ManualClock, SystemClock
from coslocal.scf.deadletters import DeadLetters, letter
from coslocal.scf.event import envelope, record
from coslocal.scf.function import Account, Function, FunctionError
from coslocal.scf.queue import AsyncQueue
from coslocal.scf.result import SYSTEM_ERROR, TOO_LARGE, TOO_MANY, Result
from coslocal.scf.runner import Log, Runner
from coslocal.scf.schedule import Dead, Message, Policy

LARGEST_EVENT = 128 * 1024
"""Bytes of an asynchronous event (SCF 2.6)."""
LARGEST_SYNC_EVENT = 6 * 1024 * 1024
"""Bytes of a synchronous one (SCF 2.6)."""


@dataclass(frozen=True)
class _Deployed:
    function: Function
    runner: Runner
    queue: AsyncQueue


def _no_log(request_id: str, line: str) -> None:
    pass


def _printable(text: str) -> str:
    """On one line: a key or a message may hold line breaks and terminal codes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class Scf:
    """Functions and the triggers that feed them. Subscribe `notify` to a store's events.

    `log` gets a request id and a line, from many threads, and must not raise: what functions print, and how failed
    runs ended. It never gets an event, which holds the uploader's signature. Raises TriggerError and FunctionError for
    what the platform would refuse. Use as a context manager, or call `close`.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        triggers: Iterable[binding.Trigger],
        *,
        account: Account,
        policy: Policy | None = None,
        clock: Clock | None = None,
        dialects: Dialects | None = None,
        dead_letters: DeadLetters | None = None,
        log: Log = _no_log,
    ) -> None:
        self._triggers = binding.check(triggers)
        self._account = account
        self._policy = policy or Policy()
        self._clock = clock or SystemClock()
        self._dialects = dialects or Dialects()
        self._dead_letters = dead_letters
        self._log = log
        wanted = list(functions)
        for trigger in self._triggers:
            if trigger.function not in [function.name for function in wanted]:
                raise FunctionError(f"there is no function {trigger.function!r} for the trigger {trigger}")
        self._deployed = {function.name: self._deploy(function) for function in wanted}

    def __enter__(self) -> Scf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def notify(self, event: ObjectEvent) -> None:
        """Queue the event for the one function that its trigger names, if any. Returns at once (SCF 1.6)."""
        for trigger in self._triggers:
            if trigger.matches(event):
                function = self._deployed[trigger.function].function
                body = envelope(record(event, target=function.target, dialects=self._dialects))
                self.invoke_async(function.name, body, subject=f"{event.name} {event.bucket}/{_printable(event.key)}")
                return

    def invoke_async(self, name: str, event: Any, *, subject: str = "an invocation") -> Result | None:
        """Queue an event (any JSON value) for a function: invocation type `Event` (SCF 4).

        None when it was taken in; otherwise why it was refused, in which case it has become a dead letter.
        """
        message = self._message(event, subject)
        if len(message.event) > LARGEST_EVENT:
            text = f"the event takes {len(message.event)} bytes, more than 128 KB"
            return self._refuse(name, message, Result(request_id=message.request_id, status=TOO_LARGE, message=text))
        if not self._deployed[name].queue.push(message):
            text = "the queue of the function is full"
            return self._refuse(name, message, Result(request_id=message.request_id, status=TOO_MANY, message=text))
        return None

    def invoke(self, name: str, event: Any) -> Result:
        """Run a function with an event (any JSON value), once, and wait: type `RequestResponse` (SCF 4)."""
        message = self._message(event, "an invocation")
        if len(message.event) > LARGEST_SYNC_EVENT:
            text = f"the event takes {len(message.event)} bytes, more than 6 MB"
            return Result(request_id=message.request_id, status=TOO_LARGE, message=text)
        return self._run(self._deployed[name].runner, message)

    def wait_idle(self, timeout: float) -> bool:
        """Wait up to `timeout` real seconds until nothing runs and nothing waits for a retry; True when that is so."""
        return self._wait(timeout, lambda queue, left: queue.wait_empty(left))

    def drain(self, timeout: float = 60.0) -> bool:
        """`wait_idle` on a ManualClock: moves it on to each next attempt, so that hours of retries take no time."""
        if not isinstance(self._clock, ManualClock):
            return self.wait_idle(timeout)
        deadline = time.monotonic() + timeout
        while self._wait(deadline - time.monotonic(), lambda queue, left: queue.wait_quiet(left)):
            due = [when for item in self._deployed.values() if (when := item.queue.next_due()) is not None]
            if not due:
                return True
            self._clock.move_to(min(due))
        return False

    def pause(self, grace: float) -> None:
        """Begin no more runs, and give those that run up to `grace` seconds. Events are still taken in."""
        deadline = time.monotonic() + grace
        for item in self._deployed.values():
            item.queue.pause(max(0.0, deadline - time.monotonic()))

    def close(self) -> list[Message]:
        """Stop, killing what still runs. Events that were not handled become dead letters, and are returned."""
        self.pause(0)
        left = []
        for name, item in self._deployed.items():
            item.runner.close()
            for message in item.queue.close():
                text = "coslocal was stopped before this event was handled"
                self._bury(
                    name, Dead(message, Result(request_id=message.request_id, status=SYSTEM_ERROR, message=text))
                )
                left.append(message)
        return left

    def _deploy(self, function: Function) -> _Deployed:
        runner = Runner(function, self._account, self._log)
        queue = AsyncQueue(
            lambda message: self._run(runner, message),
            lambda dead: self._bury(function.name, dead),
            clock=self._clock,
            policy=self._policy,
            workers=function.instances,
        )
        return _Deployed(function, runner, queue)

    def _message(self, event: Any, subject: str) -> Message:
        text = json.dumps(event, separators=(",", ":"))
        return Message(request_id=str(uuid.uuid4()), event=text, subject=subject, pushed=self._clock.now())

    def _run(self, runner: Runner, message: Message) -> Result:
        result = runner.run(message.event, message.request_id)
        if not result.ok:
            self._log(message.request_id, f"{result.status} {message.subject}: {_printable(result.message)}")
            for line in result.trace:
                self._log(message.request_id, line)
        return result

    def _refuse(self, name: str, message: Message, result: Result) -> Result:
        self._bury(name, Dead(message, result))
        return result

    def _bury(self, name: str, dead: Dead) -> None:
        message, result = dead.message, dead.result
        self._log(message.request_id, f"given up: {message.subject}: {result.status} {_printable(result.message)}")
        if self._dead_letters is None:
            return
        content = letter(
            message,
            result,
            function=self._deployed[name].function,
            account=self._account,
            policy=self._policy,
            now=self._clock.now(),
        )
        try:
            self._dead_letters.add(content)
        except OSError as error:
            self._log(message.request_id, f"the dead letter could not be written: {error}")

    def _wait(self, timeout: float, quiet: Callable[[AsyncQueue, float], bool]) -> bool:
        """Until all queues are quiet at once: a function may have raised an event for another while it ran."""
        deadline = time.monotonic() + timeout
        queues = [item.queue for item in self._deployed.values()]
        while True:
            for queue in queues:
                if not quiet(queue, max(0.0, deadline - time.monotonic())):
                    return False
            if all(quiet(queue, 0.0) for queue in queues):
                return True
