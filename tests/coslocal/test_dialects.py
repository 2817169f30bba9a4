"""Every choice of every dialect switches something that a client can see: a probe a dialect, an expectation a choice.

A probe is given a World under one choice and returns what a client sees; the expectations of a dialect all differ.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from qcloud_cos import CosServiceError

from coslocal.ci import bmp
from coslocal.ci.render import render
from coslocal.ci.types import ImageError, Surroundings
from coslocal.dialects import BY_NAME, GROUPS, TABLE, Dialects
from coslocal.jobs.sources import output_key
from coslocal.jobs.types import BatchJob, Output, Rule, Wish
from coslocal.rates import Rates
from coslocal.scf.actions.triggers import cos_info
from coslocal.scf.clock import ManualClock
from coslocal.scf.cron import parse
from coslocal.scf.event import record
from coslocal.scf.function import Account, Function
from coslocal.scf.service import Scf
from coslocal.scf.timers import ZONES
from coslocal.scf.triggers import Trigger
from coslocal.storage.types import Bucket
from coslocal.wire.errors import SlowDown
from derivo.ci.texts import encode

from .ci.conftest import GREEN, RED, Draw, Seen

THUMB = {"fileid": "/out.webp", "rule": "imageMogr2/thumbnail/50x/format/webp"}
FAILS = {"fileid": "/bad.jpg", "rule": "imageMogr2/rradius/500"}
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
ACCOUNT = Account(secret_id="AKIDtest", secret_key="SKtest")
DRAW = Draw()
CLEAR = DRAW.plain(40, 20, 10, 200, 10, 0)  # transparent green


class World:
    """A coslocal under one choice of one dialect, with a picture of 100 x 60 under the key `in/a.jpg`."""

    def __init__(self, cos: Any, chosen: Mapping[str, str], folder: Path) -> None:
        self.cos = cos
        self.app = cos.app
        self.client = cos.client()
        self.folder = folder
        self.chosen = dict(chosen)
        self.app.dialects = Dialects(chosen)
        self.app.jobs.hold()
        self.put("in/a.jpg", DRAW.file(DRAW.quadrants(), "jpeg", Q=80))

    def put(self, key: str, data: bytes, **headers: Any) -> None:
        self.client.put_object(Bucket=self.cos.bucket, Key=key, Body=data, **headers)

    def process(self, *rules: Mapping[str, str], key: str = "in/a.jpg", info: Any = 1, **more: Any) -> dict[str, Any]:
        header = json.dumps({"is_pic_info": info, "rules": list(rules or (THUMB,))})
        _, data = self.client.ci_image_process(Bucket=self.cos.bucket, Key=key, PicOperations=header, **more)
        return dict(data)

    def result(self, *rules: Mapping[str, str], **more: Any) -> dict[str, Any]:
        return dict(self.process(*rules, **more)["ProcessResults"]["Object"])

    def head(self, key: str = "out.webp") -> dict[str, str]:
        return {name.lower(): value for name, value in self.client.head_object(Bucket=self.cos.bucket, Key=key).items()}

    def refusal(self, call: Callable[[], Any]) -> str:
        """The code of what is refused, "" where it is not."""
        try:
            call()
        except CosServiceError as error:
            return str(error.get_error_code())
        return ""

    def surroundings(self, marks: Mapping[str, bytes] | None = None, persistent: bool = True) -> Surroundings:
        return Surroundings(
            style=lambda name: None, fetch=(marks or {}).__getitem__, persistent=persistent, dialects=self.app.dialects
        )

    def render(self, data: bytes, rule: str, **more: Any) -> Seen:
        return Seen(render(data, rule, self.surroundings(**more)))

    def seen(self, data: bytes, rule: str, **more: Any) -> tuple[int, int] | str:
        """The size of a result, or the code of its refusal."""
        try:
            return self.render(data, rule, **more).size
        except ImageError as error:
            return error.code

    def event(self, key: str = "in/b c+d.txt", **headers: Any) -> dict[str, Any]:
        self.put(key, b"x", **headers)
        return record(self.cos.events[-1], target="t", dialects=self.app.dialects)

    def submit(self, **top: Any) -> dict[str, Any]:
        output = {"Region": self.cos.region, "Bucket": self.cos.bucket, "Object": "out.webp"}
        operation = {"PicProcess": {"IsPicInfo": "true", "ProcessRule": THUMB["rule"]}, "Output": output}
        body = {"Tag": "PicProcess", "Input": {"Object": "in/a.jpg"}, "Operation": operation, **top}
        return dict(self.client.ci_create_media_pic_jobs(Bucket=self.cos.bucket, Jobs=body)["JobsDetail"][0])

    def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        self.app.jobs.run_pending()
        found = self.client.ci_get_media_pic_jobs(Bucket=self.cos.bucket, JobIDs=job["JobId"])
        return dict(found["JobsDetail"][0])


Probe = Callable[[World], object]
PROBES: dict[str, tuple[Probe, Mapping[str, object]]] = {}


def probe(name: str, /, **expected: object) -> Callable[[Probe], Probe]:
    """Register a probe; choices that are no Python names are given with `expect`."""

    def register(function: Probe) -> Probe:
        assert name not in PROBES
        choices = expected.pop("expect", None) or expected
        PROBES[name] = function, choices  # type: ignore[assignment]
        return function

    return register


JPEG = DRAW.file(DRAW.quadrants(100, 60), "jpeg", Q=90)
PNG = DRAW.file(DRAW.quadrants(100, 60), "png")
GRADIENT = DRAW.file(DRAW.gradient(200, 100), "png")


# -- events


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


# -- requests and answers


@probe(
    "partial-failure",
    expect={
        "refuse": ("InvalidPicOperations", ["in/a.jpg"]),
        "omit": ("", ["in/a.jpg", "out.webp", "z.webp"]),
        "refuse-late": ("InvalidPicOperations", ["in/a.jpg", "out.webp"]),
    },
)
def _(world: World) -> object:
    return world.refusal(lambda: world.process(THUMB, FAILS, {**THUMB, "fileid": "/z.webp"})), world.cos.keys()


@probe("failed-put", expect={"keep-original": (b"new", 1), "drop-original": (b"old", 0)})
def _(world: World) -> object:
    """What happens to an older object of that key, and whether the new one is announced."""
    world.cos.put("x.jpg", b"old")
    header = json.dumps({"rules": [THUMB]})
    put = lambda: world.client.ci_put_object(  # noqa: E731
        Bucket=world.cos.bucket, Key="x.jpg", Body=b"new", PicOperations=header
    )
    assert world.refusal(put) == "InvalidImageFormat"
    return world.cos.get("x.jpg"), sum(event.key == "x.jpg" for event in world.cos.events)


@probe("fileid-encoding", plain="in/b%2Fc", urlencoded="in/b/c", base64url="InvalidPicOperations")
def _(world: World) -> object:
    rule = {**THUMB, "fileid": "b%2Fc"}
    return world.refusal(lambda: world.process(rule)) or world.result(rule)["Key"]


@probe("fileid-path", literal="x/..//y/./z.webp", normalised="y/z.webp")
def _(world: World) -> object:
    return world.result({**THUMB, "fileid": "/x/..//y/./z.webp"})["Key"]


@probe("fileid-twice", last="", refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.refusal(lambda: world.process(THUMB, THUMB))


@probe("header-types", strict="InvalidPicOperations", lenient="")
def _(world: World) -> object:
    return world.refusal(lambda: world.process(info="1"))


@probe("header-members", expect={"pass-over": "", "refuse": "InvalidPicOperations"})
def _(world: World) -> object:
    return world.refusal(lambda: world.process({**THUMB, "comment": "mine"}))


_GRANTS = (("PutObject", "out"), ("GetObject", "in/"), ("*", "out"), ("PostObject", "in/"))


@probe(
    "image-process-rights",
    expect={
        "get-put": ["AccessDenied", "", "", ""],
        "put": ["", "", "", ""],
        "listed": ["AccessDenied", "AccessDenied", "", ""],
        "post-source": ["AccessDenied", "AccessDenied", "AccessDenied", ""],
    },
)
def _(world: World) -> object:
    """What a role is told that has the first of these rights, the first two, and so on."""
    told = []
    place = f"qcs::cos:{world.cos.region}:uid/1250000000:{world.cos.bucket}/"
    granted = [{"effect": "allow", "action": f"name/cos:{name}", "resource": f"{place}{key}*"} for name, key in _GRANTS]
    for count in range(1, len(granted) + 1):
        world.client = world.cos.client(**world.cos.assume({"version": "2.0", "statement": granted[:count]}))
        told.append(world.refusal(world.process))
    return told


@probe("cross-region", allow="", refuse="InvalidPicOperations")
def _(world: World) -> object:
    world.app.store.create_bucket(Bucket(name="far-1250000000", region="ap-beijing", created=time.time()))
    return world.refusal(lambda: world.process({**THUMB, "bucket": "far-1250000000"}))


@probe("error-status", expect={"http-status": "InvalidPicOperations", "ok-with-error": "200 InvalidPicOperations"})
def _(world: World) -> object:
    return world.refusal(lambda: world.process(FAILS)) or f"200 {world.process(FAILS)['Code']}"


@probe("error-code", name="InvalidPicOperations", number="-60998")
def _(world: World) -> object:
    return world.refusal(lambda: world.process(FAILS))


@probe(
    "pic-info-zero",
    expect={"omit-image-info": (True, False), "include-image-info": (True, True), "omit-original-info": (False, False)},
)
def _(world: World) -> object:
    original = world.process(info=0)["OriginalInfo"] or {}
    return "Key" in original, "ImageInfo" in original


@probe("format-case", lower="webp", upper="WEBP")
def _(world: World) -> object:
    return world.result()["Format"]


@probe("orientation-unset", expect={"0": "0", "1": "1"})
def _(world: World) -> object:
    world.put("a.png", DRAW.file(DRAW.quadrants(), "png", keep="none"))
    return world.process(key="a.png")["OriginalInfo"]["ImageInfo"]["Orientation"]


@probe("frame-count", yes=True, no=False)
def _(world: World) -> object:
    answer = world.process()
    found = ["FrameCount" in answer["OriginalInfo"]["ImageInfo"], "FrameCount" in answer["ProcessResults"]["Object"]]
    assert len(set(found)) == 1
    return found[0]


@probe("original-etag", own=True, result=False)
def _(world: World) -> object:
    return world.process()["OriginalInfo"]["ETag"] == world.head("in/a.jpg")["etag"]


@probe("result-etag", md5=32, sha1=40)
def _(world: World) -> object:
    etag = world.result()["ETag"]
    assert etag == world.head()["etag"]
    return len(etag.strip('"'))


@probe("result-meta", expect={"image-process": (True, False), "never": (False, False), "always": (True, True)})
def _(world: World) -> object:
    meta = {"x-cos-meta-tag": "v"}
    world.process(Metadata=meta)
    processed = "x-cos-meta-tag" in world.head()
    header = json.dumps({"rules": [THUMB]})
    world.client.ci_put_object(Bucket=world.cos.bucket, Key="b.jpg", Body=JPEG, PicOperations=header, Metadata=meta)
    return processed, "x-cos-meta-tag" in world.head()


@probe("result-storage-class", standard=None, source="STANDARD_IA")
def _(world: World) -> object:
    world.put("a.png", PNG, StorageClass="STANDARD_IA")
    world.process(key="a.png")
    return world.head().get("x-cos-storage-class")


@probe("result-acl", default=1, source=2)
def _(world: World) -> object:
    world.put("a.png", PNG, ACL="public-read")
    world.process(key="a.png")
    acl = world.client.get_object_acl(Bucket=world.cos.bucket, Key="out.webp")
    return len(acl["AccessControlList"]["Grant"])


@probe("result-content-type", format="image/webp", extension="image/jpeg")
def _(world: World) -> object:
    world.process({**THUMB, "fileid": "/out.jpg"})
    return world.head("out.jpg")["content-type"]


@probe("source-limit", expect={"32MB": "", "20MB": "ImageTooLarge"})
def _(world: World) -> object:
    world.put("a.jpg", JPEG + b"\0" * (21 << 20))
    return world.refusal(lambda: world.process(key="a.jpg"))


@probe("rate-region", expect={"by-region": 50, "everywhere": 100})
def _(world: World) -> object:
    world.app.store.create_bucket(Bucket(name="far-1250000000", region="ap-singapore", created=time.time()))
    world.app.clock = lambda: 0.0
    world.app.rates = Rates()
    taken = 0
    with pytest.raises(SlowDown):
        while True:
            world.app.count_image("cloud", "far-1250000000")
            taken += 1
    return taken


def put_style(world: World, name: str, body: str) -> None:
    world.client.ci_put_image_style(Bucket=world.cos.bucket, Request={"StyleName": name, "StyleBody": body})


@probe("style-overwrite", replace="", refuse="InvalidArgument")
def _(world: World) -> object:
    put_style(world, "s", "imageMogr2/thumbnail/10x")
    return world.refusal(lambda: put_style(world, "s", "imageMogr2/thumbnail/20x"))


@probe("style-missing", ignore="", refuse="NoSuchStyle")
def _(world: World) -> object:
    ask = {"Bucket": world.cos.bucket, "Request": {"StyleName": "none"}}
    found = world.refusal(lambda: world.client.ci_get_image_style(**ask))
    assert world.refusal(lambda: world.client.ci_delete_image_style(**ask)) == found
    return found


@probe("style-in-pipeline", allow="", refuse="InvalidPicOperations")
def _(world: World) -> object:
    put_style(world, "s", "imageMogr2/thumbnail/10x")
    assert world.refusal(lambda: world.process({**THUMB, "rule": "style/s"})) == ""
    return world.refusal(lambda: world.process({**THUMB, "rule": "style/s|imageMogr2/format/png"}))


# -- image operations


@probe("segment-order", fixed=(30, 30), textual=(60, 60))
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/crop/30x30/thumbnail/x60")


@probe("rounding", expect={"half-up": [20, 19], "down": [19, 19], "up": [20, 20]})
def _(world: World) -> object:
    """The heights of 19.8 and of 19.2 pixels."""
    return [world.render(PNG, f"imageMogr2/thumbnail/{width}x").size[1] for width in (33, 32)]


@probe("upscale", allow=(200, 120), never=(100, 60))
def _(world: World) -> object:
    assert world.seen(PNG, "imageView2/2/w/200/h/200") == world.seen(PNG, "imageMogr2/thumbnail/200x200")
    return world.seen(PNG, "imageMogr2/thumbnail/200x200")


@probe("animated-upscale", keep=(20, 10), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(DRAW.animation(20, 10, [RED, GREEN]), "imageMogr2/thumbnail/40x")


@probe("pad-colour", expect={"#FFFFFF": WHITE, "#3D3D3D": (61, 61, 61)})
def _(world: World) -> object:
    return world.render(PNG, "imageMogr2/thumbnail/50x50/pad/1").at(0, 0)


@probe("crop", expect={"scale-then-crop": True, "window": False})
def _(world: World) -> object:
    """A square of half the height: of the whole height shrunk, or of the top as it is."""
    seen = world.render(PNG, "imageMogr2/crop/30x30")
    assert seen.size == (30, 30)
    return seen.at(2, 28)[2] > 200


@probe("crop-gravity", northwest=True, center=False)
def _(world: World) -> object:
    return world.render(GRADIENT, "imageMogr2/crop/100x100").at(0, 50)[0] < 20


@probe("crop-beyond", clamp=(100, 60), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/crop/500x500")


@probe("cut-outside", clip=(10, 60), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/cut/50x60x90x0")


@probe("rcrop-units", ratio=(60, 60), pixels=(30, 30))
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/rcrop/30x30")


@probe("rcrop-anchor", center=False, northwest=True)
def _(world: World) -> object:
    return world.render(GRADIENT, "imageMogr2/rcrop/1x1").at(0, 50)[0] < 20


@probe("scrop-face", found=(30, 30), none=(100, 60))
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/scrop/30x30")


@probe("iradius-canvas", circle=(20, 20), source=(100, 60))
def _(world: World) -> object:
    seen = world.render(PNG, "imageMogr2/iradius/10")
    assert seen.at(0, 0)[3] == 0
    return seen.size


@probe("radius-fill", transparent=[0, 0], white=[WHITE, WHITE])
def _(world: World) -> object:
    corners = [world.render(PNG, f"imageMogr2/{name}/20").at(0, 0) for name in ("iradius", "rradius")]
    return [corner[3] if len(corner) == 4 else corner for corner in corners]


@probe("rotate-canvas", grow=(113, 113), keep=(100, 60))
def _(world: World) -> object:
    assert world.seen(PNG, "imageMogr2/rotate/90") == (60, 100)
    return world.seen(PNG, "imageMogr2/rotate/45")


@probe("rotate-fill", transparent=(0, 0, 0, 0), white=(*WHITE, 255), black=(*BLACK, 255))
def _(world: World) -> object:
    return world.render(PNG, "imageMogr2/rotate/45").at(1, 1)


@probe("alpha-in-jpg", white=[WHITE, WHITE], black=[BLACK, BLACK])
def _(world: World) -> object:
    source = DRAW.file(CLEAR, "png")
    jpg = world.render(source, "imageMogr2/format/jpg/quality/100!").at(5, 5)
    raw = render(source, "imageMogr2/format/bmp", world.surroundings()).data
    return [jpg, tuple(bmp.decode(raw)[0][:3])]


@probe("quality-combination", expect={"smaller-then-floor": 60, "quality-wins": 40})
def _(world: World) -> object:
    return world.render(JPEG, "imageMogr2/quality/40/lquality/60").rendered.quality


@probe("size-limit-formats", expect={"lossy": (100, 60), "jpg-only": "InvalidPicOperations"})
def _(world: World) -> object:
    assert world.seen(JPEG, "imageMogr2/strip/size-limit/9k") == (100, 60)
    return world.seen(JPEG, "imageMogr2/format/webp/size-limit/9k")


@probe("size-limit-unmet", smallest=(400, 400), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(DRAW.file(DRAW.noise(400, 400), "jpeg"), "imageMogr2/strip/size-limit/1k")


@probe("size-limit-stored", accept=(100, 60), refuse="InvalidPicOperations")
def _(world: World) -> object:
    rule = "imageMogr2/strip/size-limit/9k"
    assert world.seen(JPEG, rule, persistent=False) == (100, 60)
    return world.seen(JPEG, rule)


@probe("ignore-error", expect={"any": (100, 60), "too-large": "InvalidPicOperations"})
def _(world: World) -> object:
    huge = "imageMogr2/thumbnail/!1000p|imageMogr2/thumbnail/!1000p|imageMogr2/thumbnail/!1000p/ignore-error/1"
    assert world.seen(PNG, huge) == (100, 60)
    return world.seen(PNG, "imageMogr2/rradius/500/ignore-error/1")


@probe("mark-too-large", cut=(20, 20), refuse="InvalidPicOperations")
def _(world: World) -> object:
    mark = {"http://m/": DRAW.file(DRAW.plain(50, 50, *RED), "png")}
    return world.seen(
        DRAW.file(DRAW.plain(20, 20, *GREEN), "png"), f"watermark/1/image/{encode('http://m/')}", marks=mark
    )


@probe("truncated", refuse=["InvalidImageSource"] * 3, render=[(200, 200), (50, 50), "whole"])
def _(world: World) -> object:
    whole = DRAW.file(DRAW.noise(200, 200), "jpeg")
    cut = whole[: len(whole) // 2]
    world.put("cut.jpg", cut)
    facts = world.refusal(lambda: world.process(key="cut.jpg")) or "whole"
    return [world.seen(cut, "imageMogr2/format/png"), world.seen(cut, "imageMogr2/thumbnail/50x/format/png"), facts]


# -- jobs


@probe("job-result", sdk="UploadResult", document="ProcessResult")
def _(world: World) -> object:
    result = world.run(world.submit())["Operation"]["PicProcessResult"]
    if "UploadResult" not in result:
        assert set(result) == {"ObjectName", "OriginalInfo", "ProcessResult"}
        assert result["ObjectName"] == "out.webp"
        assert set(result["OriginalInfo"]) == {"Etag", "ImageInfo"}
        assert result["ProcessResult"]["Width"] == "50"
    return next(name for name in ("UploadResult", "ProcessResult") if name in result)


@probe("job-queue", optional="", required="InvalidArgument")
def _(world: World) -> object:
    world.client.ci_open_pic_bucket(Bucket=world.cos.bucket)
    (queue,) = world.client.ci_get_media_pic_queue(Bucket=world.cos.bucket)["QueueList"]
    assert world.refusal(lambda: world.submit(QueueId=queue["QueueId"])) == ""
    return world.refusal(world.submit)


@probe("job-code", name=("Success", "ResourceNotFound"), number=("0", "1103"))
def _(world: World) -> object:
    return world.run(world.submit())["Code"], world.run(world.submit(Input={"Object": "none"}))["Code"]


@probe("job-service", expect={"automatic": "", "must-open": "MediaBucketUnBinded"})
def _(world: World) -> object:
    return world.refusal(world.submit)


@probe("batch-inline-rule", accept="", refuse="InvalidArgument")
def _(world: World) -> object:
    output = {"Region": world.cos.region, "Bucket": world.cos.bucket, "Object": "${InputName}"}
    parameters = {"PicProcess": {"ProcessRule": THUMB["rule"]}}
    operation = {"Tag": "PicProcess", "JobParam": parameters, "Output": output}
    body = {"Name": "n", "Type": "Job", "Input": {"Prefix": "in/"}, "Operation": operation}
    create = world.client.ci_create_inventory_trigger_jobs
    return world.refusal(lambda: create(Bucket=world.cos.bucket, JobBody=body))


@probe("batch-input-path", slash="in/x/a", bare="in/xa")
def _(world: World) -> object:
    output = Output(region="r", bucket="b-1", object="${InputPath}${InputName}")
    wish = Wish(rule=Rule(text=THUMB["rule"]), output=output)
    job = BatchJob(id="b", bucket="b-1", region="r", wish=wish, created=0.0, name="n", way="Prefix", where="")
    return output_key(job, "in/x/a.jpg", world.app.dialects["batch-input-path"])


# -- the matrix


MATRIX = [
    pytest.param(dialect.name, choice, id=f"{dialect.name}={choice}") for dialect in TABLE for choice in dialect.choices
]


@pytest.mark.parametrize(("name", "choice"), MATRIX)
def test_every_choice_switches_what_a_client_sees(cos: Any, tmp_path: Path, name: str, choice: str) -> None:
    see, expected = PROBES[name]
    assert see(World(cos, {name: choice}, tmp_path)) == expected[choice]


def test_every_dialect_has_a_probe_that_tells_its_choices_apart() -> None:
    assert set(PROBES) == set(BY_NAME)
    for name, (_, expected) in PROBES.items():
        assert set(expected) == set(BY_NAME[name].choices), name
        told = [repr(value) for value in expected.values()]
        assert len(told) == len(set(told)), name


def test_names_are_one_each_and_have_reasons_that_say_where() -> None:
    assert len(BY_NAME) == len(TABLE) == sum(len(group) for group in GROUPS.values())
    for dialect in TABLE:
        assert len(dialect.choices) == len(set(dialect.choices)) >= 2
        assert dialect.reason.startswith(("CI ", "COS ", "SCF ")), dialect.name
