"""One invocation: every source of the event gets its plan, its outcomes and its log line; then one verdict for all.

Retryable failures are raised, so that the platform tries again; permanent ones are reported and acknowledged, so that
they do not burn retries (SCF 3.1, law 3). One source's trouble never keeps another from its derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import msgspec

from derivo.breaker import Breaker, Budget
from derivo.calls import Calls
from derivo.clock import Clock, Deadline
from derivo.cos import Cos
from derivo.derive import derive
from derivo.earlier import Noted, Records
from derivo.events import EventError, Removal, Source, Timer, Unusable, sources, timer
from derivo.follow import KEPT, REMOVED, Fate, Followed, follow, follows
from derivo.log import Log
from derivo.matching import RuleSetIndex
from derivo.outcomes import FAILED, SKIPPED, WRITTEN, Outcome, Work
from derivo.plan import Plan, plan

# The platform's default (SCF 5.2), used when the context does not tell.
_DEFAULT_BUDGET_SECONDS = 3.0

# Seconds of a timer's invocation that are kept back to note how far it came.
_FOR_THE_CURSOR = 5.0

# An event that is older was perhaps tried before: the platform's first retry comes a minute after it failed (SCF 3.1).
_FRESH_SECONDS = 30.0


class Unfinished(Exception):
    """Work that another try may finish. Raised once for all sources of an event, so that the platform retries it."""


class Summary(msgspec.Struct, kw_only=True):
    """What an invocation returns, and what its retry would have to do: counts, and one text a retryable failure, or a
    source of which CI may still write something."""

    sources: int = 0
    written: int = 0
    skipped: int = 0
    removed: int = 0
    failed: int = 0
    unusable: int = 0
    unheard: list[str] = msgspec.field(default_factory=list)
    retryable: list[str] = msgspec.field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.written += outcome.status == WRITTEN
        self.skipped += outcome.status == SKIPPED
        self.failed += outcome.status == FAILED
        if outcome.retryable:
            self.retryable.append(f"{outcome.derivative.key}: {outcome.code}")


def handle(
    event: Any,
    context: Any,
    *,
    client: Cos,
    rule_sets: RuleSetIndex,
    clock: Clock,
    log: Log,
    region: str = "",
    breaker: Optional[Breaker] = None,
    budget: Optional[Budget] = None,
    noted: Optional[Noted] = None,
    sweep_hours: float = 24.0,
) -> Summary:
    """Process an event. Returns the summary; raises Unfinished when something retryable is left.

    An event that is not COS's is logged and acknowledged: trying it again could not make it one. `breaker`, `budget`
    and what `noted` comes from outlive an invocation, so a warm instance passes its own. A timer's event is a slice of
    self-healing, of which a new round begins every `sweep_hours`; it raises nothing, since the timer comes again.
    """
    breaker = breaker or Breaker(rule_sets)
    rang = timer(event)
    seconds = _budget(context)
    run = _Invocation(
        client=client,
        rule_sets=rule_sets,
        clock=clock,
        deadline=Deadline(clock, seconds - min(_FOR_THE_CURSOR, seconds / 4) if rang else seconds),
        budget=budget,
        noted=noted or Noted(),
        log=log,
        name=_text(context, "request_id"),
    )
    if rang is not None:
        run.sweep(rang, region, breaker, sweep_hours * 3600)
        return run.summary
    try:
        found = sources(event, default_region=region or None)
    except EventError as error:
        log({"level": "error", "msg": "not_a_cos_event", "error": str(error), "invocation": run.name})
        return Summary(unusable=1)
    for source in found:
        if isinstance(source, Unusable):
            run.skip(source)
        elif isinstance(source, Removal):
            run.summary.sources += 1
            run.follow(source.source)
        else:
            witness = breaker.trips(source)
            if witness is not None:
                run.skip(Unusable(reason="own_output", detail=witness, bucket=source.bucket, key=source.key))
                continue
            run.summary.sources += 1
            run.derive(source)
    summary = run.summary
    if summary.retryable:
        raise Unfinished(
            f"{len(summary.retryable)} derivatives of {summary.sources} sources are left to a retry: "
            + "; ".join(summary.retryable[:10])
        )
    if summary.unheard:
        raise Unfinished(
            f"all is made, but calls for {len(summary.unheard)} of {summary.sources} sources got no answer, and CI may"
            " still write what they were to make, of a source overwritten since: a retry looks. "
            + "; ".join(summary.unheard[:10])
        )
    return summary


class _Invocation:
    """What one invocation works with, and the summary it gathers. `name` is the platform's request id."""

    def __init__(
        self,
        *,
        client: Cos,
        rule_sets: RuleSetIndex,
        clock: Clock,
        deadline: Deadline,
        budget: Optional[Budget],
        noted: Noted,
        log: Log,
        name: str,
    ) -> None:
        self._client = client
        self._rule_sets = rule_sets
        self._clock = clock
        self._deadline = deadline
        self._budget = budget
        self._noted = noted
        self._log = log
        self.name = name
        self.summary = Summary()

    def skip(self, item: Unusable) -> None:
        self.summary.unusable += 1
        self._log(_unusable_line(item, self.name))

    def derive(self, source: Source) -> None:
        """Run the plan of a source; where the event leaves its key open, of the first reading that exists. Where it is
        gone, its derivatives follow it: the removal's own event may have come before they were written."""
        started = self._clock.monotonic()
        gone: list[Source] = []
        for made in _readings(source, self._rule_sets):
            work = self._work(made)
            self._noted.note(made.source, work)
            if work.unheard and made.verify:
                self.summary.unheard.append(made.source.key)
            if work.gone:
                gone.append(msgspec.structs.replace(made.source, other_key=None))
            if not work.gone or any(outcome.status == WRITTEN for outcome in work.outcomes):
                break
        self._settle(made, work, started, gone)

    def make(self, made: Plan) -> Work:
        """Run a plan as it is."""
        started = self._clock.monotonic()
        work = self._work(made, look=True)
        self._settle(made, work, started, [made.source] if work.gone else [])
        return work

    def _work(self, made: Plan, *, look: bool = False) -> Work:
        """Run a plan. What an earlier try left is looked for by order, or where it costs a GET for nothing only now and
        then: this instance knows of one, or the event is old enough. Leaves a record of what failed, where a rule set
        asks for it; one that cannot be left is left to the retry."""
        records = Records(made, Calls(made.source, self._client, self._deadline, None))
        remembered = self._noted.tell(made.source)
        told = made.source.event_time
        old = told is not None and self._clock.time() - told > _FRESH_SECONDS
        earlier = records.read() if look or old or remembered is not None else []
        if remembered is not None and remembered.derivatives:
            earlier.append(remembered)
        work = derive(made, self._client, self._deadline, budget=self._budget, earlier=earlier)
        self.summary.retryable.extend(records.settle(work, self.name))
        return work

    def _settle(self, made: Plan, work: Work, started: float, gone: list[Source]) -> None:
        for outcome in work.outcomes:
            self.summary.add(outcome)
        self._log(_source_line(made, work, self.name, milliseconds=self._milliseconds(started)))
        for source in gone:
            if follows(source, self._rule_sets):
                self.follow(source)

    def sweep(self, rang: Timer, region: str, breaker: Breaker, pause: float) -> None:
        """A slice of self-healing over each place that the timer, or the rule sets, name."""
        from derivo import presence, sweep  # only timers need them

        found = sweep.places(rang.message, self._rule_sets)
        if not found:
            self.summary.unusable += 1
            detail = "write the bucket into the timer's message, such as cos://photos-1250000000/"
            self._log({"level": "error", "msg": "nothing_to_sweep", "detail": detail, "invocation": self.name or None})
        task = sweep.Task(
            client=self._client,
            region=region,
            rule_sets=self._rule_sets,
            breaker=breaker,
            clock=self._clock,
            deadline=self._deadline,
            make=self.make,
            time=presence.seconds(rang.time),
            pause=pause,
        )
        for place in found:
            started = self._clock.monotonic()
            done = sweep.sweep(task, place)
            self.summary.sources += done.sources
            level = "error" if done.troubled else "info"
            told = {"level": level, "msg": "swept", **msgspec.to_builtins(done), "ms": self._milliseconds(started)}
            self._log({**told, "stopped": done.stopped or None, "invocation": self.name or None})

    def _milliseconds(self, started: float) -> int:
        return round((self._clock.monotonic() - started) * 1000)

    def follow(self, source: Source) -> None:
        """Let the derivatives of a removed source follow it, and make them again if it came back meanwhile."""
        if source.other_key is not None:
            # both readings of the key: of the wrong one nothing stands, or the object itself still does
            self.follow(msgspec.structs.replace(source, key=source.other_key, other_key=None))
        done = follow(source, self._rule_sets, self._client, self._deadline)
        for fate in done.fates:
            self.summary.removed += fate.status == REMOVED
            self.summary.failed += fate.status == FAILED
            if fate.retryable:
                self.summary.retryable.append(f"{fate.key}: {fate.reason}")
        self._log(_followed_line(source, done, self.name))
        if done.returned is not None:
            self.derive(done.returned)


