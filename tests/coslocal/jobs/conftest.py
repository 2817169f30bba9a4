"""Jobs through the real SDK, on both ways in, run when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pyvips

from coslocal.app import Coslocal
from coslocal.dialects import Dialects
from coslocal.jobs.service import Jobs

THUMB = "imageMogr2/thumbnail/20x/format/webp"


def picture(width: int = 100, height: int = 60, suffix: str = ".jpg") -> bytes:
    data: bytes = (
        pyvips.Image.black(width, height, bands=3).linear(1, [200, 30, 30]).cast("uchar").write_to_buffer(suffix)
    )
    return data


@dataclass
class Desk:
    """A client of the jobs of one bucket, as the SDK has them; nothing runs before `run`."""

    given: Any  # the fixture cos or coslocal_server
    client: Any
    bucket: str
    app: Coslocal
    output: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.output = {"Region": self.given.region, "Bucket": self.bucket, "Object": "out/a.webp"}

    @property
    def jobs(self) -> Jobs:
        return self.app.jobs

    def choose(self, **dialects: str) -> None:
        self.app.dialects = Dialects({name.replace("_", "-"): choice for name, choice in dialects.items()})

    def put(self, key: str, data: bytes | None = None) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=picture() if data is None else data)

    def stored(self, prefix: str = "") -> list[str]:
        """The keys of the bucket."""
        return [item.key for item in self.app.store.scan(self.bucket, prefix=prefix)]

    def submit(self, key: str = "in/a.jpg", **more: Any) -> dict[str, Any]:
        """Ask for a pic job; `more` are members of its Operation, or of the request where CI wants them there."""
        top = {
            name: more.pop(name) for name in ("CallBack", "CallBackFormat", "CallBackType", "QueueId") if name in more
        }
        operation = {"PicProcess": {"IsPicInfo": "true", "ProcessRule": THUMB}, "Output": self.output, **more}
        body = {"Tag": "PicProcess", "Input": {"Object": key}, "Operation": operation, **top}
        (job,) = self.client.ci_create_media_pic_jobs(Bucket=self.bucket, Jobs=body)["JobsDetail"]
        return dict(job)

    def describe(self, job: dict[str, Any]) -> dict[str, Any]:
        (found,) = self.client.ci_get_media_pic_jobs(Bucket=self.bucket, JobIDs=job["JobId"])["JobsDetail"]
        return dict(found)

    def submit_batch(self, way: str, where: str, name: str = "batch", **more: Any) -> dict[str, Any]:
        operation = {
            "Tag": "PicProcess", "JobParam": {"PicProcess": {"ProcessRule": THUMB}},
            "Output": {**self.output, "Object": "out/${InputPath}${InputName}.webp"}, **more,
        }  # fmt: skip
        body = {"Name": name, "Type": "Job", "Input": {way: where}, "Operation": operation}
        (job,) = self.client.ci_create_inventory_trigger_jobs(Bucket=self.bucket, JobBody=body)["JobsDetail"]
        return dict(job)

    def describe_batch(self, job: dict[str, Any]) -> dict[str, Any]:
        (found,) = self.client.ci_get_inventory_trigger_jobs(Bucket=self.bucket, JobID=job["JobId"])["JobsDetail"]
        return dict(found)

    def pics(self) -> list[dict[str, Any]]:
        """All pic jobs, oldest first."""
        found = self.client.ci_list_media_pic_jobs(Bucket=self.bucket, Tag="PicProcess", OrderByTime="Asc", Size=100)
        return list(found.get("JobsDetail", []))


def desk_of(given: Any) -> Desk:
    made = Desk(given, given.client(), given.bucket, given.app)
    made.jobs.hold()
    return made


@pytest.fixture
def desk(cos: Any) -> Iterator[Desk]:
    made = desk_of(cos)
    yield made
    made.jobs.close()


@pytest.fixture(params=["cos", "coslocal_server"])
def either(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """On the mount and on a socket."""
    made = desk_of(request.getfixturevalue(request.param))
    yield made
    made.jobs.close()
