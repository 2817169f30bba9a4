"""A schedule: what the client does and when, and everything that goes wrong, all of it drawn from one seed.

Whatever goes wrong is drawn by its own name (`op3.0/d1/t0/c2`: the second call of the first try of ...), not by its
turn, so that taking one thing out of a schedule leaves all others as they were: that is what lets a failure shrink.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tests.chaos import worlds

T = TypeVar("T")

CALM = 900.0
"""Seconds after which nothing goes wrong any more."""

FILEIDS = TOLD, COLD, WARM = "told", "cold", "warm"
MENDS = APPLY, TIMERS = "apply", "timers"
RINGS = 250.0, 620.0
"""Seconds at which a timer rings while things go wrong."""


@dataclass(frozen=True)
class Step:
    """One thing the client does. `kind`: put, image (put_image), parts, append, delete, copy (from `other`)."""

    name: str
    at: float
    kind: str
    key: str
    picture: str = ""
    other: str = ""

    def __str__(self) -> str:
        return f"{self.at:8.2f} s  {self.name}: {self.kind} {self.key} {self.picture or self.other}".rstrip()


@dataclass(frozen=True)
class Schedule:
    """`limit` is the function's time-out in seconds; `wildness` from 0 to 1 how much goes wrong; `broad`: the trigger
    fires for derivatives too; `loses`: whether events may be lost; `fileids`: how the function knows in which form COS
    takes them: told by settings, found out by every instance, or by one that all tries share (unless each try has its
    own, the instance remembers what it left unfinished, too); `mends`: what makes good lost events: plan and apply
    afterwards, or timers (self-healing), which ring meanwhile too; `versioned`: the bucket keeps versions."""

    seed: int
    shape: str
    dialects: dict[str, str]
    steps: tuple[Step, ...]
    limit: float
    wildness: float
    broad: bool
    loses: bool
    fileids: str = COLD
    mends: str = APPLY
    versioned: bool = False


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    roll = random.Random(seed)
    shape = roll.choice(worlds.SHAPES)
    return Schedule(
        seed=seed,
        shape=shape.name,
        dialects=worlds.dialects(roll.randrange(worlds.MIXTURES)),
        steps=_steps(roll, shape.overwrites),
        limit=roll.choice([8.0, 30.0, 60.0, 300.0]),
        wildness=roll.choice([0.0, 0.1, 0.3, 0.6, 1.0]),
        broad=roll.random() < 0.2,
        loses=roll.random() < 0.25,
        fileids=roll.choice(FILEIDS),
        mends=roll.choice(MENDS),
        versioned=roll.random() < 0.2,
    )


def _steps(roll: random.Random, overwrites: bool) -> tuple[Step, ...]:
    made: list[Step] = []
    at = 0.0
    written: set[str] = set()
    gone: set[str] = set()
    for number in range(roll.choice([2, 3, 4, 5, 6, 8, 12])):
        at += roll.choice([0.0, 0.05, 0.4, 3.0, 30.0, 61.0])
        key = roll.choice([worlds.KEYS[0], worlds.KEYS[0], *worlds.KEYS, worlds.BROKEN_KEY])
        kind = roll.choice(["put", "put", "image", "image", "parts", "append", "delete", "delete", "copy"])
        if not overwrites and (key in gone or (key in written and kind != "delete")):
            continue
        step = _step(f"op{number}", round(at + roll.random() * 0.3, 3), kind, key, roll, overwrites)
        written.add(key)
        if kind == "delete":
            gone.add(key)
        made.append(step)
    return tuple(made)


def _step(name: str, at: float, kind: str, key: str, roll: random.Random, overwrites: bool) -> Step:
    if key == worlds.BROKEN_KEY:  # always the same: see verdict.py on what a source that broke leaves behind
        return Step(name, at, "delete" if kind == "delete" else "put", key, "" if kind == "delete" else worlds.BROKEN)
    if kind == "delete":
        return Step(name, at, kind, key)
    if kind == "copy" and overwrites:
        backup = worlds.BACKUP + key
        target, other = roll.choice([(key, backup), (backup, key), (worlds.KEYS[0], worlds.KEYS[2])])
        return Step(name, at, kind, target, other=other)
    return Step(name, at, "put" if kind == "copy" else kind, key, roll.choice(worlds.PICTURES))


@dataclass
class Mischief:
    """What goes wrong. `drawn` gathers the names of all that did; with `only`, nothing else does."""

    seed: int
    wildness: float
    only: frozenset[str] | None = None
    drawn: dict[str, str] = field(default_factory=dict)
    calm: bool = False

    def draw(self, name: str, usual: T, rate: float, unusual: Callable[[random.Random], T]) -> T:
        """Mostly `usual`; at `rate` times the wildness what `unusual` draws."""
        if self.calm or self.wildness == 0 or (self.only is not None and name not in self.only):
            return usual
        roll = random.Random(f"{self.seed}/{name}")
        if roll.random() >= rate * self.wildness:
            return usual
        found = unusual(roll)
        if found != usual:
            self.drawn[name] = str(found)
        return found
