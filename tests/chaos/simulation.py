"""One schedule, run to its end: the client, the events, the function's tries, everything that goes wrong, and the quiet
after it. The same schedule gives the same run, request by request."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coslocal.cam.guard import Keys
from coslocal.cam.policy import CamPolicy
from coslocal.events import ObjectEvent
from coslocal.scf.event import envelope, record
from coslocal.scf.result import CODE_ERROR, EXITED, OK, THROTTLED, TIMEOUT, Result
from coslocal.scf.schedule import Dead, Message, Policy
from coslocal.scf.schedule import Schedule as Queue
from coslocal.storage.types import StoredObject
from derivo.breaker import Breaker
from derivo.cos import Cos as Client
from derivo.earlier import Memory
from derivo.events import Removal, Source, sources, timer
from derivo.fileids import Fileids
from derivo.handle import Unfinished, handle
from derivo.plan import plan
from tests.chaos import worlds
from tests.chaos.clients import Clients
from tests.chaos.cloud import START, Cloud, client, under_sdk
from tests.chaos.mischief import Killed
from tests.chaos.network import Network
from tests.chaos.reconciling import reconcile
from tests.chaos.rights import rights
from tests.chaos.runs import Run, Try
from tests.chaos.schedule import CALM, COLD, RINGS, TIMERS, TOLD, WARM, Mischief, Schedule, Step
from tests.chaos.timeline import Endless, Timeline

MOST_HAPPENINGS = 20_000
_SLICES = 12
TARGET = "qcs:0:scf:ap-guangzhou:appid/1250000000:default.fn.$DEFAULT"


def run(schedule: Schedule, only: frozenset[str] | None = None, policy: CamPolicy | None = None) -> Run:
    """Run a schedule; with `only`, nothing goes wrong but what is named there; with `policy`, its function is held to
    that one."""
    before = random.getstate()
    random.seed(schedule.seed)  # the jitter of back-off
    try:
        return _Simulation(schedule, only, policy).run()
    finally:
        random.setstate(before)


class _Clock:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def monotonic(self) -> float:
        return self._timeline.now

    def time(self) -> float:
        return self._timeline.now

    def sleep(self, seconds: float) -> None:
        self._timeline.wait(seconds)


class _Simulation:
    def __init__(self, schedule: Schedule, only: frozenset[str] | None, policy: CamPolicy | None) -> None:
        self._schedule = schedule
        self._time = Timeline(START, most=MOST_HAPPENINGS)
        self._wrong = Mischief(schedule.seed, schedule.wildness, only)
        self._cloud = Cloud(schedule.dialects, lambda: self._time.now)
        # the function may do what `derivo policy` says of its rule sets, and nothing else
        self._role = self._cloud.assume(
            policy or rights(schedule.shape, schedule.dialects, sweeps=schedule.mends == TIMERS)
        )
        if schedule.versioned:
            self._cloud.store.keep_versions(worlds.BUCKET, "Enabled")
        self._cloud.saving = self._saving
        self._cloud.subscribe(self._happened)
        self._queue = Queue(Policy())
        self._index = worlds.index(schedule.shape)
        self._breaker = Breaker(self._index)
        self._told: Counter[str] = Counter()
        self._ordered: Counter[str] = Counter()
        self._latest: dict[str, int] = {}
        self._dead: list[Message] = []
        self._merged: list[dict[str, Any]] = []
        self._pumps: set[float] = set()
        self._at_work: dict[str, set[str]] = {}
        self._made = Run(schedule, self._cloud, self._wrong)
        self._clock = _Clock(self._time)
        # what a client without Derivo does is what is wanted: it has no adventures
        plain = {step.name for step in schedule.steps if step.kind != "image"}
        self._network = Network(self._time, self._made, plain, self._note)
        self._files = tempfile.TemporaryDirectory(prefix="chaos-")
        self._fileids = Fileids()
        self._memory = Memory()
        self._rings = 0
        self._swept: dict[str, Any] = {}
        self._clients = Clients(self._made, Path(self._files.name), self._clock, self._connect, self._note)

    def run(self) -> Run:
        try:
            with under_sdk(self._network.send, lambda: self._time.now):
                for step in self._schedule.steps:
                    self._time.at(START + step.at, self._starter(step))
                for when in RINGS if self._schedule.mends == TIMERS else ():
                    self._time.at(START + when, self._ring)
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
        if any(step.key in keys for keys in self._at_work.values()):
            self._made.counts["deletes in mid-flight" if step.kind == "delete" else "puts in mid-flight"] += 1
        self._time.spawn(step.name, lambda: self._clients.do(step))

    # -- events

    def _saving(self, item: StoredObject) -> None:
        self._network.saving(item)
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
            self._made.lost.add(event.key)
            return
        copies = self._wrong.draw(f"{name}/copies", 1, 0.5, lambda roll: roll.choice([2, 3, 4]))
        self._made.counts["duplicates"] += copies - 1
        self._ordered[event.key] += 1
        for number in range(copies):
            self._deliver(f"{name}/d{number}", event, self._ordered[event.key])

    def _deliver(self, name: str, event: ObjectEvent, order: int) -> None:
        delay = self._wrong.draw(f"{name}/late", 0.1, 0.6, lambda roll: roll.choice([1.0, 5.0, 40.0, 70.0, 300.0]))
        content = json.loads(json.dumps(record(event, target=TARGET, dialects=self._cloud.dialects)))
        self._made.counts["deliveries"] += 1
        self._made.counts["late deliveries"] += delay > 0.1

        def arrive() -> None:
            self._made.counts["deliveries out of order"] += order < self._latest.get(event.key, 0)
            self._latest[event.key] = max(order, self._latest.get(event.key, 0))
            self._arrive(name, content)

        self._time.at(self._time.now + delay, arrive)

    def _arrive(self, name: str, content: dict[str, Any]) -> None:
        """A record comes by itself, or waits for others to come with (SCF 1.1: several may be merged)."""
        self._made.counts["records merged into one event"] += bool(self._merged)
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

    def _connect(self, fileids: Fileids | None = None, keys: Keys | None = None) -> Client:
        told = self._schedule.dialects if self._schedule.fileids == TOLD else None
        return client(keys=keys, dialects=told, fileids=fileids)

    def _ring(self) -> None:
        when = datetime.fromtimestamp(self._time.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {"Type": "Timer", "TriggerName": "heal", "Time": when, "Message": f"cos://{worlds.BUCKET}/"}
        self._rings += 1
        self._push(f"timer{self._rings}", json.dumps(event))

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
            self._made.counts["tries throttled"] += 1
            self._settle(message, THROTTLED)
            return
        made = Try(name, json.loads(message.event), self._time.now - START)
        self._made.tries.append(made)
        self._network.running[name] = made
        self._at_work[name] = {source.key for source, _ in sources_of(made)}
        doomed = self._time.now + self._schedule.limit
        self._time.spawn(name, lambda: self._invoke(made, message), doomed=doomed)

    def _invoke(self, made: Try, message: Message) -> None:
        context = {"time_limit_in_ms": int(self._schedule.limit * 1000), "request_id": message.request_id}
        status = OK
        try:
            cold = self._schedule.fileids == COLD
            with (Memory() if cold else self._memory).event() as noted:
                handle(
                    made.event,
                    context,
                    client=self._connect(self._fileids if self._schedule.fileids == WARM else None, self._role),
                    rule_sets=self._index,
                    clock=self._clock,
                    log=self._log,
                    region=worlds.REGION if timer(made.event) is not None else "",
                    breaker=self._breaker,
                    noted=noted,
                    sweep_hours=0.0,
                )
        except Unfinished as error:
            status, made.ended = CODE_ERROR, f"unfinished: {error}"
        except Killed as error:
            status, made.ended = (TIMEOUT if error.args else EXITED), "killed"
            self._fileids, self._memory = Fileids(), Memory()
        except Exception as error:
            status, made.ended = CODE_ERROR, f"{type(error).__name__}: {error}"
            self._made.bugs.append(f"{made.name}: an undocumented exception: {made.ended}")
        del self._at_work[made.name]
        if status != OK:
            self._made.counts["tries that failed"] += 1
        self._note(f"{made.name}: ends{': ' + made.ended if made.ended else ''}")
        self._settle(message, status)

    def _settle(self, message: Message, status: int) -> None:
        dead = self._queue.settle(message, Result(request_id=message.request_id, status=status), self._time.now)
        if dead is not None:
            self._note(f"{message.request_id}: is dead")
            self._dead.append(dead.message)
        self._time.at(self._time.now, self._pump)

    def _log(self, line: dict[str, Any]) -> None:
        if line["msg"] == "swept":
            self._swept = line
            self._made.counts["derivatives made by timers"] += line["written"]
        for item in line.get("derivatives", ()):
            if item["outcome"].startswith("kept("):
                self._made.told[item["bucket"], item["key"]] = item["outcome"]

    # -- the quiet

    def _calm_down(self) -> None:
        self._note("from here on nothing goes wrong")
        self._wrong.calm = True

    def _replay_dead_letters(self) -> None:
        """As `derivo replay` does: the event out of the dead letter's envelope. A timer comes again by itself."""
        dead, self._dead = [each for each in self._dead if timer(json.loads(each.event)) is None], []
        self._made.counts["dead letters replayed"] += len(dead)
        for message in dead:
            letter = json.dumps({"RequestId": message.request_id, "Body": {"ClientContext": message.event}})
            self._push(f"{message.request_id}/replayed", letter)
        self._time.run()

    def _reconcile(self) -> None:
        """What lost events left undone: by timers, or by `derivo plan` and `derivo apply`. They take nothing away, and
        time alone does not tell them what an uploader wrote after its source was overwritten: such sources are told of
        once more."""
        standing = self._cloud.standing()
        if self._made.lost or self._rings:
            self._made.reconciled = True
            self._heal() if self._rings else self._time.spawn("reconcile", self._plan_and_apply)
            self._time.run()
            gone = [place for place in self._made.versions if place not in standing and place[1] in self._made.lost]
            for place in gone:
                self._tell_again("cos:ObjectRemove:Delete", self._made.versions[place][-1])
        for key in sorted(self._clients.overtaken):
            item = standing.get((worlds.BUCKET, key))
            if item is not None:
                self._tell_again("cos:ObjectCreated:Put", item)
        self._time.run()

    def _heal(self) -> None:
        """Slices until the round that is under way and one more are complete."""
        for _ in range(2):
            for _ in range(_SLICES):
                self._ring()
                self._time.run()
                if self._swept["complete"] and not self._swept["stopped"]:
                    break
            else:
                self._made.bugs.append(f"no round is complete after {_SLICES} slices: {self._swept['stopped']}")

    def _plan_and_apply(self) -> None:
        try:
            written = reconcile(self._index, self._connect(), self._clock)
        except Exception as error:
            self._made.bugs.append(f"the reconcile broke off: {type(error).__name__}: {error}")
            return
        self._made.counts["derivatives made by plan and apply"] += written

    def _tell_again(self, name: str, item: StoredObject) -> None:
        self._push(f"again/{item.bucket}/{item.key}", json.dumps(envelope(record_of(name, item, self._cloud))))

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
    if timer(made.event) is not None:
        return []
    return [
        (found.source, True) if isinstance(found, Removal) else (found, False)
        for found in sources(made.event)
        if isinstance(found, (Removal, Source))
    ]


def planned(made: Try, schedule: Schedule) -> list[Any]:
    return [plan(source, worlds.index(schedule.shape)) for source, _ in sources_of(made)]