def _followed_line(source: Source, done: Followed, invocation: str) -> dict[str, Any]:
    return {
        "level": "error" if any(fate.status == FAILED for fate in done.fates) else "info",
        "msg": "followed",
        "reason": done.reason or None,
        "bucket": source.bucket,
        "key": source.key,
        "event": source.event_name,
        "removed": sum(fate.status == REMOVED for fate in done.fates),
        "kept": sum(fate.status == KEPT for fate in done.fates),
        "invocation": invocation or None,
        "derivatives": [_fate(fate) for fate in done.fates],
    }


def _fate(fate: Fate) -> dict[str, Any]:
    text = f"{fate.status}({fate.reason})" if fate.reason else fate.status
    return {"rule_set": fate.rule_set, "name": fate.name, "bucket": fate.bucket, "key": fate.key, "outcome": text}


def _readings(source: Source, rule_sets: RuleSetIndex) -> list[Plan]:
    first = plan(source, rule_sets)
    if source.other_key is None:
        return [first]
    second = plan(msgspec.structs.replace(source, key=source.other_key, other_key=None), rule_sets)
    # a reading that no rule set matches has nothing to do, and would hide the other one
    return [made for made in (first, second) if made.derivatives or made.blocked] or [first]


def _source_line(made: Plan, work: Work, invocation: str, *, milliseconds: int) -> dict[str, Any]:
    source = made.source
    failing = [outcome for outcome in work.outcomes if outcome.status == FAILED]
    return {
        "level": "error" if failing else "info",
        "msg": "derived" if work.outcomes else "no_rule_set_matches",
        "bucket": source.bucket,
        "key": source.key,
        "event": source.event_name,
        "size": source.size,
        "etag": work.source_etag or source.etag,
        "format": work.source_format or None,
        "width": work.source_width or None,
        "height": work.source_height or None,
        "written": sum(outcome.status == WRITTEN for outcome in work.outcomes),
        "skipped": sum(outcome.status == SKIPPED for outcome in work.outcomes),
        "failed": len(failing),
        "retryable": sum(outcome.retryable for outcome in failing),
        "error": failing[0].code if failing else None,
        "calls": work.calls,
        "heads": work.heads,
        "unheard": work.unheard or None,
        "ms": milliseconds,
        "plan": made.digest,
        "upload": source.request_id or None,
        "invocation": invocation or None,
        "requests": " ".join(work.request_ids) or None,
        "derivatives": [_detail(outcome) for outcome in work.outcomes],
    }


