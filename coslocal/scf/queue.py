"""The asynchronous queue of a function: threads that run the schedule's messages as they come due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from coslocal.scf.clock import Clock
from coslocal.scf.result import SYSTEM_ERROR, Result
from coslocal.scf.schedule import Dead, Keeper, Message, Policy, Schedule

MOST_WAITING = 100_000
"""Messages (SCF 3.1)."""


class State(NamedTuple):
    """How many messages wait, how many of these were tried before, how many run; and whether threads are at work."""

    waiting: int
    retrying: int
    running: int
    busy: bool


class AsyncQueue:
    """At least once, unordered: `run` is called for each message from `workers` threads, again as the policy says, and
    `bury` for each one given up. `run` may be called again for a message that it has already dealt with."""

    def __init__(
        self,
        run: Callable[[Message], Result],
        bury: Callable[[Dead], None],
        *,
        clock: Clock,
        policy: Policy,
        workers: int,
        keeper: Keeper | None = None,
    ) -> None:
        self._run = run
        self._bury = bury
        self._clock = clock
        self._schedule = Schedule(policy, keeper)
        self._changed = threading.Condition()
        self._pausing = False
        self._burying = 0
        clock.watch(self._changed)
        self._threads = [threading.Thread(target=self._work, name="scf-queue", daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def policy(self) -> Policy:
        return self._schedule.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        with self._changed:
            self._schedule.policy = policy

    def push(self, message: Message, due: float | None = None) -> bool:
        """Take a message in, to be tried at once or when it is `due` (unix seconds); False when the queue is full."""
        with self._changed:
            if self._schedule.waiting >= MOST_WAITING:
                return False
            self._schedule.push(message, due)
            self._changed.notify_all()
            return True

    def forget_all(self) -> None:
        """Drop all that wait; what runs comes to its end and is not tried again."""
        with self._changed:
            self._schedule.forget_all()
            self._changed.notify_all()

    def state(self) -> State:
        with self._changed:
            return State(self._schedule.waiting, self._schedule.retrying, self._schedule.running, self._is_working())

    def next_due(self) -> float | None:
        with self._changed:
            return self._schedule.next_due()

    def wait_quiet(self, timeout: float) -> bool:
        """Wait (real seconds) until nothing runs and nothing is due at the clock's present time."""
        return self._wait_until(lambda: not self._is_working() and not self._is_due(), timeout)

    def wait_empty(self, timeout: float) -> bool:
        """Wait (real seconds) until nothing runs and nothing waits, retries included."""
        return self._wait_until(lambda: not self._is_working() and not self._schedule.waiting, timeout)

    def pause(self, grace: float) -> None:
        """Begin nothing more, and wait up to `grace` real seconds for what runs."""
        with self._changed:
            self._pausing = True
            self._changed.notify_all()
        self._wait_until(lambda: not self._is_working(), grace)

    def close(self) -> list[Message]:
        """After `pause`, when `run` has been made to return: end the threads and hand over what was not handled."""
        with self._changed:
            self._pausing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        with self._changed:
            return self._schedule.left()

    def _is_working(self) -> bool:
        return bool(self._schedule.running or self._burying)

    def _is_due(self) -> bool:
        due = self._schedule.next_due()
        return due is not None and due <= self._clock.now()

    def _wait_until(self, quiet: Callable[[], bool], timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(quiet, timeout)

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            dead = taken if isinstance(taken, Dead) else self._attempt(taken)
            if dead is not None:
                self._bury(dead)
                with self._changed:
                    self._schedule.forget(dead.message)
                    self._burying -= 1
                    self._changed.notify_all()

    def _next(self) -> Message | Dead | None:
        """Wait for something to do; None when the queue is pausing."""
        with self._changed:
            while not self._pausing:
                taken = self._schedule.take(self._clock.now())
                if taken is not None:
                    self._burying += isinstance(taken, Dead)
                    return taken
                self._clock.wait(self._changed, self._schedule.next_due())
            return None

    def _attempt(self, message: Message) -> Dead | None:
        try:
            result = self._run(message)
        except Exception as error:  # a fault of coslocal must not cost the message
            result = Result(request_id=message.request_id, status=SYSTEM_ERROR, message=f"coslocal: {error!r}")
        with self._changed:
            dead = None
            if self._pausing and not result.ok:
                self._schedule.give_back(message)
            else:
                dead = self._schedule.settle(message, result, self._clock.now())
            self._burying += dead is not None
            self._changed.notify_all()
            return dead
