"""One function as it is deployed: its versions, its queue, its settings, and what became of its events."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from coslocal.scf.burst import Burst
from coslocal.scf.capacity import Capacity
from coslocal.scf.clock import Clock
from coslocal.scf.code import Code
from coslocal.scf.deadletters import DeadLetters, letter
from coslocal.scf.function import Account, Function
from coslocal.scf.kept import Kept
from coslocal.scf.queue import AsyncQueue
from coslocal.scf.result import SYSTEM_ERROR, TAKEN_IN, TOO_MANY, Result
from coslocal.scf.runlog import RunLog, Tally
from coslocal.scf.runner import Log, Runner
from coslocal.scf.schedule import Dead, Message, Policy
from coslocal.scf.versions import ACTIVE, DEFAULT, LATEST, Alias, Phase, Version


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
    """A function that runs. Events are pushed to its queue, or run at once; which version runs them is looked up when
    they do. `phase` is what is being done to it at first."""

    def __init__(
        self, function: Function, platform: Platform, *, code: Code | None = None, phase: Phase | None = None
    ) -> None:
        self._platform = platform
        self._tally = Tally()
        self._capacity = Capacity(function.name, instances=function.instances, reserved=function.reserved_memory)
        self._lock = threading.RLock()
        self._retired: list[Runner] = []
        self._coming: Version | None = None
        now = platform.clock.now()
        latest = self._made(function, code, phase or Phase("Creating", now))
        self._versions = {LATEST: latest}
        self._aliases = {DEFAULT: Alias(name=DEFAULT, version=LATEST, description="", added=now, modified=now)}
        self._kept = platform.kept.of(function.name) if platform.kept else None
        self._queue = AsyncQueue(
            self.run,
            self.bury,
            clock=platform.clock,
            policy=platform.policy,
            workers=function.instances,
            keeper=self._kept,
        )

    # -- versions

    @property
    def function(self) -> Function:
        """As it was last updated."""
        return self.latest.function

    @property
    def latest(self) -> Version:
        with self._lock:
            self._settle()
            return self._versions[LATEST]

    def version(self, qualifier: str) -> Version | None:
        """The version that a version's or an alias's name stands for, if there is one."""
        with self._lock:
            self._settle()
            alias = self._aliases.get(qualifier)
            return self._versions.get(alias.version if alias else qualifier)

    def versions(self) -> list[Version]:
        """$LATEST, then the published ones as they came."""
        with self._lock:
            self._settle()
            return list(self._versions.values())

    def aliases(self) -> list[Alias]:
        with self._lock:
            return list(self._aliases.values())

    def state(self, qualifier: str = LATEST) -> str:
        """Active, or one of the states of 583/115197."""
        version = self.version(qualifier)
        return version.phase.status(self._platform.clock.now()) if version else ""

    def reason(self, qualifier: str = LATEST) -> str:
        """Why the last change failed, "" when it did not."""
        version = self.version(qualifier)
        return version.phase.reason(self._platform.clock.now()) if version else ""

    def update(self, function: Function, code: Code | None, phase: Phase) -> None:
        """Let this be $LATEST once the phase is over, unless it fails; until then what was there runs (583/115197)."""
        with self._lock:
            latest = self.latest
            latest.phase, latest.modified = phase, self._platform.clock.now()
            self._coming = None if phase.problem else self._made(function, code, phase)
            self._settle()

    def publish(self, description: str, until: float) -> Version:
        """A new version that is what $LATEST is now, and stays so."""
        with self._lock:
            latest = self.latest
            number = str(max((int(name) for name in self._versions if name != LATEST), default=0) + 1)
            function = replace(latest.function, version=number)
            made = self._made(function, latest.code, Phase("Publishing", until))
            made.description = description
            self._versions[number] = made
            return made

    def point(self, name: str, version: str, description: str) -> None:
        """Make an alias, or let it name another version."""
        with self._lock:
            now = self._platform.clock.now()
            added = self._aliases[name].added if name in self._aliases else now
            self._aliases[name] = Alias(name=name, version=version, description=description, added=added, modified=now)

    def unpoint(self, name: str) -> None:
        with self._lock:
            self._aliases.pop(name, None)

    def _made(self, function: Function, code: Code | None, phase: Phase) -> Version:
        platform = self._platform
        runner = Runner(function, platform.account, self._printed, burst=platform.burst, capacity=self._capacity)
        now = platform.clock.now()
        return Version(function=function, code=code, runner=runner, added=now, modified=now, phase=phase)

    def _settle(self) -> None:
        latest = self._versions[LATEST]
        if self._coming is None or latest.phase.status(self._platform.clock.now()) != ACTIVE:
            return
        latest.runner.retire()
        self._retired.append(latest.runner)
        latest.function, latest.code, latest.runner = (
            self._coming.function,
            self._coming.code,
            self._coming.runner,
        )
        self._coming = None

    # -- events

    def push(self, message: Message) -> Result:
        """Queue a message: 202 when it was taken in, otherwise why it was not."""
        if self._queue.push(message):
            return Result(request_id=message.request_id, status=TAKEN_IN)
        text = "the queue of the function is full"
        return Result(request_id=message.request_id, status=TOO_MANY, message=text)

    def run(self, message: Message) -> Result:
        """Run a message once, and wait for its end."""
        version = self.version(message.qualifier) or self.latest
        run = self._platform.runs.begin(
            version.function, message.request_id, message.failures, started=self._platform.clock.now()
        )
        result = version.runner.run(message.event, message.request_id)
        self._platform.runs.end(run, version.function, result)
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
        return self._capacity.reserved

    @reserved.setter
    def reserved(self, memory: int | None) -> None:
        self._capacity.reserved = memory

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
        running = self._capacity.running
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

    def forget(self) -> None:
        """Drop the events that wait."""
        self._queue.forget_all()

    def pause(self, grace: float) -> None:
        self._queue.pause(grace)

    def close(self) -> list[Message]:
        """End its processes and threads. What waits becomes dead letters unless it is kept; it is returned."""
        left = self._end()
        if self._kept is None:
            self._bury_all(left, "coslocal was stopped before this event was handled")
        return left

    def delete(self) -> None:
        """End it for good: what waits becomes dead letters."""
        left = self._end()
        if self._kept is not None:
            for message in left:
                self._kept.drop(message)
        self._bury_all(left, "the function was deleted before this event was handled")

    def _end(self) -> list[Message]:
        with self._lock:
            runners = [*self._retired, *(version.runner for version in self._versions.values())]
        self._queue.pause(0)
        for runner in runners:
            runner.close()
        return self._queue.close()

    def _bury_all(self, messages: Sequence[Message], text: str) -> None:
        for message in messages:
            self.bury(Dead(message, Result(request_id=message.request_id, status=SYSTEM_ERROR, message=text)))

    def _printed(self, request_id: str, line: str) -> None:
        self._platform.runs.write(request_id, line)
        self._platform.log(request_id, line)

    def _log(self, message: Message, line: str) -> None:
        self._platform.log(message.request_id, line)
