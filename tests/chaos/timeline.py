"""Virtual time and actors: many things at once on one thread at a time, in an order that the seed alone decides.

Each actor runs in its own thread and hands the baton back whenever it waits, so that exactly one thread runs; what runs
next is what is due next. No real time passes.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable

Action = Callable[[], None]


class Endless(Exception):
    """More happened than any schedule may need: something goes round in circles."""


class Actor:
    """Something that takes time. `calls` counts its requests; `doomed` is when the platform ends it."""

    def __init__(self, name: str, act: Action, doomed: float | None) -> None:
        self.name = name
        self.calls = 0
        self.doomed = doomed
        self.error: BaseException | None = None
        self._act = act
        self._baton = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._baton.acquire()
        try:
            self._act()
        except BaseException as error:
            self.error = error
        self._back.release()

    def go_on(self) -> None:
        """Hand the baton to this actor until it waits or ends."""
        self._baton.release()
        self._back.acquire()
        if self.error is not None:
            raise self.error

    def is_here(self) -> bool:
        """Whether this is asked by the actor itself, and not by a thread that it started."""
        return threading.current_thread() is self._thread

    def pause(self) -> None:
        """Hand the baton back; called by the actor itself."""
        self._back.release()
        self._baton.acquire()


class Timeline:
    """`now` is in seconds; `actor` is who has the baton, None for the timeline itself."""

    def __init__(self, start: float, *, most: int) -> None:
        self.now = start
        self.actor: Actor | None = None
        self._agenda: list[tuple[float, int, Action]] = []
        self._entered = 0
        self._most = most

    def at(self, when: float, action: Action) -> None:
        heapq.heappush(self._agenda, (max(when, self.now), self._enter(), action))

    def _enter(self) -> int:
        self._entered += 1
        if self._entered > self._most:
            raise Endless(f"more than {self._most} things happened")
        return self._entered

    def spawn(self, name: str, act: Action, *, doomed: float | None = None) -> Actor:
        """An actor that begins as soon as whoever has the baton waits or ends."""
        actor = Actor(name, act, doomed)
        self.at(self.now, lambda: self._resume(actor))
        return actor

    def wait(self, seconds: float) -> None:
        """Let time pass for the actor that has the baton."""
        actor = self.actor
        if actor is None:
            raise RuntimeError("only an actor can wait")
        if not self._agenda or self._agenda[0][0] > self.now + seconds:
            self._enter()
            self.now += seconds  # nothing else is due before: the baton need not change hands
            return
        self.at(self.now + seconds, lambda: self._resume(actor))
        actor.pause()

    def run(self) -> None:
        """Until nothing is due any more."""
        while self._agenda:
            self.now, _, action = heapq.heappop(self._agenda)
            action()

    def _resume(self, actor: Actor) -> None:
        self.actor = actor
        try:
            actor.go_on()
        finally:
            self.actor = None
