"""derivo apply --engine scf: the plan's sources as events for the deployed function. Its queue, its retries, its
concurrency and its dead letters do the distribution; this machine only keeps to the pace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from derivo.ci import limits
from derivo.clock import Clock, Deadline
from derivo.events import synthetic_event
from derivo_cli.cloudapi import ApiFailure
from derivo_cli.exits import Stop
from derivo_cli.reconcile.engines.cloudapi import Deployed, Functions
from derivo_cli.reconcile.executing import Limits, Progress, Unit
from derivo_cli.reconcile.journal import Journal, Line
from derivo_cli.reconcile.pace import SHARE, Rate

# Of the function's time-out, how long a processing call with its HEAD may take on average, so that an event is done in
# one invocation. One that is not is raised, and done once more from its beginning.
SECONDS_A_REQUEST = 2.0
# The pages write KB, which may mean a thousand bytes.
EVENT_BYTES = limits.ASYNC_EVENT_BYTES // 1024 * 1000
_EMPTY = '{"Records":[]}'
_PATIENCE_SECONDS = 300.0


@dataclass
class Parcel:
    """Sources that travel in one event; `size` is that of its JSON in bytes."""

    units: list[Unit] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    size: int = len(_EMPTY)
    requests: int = 0

    @property
    def event(self) -> str:
        return '{"Records":[' + ",".join(self.records) + "]}"


def packed(waiting: Iterator[Unit], most_requests: int) -> Iterator[Parcel]:
    """The units in their order, in as few events as the platform's size and this number of requests allow."""
    parcel = Parcel()
    for unit in waiting:
        # ASCII, so that a character is a byte wherever the size is measured
        record = json.dumps(synthetic_event([unit.plan.source])["Records"][0], separators=(",", ":"))
        size, requests = len(record) + 1, len(unit.plan.requests)
        if parcel.units and (parcel.size + size > EVENT_BYTES or parcel.requests + requests > most_requests):
            yield parcel
            parcel = Parcel()
        parcel.units.append(unit)
        parcel.records.append(record)
        parcel.size += size
        parcel.requests += requests
    if parcel.units:
        yield parcel


class ScfEngine:
    """Hands a plan over to the deployed function. `report` is told after each event."""

    def __init__(
        self,
        functions: Functions,
        function: Deployed,
        clock: Clock,
        limits_of_run: Limits,
        journal: Journal,
        report: Callable[[Progress], None],
    ) -> None:
        self._functions = functions
        self._function = function
        self._clock = clock
        self._limits = limits_of_run
        self._journal = journal
        self._report = report
        self._processing = Rate(clock, limits_of_run.qps)
        self._invoking = Rate(clock, SHARE * limits.INVOKE_QPS)
        self._events = 0
        self.progress = Progress(total=journal.left)

    def run(self, waiting: Iterator[Unit]) -> Progress:
        """Hand over the units that the journal does not have. Raises nothing for what the API does."""
        most = max(1, int(self._function.timeout / SECONDS_A_REQUEST))
        for parcel in packed(self._affordable(waiting), most):
            failure = self._send(parcel)
            if failure is not None:
                self.progress.stopped = f"the function {self._function.name} takes no events: {failure}"
                break
            self._settle(parcel)
        return self.progress

    def closing(self) -> str:
        """What is said at the end."""
        minutes = self.progress.calls / self._limits.qps / 60
        return (
            f"apply: {self.progress.done:,} sources with {self.progress.calls:,} requests handed to the function "
            f"{self._function.name} in {self._events:,} events, {self.progress.cost:,.4f} USD; {self._journal.left:,} "
            f"left. It works through them by itself, which takes {minutes:,.1f} minutes at this rate: derivo plan then "
            "tells what is missing still, derivo status what failed"
        )

    def _affordable(self, waiting: Iterator[Unit]) -> Iterator[Unit]:
        requests, cost = 0, 0.0
        for unit in waiting:
            if self._journal.done(unit.number):
                continue
            requests += len(unit.plan.requests)
            cost += unit.cost
            self.progress.stopped = self._limits.exceeded(requests, cost)
            if self.progress.stopped:
                return
            yield unit

    def _send(self, parcel: Parcel) -> ApiFailure | None:
        self._processing.wait(parcel.requests)
        deadline = Deadline(self._clock, _PATIENCE_SECONDS)
        attempt = 0
        while True:
            self._invoking.wait()
            try:
                self._functions.invoke(self._function, parcel.event)
            except ApiFailure as failure:
                attempt += 1
                if failure.passing and deadline.back_off(attempt):
                    continue
                return failure
            return None

    def _settle(self, parcel: Parcel) -> None:
        for unit in parcel.units:
            calls = len(unit.plan.requests)
            self._journal.add(
                Line(number=unit.number, source=unit.plan.source.key, calls=calls, written=0, cost=unit.cost)
            )
            self.progress.cost += unit.cost
        self._events += 1
        self.progress.done += len(parcel.units)
        self.progress.calls += parcel.requests
        self._report(self.progress)


def deployed(functions: Functions, name: str, namespace: str) -> Deployed:
    """The function, when it can take events. Raises Stop."""
    try:
        found = functions.describe(name, namespace)
    except ApiFailure as failure:
        raise Stop(f"the function {name} of the namespace {namespace}: {failure}") from None
    if found.status != "Active":
        raise Stop(f"the function {name} is {found.status}, not Active; deploy it first")
    return found
