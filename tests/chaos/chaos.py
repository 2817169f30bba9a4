"""Many schedules: run, judged, counted; and one of them shown."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos import simulation
from tests.chaos.runs import GOES_WRONG, Run
from tests.chaos.schedule import Schedule, draw
from tests.chaos.shrinking import shrink
from tests.chaos.verdict import Verdict, judge


class Failing(NamedTuple):
    seed: int
    lines: tuple[str, ...]


@dataclass
class Tally:
    """Counts over many schedules."""

    schedules: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)

    def plus(self, other: Tally) -> Tally:
        return Tally(self.schedules + other.schedules, self.counts + other.counts, self.failing + other.failing)

    def failures(self) -> list[str]:
        """What is wrong, and how to see it again."""
        lines = []
        for seed, found in self.failing:
            lines += [f"seed {seed} fails; replay it with: make chaos SEED={seed}", *(f"    {line}" for line in found)]
        return lines

    def report(self) -> list[str]:
        """What went wrong and what was done, how often; the count line is the last."""
        done = sorted(self.counts.keys() - {*GOES_WRONG, *_IN_THE_LINE})
        return [
            *(", ".join(f"{self.counts[name]} {name}" for name in names) for names in (GOES_WRONG, done)),
            self.line(),
        ]

    def line(self) -> str:
        n = self.counts
        return (
            f"chaos: {self.schedules} schedules, {n['events']} events, {n['lost']} lost, {n['extra']} extra, "
            f"{n['byte differences']} byte differences"
        )


_IN_THE_LINE = ("events", "lost", "extra", "byte differences")


def check(seeds: Iterable[int]) -> Tally:
    """Run and judge the schedules of the seeds."""
    total = Tally()
    for seed in seeds:
        total.schedules += 1
        try:
            run, verdict = _run(draw(seed))
        except Exception as error:  # a fault of the simulation takes no other schedule with it
            total.failing.append(Failing(seed, (f"the simulation broke off: {type(error).__name__}: {error}",)))
            continue
        total.counts += run.counts
        total.counts["tries"] += len(run.tries)
        total.counts["calls"] += sum(made.calls.total() for made in run.tries)
        total.counts["lost"] += len(verdict.lost)
        total.counts["extra"] += len(verdict.extra)
        total.counts["byte differences"] += len(verdict.different)
        total.counts["kept without proof"] += verdict.unproved
        if not verdict.good:
            total.failing.append(Failing(seed, tuple(verdict.lines())))
    return total


def _run(schedule: Schedule, only: frozenset[str] | None = None) -> tuple[Run, Verdict]:
    with _quiet():
        run = simulation.run(schedule, only)
        try:
            return run, judge(run)
        finally:
            run.cloud.store.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """What coslocal logs about refused images is wanted here, and would be told thousands of times."""
    logger = logging.getLogger("coslocal.ci")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def explain(seed: int, write: Callable[[str], object], *, shrinks: bool = True) -> int:
    """Replay a seed; a failing one is made as small as may be, and shown step by step."""
    schedule = draw(seed)
    run, verdict = _run(schedule)
    only: frozenset[str] | None = None
    if not verdict.good and shrinks:
        kinds = _kinds(verdict)

        def fails(tried: Schedule, wrong: frozenset[str]) -> bool:
            return bool(_kinds(_run(tried, wrong)[1]) & kinds)

        schedule, only = shrink(schedule, list(run.mischief.drawn), fails)
        run, verdict = _run(schedule, only)
    dialects = ", ".join(f"{name}={choice}" for name, choice in schedule.dialects.items()) or "default dialects"
    write(f"seed {seed}: rule sets `{schedule.shape}`, time limit {schedule.limit:g} s, {dialects}\n\n")
    write("".join(f"{line}\n" for line in run.trace) + "\n")
    write("".join(f"goes wrong: {name}: {what}\n" for name, what in run.mischief.drawn.items()) + "\n")
    write("".join(f"{line}\n" for line in verdict.lines()) or "nothing lost, nothing extra, no byte differs\n")
    return 0 if verdict.good else 1


def _kinds(verdict: Verdict) -> set[str]:
    named = (("lost", verdict.lost), ("extra", verdict.extra), ("different", verdict.different))
    return {word for word, places in named if places} | ({"other"} if verdict.other else set())
