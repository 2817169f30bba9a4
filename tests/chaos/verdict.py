"""After the quiet: what the bucket must hold, byte for byte, and what it holds.

What must stand is made by a clean run: a fresh coslocal with the same dialects and the same last sources, where nothing
goes wrong and each event is told once. What a source that is gone may leave behind:

- `on_remove: keep`: any of its derivatives and its manifest, each as some version of the source that stood would have
  it (which one depends on when it was removed), or none;
- `on_remove: delete`: nothing, but for derivatives that no run could prove to be Derivo's own (law 7): a function was
  killed between writing them and writing its manifest, and the source was removed before the next try. Each of these
  must have been told in the log as `kept(...)` by the last run that looked at it.

Failure records may stand for sources of which something failed, though a later try succeeded: it may not have come that
far, or not have looked.
A source that breaks, overwritten by what is no image, keeps the derivatives of the image before; schedules have no such
overwrites.
"""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from coslocal.scf.event import envelope, record
from coslocal.storage.types import StoredObject
from derivo import failures, ownobjects
from derivo.events import timer
from derivo.handle import Unfinished, handle
from derivo.plan import Plan
from derivo.rulesets import DELETE
from tests.chaos import worlds
from tests.chaos.cloud import START, Cloud, client, under_sdk
from tests.chaos.runs import Run, Try
from tests.chaos.schedule import CALM, TIMERS, Schedule
from tests.chaos.simulation import TARGET, planned, record_of

Place = tuple[str, str]


@dataclass
class Verdict:
    """What is wrong with the end of a run; places are (bucket, key)."""

    lost: list[Place] = field(default_factory=list)
    extra: list[Place] = field(default_factory=list)
    different: list[Place] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    unproved: int = 0

    @property
    def good(self) -> bool:
        return not (self.lost or self.extra or self.different or self.other)

    def lines(self) -> list[str]:
        named = (("lost", self.lost), ("extra", self.extra), ("different", self.different))
        return [f"{word}: {bucket}/{key}" for word, places in named for bucket, key in places] + self.other


def judge(run: Run) -> Verdict:
    found = Verdict(other=list(run.bugs))
    standing = run.cloud.standing()
    wanted: dict[Place, StoredObject] = {}
    may_stand: dict[Place, set[tuple[bytes, str]]] = {}
    removed: set[Place] = set()
    for place, versions in run.versions.items():
        if not _is_source(place):
            continue
        if worlds.picture_in(versions[-1]) is None:
            found.other.append(f"written among the sources: {place[1]}")
        if place in standing:
            wanted |= _clean(run, standing[place])
            continue
        for version in versions:
            for left, item in _clean(run, version).items():
                may_stand.setdefault(left, set()).add(_essence(run, item))
                if _follows(run.schedule, place, left):
                    removed.add(left)
    _compare(run, found, standing, wanted, may_stand, removed)
    _judge_records(run, found, standing)
    for made in run.tries:
        _judge_try(run.schedule, made, found)
    return found


def _is_source(place: Place) -> bool:
    return place[0] == worlds.BUCKET and place[1].startswith("in/")


def _compare(
    run: Run,
    found: Verdict,
    standing: dict[Place, StoredObject],
    wanted: dict[Place, StoredObject],
    may_stand: dict[Place, set[tuple[bytes, str]]],
    removed: set[Place],
) -> None:
    for place, item in wanted.items():
        if place not in standing:
            found.lost.append(place)
        elif _essence(run, standing[place]) != _essence(run, item):
            found.different.append(place)
    for place, item in standing.items():
        # what Derivo keeps for itself is no derivative: a run that was killed may leave what it had asked CI for there
        if place in wanted or place[1].startswith(("in/", worlds.BACKUP, worlds.FAILURES, ownobjects.FOLDER)):
            continue
        if place not in may_stand:
            found.extra.append(place)
        elif place in removed:
            if place in run.told:
                found.unproved += 1
            else:
                found.extra.append(place)
        elif _essence(run, item) not in may_stand[place] and not place[1].startswith("meta"):
            found.different.append(place)


_CLEAN_BYTES: dict[str, bytes] = {}


def _essence(run: Run, item: StoredObject) -> tuple[bytes, str]:
    data = _CLEAN_BYTES.get(item.blob)
    return (run.cloud.bytes_of(item) if data is None else data, item.headers.get("Content-Type", ""))


def _clean(run: Run, source: StoredObject) -> dict[Place, StoredObject]:
    data = worlds.picture_in(source)
    if data is None:
        return {}
    # a reconcile takes what CI wrote for sources too, whether there were events of it or not
    told = {"result-events": "yes"} if run.reconciled else {}
    choices = tuple(sorted((run.schedule.dialects | told).items()))
    return _clean_run(run.schedule.shape, choices, source.key, source.etag, data)


