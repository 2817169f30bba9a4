"""What is told of jobs: JobsDetail, as XML fields and as JSON (CI 1.8, SCF 8.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from coslocal.dialects import Dialects
from coslocal.jobs import timing
from coslocal.jobs.errors import NUMBERS
from coslocal.jobs.types import RUNNING, SUBMITTED, TAG, AnyJob, BatchJob, Outcome, PicJob, Rule
from coslocal.wire.xml import Fields, render

Pair = tuple[str, "str | int | Fields"]


def detail(job: AnyJob, dialects: Dialects) -> Fields:
    """The children of JobsDetail."""
    return [
        ("Code", _code(job, dialects)),
        ("Message", job.message),
        ("JobId", job.id),
        *([("Name", job.name), ("Type", "Job")] if isinstance(job, BatchJob) else []),
        ("Tag", TAG),
        ("State", job.state),
        ("Progress", _progress(job)),
        ("CreationTime", timing.written(job.created)),
        ("StartTime", timing.written(job.started)),
        ("EndTime", timing.written(job.ended)),
        ("QueueId", job.wish.queue),
        ("Input", _input(job)),
        ("Operation", _operation(job, dialects)),
    ]


def finished(job: PicJob, dialects: Dialects) -> tuple[str, bytes]:
    """The callback's Content-Type and body, XML or JSON as was asked."""
    if job.wish.callback.format == "JSON":
        value = {"EventName": "TaskFinish", "JobsDetail": [_as_json(detail(job, dialects))]}
        return "application/json", json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return "application/xml", render("Response", [("EventName", "TaskFinish"), ("JobsDetail", detail(job, dialects))])


def _code(job: AnyJob, dialects: Dialects) -> str:
    if not job.code:
        return "Success" if dialects["job-code"] == "name" else "0"
    return job.code if dialects["job-code"] == "name" else str(NUMBERS[job.code])


def _progress(job: AnyJob) -> int:
    """Per cent."""
    if job.state not in (SUBMITTED, RUNNING) or not isinstance(job, BatchJob):
        return 0 if job.state in (SUBMITTED, RUNNING) else 100
    return 100 * job.done // job.total if job.total else 0


def _input(job: AnyJob) -> Fields:
    if isinstance(job, BatchJob):
        return [(job.way, job.where)]
    return [("BucketId", job.bucket), ("Object", job.key), ("Region", job.region)]


def _operation(job: AnyJob, dialects: Dialects) -> Fields:
    wish = job.wish
    output = wish.output
    fields: list[Pair] = []
    if isinstance(job, BatchJob):
        interval = [("Start", job.interval.start_text), ("End", job.interval.end_text)]
        fields += [("TimeInterval", interval), ("JobParam", _rule(wish.rule))]
    else:
        fields += _rule(wish.rule)
    fields.append(("Output", [("Region", output.region), ("Bucket", output.bucket), ("Object", output.object)]))
    fields += [("UserData", wish.user_data), ("JobLevel", wish.level)]
    if isinstance(job, BatchJob):
        fields += [("CallBack", wish.callback.url), ("CallBackFormat", wish.callback.format)]
    elif job.result is not None:
        fields.append(("PicProcessResult", _result(job.result, output.object, dialects)))
    return fields


def _rule(rule: Rule) -> list[Pair]:
    inline: Fields = [("IsPicInfo", "true" if rule.pic_info else "false"), ("ProcessRule", rule.text)]
    return [*([("TemplateId", rule.template)] if rule.template else []), ("PicProcess", inline)]


def _result(outcome: Outcome, key: str, dialects: Dialects) -> Fields:
    """As the SDKs parse it, or as the callback's page shows it (CI 1.8)."""
    if dialects["job-result"] == "sdk":
        return [("UploadResult", [("OriginalInfo", outcome.original), ("ProcessResults", outcome.results)])]
    original, made = dict(outcome.original), dict(outcome.results[0][1])
    told: list[Pair] = [("Etag", original.get("ETag", ""))]
    if "ImageInfo" in original:
        told.append(("ImageInfo", original["ImageInfo"]))
    result = [
        ("Etag", made["ETag"]),
        *((name, made[name]) for name in ("Format", "Height", "Quality", "Size", "Width")),
    ]
    return [("ObjectName", key), ("OriginalInfo", told), ("ProcessResult", result)]


def _as_json(fields: Fields) -> dict[str, Any]:
    """Members by name; a name that comes again makes an array."""
    found: dict[str, Any] = {}
    for name, value in fields:
        made = _as_json(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
        if name in found:
            before = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*before, made]
        else:
            found[name] = made
    return found
