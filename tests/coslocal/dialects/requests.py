"""Requests of CI and their answers."""

from __future__ import annotations

import json
import time

import pytest

from coslocal.rates import Rates
from coslocal.storage.types import Bucket
from coslocal.wire.errors import SlowDown

from .probing import DRAW, FAILS, JPEG, PNG, THUMB, World, probe


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
