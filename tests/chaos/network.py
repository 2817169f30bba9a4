"""What lies between an actor and the cloud: requests take time there, and things go wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection

import requests

from coslocal.http import Request, Response
from coslocal.storage.types import StoredObject
from tests.chaos import mischief, worlds
from tests.chaos.mischief import Fault, Killed
from tests.chaos.runs import Run, Try
from tests.chaos.timeline import Actor, Timeline


class Network:
    """`running` are the tries of the function by the names of their actors. Actors named in `plain` have no
    adventures."""

    def __init__(self, timeline: Timeline, made: Run, plain: Collection[str], note: Callable[[str], None]) -> None:
        self.running: dict[str, Try] = {}
        self._time = timeline
        self._made = made
        self._plain = plain
        self._note = note
        self._call_ends: dict[str, float] = {}

    def send(self, request: Request, timeout: float) -> Response:
        """What the SDK's request meets. A call's effect lies between two waits, and its answer after them."""
        actor = self._time.actor
        if actor is None or actor.name in self._plain or not actor.is_here():
            return self._made.cloud.handle(request)
        name = f"{actor.name}/c{actor.calls}"
        actor.calls += 1
        self._count(actor, request)
        fault, seconds = self._draw(name, request)
        if actor.name in self.running and (fault is not None or seconds > 0.05):
            self.running[actor.name].disturbed = True
        ends = self._time.now + timeout
        self._call_ends[actor.name] = ends
        self._wait(actor, min(seconds * 0.4, timeout * 0.8))
        self._strike(actor, name, fault, after=False)
        if fault is not None and fault.spoil is not None and not fault.after:
            response = fault.spoil(Response())
        else:
            response = self._made.cloud.handle(request)
        self._note(f"{name}: {request.method} {request.target} -> {response.status}" + (f" ({fault})" if fault else ""))
        rest = seconds * 0.6
        if self._time.now + rest > ends:
            self._note(f"{name}: times out")
            self._wait(actor, max(0.0, ends - self._time.now))
            self._made.counts["calls that time out"] += 1
            raise requests.exceptions.ReadTimeout("chaos")
        self._wait(actor, rest)
        self._strike(actor, name, fault, after=True)
        if fault is not None and fault.spoil is not None and fault.after:
            response = fault.spoil(response)
        return response

    def saving(self, item: StoredObject) -> None:
        """Before an object stands. Between reading a source and saving what was made of it, CI takes its time."""
        actor = self._time.actor
        if actor is None or item.key.startswith(("in/", worlds.BACKUP, "meta", worlds.FAILURES, worlds.CURSORS)):
            return
        name = f"{actor.name}/c{actor.calls}/{item.key}"
        left = self._call_ends.get(actor.name, self._time.now) - self._time.now
        pause = self._made.mischief.draw(f"{name}/slow", 0.0, 0.5, lambda roll: roll.choice([0.3, 3.0, 30.0]))
        pause = min(pause, left / 2)
        if pause > 0:
            self._time.wait(pause)

    def _draw(self, name: str, request: Request) -> tuple[Fault | None, float]:
        method, wrong = request.method, self._made.mischief
        processes = "image_process" in request.target or (method == "PUT" and "Pic-Operations" in request.headers)
        fault: Fault | None = None
        fault = wrong.draw(name, fault, 0.35, lambda roll: mischief.draw(roll, method, processes))
        seconds = wrong.draw(f"{name}/slow", 0.05, 0.5, lambda roll: roll.choice([0.4, 2.0, 7.0, 40.0, 90.0]))
        return fault, seconds

    def _wait(self, actor: Actor, seconds: float) -> None:
        if actor.doomed is not None and self._time.now + seconds > actor.doomed:
            self._time.wait(max(0.0, actor.doomed - self._time.now))
            self._note(f"{actor.name}: killed by the platform at its time limit")
            self._made.counts["kills at the time limit"] += 1
            raise Killed("time limit")
        self._time.wait(seconds)

    def _strike(self, actor: Actor, name: str, fault: Fault | None, *, after: bool) -> None:
        if fault is None or fault.after != after:
            return
        self._made.counts[fault.counted] += 1
        if fault.spoil is not None:
            return
        if fault.kind == mischief.KILLS:
            self._note(f"{name}: {actor.name} is killed {'after' if after else 'before'} the effect")
            raise Killed
        raise requests.ConnectionError(ConnectionResetError("chaos"))

    def _count(self, actor: Actor, request: Request) -> None:
        if actor.name in self.running:
            kind = "process" if "image_process" in request.target else request.method
            self.running[actor.name].calls[kind] += 1
