"""The asynchronous side of Cloud Infinite, on the ci host: jobs, batches, their queue and templates (CI 1.8, SCF 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

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
    Template,
    Wish,
)
from coslocal.operations.call import Call
from coslocal.operations.responses import xml_response
from coslocal.storage.types import Bucket
from coslocal.wire.xml import Fields, parse

AJob = TypeVar("AJob", PicJob, BatchJob)
Item = TypeVar("Item")
MOST_LISTED = 100
MOST_TEMPLATE_NAME = 64
NOTIFY = ("State", "Event", "ResultFormat", "Type", "Url", "MqMode", "MqRegion", "MqName")


def _records(call: Call) -> Records:
    return call.app.jobs.records


def _id(call: Call) -> str:
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
    if _records(call).queue(bucket.name) is None:
        if call.app.dialects["job-service"] == "must-open":
            raise JobError("MediaBucketUnBinded", "The bucket is not bound to the service: POST /picbucket opens it")
        _open(call, bucket)


def _wish(call: Call, bucket: Bucket, asked: documents.Asked) -> Wish:
    queue = _records(call).queue(bucket.name)
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
    template = _records(call).template(bucket.name, asked.template)
    if template is None:
        raise JobError("TemplateNotFound", f"The bucket has no template {asked.template}")
    return Rule(text=template.rule, pic_info=template.pic_info, template=template.id)


# -- asking for jobs


def describe_pic_jobs(call: Call) -> Response:
    """GET /pic_jobs/<id>[,<id>]: what does not exist is named."""
    call.standing_bucket()
    found = {id: _job(call, id, PicJob) for id in _id(call).split(",")}
    gone = [id for id, job in found.items() if job is None]
    missing = [("NonExistJobIds", ",".join(gone))] if gone else []
    return xml_response("Response", [*_told(call, [job for job in found.values() if job is not None]), *missing])


def describe_inventory_trigger_job(call: Call) -> Response:
    call.standing_bucket()
    job = _job(call, _id(call), BatchJob)
    told: Fields = [("NonExistJobId", _id(call))] if job is None else _told(call, [job])
    return xml_response("Response", [("RequestId", call.request_id), *told])


def _job(call: Call, id: str, kind: type[AJob]) -> AJob | None:
    found = _records(call).job(call.bucket, id)
    return found if isinstance(found, kind) else None


def list_pic_jobs(call: Call) -> Response:
    """GET /pic_jobs and GET /jobs: filters and pages as the SDKs send them."""
    call.standing_bucket()
    get = call.parameters.get
    tag, queue, batch, key = get("tag"), get("queueId"), get("inventoryTriggerJobId"), get("inputObject")
    jobs = [
        job
        for job in _records(call).pics(call.bucket)
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
        for job in _records(call).batches(call.bucket)
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
    token, size = get("nextToken"), _number(call, "size", 10, MOST_LISTED)
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


def _number(call: Call, name: str, default: int, most: int) -> int:
    value = call.parameters.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 7 and 1 <= int(value) <= most):
        raise invalid(f"{name} is a number from 1 to {most}")
    return int(value)


def cancel_pic_job(call: Call) -> Response:
    """PUT /pic_jobs/<id>?cancel and PUT /jobs/<id>?cancel."""
    return _cancel(call, _job(call, _id(call), PicJob))


def cancel_inventory_trigger_job(call: Call) -> Response:
    """PUT /inventorytriggerjob/<id>?cancel; the Go SDK leaves the parameter out."""
    return _cancel(call, _job(call, _id(call), BatchJob))


def _cancel(call: Call, job: AnyJob | None) -> Response:
    call.standing_bucket()
    if job is None:
        raise JobError("ResourceNotFound", f"There is no job {_id(call)}")
    call.app.jobs.cancel(job)
    return xml_response("Response", [("RequestId", call.request_id)])


# -- the service and its queue


def open_pic_bucket(call: Call) -> Response:
    """POST /picbucket: the service is opened for the bucket, with one queue."""
    bucket = call.standing_bucket()
    queue = _records(call).queue(bucket.name) or _open(call, bucket)
    return xml_response("Response", [("RequestId", call.request_id), ("PicBucket", _pic_bucket(bucket, queue))])


def _open(call: Call, bucket: Bucket) -> Queue:
    queue = Queue(id=new_id("p"), bucket=bucket.name, name="queue-pic-process-1", created=call.now, updated=call.now)
    _records(call).save_queue(queue)
    return queue


def _pic_bucket(bucket: Bucket, queue: Queue) -> Fields:
    name = bucket.name.rpartition("-")[0]
    when = timing.written(queue.created)
    return [("BucketId", bucket.name), ("Name", name), ("Region", bucket.region), ("CreateTime", when)]


def close_pic_bucket(call: Call) -> Response:
    """DELETE /picbucket."""
    bucket = call.standing_bucket()
    _records(call).delete_queue(bucket.name)
    return xml_response("Response", [("RequestId", call.request_id), ("BucketName", bucket.name)])


def list_pic_buckets(call: Call) -> Response:
    """GET /picbucket, which no bucket is needed for: the buckets that the service is open for."""
    get = call.parameters.get
    regions, names, prefix = get("regions"), get("bucketNames"), get("bucketName") or ""
    opened = [
        (bucket, queue)
        for bucket in call.app.store.buckets()
        if (regions in (None, "All") or bucket.region in (regions or "").split(","))
        and (names is None or bucket.name in names.split(","))
        and bucket.name.startswith(prefix)
        and (queue := _records(call).queue(bucket.name)) is not None
    ]
    return _numbered(call, opened, lambda each: ("PicBucketList", _pic_bucket(*each)))


def list_pic_queues(call: Call) -> Response:
    """GET /picqueue."""
    call.standing_bucket()
    queue = _records(call).queue(call.bucket)
    wanted = [id for id in (call.parameters.get("queueIds") or "").split(",") if id]
    state = call.parameters.get("state")
    fits = queue is not None and (not wanted or queue.id in wanted) and state in (None, "All", queue.state)
    gone = [("NonExistPIDs", id) for id in wanted if queue is None or id != queue.id]
    return _numbered(call, [queue] if queue is not None and fits else [], lambda it: ("QueueList", _queue(it)), gone)


def update_pic_queue(call: Call) -> Response:
    """PUT /picqueue/<id>: Name, State (Active or Paused), NotifyConfig."""
    call.standing_bucket()
    root = parse(call.document(), "Request")
    queue = _records(call).queue(call.bucket)
    if queue is None or queue.id != _id(call):
        raise JobError("QueueNotFound", f"The bucket has no queue {_id(call)}")
    state = documents.value(root, "State") or queue.state
    if state not in ("Active", "Paused"):
        raise invalid("State is Active or Paused")
    notify = root.find("NotifyConfig")
    told = queue.notify if notify is None else {
        name: documents.value(notify, name) for name in NOTIFY if notify.find(name) is not None
    }  # fmt: skip
    name = documents.value(root, "Name") or queue.name
    queue = msgspec.structs.replace(queue, name=name, state=state, notify=told, updated=call.now)
    _records(call).save_queue(queue)
    call.app.jobs.wake()
    return xml_response("Response", [("RequestId", call.request_id), ("Queue", _queue(queue))])


def _queue(queue: Queue) -> Fields:
    notify = {"State": "Off", **queue.notify}
    return [
        ("QueueId", queue.id), ("Name", queue.name), ("State", queue.state), ("BucketId", queue.bucket),
        ("MaxSize", 10000), ("MaxConcurrent", 1), ("Category", "PicProcessing"),
        ("NotifyConfig", [(name, notify[name]) for name in NOTIFY if name in notify]),
        ("CreateTime", timing.written(queue.created)), ("UpdateTime", timing.written(queue.updated)),
    ]  # fmt: skip


def _numbered(
    call: Call, items: Sequence[Item], tell: Callable[[Item], tuple[str, Fields]], behind: Fields = ()
) -> Response:
    """A page of a list that is counted from 1."""
    number, size = _number(call, "pageNumber", 1, 100_000), _number(call, "pageSize", 10, MOST_LISTED)
    shown = items[(number - 1) * size : number * size]
    head: Fields = [
        ("RequestId", call.request_id), ("TotalCount", len(items)), ("PageNumber", number), ("PageSize", size),
    ]  # fmt: skip
    return xml_response("Response", [*head, *map(tell, shown), *behind])


# -- templates


def create_template(call: Call) -> Response:
    """POST /template with the Tag PicProcess (SCF 8.2)."""
    bucket = call.standing_bucket()
    name, rule, pic_info = _template_document(call)
    template = Template(
        id=new_id("t"), bucket=bucket.name, name=name, rule=rule, pic_info=pic_info, created=call.now, updated=call.now
    )
    _records(call).save_template(template)
    return _answer(call, template)


def update_template(call: Call) -> Response:
    """PUT /template/<id>."""
    call.standing_bucket()
    name, rule, pic_info = _template_document(call)
    found = _standing_template(call)
    template = msgspec.structs.replace(found, name=name, rule=rule, pic_info=pic_info, updated=call.now)
    _records(call).save_template(template)
    return _answer(call, template)


def delete_template(call: Call) -> Response:
    """DELETE /template/<id>."""
    call.standing_bucket()
    template = _standing_template(call)
    _records(call).delete_template(call.bucket, template.id)
    return xml_response("Response", [("RequestId", call.request_id), ("TemplateId", template.id)])


def list_templates(call: Call) -> Response:
    """GET /template: by ids, by the beginning of their name; there are no official ones of this kind."""
    call.standing_bucket()
    get = call.parameters.get
    ids, name, tag = get("ids"), get("name") or "", get("tag")
    official = get("category") == "Official"
    found = [
        template
        for template in _records(call).templates(call.bucket)
        if not official
        and tag in (None, "All", TAG)
        and template.name.startswith(name)
        and (ids is None or template.id in ids.split(","))
    ]
    return _numbered(call, found, lambda template: ("TemplateList", _template(template)))


def _template_document(call: Call) -> tuple[str, str, bool]:
    root = parse(call.document(), "Request")
    documents.check_tag(documents.value(root, "Tag"))
    name = documents.value(root, "Name")
    if not 1 <= len(name) <= MOST_TEMPLATE_NAME:
        raise invalid(f"Name has 1 to {MOST_TEMPLATE_NAME} characters")
    element = root.find("PicProcess")
    if element is None:
        raise invalid("PicProcess is missing")
    return name, *documents.pic_process(element)


def _standing_template(call: Call) -> Template:
    found = _records(call).template(call.bucket, _id(call))
    if found is None:
        raise JobError("TemplateNotFound", f"The bucket has no template {_id(call)}")
    return found


def _answer(call: Call, template: Template) -> Response:
    return xml_response("Response", [("RequestId", call.request_id), ("Template", _template(template))])


def _template(template: Template) -> Fields:
    inline: Fields = [("IsPicInfo", "true" if template.pic_info else "false"), ("ProcessRule", template.rule)]
    return [
        ("TemplateId", template.id), ("Tag", TAG), ("Name", template.name), ("State", "Normal"),
        ("BucketId", template.bucket), ("Category", "Custom"), ("CreateTime", timing.written(template.created)),
        ("UpdateTime", timing.written(template.updated)), ("PicProcess", inline),
    ]  # fmt: skip
