"""What lies between an actor and the cloud: requests take time there, and things go wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import NoReturn

import requests

from coslocal.http import Request, Response
from coslocal.storage.types import StoredObject
from derivo.events import timer
from tests.chaos import mischief, worlds
from tests.chaos.mischief import Fault, Killed
from tests.chaos.runs import Run, Try
from tests.chaos.timeline import Actor, Timeline

_WRITES = ("PUT", "DELETE")
_NOT_BY_CI = ("in/", worlds.BACKUP, "meta", worlds.FAILURES, worlds.CURSORS)


def _processes(request: Request) -> bool:
    return "image_process" in request.target


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
        self._lands: dict[str, float] = {}

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
        if self._outlives(name, actor, request):
            self._leave_behind(name, actor, request, timeout)
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

    def _outlives(self, name: str, actor: Actor, request: Request) -> bool:
        """Whether a call is done when nobody waits for it any more; of the function's calls for events, which come
        again."""
        made = self.running.get(actor.name)
        if made is None or timer(made.event) is not None or not (_processes(request) or request.method in _WRITES):
            return False
        return self._made.mischief.draw(f"{name}/outlives", False, 0.15, lambda roll: True)

    def _leave_behind(self, name: str, actor: Actor, request: Request, timeout: float) -> NoReturn:
        """The caller is reset, gives up or is killed; what it asked for is done up to 45 s later, sooner than the
        platform's next try: CI writes what it makes of the source as it is now."""
        self._made.counts["calls that outlive their caller"] += 1
        self.running[actor.name].disturbed = True
        roll = random.Random(f"{self._made.schedule.seed}/{name}/how")
        how, late = roll.choice([mischief.KILLS, "resets", "gives up"]), roll.choice([0.3, 3.0, 20.0, 45.0])
        seconds = timeout if how == "gives up" else 0.3
        self._note(f"{name}: {request.method} {request.target}: {how} after {seconds} s, but it is done {late} s later")
        self._lands[f"{name}/behind"] = self._time.now + seconds + late
        self._time.spawn(f"{name}/behind", lambda: self._go_on(name, request))
        self._wait(actor, seconds)
        if how == mischief.KILLS:
            raise Killed
        raise requests.exceptions.ReadTimeout("chaos") if how == "gives up" else requests.ConnectionError("chaos")

    def _go_on(self, name: str, request: Request) -> None:
        if not _processes(request):  # else it waits between reading and writing
            self._time.wait(self._lands[f"{name}/behind"] - self._time.now)
        response = self._made.cloud.handle(request)
        self._note(f"{name}: ended, with {response.status}")

    def saving(self, item: StoredObject) -> None:
        """Before an object stands. Between reading a source and saving what was made of it, CI takes its time."""
        actor = self._time.actor
        if actor is None or item.key.startswith(_NOT_BY_CI):
            return
        if actor.name in self._lands:
            self._time.wait(max(0.0, self._lands[actor.name] - self._time.now))
            return
        name = f"{actor.name}/c{actor.calls}/{item.key}"
        left = self._call_ends.get(actor.name, self._time.now) - self._time.now
        pause = self._made.mischief.draw(f"{name}/slow", 0.0, 0.5, lambda roll: roll.choice([0.3, 3.0, 30.0]))
        pause = min(pause, left / 2)
        if pause > 0:
            self._time.wait(pause)

    def _draw(self, name: str, request: Request) -> tuple[Fault | None, float]:
        method, wrong = request.method, self._made.mischief
        processes = _processes(request) or (method == "PUT" and "Pic-Operations" in request.headers)
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
            kind = "process" if _processes(request) else request.method
            self.running[actor.name].calls[kind] += 1
