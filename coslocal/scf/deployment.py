"""One function as it is deployed: its instances, its queue, its settings, and what became of its events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from coslocal.scf.burst import Burst
from coslocal.scf.clock import Clock
from coslocal.scf.deadletters import DeadLetters, letter
from coslocal.scf.function import Account, Function
from coslocal.scf.kept import Kept
from coslocal.scf.queue import AsyncQueue
from coslocal.scf.result import SYSTEM_ERROR, TAKEN_IN, TOO_MANY, Result
from coslocal.scf.runlog import RunLog, Tally
from coslocal.scf.runner import Log, Runner
from coslocal.scf.schedule import Dead, Message, Policy


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What all functions of an account share."""

    account: Account
    policy: Policy
    clock: Clock
    burst: Burst
    dead_letters: DeadLetters | None
    kept: Kept | None
    log: Log
    runs: RunLog = field(default_factory=RunLog)


def printable(text: str) -> str:
    """On one line: a key or a message may hold line breaks and terminal codes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class Deployment:
    """A function that runs. Events are pushed to its queue, or run at once."""

    def __init__(self, function: Function, platform: Platform) -> None:
        self.function = function
        self._platform = platform
        self._tally = Tally()
        self._runner = Runner(function, platform.account, self._printed, burst=platform.burst)
        self._kept = platform.kept.of(function.name) if platform.kept else None
        self._queue = AsyncQueue(
            self.run,
            self.bury,
            clock=platform.clock,
            policy=platform.policy,
            workers=function.instances,
            keeper=self._kept,
        )

    # -- events

    def push(self, message: Message) -> Result:
        """Queue a message: 202 when it was taken in, otherwise why it was not."""
        if self._queue.push(message):
            return Result(request_id=message.request_id, status=TAKEN_IN)
        text = "the queue of the function is full"
        return Result(request_id=message.request_id, status=TOO_MANY, message=text)

    def run(self, message: Message) -> Result:
        """Run a message once, and wait for its end."""
        run = self._platform.runs.begin(
            self.function, message.request_id, message.failures, started=self._platform.clock.now()
        )
        result = self._runner.run(message.event, message.request_id)
        self._platform.runs.end(run, self.function, result)
        self._tally.note(result, retry=message.failures)
        if not result.ok:
            self._log(message, f"{result.status} {message.subject}: {printable(result.message)}")
            for line in result.trace:
                self._log(message, line)
        return result

    def bury(self, dead: Dead) -> None:
        """Make a dead letter of a message that was given up."""
        message, result = dead.message, dead.result
        self._tally.add("dead_letters")
        self._log(message, f"given up: {message.subject}: {result.status} {printable(result.message)}")
        if self._platform.dead_letters is None:
            return
        content = letter(
            message,
            result,
            function=self.function,
            account=self._platform.account,
            policy=self._queue.policy,
            now=self._platform.clock.now(),
        )
        try:
            self._platform.dead_letters.add(content)
        except OSError as error:
            self._log(message, f"the dead letter could not be written: {error}")

    def take_up(self) -> int:
        """Queue what an earlier coslocal left waiting; how many these were."""
        left = self._kept.load() if self._kept else []
        return sum(self._queue.push(message, due) for message, due in left)

    # -- settings

    @property
    def reserved(self) -> int | None:
        """The reserved concurrency in MB, None for none; 0 stops the function (SCF 1.7, 2.7)."""
        return self._runner.reserved

    @reserved.setter
    def reserved(self, memory: int | None) -> None:
        self._runner.reserved = memory

    @property
    def policy(self) -> Policy:
        return self._queue.policy

    def set_retries(self, *, retries: int, max_age: float) -> None:
        """From the next attempt on. Raises PolicyError."""
        self._queue.policy = replace(self._queue.policy, retries=retries, max_age=max_age)

    # -- rest

    def status(self) -> dict[str, Any]:
        """Its queue, and its counts since the start."""
        state = self._queue.state()
        running = self._runner.running
        return {
            "idle": not (state.waiting or state.busy or running),
            "waiting": state.waiting,
            "retrying": state.retrying,
            "running": max(state.running, running),
            **self._tally.as_json(),
        }

    def next_due(self) -> float | None:
        return self._queue.next_due()

    def wait_empty(self, timeout: float) -> bool:
        return self._queue.wait_empty(timeout)

    def wait_quiet(self, timeout: float) -> bool:
        return self._queue.wait_quiet(timeout)

    def pause(self, grace: float) -> None:
        self._queue.pause(grace)

    def close(self) -> list[Message]:
        """End its processes and threads. What waits becomes dead letters unless it is kept; it is returned."""
        self._runner.close()
        left = self._queue.close()
        for message in left if self._kept is None else ():
            text = "coslocal was stopped before this event was handled"
            self.bury(Dead(message, Result(request_id=message.request_id, status=SYSTEM_ERROR, message=text)))
        return left

    def _printed(self, request_id: str, line: str) -> None:
        self._platform.runs.write(request_id, line)
        self._platform.log(request_id, line)

    def _log(self, message: Message, line: str) -> None:
        self._platform.log(message.request_id, line)
