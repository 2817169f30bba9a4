"""What a probe is given, and where it registers: a function a dialect, an expectation a choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qcloud_cos import CosServiceError

from coslocal.ci.render import render
from coslocal.ci.types import ImageError, Surroundings
from coslocal.dialects import Dialects
from coslocal.scf.event import record
from coslocal.scf.function import Account

from ..ci.conftest import Draw, Seen

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
