"""What a job is: asked for, recorded, and told of. Frozen; a step of its life is a new value.

Times are unix seconds, 0 until they are set. `result` holds the children of UploadResult's two elements (CI 1.5).
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

SUBMITTED, RUNNING, SUCCESS, FAILED, CANCEL = "Submitted", "Running", "Success", "Failed", "Cancel"
STATES = (SUBMITTED, RUNNING, SUCCESS, FAILED, "Pause", CANCEL)
TAG = "PicProcess"
AStruct = TypeVar("AStruct", bound=msgspec.Struct)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A processing rule, out of a template where `template` names one."""

    text: str
    pic_info: bool = False
    template: str = ""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    region: str
    bucket: str
    object: str


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """`format` is XML or JSON; no url, no callback."""

    url: str = ""
    format: str = "XML"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What both kinds of jobs are asked to do."""

    rule: Rule
    output: Output
    queue: str = ""
    user_data: str = ""
    level: int = 0
    callback: Callback = Callback()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What processing gave: the children of OriginalInfo, and of ProcessResults."""

    original: list[Any]
    results: list[Any]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`id` grows with the time of creation; `code` and `message` say why it failed."""

    id: str
    bucket: str
    region: str
    wish: Wish
    created: float
    state: str = SUBMITTED
    code: str = ""
    message: str = ""
    started: float = 0.0
    ended: float = 0.0


class PicJob(Job, frozen=True, kw_only=True, tag="pic"):
    """One rule on one object. `batch` is the id of the batch that made it, if one did."""

    key: str
    batch: str = ""
    result: Outcome | None = None


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Of the sources' last change: from `start` to `end`, unix seconds; None is open. The texts are as they came."""

    start: float | None = None
    end: float | None = None
    start_text: str = ""
    end_text: str = ""


class BatchJob(Job, frozen=True, kw_only=True, tag="batch"):
    """One rule on many objects. `way` is Prefix, Manifest, UrlFile or Object, `where` its value; `total` and `done`
    count the objects."""

    name: str
    way: str
    where: str
    interval: Interval = Interval()
    total: int = 0
    done: int = 0


AnyJob = PicJob | BatchJob


class Template(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    bucket: str
    name: str
    rule: str
    pic_info: bool
    created: float
    updated: float


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """`notify` is the queue's NotifyConfig: names and texts as they came."""

    id: str
    bucket: str
    name: str
    created: float
    updated: float
    state: str = "Active"
    notify: dict[str, str] = {}


def encode(value: msgspec.Struct) -> bytes:
    """JSON; keys that are not UTF-8 keep their surrogate escapes."""
    return json.dumps(msgspec.to_builtins(value)).encode()


def decode(data: bytes, kind: type[AStruct]) -> AStruct:
    return msgspec.convert(json.loads(data), kind)


def decode_job(data: bytes) -> AnyJob:
    found: AnyJob = msgspec.convert(json.loads(data), AnyJob)
    return found