def _detail(outcome: Outcome) -> dict[str, Any]:
    derivative = outcome.derivative
    detail: dict[str, Any] = {
        "rule_set": derivative.rule_set,
        "name": derivative.name,
        "bucket": derivative.bucket,
        "key": derivative.key,
        "outcome": outcome.text,
    }
    if outcome.status == WRITTEN:
        detail.update(
            format=outcome.format, width=outcome.width, height=outcome.height, size=outcome.size, etag=outcome.etag
        )
    else:
        detail.update(
            {name: text for name, text in (("message", outcome.message), ("instead", outcome.instead)) if text}
        )
    return detail


def _unusable_line(item: Unusable, invocation: str) -> dict[str, Any]:
    return {
        "level": "error" if item.permanent_error else "info",
        "msg": "skipped",
        "reason": item.reason,
        "detail": item.detail or None,
        "bucket": item.bucket or None,
        "key": item.key or None,
        "invocation": invocation or None,
    }


def _budget(context: Any) -> float:
    """Seconds this invocation may take. The platform tells the configured time-out only (SCF 2.2)."""
    value = _member(context, "time_limit_in_ms")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return float(value) / 1000.0
    return _DEFAULT_BUDGET_SECONDS


def _text(context: Any, name: str) -> str:
    value = _member(context, name)
    return value if isinstance(value, str) else ""


def _member(context: Any, name: str) -> Optional[Any]:
    if isinstance(context, Mapping):
        return context.get(name)
    return getattr(context, name, None)
