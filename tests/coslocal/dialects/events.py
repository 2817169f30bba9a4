"""What events tell, and how triggers and timers take them."""

from __future__ import annotations

import json

from coslocal.scf.actions.triggers import cos_info
from coslocal.scf.clock import ManualClock
from coslocal.scf.cron import parse
from coslocal.scf.function import Function
from coslocal.scf.service import Scf
from coslocal.scf.timers import ZONES
from coslocal.scf.triggers import Trigger

from .probing import ACCOUNT, World, probe


@probe(
    "event-key", expect={"raw": "in/b c+d.txt", "percent-encoded": "in/b%20c%2Bd.txt", "plus-encoded": "in/b+c%2Bd.txt"}
)
def _(world: World) -> object:
    return world.event()["cos"]["cosObject"]["key"].split("/", 3)[3]


@probe("event-region", expect={"full": "ap-guangzhou", "short-only": None})
def _(world: World) -> object:
    return world.event()["cos"]["cosBucket"].get("cosRegion")


@probe("event-name", concrete="cos:ObjectCreated:Put", family="cos:ObjectCreated:*")
def _(world: World) -> object:
    return world.event()["event"]["eventName"]


@probe("event-meta", observed=True, documented=False)
def _(world: World) -> object:
    meta = world.event(StorageClass="STANDARD_IA")["cos"]["cosObject"]["meta"]
    assert ("ETag" in meta) == (meta.get("x-cos-storage-class") == "STANDARD_IA")
    return "ETag" in meta


@probe("event-meta-case", sent="x-cos-meta-MyKey", lower="x-cos-meta-mykey")
def _(world: World) -> object:
    meta = world.event(Metadata={"x-cos-meta-MyKey": "v"})["cos"]["cosObject"]["meta"]
    return next(name for name, value in meta.items() if value == "v")


@probe("event-reqid", zero=False, number=True)
def _(world: World) -> object:
    return world.event()["event"]["reqid"] > 0


@probe("result-events", yes=["out.webp"], no=[])
def _(world: World) -> object:
    world.process()
    return [event.key for event in world.cos.events if event.made_by_ci]


@probe("result-event-name", Put="cos:ObjectCreated:Put", Post="cos:ObjectCreated:Post")
def _(world: World) -> object:
    world.process()
    return world.cos.events[-1].name


@probe("append-events", no=[], Append=["cos:ObjectCreated:Append"], Put=["cos:ObjectCreated:Put"])
def _(world: World) -> object:
    world.client.append_object(Bucket=world.cos.bucket, Key="log.txt", Position=0, Data=b"x")
    return [event.name for event in world.cos.events if event.key == "log.txt"]


@probe("trigger-case", literal=0, ignored=1)
def _(world: World) -> object:
    (world.folder / "index.py").write_text("def main_handler(event, context): pass\n")
    function = Function(name="fn", root=world.folder, reserved=0)
    trigger = Trigger(bucket=world.cos.bucket, function="fn", suffix=".jpg")
    with Scf([function], [trigger], account=ACCOUNT, clock=ManualClock(), dialects=world.app.dialects) as scf:
        world.put("a.JPG", b"x")
        scf.notify(world.cos.events[-1])
        return scf.status()["functions"]["fn"]["waiting"]


@probe("timer-zone", expect={"utc+8": 3600 * 22, "utc": 3600 * 6})
def _(world: World) -> object:
    return parse("0 0 6 * * * *").next_after(0, ZONES[world.app.dialects["timer-zone"]])


@probe("trigger-desc", expect={"sent": ["event", "filter"], "with-bucket": ["bucketUrl", "event", "filter"]})
def _(world: World) -> object:
    function, trigger = Function(name="fn", root=world.folder), Trigger(bucket=world.cos.bucket, function="fn")
    with Scf([function], [trigger], account=ACCOUNT, clock=ManualClock(), dialects=world.app.dialects) as scf:
        return sorted(json.loads(cos_info(scf, trigger)["TriggerDesc"]))
