"""Self-healing: a timer's slice of a reconcile. It goes over the sources of a bucket page by page, holds them against
what stands, and has made what is missing, or older than its source, by the same `derive` as for an event (SCF 1.6: that
every event comes is not promised). Where it stands is one small object in the bucket.

Everything up to the cursor was looked at in this round, and what it lacked was made or has its outcome in the log. So a
slice that is killed, or runs beside another one, costs requests and nothing else. What earlier rules made is not told
from what today's make: that is the work of `derivo apply`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Optional

import msgspec

from derivo import __version__, manifest, ownobjects
from derivo.breaker import Breaker
from derivo.clock import Clock, Deadline
from derivo.cos import Cos, CosFailure, Listed, Page
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.outcomes import FAILED, WRITTEN, Work
from derivo.plan import Plan, Planned, PlannedManifest, narrowed, plan
from derivo.presence import Place, present, seconds
from derivo.rulekeys import BUCKET_PATTERN

FORMAT = 1
MOST_TRIES = 3
"""Slices that may end at one source for a passing reason, before the round goes on without it."""

_ADDRESS = re.compile(rf"cos://(?P<bucket>{BUCKET_PATTERN})/(?P<prefix>.*)", re.DOTALL)
# of this slice, and not of a source
_OF_THIS_SLICE = frozenset(["Deadline", "BudgetExceeded"])


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a round over the sources of a prefix is: `after` is the last key done, `began` the timer's time at which
    the round began (unix seconds), `tries` how many slices ended at the key `stuck`. `sweep` is the version of this."""

    sweep: int
    derivo: str
    bucket: str
    prefix: str
    round: int = 0
    began: int = 0
    after: str = ""
    complete: bool = True
    stuck: str = ""
    tries: int = 0


class Slice(msgspec.Struct, kw_only=True):
    """What one slice did. `sources` were looked at, `due` of them lacked something; `requests` are listings and HEADs;
    `resting`: the last round began too short a while ago; `stopped` is why it ended before the round did."""

    bucket: str
    prefix: str
    round: int = 0
    after: str = ""
    sources: int = 0
    due: int = 0
    written: int = 0
    failed: int = 0
    passed_over: int = 0
    requests: int = 0
    complete: bool = False
    resting: bool = False
    stopped: str = ""

    @property
    def troubled(self) -> bool:
        """Whether somebody should look: not when it only ran out of time or budget."""
        return bool(self.failed or self.passed_over or self.stopped not in ("", *_OF_THIS_SLICE))


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What all slices of an invocation work with. `make` carries out a plan and tells of it; `time` is the timer's, in
    unix seconds; a new round begins when the last one began `pause` seconds before it."""

    client: Cos
    region: str
    rule_sets: RuleSetIndex
    breaker: Breaker
    clock: Clock
    deadline: Deadline
    make: Callable[[Plan], Work]
    time: int
    pause: float


# --- pure -----------------------------------------------------------------------------------------------------------


def places(message: str, rule_sets: RuleSetIndex) -> list[Place]:
    """Buckets and prefixes to go over: the one that the timer's message names as `cos://BUCKET-APPID/[PREFIX]`, or the
    buckets that rule sets name. None where there are none."""
    named = _ADDRESS.fullmatch(message)
    if named is not None:
        return [(named["bucket"], named["prefix"])]
    if message.strip():
        return []
    return [(bucket, "") for bucket in sorted({r.bucket for r in rule_sets.considered if r.bucket is not None})]


def cursor_key(prefix: str) -> str:
    """Where the cursor of a prefix stands in its bucket."""
    tail = f"-{sha256(prefix.encode()).hexdigest()[:8]}" if prefix else ""
    return f"{ownobjects.FOLDER}sweep{tail}.json"


def is_resting(cursor: Cursor, time: int, pause: float) -> bool:
    """Whether it is too early for a new round; never when a time is unknown, or lies before the last round's."""
    return cursor.complete and time > 0 and cursor.began > 0 and 0 <= time - cursor.began < pause


