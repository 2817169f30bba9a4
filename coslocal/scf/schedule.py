"""When each message of a function's asynchronous queue is tried, and when it is given up (SCF 3.1). No threads here."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import Protocol

from coslocal.scf.result import THROTTLED, Result


class PolicyError(ValueError):
    """A policy that makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`retries` after an execution error, `retry_interval` seconds apart; a throttled run and a system error are tried
    again every `throttle_interval` seconds; no attempt begins once a message is older than `max_age` seconds.
    Raises PolicyError."""

    retries: int = 2
    retry_interval: float = 60.0
    throttle_interval: float = 60.0
    max_age: float = 21600.0

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise PolicyError("the number of retries cannot be negative")
        if min(self.retry_interval, self.throttle_interval, self.max_age) <= 0:
            raise PolicyError("the intervals between retries and the longest age have to be above 0 s")


@dataclass(frozen=True, kw_only=True)
class Message:
    """An event that waits for its function. `event` is one line of ASCII JSON; `subject` names it to people; `source`
    is where it came from, as dead letters tell it; `pushed` is unix seconds; `failures` counts execution errors so far;
    `request_id` stays the same over all attempts, and `attempts` counts them, throttled ones included; `qualifier` is
    the version or alias that is to run it."""

    request_id: str
    event: str
    subject: str
    pushed: float
    source: str = "COS"
    attempts: int = 0
    failures: int = 0
    last: Result | None = None
    qualifier: str = "$DEFAULT"


@dataclass(frozen=True)
class Dead:
    """A message that will not be tried again, and why."""

    message: Message
    result: Result


class Keeper(Protocol):
    """What remembers messages beyond the process: `keep` while they wait or run, `drop` when they have ended."""

    def keep(self, message: Message, due: float) -> None: ...

    def drop(self, message: Message) -> None: ...


class Schedule:
    """The messages of one function, waiting and running. Each pushed message ends in exactly one of: a success, a Dead,
    or `left()`. Times are unix seconds, given by the caller. `policy` may be changed and holds from the next settling.
    """

    def __init__(self, policy: Policy, keeper: Keeper | None = None) -> None:
        self.policy = policy
        self._keeper = keeper
        self._waiting: list[tuple[float, int, Message]] = []
        self._pushed = 0
        self._taken: set[str] = set()
        self._unwanted: set[str] = set()
        self.running = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def retrying(self) -> int:
        """How many of the waiting have been tried before."""
        return sum(message.attempts > 0 for _, _, message in self._waiting)

    def push(self, message: Message, due: float | None = None) -> None:
        """Take a message in, to be tried at once, or when it is `due`."""
        self._wait(message, message.pushed if due is None else due)

    def next_due(self) -> float | None:
        """When the next message may be tried, or None when none waits."""
        return self._waiting[0][0] if self._waiting else None

    def take(self, now: float) -> Message | Dead | None:
        """The message to run now, oldest due first; or one that grew too old while it waited; or None."""
        if not self._waiting or self._waiting[0][0] > now:
            return None
        _, _, message = heapq.heappop(self._waiting)
        if now - message.pushed > self.policy.max_age:
            return Dead(message, message.last or self._never_run(message))
        self.running += 1
        self._taken.add(message.request_id)
        return message

    def settle(self, message: Message, result: Result, now: float) -> Dead | None:
        """Note how the run of a taken message ended: done, to be tried again, or Dead."""
        if self._let_go(message) or result.ok:
            self.forget(message)
            return None
        policy = self.policy
        due = now + (policy.throttle_interval if result.is_platforms else policy.retry_interval)
        failures = message.failures + (not result.is_platforms)
        message = replace(message, last=result, failures=failures, attempts=message.attempts + 1)
        if message.failures > policy.retries or due - message.pushed > policy.max_age:
            return Dead(message, result)
        self._wait(message, due)
        return None

    def forget(self, message: Message) -> None:
        """Note that a message has ended for good: a success by itself, a Dead once it is buried."""
        if self._keeper is not None:
            self._keeper.drop(message)

    def give_back(self, message: Message) -> None:
        """Note that a taken message was interrupted by coslocal itself: it waits again, as if it had not run."""
        if self._let_go(message):
            self.forget(message)
        else:
            self._wait(message, message.pushed)

    def forget_all(self) -> None:
        """Drop all that wait; what runs comes to its end and is not tried again."""
        self._unwanted |= self._taken
        for message in self.left():
            self.forget(message)

    def left(self) -> list[Message]:
        """Take out all that wait."""
        messages = [message for _, _, message in sorted(self._waiting)]
        self._waiting.clear()
        return messages

    def _let_go(self, message: Message) -> bool:
        """Note that a taken message runs no more; whether it was dropped meanwhile."""
        self.running -= 1
        self._taken.discard(message.request_id)
        unwanted = message.request_id in self._unwanted
        self._unwanted.discard(message.request_id)
        return unwanted

    def _wait(self, message: Message, due: float) -> None:
        self._pushed += 1  # first in, first out among those that are due at the same time
        heapq.heappush(self._waiting, (due, self._pushed, message))
        if self._keeper is not None:
            self._keeper.keep(message, due)

    @staticmethod
    def _never_run(message: Message) -> Result:
        return Result(request_id=message.request_id, status=THROTTLED, message="it waited too long for a free instance")
