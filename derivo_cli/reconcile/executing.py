"""derivo apply, source by source: the plan's derivatives through the same `derive` that the function uses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import msgspec

from derivo import failures
from derivo.breaker import Budget
from derivo.clock import Clock, Deadline
from derivo.cos import MOST_CONNECTIONS
from derivo.derive import derive
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.outcomes import FAILED, WRITTEN, Work
from derivo.plan import Plan, narrowed, plan
from derivo.settings import Settings
from derivo_cli.pricing import Prices
from derivo_cli.reconcile.journal import Journal, Line
from derivo_cli.reconcile.judging import TO_MAKE, UP_TO_DATE
from derivo_cli.reconcile.pace import Concurrency, PacedCos, Rate
from derivo_cli.reconcile.planfile import PlanFile
from derivo_cli.reconcile.summary import bill

MOST_AT_ONCE = MOST_CONNECTIONS
_SOURCE_SECONDS = 300.0
# Failures of the caller, not of a source: when nothing else comes, going on is useless.
_HOPELESS = frozenset(
    ["AccessDenied", "NoSuchBucket", "NoProcessAuthority", "SignatureDoesNotMatch", "InvalidAccessKeyId", "Redirected"]
)
_HOPELESS_IN_A_ROW = 20


@dataclass(frozen=True)
class Unit:
    """One source, and the part of its plan that is to be carried out."""

    number: int
    plan: Plan
    cost: float


@dataclass(frozen=True)
class Limits:
    """`qps`: processing calls a second. None is no limit; cost is in the currency of the price table."""

    qps: float
    requests: int | None = None
    cost: float | None = None

    def without(self, spent: Progress) -> Limits:
        """What is left of the limits after a run."""
        return replace(
            self,
            requests=None if self.requests is None else self.requests - spent.calls,
            cost=None if self.cost is None else self.cost - spent.cost,
        )

    def exceeded(self, requests: int, cost: float) -> str:
        """Which limit so many requests at this cost would go over, "" when none."""
        if self.requests is not None and requests > self.requests:
            return f"--max-requests {self.requests} is reached"
        if self.cost is not None and cost > self.cost:
            return f"--max-cost {self.cost:g} is reached"
        return ""


@dataclass
class Failing:
    """How many sources failed with a code, and one of them."""

    example: str
    count: int = 0


@dataclass
class Progress:
    """How far it is. `stopped` is why it ended early, "" when it did not; `note` is what goes on."""

    total: int
    done: int = 0
    calls: int = 0
    written: int = 0
    cost: float = 0.0
    sources_failed: int = 0
    codes: dict[str, Failing] = field(default_factory=dict)
    stopped: str = ""
    hopeless: int = 0
    note: str = ""


def units(found: PlanFile, index: RuleSetIndex, region: str, table: Prices, *, whole: bool = False) -> Iterator[Unit]:
    """The plan's sources in its order; their number is their place. `whole`: with all that each source should have, as
    an event asks for it, and not only what it lacks."""
    rules = {(r.name, d.name): d.rule for r in index.considered for d in r.derivatives}
    entries = found.entries(*TO_MAKE, UP_TO_DATE)
    for number, (key, group) in enumerate(groupby(entries, key=lambda entry: entry.source)):
        rows = list(group)
        source = Source(bucket=found.head.bucket, region=region, key=key, size=rows[0].source_size)
        made = plan(source, index)
        if not whole:
            names = {(row.rule_set, row.name) for row in rows if row.spec}
            made = narrowed(made, (d for d in made.derivatives if (d.rule_set, d.name) in names))
        lines = (bill(rules[d.rule_set, d.name], 1, source.size or 0, table) for d in made.derivatives)
        yield Unit(number, made, sum(line.amount or 0.0 for each in lines for line in each))


class Allowance(Budget):
    """At most so many processing calls in a run, from whatever thread."""

    def __init__(self, clock: Clock, most: int | None) -> None:
        super().__init__(clock, 0)
        self._left = most
        self._guard = threading.Lock()

    def spend(self) -> bool:
        with self._guard:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0


class Ledger:
    """What is kept of a run, source by source: the journal's lines, the records of what failed, how far it is. `report`
    is told after each source, from the thread that did it. Thread-safe."""

    def __init__(self, journal: Journal, failed: Path, report: Callable[[Progress], None]) -> None:
        self.journal = journal
        self.progress = Progress(total=journal.left)
        self._failed = failed
        self._report = report
        self._lock = threading.Lock()

    def settle(self, unit: Unit, work: Work) -> None:
        failing = [outcome for outcome in work.outcomes if outcome.status == FAILED]
        written = sum(outcome.status == WRITTEN and outcome.derivative.spec != "" for outcome in work.outcomes)
        line = Line(
            number=unit.number,
            source=unit.plan.source.key,
            calls=work.calls,
            written=written,
            failed=tuple(sorted({outcome.code for outcome in failing})),
            again=any(outcome.retryable for outcome in failing),
            cost=unit.cost if written else 0.0,
        )
        with self._lock:
            self.journal.add(line)
            self._leave_record(unit, work)
            progress = self.progress
            progress.done += 1
            progress.calls += work.calls
            progress.written += written
            progress.cost += line.cost
            progress.sources_failed += bool(failing)
            hopeless = any(outcome.code in _HOPELESS for outcome in failing)
            progress.hopeless = progress.hopeless + 1 if hopeless else 0
            for code in line.failed:
                failing_so = progress.codes.setdefault(code, Failing(line.source))
                failing_so.count += 1
            self._report(progress)

    def hand_over(self, units: Sequence[Unit]) -> None:
        """Somebody else makes these from now on: they are done as far as this run goes."""
        with self._lock:
            for unit in units:
                calls = len(unit.plan.requests)
                self.journal.add(
                    Line(number=unit.number, source=unit.plan.source.key, calls=calls, written=0, cost=unit.cost)
                )
                self.progress.done += 1
                self.progress.calls += calls
                self.progress.cost += unit.cost
            self._report(self.progress)

    def tell(self, note: str) -> None:
        """Report that something goes on, though no source is done."""
        self.progress.note = note
        self._report(self.progress)

    def closing(self) -> str:
        """What is said at the end."""
        progress, journal = self.progress, self.journal
        return (
            f"apply: {progress.written:,} derivatives of {progress.done:,} sources written with {progress.calls:,} "
            f"requests, {progress.cost:,.4f} USD; {len(journal.failures):,} sources failed, {journal.left:,} left"
        )

    def _leave_record(self, unit: Unit, work: Work) -> None:
        """A record of what failed, one a line, as `derivo replay` takes them."""
        data = failures.build(unit.plan.source, work, "apply")
        record = failures.parse(data) if data is not None else None
        if record is not None:
            with self._failed.open("ab") as file:
                file.write(msgspec.json.encode(record) + b"\n")


class Executor:
    """Carries out a plan from here, source by source."""

    def __init__(self, settings: Settings, clock: Clock, limits: Limits, ledger: Ledger) -> None:
        self._clock = clock
        self._limits = limits
        self._ledger = ledger
        self._concurrency = Concurrency(MOST_AT_ONCE)
        self._client = PacedCos(settings, clock, Rate(clock, limits.qps), self._concurrency)
        self._allowance = Allowance(clock, limits.requests)
        self._bug: Exception | None = None

    def run(self, waiting: Iterator[Unit]) -> str:
        """Work through the units that the journal does not have. Returns what is to be said at the end; raises nothing
        for what COS does."""
        requests, cost = 0, 0.0
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            for unit in waiting:
                if self._ledger.journal.done(unit.number):
                    continue
                requests += len(unit.plan.requests)
                cost += unit.cost
                if self._must_stop(requests, cost):
                    break
                self._concurrency.acquire()
                pool.submit(self._work, unit)
        if self._bug is not None:
            raise self._bug
        return self._ledger.closing()

    def _work(self, unit: Unit) -> None:
        try:
            deadline = Deadline(self._clock, _SOURCE_SECONDS)
            self._ledger.settle(unit, derive(unit.plan, self._client, deadline, budget=self._allowance))
        except Exception as error:
            # nothing may be lost in a thread: the run ends, and says so
            self._bug = error
        finally:
            self._concurrency.release()

    def _must_stop(self, requests: int, cost: float) -> bool:
        progress = self._ledger.progress
        progress.stopped = self._limits.exceeded(requests, cost)
        if not progress.stopped and progress.hopeless >= _HOPELESS_IN_A_ROW:
            progress.stopped = f"the last {progress.hopeless} sources all failed for want of a right or a bucket"
        return bool(progress.stopped) or self._bug is not None