def prefixes(rule_sets: RuleSetIndex, bucket: str, prefix: str) -> list[str]:
    """The prefixes of all sources under a prefix, in the order of keys; none lies inside another."""
    found: list[str] = []
    of_rules = (r.prefix for r in rule_sets.considered if r.bucket in (None, bucket))
    for one in sorted({max(own, prefix) for own in of_rules if own.startswith(prefix) or prefix.startswith(own)}):
        if not found or not one.startswith(found[-1]):
            found.append(one)
    return found


def is_behind(prefix: str, after: str) -> bool:
    """Whether every key under the prefix comes before, or is, the key `after`."""
    return after > prefix and not after.startswith(prefix)


def due(made: Plan, modified: int, there: Mapping[Place, int]) -> tuple[Planned, ...]:
    """What is missing or older than its source, by times of COS in whole seconds; of a rule set that keeps a manifest,
    which is written of what one run has made, all or nothing."""
    lacking = [d for d in made.derivatives if there.get((d.bucket, d.key), -1) < modified]
    together = {m.rule_set for m in made.manifests if (m.bucket, m.key) not in there} | {
        d.rule_set for d in lacking if any(m.rule_set == d.rule_set for m in made.manifests)
    }
    return tuple(d for d in made.derivatives if d in lacking or d.rule_set in together)


# --- effects --------------------------------------------------------------------------------------------------------


def sweep(task: Task, place: Place) -> Slice:
    """One slice over the sources of a place: from the cursor to the end of the round, or of what the deadline, the
    budget or a failure allows. Never raises for what COS does."""
    return _Sweep(task, *place).run()


class _Stopped(Exception):
    """The slice cannot go on; the text says why."""


