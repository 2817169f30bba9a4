"""The asynchronous side of Cloud Infinite, on the ci host: pic jobs and batches of them (CI 1.8, SCF 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from coslocal.http import Response
from coslocal.jobs import documents, picture, shapes, timing
from coslocal.jobs.errors import JobError, invalid
from coslocal.jobs.records import BATCH, PIC, Records, new_id
from coslocal.jobs.types import (
    STATES,
    TAG,
    AnyJob,
    BatchJob,
    Interval,
    PicJob,
    Queue,
    Rule,
    Wish,
)
from coslocal.operations.call import Call
from coslocal.operations.responses import xml_response
from coslocal.storage.types import Bucket
from coslocal.wire.xml import Fields, parse

AJob = TypeVar("AJob", PicJob, BatchJob)
MOST_LISTED = 100


def records(call: Call) -> Records:
    return call.app.jobs.records


def path_id(call: Call) -> str:
    """What the path names behind its first part."""
    return call.key.partition("/")[2]


def _told(call: Call, jobs: Iterable[AnyJob]) -> list[tuple[str, Fields]]:
    return [("JobsDetail", shapes.detail(job, call.app.dialects)) for job in jobs]


# -- making jobs


def create_pic_jobs(call: Call) -> Response:
    """POST /pic_jobs and POST /jobs: one job an Operation, Submitted."""
    bucket = call.standing_bucket()
    key, wishes = documents.pic_jobs(parse(call.document(), "Request"))
    _admit(call, bucket)
    jobs = [
        PicJob(
            id=new_id(PIC), bucket=bucket.name, region=bucket.region, key=key, created=call.now,
            wish=_wish(call, bucket, asked),
        )
        for asked in wishes
    ]  # fmt: skip
    for job in jobs:
        picture.target_bucket(call.app, job.wish.output.bucket, job.wish.output.region)
        call.app.jobs.submit(job)
    return xml_response("Response", _told(call, jobs))


def create_inventory_trigger_job(call: Call) -> Response:
    """POST /inventorytriggerjob (SCF 8.1)."""
    bucket = call.standing_bucket()
    asked = documents.batch(parse(call.document(), "Request"))
    if asked.inline and not asked.asked.template and call.app.dialects["batch-inline-rule"] == "refuse":
        raise invalid("Operation.JobParam takes a TemplateId")
    _admit(call, bucket)
    job = BatchJob(
        id=new_id(BATCH), bucket=bucket.name, region=bucket.region, created=call.now, name=asked.name, way=asked.way,
        where=asked.where, interval=asked.interval, wish=_wish(call, bucket, asked.asked),
    )  # fmt: skip
    picture.target_bucket(call.app, job.wish.output.bucket, job.wish.output.region)
    call.app.jobs.submit(job)
    return xml_response("Response", [("RequestId", call.request_id), *_told(call, [job])])


def _admit(call: Call, bucket: Bucket) -> None:
    """Hold the bucket to its rate, and see that the service is open. Raises SlowDown, JobError."""
    call.app.count_image("async", bucket.name)
    if records(call).queue(bucket.name) is None:
        if call.app.dialects["job-service"] == "must-open":
            raise JobError("MediaBucketUnBinded", "The bucket is not bound to the service: POST /picbucket opens it")
        open_queue(call, bucket)


def _wish(call: Call, bucket: Bucket, asked: documents.Asked) -> Wish:
    queue = records(call).queue(bucket.name)
    if not asked.queue and call.app.dialects["job-queue"] == "required":
        raise invalid("QueueId is missing")
    if queue is None or (asked.queue and asked.queue != queue.id):
        raise JobError("QueueNotFound", f"The bucket has no queue {asked.queue}")
    return Wish(
        rule=_rule(call, bucket, asked), output=asked.output, queue=queue.id, user_data=asked.user_data,
        level=asked.level, callback=asked.callback,
    )  # fmt: skip


def _rule(call: Call, bucket: Bucket, asked: documents.Asked) -> Rule:
    """The template wins over an inline rule (CI 1.8)."""
    if not asked.template:
        return Rule(text=asked.rule or "", pic_info=asked.pic_info)
    template = records(call).template(bucket.name, asked.template)
    if template is None:
        raise JobError("TemplateNotFound", f"The bucket has no template {asked.template}")
    return Rule(text=template.rule, pic_info=template.pic_info, template=template.id)


# -- asking for jobs


def describe_pic_jobs(call: Call) -> Response:
    """GET /pic_jobs/<id>[,<id>]: what does not exist is named."""
    call.standing_bucket()
    found = {id: _job(call, id, PicJob) for id in path_id(call).split(",")}
    gone = [id for id, job in found.items() if job is None]
    missing = [("NonExistJobIds", ",".join(gone))] if gone else []
    return xml_response("Response", [*_told(call, [job for job in found.values() if job is not None]), *missing])


def describe_inventory_trigger_job(call: Call) -> Response:
    call.standing_bucket()
    job = _job(call, path_id(call), BatchJob)
    told: Fields = [("NonExistJobId", path_id(call))] if job is None else _told(call, [job])
    return xml_response("Response", [("RequestId", call.request_id), *told])


def _job(call: Call, id: str, kind: type[AJob]) -> AJob | None:
    found = records(call).job(call.bucket, id)
    return found if isinstance(found, kind) else None


def list_pic_jobs(call: Call) -> Response:
    """GET /pic_jobs and GET /jobs: filters and pages as the SDKs send them."""
    call.standing_bucket()
    get = call.parameters.get
    tag, queue, batch, key = get("tag"), get("queueId"), get("inventoryTriggerJobId"), get("inputObject")
    jobs = [
        job
        for job in records(call).pics(call.bucket)
        if tag in (None, TAG)
        and queue in (None, job.wish.queue)
        and batch in (None, job.batch)
        and key in (None, job.key)
    ]
    return _page(call, jobs)


def list_inventory_trigger_jobs(call: Call) -> Response:
    call.standing_bucket()
    get = call.parameters.get
    kind, name, id, workflow = get("type"), get("name"), get("jobId"), get("workflowId")
    jobs = [
        job
        for job in records(call).batches(call.bucket)
        if kind in (None, "All", "Job") and workflow is None and name in (None, job.name) and id in (None, job.id)
    ]
    return _page(call, jobs)


def _page(call: Call, jobs: Sequence[AnyJob]) -> Response:
    get = call.parameters.get
    states = set((get("states") or "All").split(","))
    if not states <= {"All", *STATES}:
        raise invalid(f"states is All or some of {', '.join(STATES)}")
    created = Interval(
        start=timing.read(get("startCreationTime") or "", "startCreationTime"),
        end=timing.read(get("endCreationTime") or "", "endCreationTime"),
    )
    found = [job for job in jobs if ("All" in states or job.state in states) and _is_within(job.created, created)]
    order = get("orderByTime") or "Desc"
    if order not in ("Asc", "Desc"):
        raise invalid("orderByTime is Asc or Desc")
    token, size = get("nextToken"), number(call, "size", 10, MOST_LISTED)
    if order == "Desc":
        behind = [job for job in reversed(found) if token is None or job.id < token]
    else:
        behind = [job for job in found if token is None or job.id > token]
    shown = behind[:size]
    more = [("NextToken", shown[-1].id)] if len(behind) > len(shown) else []
    return xml_response("Response", [("RequestId", call.request_id), *_told(call, shown), *more])


def _is_within(when: float, interval: Interval) -> bool:
    return (interval.start is None or int(when) >= interval.start) and (
        interval.end is None or int(when) <= interval.end
    )


def number(call: Call, name: str, default: int, most: int) -> int:
    value = call.parameters.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 7 and 1 <= int(value) <= most):
        raise invalid(f"{name} is a number from 1 to {most}")
    return int(value)


def cancel_pic_job(call: Call) -> Response:
    """PUT /pic_jobs/<id>?cancel and PUT /jobs/<id>?cancel."""
    return _cancel(call, _job(call, path_id(call), PicJob))


def cancel_inventory_trigger_job(call: Call) -> Response:
    """PUT /inventorytriggerjob/<id>?cancel; the Go SDK leaves the parameter out."""
    return _cancel(call, _job(call, path_id(call), BatchJob))


def _cancel(call: Call, job: AnyJob | None) -> Response:
    call.standing_bucket()
    if job is None:
        raise JobError("ResourceNotFound", f"There is no job {path_id(call)}")
    call.app.jobs.cancel(job)
    return xml_response("Response", [("RequestId", call.request_id)])


def open_queue(call: Call, bucket: Bucket) -> Queue:
    queue = Queue(id=new_id("p"), bucket=bucket.name, name="queue-pic-process-1", created=call.now, updated=call.now)
    records(call).save_queue(queue)
    return queue
