"""One schedule, run to its end: the client, the events, the function's tries, everything that goes wrong, and the quiet
after it. The same schedule gives the same run, request by request."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from coslocal.events import ObjectEvent
from coslocal.http import Request, Response
from coslocal.pytest_plugin import new_client
from coslocal.scf.event import envelope, record
from coslocal.scf.result import CODE_ERROR, EXITED, OK, THROTTLED, TIMEOUT, Result
from coslocal.scf.schedule import Dead, Message, Policy
from coslocal.scf.schedule import Schedule as Queue
from coslocal.storage.types import StoredObject
from derivo.breaker import Breaker
from derivo.cos import CosFailure
from derivo.events import Removal, Source, sources
from derivo.handle import Unfinished, handle
from derivo.outcomes import FAILED
from derivo.plan import plan
from derivo.upload import put_image
from tests.chaos import mischief, worlds
from tests.chaos.cloud import START, Cloud, client, under_sdk
from tests.chaos.mischief import Fault, Killed
from tests.chaos.schedule import CALM, Mischief, Schedule, Step
from tests.chaos.timeline import Actor, Endless, Timeline

MOST_HAPPENINGS = 20_000
TARGET = "qcs:0:scf:ap-guangzhou:appid/1250000000:default.fn.$DEFAULT"


@dataclass
class Try:
    """One run of the function: what it was given, seconds from the beginning, and what it asked for. `disturbed`:
    something went wrong in it."""

    name: str
    event: Any
    started: float
    calls: Counter[str] = field(default_factory=Counter)
    disturbed: bool = False
    ended: str = ""


@dataclass
class Run:
    """What came of a schedule."""

    schedule: Schedule
    cloud: Cloud
    mischief: Mischief
    tries: list[Try] = field(default_factory=list)
    versions: dict[tuple[str, str], list[StoredObject]] = field(default_factory=dict)
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)


def run(schedule: Schedule, only: frozenset[str] | None = None) -> Run:
    """Run a schedule; with `only`, nothing goes wrong but what is named there."""
    before = random.getstate()
    random.seed(schedule.seed)  # the jitter of back-off
    try:
        return _Simulation(schedule, only).run()
    finally:
        random.setstate(before)


class _Clock:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def monotonic(self) -> float:
        return self._timeline.now

    def sleep(self, seconds: float) -> None:
        self._timeline.wait(seconds)


class _Simulation:
    def __init__(self, schedule: Schedule, only: frozenset[str] | None) -> None:
        self._schedule = schedule
        self._time = Timeline(START, most=MOST_HAPPENINGS)
        self._wrong = Mischief(schedule.seed, schedule.wildness, only)
        self._cloud = Cloud(schedule.dialects, lambda: self._time.now)
        self._cloud.saving = self._saving
        self._cloud.subscribe(self._happened)
        self._queue = Queue(Policy())
        self._index = worlds.index(schedule.shape)
        self._breaker = Breaker(self._index)
        self._told: Counter[str] = Counter()
        self._lost = 0
        self._overtaken = False
        self._dead: list[Message] = []
        self._merged: list[dict[str, Any]] = []
        self._pumps: set[float] = set()
        self._running: dict[str, Try] = {}
        self._call_ends: dict[str, float] = {}
        # what a client without Derivo does is what is wanted: it has no adventures
        self._plain = {step.name for step in schedule.steps if step.kind != "image"}
        self._made = Run(schedule, self._cloud, self._wrong)
        self._files = tempfile.TemporaryDirectory(prefix="chaos-")

    def run(self) -> Run:
        try:
            with under_sdk(self._send, lambda: self._time.now):
                for step in self._schedule.steps:
                    self._time.at(START + step.at, self._starter(step))
                self._time.at(START + CALM, self._calm_down)
                self._time.run()
                self._replay_dead_letters()
                self._reconcile()
        except Endless as error:
            self._made.bugs.append(str(error))
        finally:
            self._files.cleanup()
        return self._made

    # -- the client

    def _starter(self, step: Step) -> Callable[[], None]:
        return lambda: self._started(step)

    def _started(self, step: Step) -> None:
        self._note(f"{step.name}: {step.kind} {step.key} {step.picture or step.other}".rstrip())
        self._time.spawn(step.name, lambda: self._do(step))

    def _do(self, step: Step) -> None:
        sdk = new_client(retry=0)
        try:
            getattr(self, f"_{step.kind}")(sdk, step)
        except Killed:
            self._note(f"{step.name}: the uploader crashed")
            self._broke_off(step)
        except CosFailure as failure:
            self._note(f"{step.name}: the uploader was told {failure.code}")

    def _put(self, sdk: Any, step: Step) -> None:
        sdk.put_object(Bucket=worlds.BUCKET, Key="/" + step.key, Body=worlds.picture(step.picture))

    def _image(self, _: Any, step: Step) -> None:
        path = Path(self._files.name, step.picture)
        path.write_bytes(worlds.picture(step.picture))
        done = put_image(
            path,
            bucket=worlds.BUCKET,
            key=step.key,
            region=worlds.REGION,
            client=client(),
            rule_sets=self._index,
            clock=_Clock(self._time),
        )
        if any(outcome.status == FAILED for outcome in done.work.outcomes):
            self._broke_off(step)

    def _broke_off(self, step: Step) -> None:
        """Nobody tries an uploader's work again. The function makes it good when the upload's event comes, but not what
        an uploader wrote later, when its source had been overwritten: that takes a reconcile."""
        standing = self._cloud.store.get(worlds.BUCKET, step.key)
        if standing is None or standing.size != len(worlds.picture(step.picture)):
            self._note(f"{step.name}: the uploader broke off when its source had been overwritten: a reconcile is due")
            self._made.counts["uploaders that broke off overtaken"] += 1
            self._overtaken = True

    def _parts(self, sdk: Any, step: Step) -> None:
        where = {"Bucket": worlds.BUCKET, "Key": "/" + step.key}
        upload = sdk.create_multipart_upload(**where)["UploadId"]
        etag = sdk.upload_part(**where, UploadId=upload, PartNumber=1, Body=worlds.picture(step.picture))["ETag"]
        parts = {"Part": [{"PartNumber": 1, "ETag": etag}]}
        sdk.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        made = self._cloud.store.get(worlds.BUCKET, step.key)  # not saved one by one like all others
        if made is not None:
            self._made.versions.setdefault((made.bucket, made.key), []).append(made)

    def _delete(self, sdk: Any, step: Step) -> None:
        sdk.delete_object(Bucket=worlds.BUCKET, Key="/" + step.key)

    def _copy(self, sdk: Any, step: Step) -> None:
        if self._cloud.store.get(worlds.BUCKET, step.other) is not None:
            source = {"Bucket": worlds.BUCKET, "Key": step.other, "Region": worlds.REGION}
            sdk.copy_object(Bucket=worlds.BUCKET, Key="/" + step.key, CopySource=source)

    # -- events

    def _saving(self, item: StoredObject) -> None:
        """Before an object stands. Between reading a source and saving what was made of it, CI takes its time."""
        actor = self._time.actor
        if actor is not None and not item.key.startswith(("in/", worlds.BACKUP, "meta", worlds.FAILURES)):
            name = f"{actor.name}/c{actor.calls}/{item.key}"
            left = self._call_ends.get(actor.name, self._time.now) - self._time.now
            pause = self._wrong.draw(f"{name}/slow", 0.0, 0.5, lambda roll: roll.choice([0.3, 3.0, 30.0]))
            pause = min(pause, left / 2)
            if pause > 0:
                self._time.wait(pause)
        place = (item.bucket, item.key)
        self._made.told.pop(place, None)
        self._made.versions.setdefault(place, []).append(item)

    def _happened(self, event: ObjectEvent) -> None:
        triggers = event.bucket == worlds.BUCKET and event.key.startswith(worlds.SOURCES)
        if not (triggers or self._schedule.broad):
            return
        actor = self._time.actor
        by = actor.name if actor is not None else "calm"
        name = f"{by}.{self._told[by]}"
        self._told[by] += 1
        self._made.counts["events"] += 1
        if self._schedule.loses and self._wrong.draw(f"{name}/lost", False, 0.4, lambda roll: True):
            self._note(f"{name}: {event.name} {event.key} is lost")
            self._made.counts["events lost"] += 1
            self._lost += 1
            return
        copies = self._wrong.draw(f"{name}/copies", 1, 0.5, lambda roll: roll.choice([2, 3, 4]))
        for number in range(copies):
            self._deliver(f"{name}/d{number}", event)

    def _deliver(self, name: str, event: ObjectEvent) -> None:
        delay = self._wrong.draw(f"{name}/late", 0.1, 0.6, lambda roll: roll.choice([1.0, 5.0, 40.0, 70.0, 300.0]))
        content = json.loads(json.dumps(record(event, target=TARGET, dialects=self._cloud.dialects)))
        self._made.counts["deliveries"] += 1
        self._time.at(self._time.now + delay, lambda: self._arrive(name, content))

    def _arrive(self, name: str, content: dict[str, Any]) -> None:
        """A record comes by itself, or waits for others to come with (SCF 1.1: several may be merged)."""
        self._merged.append(content)
        if self._wrong.draw(f"{name}/merged", False, 0.2, lambda roll: True):
            self._time.at(self._time.now + 20.0, lambda: self._send_off(f"{name}/merged"))
        else:
            self._send_off(name)

    def _send_off(self, name: str) -> None:
        if self._merged:
            content = json.dumps(envelope(*self._merged))
            self._merged = []
            self._push(name, content)

    # -- the function

    def _push(self, name: str, content: str) -> None:
        self._queue.push(Message(request_id=name, event=content, subject=name, pushed=self._time.now))
        self._pump()

    def _pump(self) -> None:
        while (taken := self._queue.take(self._time.now)) is not None:
            if isinstance(taken, Dead):
                self._dead.append(taken.message)
            else:
                self._try(taken)
        due = self._queue.next_due()
        if due is not None and due not in self._pumps:
            self._pumps.add(due)
            self._time.at(due, self._pump)

    def _try(self, message: Message) -> None:
        name = f"{message.request_id}/t{message.attempts}"
        if self._wrong.draw(f"{name}/throttled", False, 0.2, lambda roll: True):
            self._note(f"{name}: throttled")
            self._settle(message, THROTTLED)
            return
        made = Try(name, json.loads(message.event), self._time.now - START)
        self._made.tries.append(made)
        self._running[name] = made
        doomed = self._time.now + self._schedule.limit
        self._time.spawn(name, lambda: self._invoke(made, message), doomed=doomed)

    def _invoke(self, made: Try, message: Message) -> None:
        context = {"time_limit_in_ms": int(self._schedule.limit * 1000), "request_id": message.request_id}
        status = OK
        try:
            handle(
                made.event,
                context,
                client=client(),
                rule_sets=self._index,
                clock=_Clock(self._time),
                log=self._log,
                breaker=self._breaker,
            )
        except Unfinished as error:
            status, made.ended = CODE_ERROR, f"unfinished: {error}"
        except Killed as error:
            status, made.ended = (TIMEOUT if error.args else EXITED), "killed"
        except Exception as error:
            status, made.ended = CODE_ERROR, f"{type(error).__name__}: {error}"
            self._made.bugs.append(f"{made.name}: an undocumented exception: {made.ended}")
        if status != OK:
            self._made.counts["tries that failed"] += 1
        self._note(f"{made.name}: ends{': ' + made.ended if made.ended else ''}")
        self._settle(message, status)

    def _settle(self, message: Message, status: int) -> None:
        dead = self._queue.settle(message, Result(request_id=message.request_id, status=status), self._time.now)
        if dead is not None:
            self._note(f"{message.request_id}: is dead")
            self._made.counts["dead letters"] += 1
            self._dead.append(dead.message)
        self._time.at(self._time.now, self._pump)

    def _log(self, line: dict[str, Any]) -> None:
        for item in line.get("derivatives", ()):
            if item["outcome"].startswith("kept("):
                self._made.told[item["bucket"], item["key"]] = item["outcome"]

    # -- requests

    def _send(self, request: Request, timeout: float) -> Response:
        """What the SDK's request meets. A call's effect lies between two waits, and its answer after them."""
        actor = self._time.actor
        if actor is None:
            return self._cloud.handle(request)
        name = f"{actor.name}/c{actor.calls}"
        actor.calls += 1
        method, target = request.method, request.target
        processes = "image_process" in target or (method == "PUT" and "Pic-Operations" in request.headers)
        if actor.name in self._plain:
            return self._cloud.handle(request)
        self._count(actor, method, target)
        fault: Fault | None = None
        fault = self._wrong.draw(name, fault, 0.35, lambda roll: mischief.draw(roll, method, processes))
        seconds = self._wrong.draw(f"{name}/slow", 0.05, 0.5, lambda roll: roll.choice([0.4, 2.0, 7.0, 40.0, 90.0]))
        if actor.name in self._running and (fault is not None or seconds > 0.05):
            self._running[actor.name].disturbed = True
        ends = self._time.now + timeout
        self._call_ends[actor.name] = ends
        self._wait(actor, min(seconds * 0.4, timeout * 0.8))
        self._strike(actor, name, fault, after=False)
        if fault is not None and fault.spoil is not None and not fault.after:
            response = fault.spoil(Response())
        else:
            response = self._cloud.handle(request)
        self._note(f"{name}: {method} {target} -> {response.status}" + (f" ({fault})" if fault else ""))
        rest = seconds * 0.6
        if self._time.now + rest > ends:
            self._note(f"{name}: times out")
            self._wait(actor, max(0.0, ends - self._time.now))
            raise requests.exceptions.ReadTimeout("chaos")
        self._wait(actor, rest)
        self._strike(actor, name, fault, after=True)
        if fault is not None and fault.spoil is not None and fault.after:
            response = fault.spoil(response)
        return response

    def _wait(self, actor: Actor, seconds: float) -> None:
        if actor.doomed is not None and self._time.now + seconds > actor.doomed:
            self._time.wait(max(0.0, actor.doomed - self._time.now))
            self._note(f"{actor.name}: killed by the platform at its time limit")
            self._made.counts["killed at the time limit"] += 1
            raise Killed("time limit")
        self._time.wait(seconds)

    def _strike(self, actor: Actor, name: str, fault: Fault | None, *, after: bool) -> None:
        if fault is None or fault.after != after or fault.spoil is not None:
            return
        self._made.counts[f"{fault.kind}s"] += 1
        if fault.kind == "kill":
            self._note(f"{name}: {actor.name} is killed {'after' if after else 'before'} the effect")
            raise Killed
        raise requests.ConnectionError(ConnectionResetError("chaos"))

    def _count(self, actor: Actor, method: str, target: str) -> None:
        if actor.name in self._running:
            kind = "process" if "image_process" in target else method
            self._running[actor.name].calls[kind] += 1

    # -- the quiet

    def _calm_down(self) -> None:
        self._note("from here on nothing goes wrong")
        self._wrong.calm = True

    def _replay_dead_letters(self) -> None:
        """As `derivo replay` does: the event out of the dead letter's envelope."""
        dead, self._dead = self._dead, []
        for message in dead:
            letter = json.dumps({"RequestId": message.request_id, "Body": {"ClientContext": message.event}})
            self._push(f"{message.request_id}/replayed", letter)
        self._time.run()

    def _reconcile(self) -> None:
        """Where events were lost, or an uploader left something behind: one event for every source that stands, and one
        for every source that is gone."""
        if not self._lost and not self._overtaken:
            return
        standing = self._cloud.standing()
        # where what CI writes raises no events, nobody ever takes it for a source
        sources = worlds.SOURCES if self._cloud.dialects["result-events"] == "yes" else worlds.SOURCES[:1]
        for (bucket, key), item in standing.items():
            if bucket == worlds.BUCKET and key.startswith(sources):
                self._push(f"sweep/{key}", json.dumps(envelope(self._record("cos:ObjectCreated:Put", item))))
        for (bucket, key), versions in self._made.versions.items():
            if bucket == worlds.BUCKET and key.startswith(sources) and (bucket, key) not in standing:
                content = self._record("cos:ObjectRemove:Delete", versions[-1])
                self._push(f"sweep/{key}", json.dumps(envelope(content)))
        self._time.run()

    def _record(self, name: str, item: StoredObject) -> dict[str, Any]:
        return record_of(name, item, self._cloud)

    def _note(self, what: str) -> None:
        self._made.trace.append(f"{self._time.now - START:8.2f} s  {what}")


def record_of(name: str, item: StoredObject, cloud: Cloud) -> dict[str, Any]:
    """The record of an event about an object, without the uploader's metadata."""
    event = ObjectEvent(
        name=name,
        bucket=item.bucket,
        region=worlds.REGION,
        key=item.key,
        size=item.size,
        etag=item.etag,
        time=int(item.modified),
        request_id="",
    )
    return record(event, target=TARGET, dialects=cloud.dialects)


def sources_of(made: Try) -> list[tuple[Source, bool]]:
    """The sources of a try, and whether each was removed."""
    return [
        (found.source, True) if isinstance(found, Removal) else (found, False)
        for found in sources(made.event)
        if isinstance(found, (Removal, Source))
    ]


def planned(made: Try, schedule: Schedule) -> list[Any]:
    return [plan(source, worlds.index(schedule.shape)) for source, _ in sources_of(made)]