class _Sweep:
    def __init__(self, task: Task, bucket: str, prefix: str) -> None:
        self._task = task
        self._bucket = bucket
        self._cursor = Cursor(sweep=FORMAT, derivo=__version__, bucket=bucket, prefix=prefix)
        self._kept = self._cursor
        self._slice = Slice(bucket=bucket, prefix=prefix)
        self._slowest = 0.0

    def run(self) -> Slice:
        try:
            self._read()
            if is_resting(self._cursor, self._task.time, self._task.pause):
                self._slice.resting = True
            else:
                self._go_on()
        except _Stopped as reason:
            self._slice.stopped = str(reason)
        except CosFailure as failure:
            self._slice.stopped = f"{failure.code}: {failure.message}" if failure.message else failure.code
        self._keep_at_the_end()
        self._slice.round, self._slice.after = self._cursor.round, self._cursor.after
        self._slice.complete = self._cursor.complete
        return self._slice

    def _go_on(self) -> None:
        if self._cursor.complete:
            self._move(round=self._cursor.round + 1, began=self._task.time, after="", complete=False)
        for prefix in prefixes(self._task.rule_sets, self._bucket, self._cursor.prefix):
            if not is_behind(prefix, self._cursor.after):
                self._go_over(prefix)
        self._move(complete=True)

    def _go_over(self, prefix: str) -> None:
        after: Optional[str] = self._cursor.after if self._cursor.after.startswith(prefix) else ""
        while after is not None:
            page = self._list(self._bucket, prefix, after)
            found = list(self._sources(page.objects))
            places_of_all = (place for made, _ in found for place in _places_of(made))
            there = present(places_of_all, lambda bucket, key: self._list(bucket, "", key), self._head)
            for made, modified in found:
                self._settle(made, due(made, modified, self._telling(made, modified, there)))
            if page.objects:
                self._move(after=page.objects[-1].key)
            if page.next is not None:
                self._keep()
            after = page.next

    def _sources(self, objects: Iterable[Listed]) -> Iterator[tuple[Plan, int]]:
        """The plans of those objects that are sources, with the times from which these stand."""
        for item in objects:
            if not item.size or item.key.endswith("/"):
                continue
            source = Source(bucket=self._bucket, region=self._task.region, key=item.key, size=item.size, etag=item.etag)
            made = plan(source, self._task.rule_sets)
            if made.derivatives and self._task.breaker.trips(source) is None:
                yield made, seconds(item.modified)

    def _telling(self, made: Plan, modified: int, there: Mapping[Place, int]) -> Mapping[Place, int]:
        """What is there, without manifests that are older than their source and tell of another: whoever made its
        derivatives broke off before it wrote them. Of the same bytes uploaded again they tell the truth."""
        older = [m for m in made.manifests if there.get((m.bucket, m.key), modified) < modified]
        wrong = {(m.bucket, m.key) for m in older if not self._tells(m, made.source)}
        return {place: since for place, since in there.items() if place not in wrong} if wrong else there

    def _tells(self, wanted: PlannedManifest, source: Source) -> bool:
        timeout = self._timeout()
        self._slice.requests += 1
        data = self._task.client.get(bucket=wanted.bucket, region=source.region, key=wanted.key, timeout=timeout)
        found = manifest.decode(data) if data is not None else None
        return found is not None and (found.source.etag, found.source.size) == (source.etag, source.size)

    def _settle(self, made: Plan, lacking: tuple[Planned, ...]) -> None:
        """Have made what a source lacks. Raises _Stopped when the round may not go on behind it yet."""
        key = made.source.key
        self._slice.sources += 1
        if lacking:
            if self._timeout() < self._slowest:
                raise _Stopped("Deadline")
            began = self._task.clock.monotonic()
            work = self._task.make(narrowed(made, lacking))
            # the next one may take as long, and what it could not end would be an error in the log
            self._slowest = max(self._slowest, min(60.0, self._task.clock.monotonic() - began))
            self._slice.due += 1
            self._slice.written += sum(outcome.status == WRITTEN for outcome in work.outcomes)
            self._slice.failed += sum(
                outcome.status == FAILED and outcome.code not in _OF_THIS_SLICE for outcome in work.outcomes
            )
            again = {outcome.code for outcome in work.outcomes if outcome.retryable}
            if again & _OF_THIS_SLICE:
                raise _Stopped(", ".join(sorted(again)))
            if again:
                tries = self._cursor.tries + 1 if self._cursor.stuck == key else 1
                self._move(stuck=key, tries=tries)
                if tries < MOST_TRIES:
                    raise _Stopped(f"{', '.join(sorted(again))} at {key}")
                self._slice.passed_over += 1
        self._move(after=key)

    def _list(self, bucket: str, prefix: str, after: str) -> Page:
        timeout = self._timeout()
        self._slice.requests += 1
        return self._task.client.list_page(
            bucket=bucket, region=self._task.region, prefix=prefix, after=after, timeout=timeout
        )

    def _head(self, bucket: str, key: str) -> Optional[int]:
        timeout = self._timeout()
        self._slice.requests += 1
        head = self._task.client.head(bucket=bucket, region=self._task.region, key=key, timeout=timeout)
        return None if head is None else head.modified

    def _timeout(self) -> float:
        timeout = self._task.deadline.call_timeout()
        if timeout is None:
            raise _Stopped("Deadline")
        return timeout

    # -- the cursor

    def _move(self, **changed: object) -> None:
        self._cursor = msgspec.structs.replace(self._cursor, **changed)

    def _read(self) -> None:
        data = self._task.client.get(
            bucket=self._bucket, region=self._task.region, key=cursor_key(self._cursor.prefix), timeout=self._timeout()
        )
        found = ownobjects.decode(data, Cursor, "sweep", FORMAT) if data is not None else None
        if found is not None and (found.bucket, found.prefix) == (self._cursor.bucket, self._cursor.prefix):
            self._cursor = self._kept = found

    def _keep_at_the_end(self) -> None:
        """The deadline of the slice leaves some seconds for this."""
        try:
            self._keep()
        except CosFailure as failure:
            self._slice.stopped = f"the cursor cannot be kept: {failure.code}"

    def _keep(self) -> None:
        if self._cursor == self._kept:
            return
        self._task.client.put(
            bucket=self._bucket,
            region=self._task.region,
            key=cursor_key(self._cursor.prefix),
            body=ownobjects.encode(self._cursor),
            headers={"ContentType": "application/json"},
            timeout=self._task.deadline.call_timeout() or 2.0,
        )
        self._kept = self._cursor


def _places_of(made: Plan) -> Iterator[Place]:
    yield from ((planned.bucket, planned.key) for planned in made.derivatives)
    yield from ((wanted.bucket, wanted.key) for wanted in made.manifests)
