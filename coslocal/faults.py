"""Faults on demand: seeded, replayable, logged.

faults = Faults(seed=7)
faults.add("error", code="SlowDown", operation="put_object", nth=2)
faults.add("reset", when="after", operation="image_process", probability=0.3)
faults.add("delay", seconds=60, prefix="in/")
...
faults.release()            # the events held back come now
faults.injected             # what was done to whom
faults.restart()            # the same requests now meet the same faults again

Whether a fault with a probability hits is drawn from the seed, the fault's place, and which request it is (operation,
bucket, key, how often that came): so concurrent requests on different keys meet the same faults in any order.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from coslocal import faultshapes as shapes
from coslocal.ci.types import ImageError
from coslocal.events import ObjectEvent, Occasion
from coslocal.faultshapes import AnyFault, EventFault, Fault, FaultError, Latency, Partial, status_of, written
from coslocal.heldevents import HeldEvents, Tell

__all__ = ["FaultError", "Faults", "Injection", "Occasion"]

_LOGGED = 10_000


@dataclass(frozen=True, kw_only=True)
class Injection:
    """A fault that struck. `fault` is its place in the list, from 1; `time` unix seconds."""

    time: float
    fault: int
    effect: str
    operation: str
    bucket: str
    key: str
    mark: str
    request_id: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(eq=False)
class _Standing:
    """A fault that was added, and how often it was looked at and struck."""

    number: int
    fault: AnyFault
    matched: int = 0
    struck: int = 0

    def as_json(self) -> dict[str, Any]:
        return {**written(self.fault), "matched": self.matched, "struck": self.struck}


class Struck(NamedTuple):
    """What befalls one request: waits, and at most one fault of another kind."""

    waits: Sequence[Latency]
    fault: Fault | None

    @property
    def all(self) -> list[Fault]:
        return [*self.waits, self.fault] if self.fault else list(self.waits)


class Faults:
    """The faults that stand, tried in the order in which they were added. Thread-safe.

    All waits that fit add up; of the other faults the first that hits is the one. `clock` gives unix seconds; `sleep`
    is called with the seconds of a wait (None: real ones, which `clear` cuts short); `operations` are those that can be
    named, told by the coslocal that the faults are of (empty: any).
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.seed = seed
        self.operations: frozenset[str] = frozenset()
        self.sleep = sleep or self._wait
        self.events = HeldEvents(clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._standing: tuple[_Standing, ...] = ()
        self._seen: Counter[tuple[int, Occasion]] = Counter()
        self._injected: deque[Injection] = deque(maxlen=_LOGGED)
        self._cleared = threading.Event()

    # -- what stands

    def add(self, effect: str | AnyFault, **members: Any) -> AnyFault:
        """Add a fault, by its effect and the members of its shape. Raises FaultError."""
        given = {"effect": effect, **members} if isinstance(effect, str) else written(effect)
        return self.add_all([given])[0]

    def add_all(self, values: Sequence[Mapping[str, Any]]) -> list[AnyFault]:
        """Add faults, all of them or, when one cannot be, none. Raises FaultError."""
        faults = [shapes.read(value, self.operations) for value in values]
        with self._lock:
            first = len(self._standing) + 1
            self._standing += tuple(_Standing(number, fault) for number, fault in enumerate(faults, first))
        return faults

    def chaos(self, rate: float = 0.1, *, lossy: bool = False, **where: Any) -> None:
        """A mixture: about `rate` of all requests and of all events meet something; with `lossy` events get lost too.

        No event is held for longer than 30 seconds, and no request waits. Raises FaultError.
        """
        requests: list[dict[str, Any]] = [
            {"effect": "error", "code": "InternalError"}, {"effect": "error", "code": "InternalError", "when": "after"},
            {"effect": "error", "code": "ServiceUnavailable"}, {"effect": "throttle"}, {"effect": "reset"},
            {"effect": "reset", "when": "after"}, {"effect": "truncate"}, {"effect": "replace"},
        ]  # fmt: skip
        events: list[dict[str, Any]] = [
            {"effect": "duplicate"}, {"effect": "delay", "seconds": 30}, {"effect": "reorder", "seconds": 30},
        ]  # fmt: skip
        if lossy:
            events.append({"effect": "lose"})
        self.add_all(
            [{**each, **where, "probability": rate / len(family)} for family in (requests, events) for each in family]
        )

    def clear(self) -> None:
        """No fault any more: waits end, events held back are told; the log stays."""
        with self._lock:
            self._standing = ()
            self._seen.clear()
            self._cleared.set()
            self._cleared = threading.Event()
        self.release()

    def close(self) -> None:
        """End waits and timers; events held back are never told."""
        self.events.forget()
        self.clear()

    def restart(self, seed: int | None = None) -> None:
        """Forget what has been: counts and log begin again, with another seed where one is given."""
        with self._lock:
            self.seed = self.seed if seed is None else seed
            self._standing = tuple(_Standing(each.number, each.fault) for each in self._standing)
            self._seen.clear()
            self._injected.clear()

    def release(self) -> int:
        """Tell the events that are held back, in the order in which they came; how many they were."""
        return self.events.release()

    @property
    def injected(self) -> list[Injection]:
        """What struck, oldest first: the last 10,000."""
        with self._lock:
            return list(self._injected)

    def as_json(self) -> dict[str, Any]:
        """What stands, with `matched` and `struck`, and the log's last 100."""
        with self._lock:
            listed = [each.as_json() for each in self._standing]
            log = [each.as_json() for each in list(self._injected)[-100:]]
            return {"seed": self.seed, "faults": listed, "held_events": len(self.events), "injected": log}

    # -- what strikes

    @property
    def none(self) -> bool:
        """Whether no fault stands."""
        return not self._standing

    def strike(self, occasion: Occasion) -> Struck:
        """What befalls a request."""
        if not self._standing:
            return _NOTHING
        waits: list[Latency] = []
        with self._lock:
            for each in self._standing:
                if isinstance(each.fault, (EventFault, Partial)) or not self._hits(each, occasion):
                    continue
                if not isinstance(each.fault, Latency):
                    return Struck(waits, each.fault)
                waits.append(each.fault)
        return Struck(waits, None)

    def strike_rule(self, occasion: Occasion, place: int) -> str:
        """What befalls the `place`-th rule (from 1) of a request: omit, unlisted, unwritten, or "".

        Raises ImageError where it is to fail.
        """
        for_this = lambda fault: isinstance(fault, Partial) and fault.rule in (None, place)  # noqa: E731
        fault = self._first(occasion, for_this)
        if not isinstance(fault, Partial):
            return ""
        if fault.how == "fail":
            raise ImageError(fault.code, "A fault was asked for", status=status_of(fault.code, None))
        return fault.how

    def tell(self, event: ObjectEvent, occasion: Occasion, tell: Tell) -> None:
        """Let the listeners be told of an event: once, more often, later or never."""
        fault = self._first(occasion, lambda fault: isinstance(fault, EventFault) and _named(fault.event, event.name))
        if isinstance(fault, shapes.Lose):
            return
        if isinstance(fault, shapes.Delay):
            self.events.hold(event, tell, seconds=fault.seconds)
        elif isinstance(fault, shapes.Reorder):
            self.events.hold(event, tell, seconds=fault.seconds, behind=fault.behind)
        else:
            for _ in range(fault.copies + 1 if isinstance(fault, shapes.Duplicate) else 1):
                self.events.tell(event, tell)

    def wait(self, waits: Sequence[Latency], moment: str) -> None:
        for each in waits:
            if each.when == moment:
                self.sleep(each.seconds)

    def _wait(self, seconds: float) -> None:
        self._cleared.wait(seconds)

    def _first(self, occasion: Occasion, chosen: Callable[[Fault], bool]) -> Fault | None:
        if not self._standing:
            return None
        with self._lock:
            fitting = (each for each in self._standing if chosen(each.fault))
            return next((each.fault for each in fitting if self._hits(each, occasion)), None)

    def _hits(self, each: _Standing, occasion: Occasion) -> bool:
        """Under the lock: whether the fault fits the occasion and strikes; counted and logged."""
        fault = each.fault
        if not _fits(fault, occasion):
            return False
        each.matched += 1
        if fault.nth not in (None, each.matched) or (fault.times is not None and each.struck >= fault.times):
            return False
        if fault.probability < 1 and self._draw(each.number, occasion) >= fault.probability:
            return False
        each.struck += 1
        self._injected.append(
            Injection(
                time=self._clock(), fault=each.number, effect=fault.effect,
                operation=occasion.operation, bucket=occasion.bucket, key=occasion.key, mark=occasion.mark,
                request_id=occasion.request_id,
            )
        )  # fmt: skip
        return True

    def _draw(self, number: int, occasion: Occasion) -> float:
        """0 <= x < 1, the same for the same seed, fault and occasion, in whatever order others came."""
        same = Occasion(occasion.operation, occasion.bucket, occasion.key, occasion.mark)
        self._seen[number, same] += 1
        text = repr((self.seed, number, same, self._seen[number, same]))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64


_NOTHING = Struck((), None)


def _fits(fault: Fault, occasion: Occasion) -> bool:
    return (
        ("*" in fault.operations() or occasion.operation in fault.operations())
        and fault.bucket in ("*", occasion.bucket)
        and occasion.key.startswith(fault.prefix)
    )


def _named(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
