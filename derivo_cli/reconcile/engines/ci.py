"""derivo apply --engine ci: the plan as batch jobs of CI, one for each derivative and ten thousand sources.

A job is found again by its name, so a run that was killed, wherever that was, follows the jobs that it began. What a
job wrote is not believed but looked at: nothing that CI tells names it object by object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import TypeVar
from urllib.parse import quote

from derivo import ownobjects
from derivo.ci import to_text
from derivo.clock import Clock
from derivo.cos import CosFailure, Page
from derivo.matching import RuleSetIndex
from derivo.outcomes import FAILED, WRITTEN, Outcome, Work, failed, skipped
from derivo.plan import Planned
from derivo.presence import Place, present
from derivo.rulesets import Derivative
from derivo_cli.exits import Stop
from derivo_cli.reconcile.engines import naming
from derivo_cli.reconcile.engines.batches import ENDED, Batch, Batches
from derivo_cli.reconcile.executing import Ledger, Limits, Unit
from derivo_cli.reconcile.pace import patiently

CELL = 10_000
"""Sources whose jobs run together. How many objects a job takes is not documented."""
_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_MOST_TRIALS = 5

T = TypeVar("T")
Name = tuple[str, str]
"""A rule set and a derivative of it."""


@dataclass(frozen=True)
class Bucket:
    """Where the sources are, and the id of the plan, which tells its jobs from all others."""

    name: str
    region: str
    plan: str


def require_fit(index: RuleSetIndex, names: Sequence[str]) -> None:
    """Raises Stop that names every one of these rule sets that batch jobs cannot carry out, and why."""
    reasons = {r.name: naming.unfit(r) for r in index.considered if r.name in names}
    told = [f"rule set {name}: {reason}" for name, reason in reasons.items() if reason]
    if told:
        mend = "--rest leaves their sources to the direct engine"
        raise Stop("\n".join([*told, f"CI's batch jobs cannot do what these rule sets say; {mend}"]))


class CiEngine:
    """Carries out a plan by batch jobs. `rest`: what does not fit them is left alone, for the direct engine."""

    def __init__(
        self,
        client: Batches,
        bucket: Bucket,
        index: RuleSetIndex,
        clock: Clock,
        limits: Limits,
        ledger: Ledger,
        *,
        rest: bool,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock
        self._limits = limits
        self._ledger = ledger
        self._rest = rest
        self._unfit = {r.name for r in index.considered if naming.unfit(r)}
        self._derivatives = {(r.name, d.name): d for r in index.considered for d in r.derivatives}
        self._numbers = {name: number for number, name in enumerate(self._derivatives)}
        self._templates: dict[str, str] = {}
        self._where: Mapping[str, str] = {"bucket": bucket.name, "region": bucket.region}
        self._slash: bool | None = None
        self._trials = 0
        self._requests = 0
        self._cost = 0.0

    def run(self, waiting: Iterator[Unit]) -> str:
        """Work through the units that the journal does not have. Returns what is to be said at the end; raises nothing
        for what COS does."""
        most = self._limits.requests
        size = CELL if most is None else max(1, min(CELL, most // max(1, len(self._derivatives))))
        left = (unit for unit in waiting if not self._ledger.journal.done(unit.number))
        try:
            for number, cell in groupby(left, key=lambda unit: unit.number // size):
                if not self._carry_out(f"{size}-{number}", list(cell)):
                    break
            else:
                self._tidy()
        except CosFailure as failure:
            self._ledger.progress.stopped = str(failure)
        return self._ledger.closing()

    # -- one cell

    def _carry_out(self, number: str, cell: list[Unit]) -> bool:
        """False when the limits of the run end it before this cell."""
        self._learn(cell)
        fitting = [unit for unit in cell if self._fits(unit)]
        taken = {unit.number for unit in fitting}
        for unit in cell:
            if unit.number not in taken and not self._rest:
                message = "derivo apply PLAN --resume, without --engine ci, makes it"
                outcomes = tuple(failed(d, "NotForBatch", message=message) for d in unit.plan.derivatives)
                self._ledger.settle(unit, Work(outcomes=outcomes))
        self._requests += sum(len(unit.plan.derivatives) for unit in fitting)
        self._cost += sum(unit.cost for unit in fitting)
        self._ledger.progress.stopped = self._limits.exceeded(self._requests, self._cost)
        if self._ledger.progress.stopped:
            return False
        by_name: dict[Name, list[str]] = {}
        for unit in fitting:
            for planned in unit.plan.derivatives:
                by_name.setdefault((planned.rule_set, planned.name), []).append(unit.plan.source.key)
        jobs = {name: self._patiently(partial(self._begun, number, name, sources)) for name, sources in by_name.items()}
        self._settle(fitting, self._followed(jobs), number)
        for name in jobs:
            self._delete(self._list_key(number, name))
        return True

    def _fits(self, unit: Unit) -> bool:
        source = unit.plan.source.key
        for planned in unit.plan.derivatives:
            if planned.rule_set in self._unfit:
                return False
            output = naming.pattern(self._derivatives[planned.rule_set, planned.name], slash=self._slash is not False)
            if output is None or naming.filled(output, source, slash=self._slash is not False) != planned.key:
                return False
        return True

    def _begun(self, number: str, name: Name, sources: Sequence[str]) -> Batch:
        """The derivative's job over these sources: one that an earlier run began and did not settle, or a new one."""
        called = f"derivo-{self._bucket.plan[:16]}-{number}-{self._numbers[name]}"
        urls = self._list_key(number, name)
        standing = self._client.newest(**self._where, name=called)
        if standing is not None and standing.state not in ("Failed", "Cancel") and self._look(self._bucket.name, urls):
            return standing
        derivative = self._derivatives[name]
        output = naming.pattern(derivative, slash=self._slash is not False)
        assert output is not None
        return self._submit(called, urls, sources, derivative, derivative.bucket or self._bucket.name, output)

    def _submit(
        self, name: str, urls: str, sources: Sequence[str], derivative: Derivative, target: str, output: str
    ) -> Batch:
        host = f"https://{self._bucket.name}.cos.{self._bucket.region}.myqcloud.com/"
        body = "".join(f"{host}{quote(source, safe='/~')}\n" for source in sources).encode()
        self._client.put(**self._where, key=urls, body=body, headers={"ContentType": "text/plain"}, timeout=_SECONDS)
        return self._client.submit(
            **self._where, name=name, urls=urls, template=self._template(derivative), target=target, output=output
        )

    def _followed(self, jobs: dict[Name, Batch]) -> dict[Name, Batch]:
        """The jobs at their end."""
        pause = _FIRST_PAUSE
        while True:
            going = {name: job for name, job in jobs.items() if job.state not in ENDED}
            self._ledger.tell("; ".join(f"{name[1]} {job.state} {job.progress} %" for name, job in going.items()))
            if not going:
                return jobs
            self._clock.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
            for name, job in going.items():
                try:
                    jobs[name] = self._client.batch(**self._where, id=job.id)
                except CosFailure as failure:
                    if not failure.retryable:
                        raise

    # -- what came of it

    def _settle(self, units: list[Unit], jobs: dict[Name, Batch], number: str) -> None:
        """Every planned derivative gets its outcome: it is written when it stands and is no older than its job."""
        since = {name: self._look(self._bucket.name, self._list_key(number, name)) or 0 for name in jobs}
        wanted = ((planned.bucket, planned.key) for unit in units for planned in unit.plan.derivatives)
        there = present(wanted, self._list, self._look)
        made = [[self._outcome(planned, there, since, jobs) for planned in unit.plan.derivatives] for unit in units]
        places = [(self._bucket.name, unit.plan.source.key) for unit in units]
        doubtful = {
            place for place, outcomes in zip(places, made, strict=True) if any(o.status == FAILED for o in outcomes)
        }
        gone = doubtful - present(doubtful, self._list, self._look).keys()
        for unit, place, outcomes in zip(units, places, made, strict=True):
            kept = [
                skipped(o.derivative, "source_gone") if place in gone and o.status == FAILED else o for o in outcomes
            ]
            self._ledger.settle(unit, Work(outcomes=tuple(kept), calls=len(kept)))

    def _outcome(
        self, planned: Planned, there: dict[Place, int], since: dict[Name, int], jobs: dict[Name, Batch]
    ) -> Outcome:
        name = (planned.rule_set, planned.name)
        if there.get((planned.bucket, planned.key), -1) >= since[name]:
            return Outcome(derivative=planned, status=WRITTEN)
        job = jobs[name]
        if job.state != "Success":
            return failed(planned, "BatchFailed", message=f"{job.state} {job.code} {job.message}".strip())
        return failed(planned, "MissingFromAnswer", message=f"the batch job {job.id} ended without it")

    # -- what CI makes of patterns

    def _learn(self, cell: list[Unit]) -> None:
        """Find out by trials whether ${InputPath} ends in a slash. Of sources at the root alone it does not matter."""
        for unit in cell:
            source = unit.plan.source.key
            if self._slash is None and "/" in source and naming.filled("", source, slash=True) is not None:
                fit = [d for d in unit.plan.derivatives if d.rule_set not in self._unfit]
                self._slash = self._tried(source, self._derivatives[fit[0].rule_set, fit[0].name]) if fit else None

    def _tried(self, source: str, derivative: Derivative) -> bool | None:
        """What a job for one source tells; None when it wrote nothing, as for a source that is no image."""
        urls = f"{ownobjects.FOLDER}batch/{self._bucket.plan[:16]}-trial.txt"
        job = self._patiently(
            lambda: self._submit(
                f"derivo-{self._bucket.plan[:16]}-trial", urls, [source], derivative, self._bucket.name, naming.TRIAL
            )
        )
        job = self._followed({("", "a trial"): job})["", "a trial"]
        self._delete(urls)
        prefix = f"{naming.TRIALS}{job.id}/"
        wrote = [item.key for item in self._client.list(**self._where, prefix=prefix, timeout=_SECONDS)]
        for key in wrote:
            self._delete(key)
        if job.state != "Success":
            raise CosFailure(job.code or "BatchFailed", f"a trial job for {source}: {job.state}: {job.message}")
        told = {naming.tried(key, job.id, source) for key in wrote}
        self._trials += not wrote
        if told - {True, False} or self._trials >= _MOST_TRIALS:
            raise CosFailure(
                "BatchFailed",
                f"a trial job for {source} wrote {', '.join(wrote) or 'nothing'}: how CI fills in output patterns is "
                "not certain; the direct engine does not need to know",
            )
        return told.pop() if told else None

    # -- small things

    def _template(self, derivative: Derivative) -> str:
        rule = to_text(derivative.rule)
        if rule not in self._templates:
            name = f"derivo-{sha256(rule.encode()).hexdigest()[:32]}"
            self._templates[rule] = self._client.template(**self._where, name=name, rule=rule)
        return self._templates[rule]

    def _tidy(self) -> None:
        for id in self._templates.values():
            self._client.delete_template(**self._where, id=id)

    def _list_key(self, number: str, name: Name) -> str:
        return f"{ownobjects.FOLDER}batch/{self._bucket.plan[:16]}-{number}-{self._numbers[name]}.txt"

    def _delete(self, key: str) -> None:
        self._patiently(lambda: self._client.delete(**self._where, key=key, timeout=_SECONDS))

    def _look(self, bucket: str, key: str) -> int | None:
        head = self._patiently(
            lambda: self._client.head(bucket=bucket, region=self._bucket.region, key=key, timeout=_SECONDS)
        )
        return None if head is None else head.modified

    def _list(self, bucket: str, after: str) -> Page:
        return self._patiently(
            lambda: self._client.list_page(
                bucket=bucket, region=self._bucket.region, prefix="", after=after, timeout=_SECONDS
            )
        )

    def _patiently(self, ask: Callable[[], T]) -> T:
        return patiently(self._clock, ask, lambda failure: isinstance(failure, CosFailure) and failure.retryable)
