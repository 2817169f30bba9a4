"""One invocation: every source of the event gets its plan, its outcomes and its log line; then one verdict for all.

Retryable failures are raised, so that the platform tries again; permanent ones are reported and acknowledged, so that
they do not burn retries (SCF 3.1, law 3). One source's trouble never keeps another from its derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import msgspec

from derivo import failures
from derivo.breaker import Breaker, Budget
from derivo.clock import Clock, Deadline
from derivo.cos import Cos, CosFailure
from derivo.derive import derive
from derivo.events import EventError, Removal, Source, Unusable, sources
from derivo.follow import KEPT, REMOVED, Fate, follow
from derivo.log import Log
from derivo.matching import RuleSetIndex
from derivo.outcomes import FAILED, SKIPPED, WRITTEN, Outcome, Work
from derivo.plan import Plan, plan

# The platform's default (SCF 5.2), used when the context does not tell.
_DEFAULT_BUDGET_SECONDS = 3.0


class Unfinished(Exception):
    """Work that another try may finish. Raised once for all sources of an event, so that the platform retries it."""


class Summary(msgspec.Struct, kw_only=True):
    """What an invocation returns, and what its retry would have to do: counts, and one text a retryable failure."""

    sources: int = 0
    written: int = 0
    skipped: int = 0
    removed: int = 0
    failed: int = 0
    unusable: int = 0
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
) -> Summary:
    """Process an event. Returns the summary; raises Unfinished when something retryable is left.

    An event that is not COS's is logged and acknowledged: trying it again could not make it one. `breaker` and `budget`
    outlive an invocation, so a warm instance passes its own.
    """
    deadline = Deadline(clock, _budget(context))
    breaker = breaker or Breaker(rule_sets)
    summary = Summary()
    invocation = _text(context, "request_id")
    try:
        found = sources(event, default_region=region or None)
    except EventError as error:
        log({"level": "error", "msg": "not_a_cos_event", "error": str(error), "invocation": invocation})
        summary.unusable = 1
        return summary
    for source in found:
        if isinstance(source, Unusable):
            summary.unusable += 1
            log(_unusable_line(source, invocation))
            continue
        if isinstance(source, Removal):
            summary.sources += 1
            _follow(source.source, client, rule_sets, deadline, summary, log, invocation)
            continue
        witness = breaker.trips(source)
        if witness is not None:
            summary.unusable += 1
            own = Unusable(reason="own_output", detail=witness, bucket=source.bucket, key=source.key)
            log(_unusable_line(own, invocation))
            continue
        summary.sources += 1
        started = clock.monotonic()
        made, work = _process(source, client, rule_sets, deadline, budget)
        for outcome in work.outcomes:
            summary.add(outcome)
        _record(made, work, client, deadline, summary, invocation)
        log(_source_line(made, work, invocation, milliseconds=round((clock.monotonic() - started) * 1000)))
    if summary.retryable:
        raise Unfinished(
            f"{len(summary.retryable)} derivatives of {summary.sources} sources are left to a retry: "
            + "; ".join(summary.retryable[:10])
        )
    return summary


def _record(made: Plan, work: Work, client: Cos, deadline: Deadline, summary: Summary, invocation: str) -> None:
    """Leave a record of what failed, where a rule set asks for it. One that cannot be left is left to the retry."""
    data = failures.build(made.source, work, invocation) if made.failure_keys else None
    if data is None:
        return
    for key in made.failure_keys:
        try:
            client.put(
                bucket=made.source.bucket,
                region=made.source.region,
                key=key,
                body=data,
                headers={"ContentType": "application/json"},
                timeout=deadline.call_timeout() or 1.0,
            )
        except CosFailure as failure:
            summary.retryable.append(f"{key}: {failure.code}")


def _follow(
    source: Source,
    client: Cos,
    rule_sets: RuleSetIndex,
    deadline: Deadline,
    summary: Summary,
    log: Log,
    invocation: str,
) -> None:
    """Let the derivatives of a removed source follow it, and make them again if it came back meanwhile."""
    if source.other_key is not None:
        # both readings of the key: of the wrong one nothing stands, or the object itself still does
        other = msgspec.structs.replace(source, key=source.other_key, other_key=None)
        _follow(other, client, rule_sets, deadline, summary, log, invocation)
    done = follow(source, rule_sets, client, deadline)
    for fate in done.fates:
        summary.removed += fate.status == REMOVED
        summary.failed += fate.status == FAILED
        if fate.retryable:
            summary.retryable.append(f"{fate.key}: {fate.reason}")
    log(
        {
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
    )
    if done.returned:
        for outcome in derive(plan(source, rule_sets), client, deadline).outcomes:
            summary.add(outcome)


def _fate(fate: Fate) -> dict[str, Any]:
    text = f"{fate.status}({fate.reason})" if fate.reason else fate.status
    return {"rule_set": fate.rule_set, "name": fate.name, "bucket": fate.bucket, "key": fate.key, "outcome": text}


def _process(
    source: Source, client: Cos, rule_sets: RuleSetIndex, deadline: Deadline, budget: Optional[Budget]
) -> tuple[Plan, Work]:
    """Run the plan of the source; where the event leaves its key open, of the first reading that exists."""
    readings = _readings(source, rule_sets)
    work = derive(readings[0], client, deadline, budget=budget)
    if work.gone and len(readings) > 1:
        return readings[1], derive(readings[1], client, deadline, budget=budget)
    return readings[0], work


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
    elif outcome.message:
        detail["message"] = outcome.message
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
