"""derivo apply --engine scf: the plan's sources as events for the deployed function. Its queue, its retries, its
concurrency and its dead letters do the distribution; this machine only keeps to the pace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from derivo.ci import limits
from derivo.clock import Clock
from derivo.events import synthetic_event
from derivo_cli.cloudapi import ApiFailure
from derivo_cli.exits import Stop
from derivo_cli.reconcile.engines.cloudapi import Deployed, Functions
from derivo_cli.reconcile.executing import Ledger, Limits, Unit
from derivo_cli.reconcile.pace import SHARE, Rate, patiently

# Of the function's time-out, how long a processing call with its HEAD may take on average, so that an event is done in
# one invocation. One that is not is raised, and done once more from its beginning.
SECONDS_A_REQUEST = 2.0
# The pages write KB, which may mean a thousand bytes.
EVENT_BYTES = limits.ASYNC_EVENT_BYTES // 1024 * 1000
_EMPTY = '{"Records":[]}'


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
    """Hands a plan over to the deployed function."""

    def __init__(
        self, functions: Functions, function: Deployed, clock: Clock, limits_of_run: Limits, ledger: Ledger
    ) -> None:
        self._functions = functions
        self._function = function
        self._clock = clock
        self._limits = limits_of_run
        self._ledger = ledger
        self._processing = Rate(clock, limits_of_run.qps)
        self._invoking = Rate(clock, SHARE * limits.INVOKE_QPS)

    def run(self, waiting: Iterator[Unit]) -> str:
        """Hand over the units that the journal does not have. Returns what is to be said at the end; raises nothing for
        what the API does."""
        most = max(1, int(self._function.timeout / SECONDS_A_REQUEST))
        progress, journal, name = self._ledger.progress, self._ledger.journal, self._function.name
        events = 0
        for parcel in packed(self._affordable(waiting), most):
            failure = self._send(parcel)
            if failure is not None:
                progress.stopped = f"the function {name} takes no events: {failure}"
                break
            events += 1
            self._ledger.hand_over(parcel.units)
        minutes = progress.calls / self._limits.qps / 60
        return (
            f"apply: {progress.done:,} sources with {progress.calls:,} requests handed to the function {name} in "
            f"{events:,} events, {progress.cost:,.4f} USD; {journal.left:,} left. It works through them by itself, "
            f"which takes {minutes:,.1f} minutes at this rate: derivo plan then tells what is missing still, derivo "
            "status what failed"
        )

    def _affordable(self, waiting: Iterator[Unit]) -> Iterator[Unit]:
        requests, cost = 0, 0.0
        for unit in waiting:
            if self._ledger.journal.done(unit.number):
                continue
            requests += len(unit.plan.requests)
            cost += unit.cost
            self._ledger.progress.stopped = self._limits.exceeded(requests, cost)
            if self._ledger.progress.stopped:
                return
            yield unit

    def _send(self, parcel: Parcel) -> ApiFailure | None:
        def invoke() -> None:
            self._invoking.wait()
            self._functions.invoke(self._function, parcel.event)

        self._processing.wait(parcel.requests)
        try:
            patiently(self._clock, invoke, lambda failure: isinstance(failure, ApiFailure) and failure.passing)
        except ApiFailure as failure:
            return failure
        return None


def deployed(functions: Functions, name: str, namespace: str) -> Deployed:
    """The function, when it can take events. Raises Stop."""
    try:
        found = functions.describe(name, namespace)
    except ApiFailure as failure:
        raise Stop(f"the function {name} of the namespace {namespace}: {failure}") from None
    if found.status != "Active":
        raise Stop(f"the function {name} is {found.status}, not Active; deploy it first")
    return found