@lru_cache(maxsize=4096)
def _clean_run(
    shape: str, dialects: tuple[tuple[str, str], ...], key: str, etag: str, data: bytes
) -> dict[Place, StoredObject]:
    """What one source alone leaves in a fresh coslocal."""
    cloud = Cloud(dict(dialects), lambda: START)
    blob = cloud.store.take_in(io.BytesIO(data))
    source = StoredObject(
        bucket=worlds.BUCKET, key=key, blob=blob.name, size=blob.size, etag=etag, crc64=blob.crc64, modified=START
    )
    cloud.save(source)
    events = [record_of("cos:ObjectCreated:Put", source, cloud)]
    cloud.subscribe(lambda event: events.append(record(event, target=TARGET, dialects=cloud.dialects)))
    with under_sdk(lambda request, _: cloud.handle(request), lambda: START):
        for told in events:  # what is written may be a source again, and is then told at the end
            # under the dialect partial-failure=omit a rule that fails is just not named in the answer
            with suppress(Unfinished):
                handle(
                    json.loads(json.dumps(envelope(told))),
                    {"time_limit_in_ms": 900_000},
                    client=client(dialects=dict(dialects)),
                    rule_sets=worlds.index(shape),
                    clock=_Still(),
                    log=lambda line: None,
                )
    made = {place: item for place, item in cloud.standing().items() if place != (worlds.BUCKET, key)}
    made = {place: item for place, item in made.items() if not place[1].startswith(worlds.FAILURES)}
    _CLEAN_BYTES.update({item.blob: cloud.bytes_of(item) for item in made.values()})
    cloud.store.close()
    return made


class _Still:
    """A clock on which waiting takes no time."""

    def monotonic(self) -> float:
        return 0.0

    def time(self) -> float:
        return START

    def sleep(self, seconds: float) -> None:
        pass


def _follows(schedule: Schedule, source: Place, derivative: Place) -> bool:
    """Whether a rule set with on_remove: delete made it."""
    from derivo.events import Source
    from derivo.plan import key_of, manifest_of

    of = Source(bucket=source[0], region=worlds.REGION, key=source[1])
    for rule_set in worlds.index(schedule.shape).considered:
        if rule_set.on_remove != DELETE:
            continue
        wanted = manifest_of(rule_set, of)
        places = [(d.bucket or of.bucket, key_of(d, of.key)) for d in rule_set.derivatives]
        if derivative in places or (wanted is not None and derivative == (wanted.bucket, wanted.key)):
            return True
    return False


def _judge_records(run: Run, found: Verdict, standing: dict[Place, StoredObject]) -> None:
    """Records stand only where asked for, can be read, and name a source that there was."""
    asked = any(rule_set.on_failure for rule_set in worlds.index(run.schedule.shape).considered)
    for place, item in standing.items():
        if not place[1].startswith(worlds.FAILURES):
            continue
        record = failures.parse(run.cloud.bytes_of(item))
        # where the event left it open how its key was encoded, either reading may have failed
        named = [record.source.key, record.source.other_key or "", unquote(record.source.key)] if record else []
        if not asked or not any((worlds.BUCKET, key) in run.versions for key in named):
            found.other.append(f"a failure record that nobody can use: {place[1]}")
    for place in standing:
        broken = _is_source(place) and place[1] == worlds.BROKEN_KEY
        # apply leaves its records with who runs it
        told = broken and (place[1] not in run.lost or run.schedule.mends == TIMERS)
        if asked and told and (worlds.BUCKET, f"{worlds.FAILURES}{place[1]}.json") not in standing:
            found.other.append(f"no failure record of {place[1]}")


def bound(plans: list[Plan]) -> int:
    """The most requests one run of the function may make for its sources: at most MOST_ROUNDS rounds of at most
    MOST_TRIES tries of each request and, where one fails for good, of each of its rules alone; two HEADs a round and
    two a derivative, two HEADs and two PUTs a manifest and round, two GETs, a PUT and its repeat for a record, and a
    HEAD for where the event does not tell the ETag; and as much again when a removed source comes back."""
    total = 0
    for plan in plans:
        derivatives, manifests = len(plan.derivatives), len(plan.manifests)
        rounds = 4 * (4 * (len(plan.requests) + derivatives) + 2 + 4 * manifests)
        follow = 4 + 2 * derivatives + 4 * manifests
        total += rounds + 2 * derivatives + 5 + follow
    return 2 * total


def _judge_try(schedule: Schedule, made: Try, found: Verdict) -> None:
    """No try makes more requests than it may, and none fails once nothing goes wrong any more."""
    plans = planned(made, schedule)
    most = bound(plans)
    if timer(made.event) is None and made.calls.total() > most:
        found.other.append(f"{made.name}: {made.calls.total()} requests, more than {most}")
    if made.started > CALM and made.ended and schedule.shape != "one-bad-rule":
        found.other.append(f"{made.name}: {made.ended}, though nothing goes wrong any more")
