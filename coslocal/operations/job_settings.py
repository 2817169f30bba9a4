"""What jobs are set up with, on the ci host: the service and its queue, and templates (CI 1.8, SCF 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from coslocal.http import Response
from coslocal.jobs import documents, timing
from coslocal.jobs.errors import JobError, invalid
from coslocal.jobs.records import new_id
from coslocal.jobs.types import TAG, Queue, Template
from coslocal.operations.call import Call
from coslocal.operations.jobs import MOST_LISTED, number, open_queue, path_id, records
from coslocal.operations.responses import xml_response
from coslocal.storage.types import Bucket
from coslocal.wire.xml import Fields, parse

Item = TypeVar("Item")
MOST_TEMPLATE_NAME = 64
NOTIFY = ("State", "Event", "ResultFormat", "Type", "Url", "MqMode", "MqRegion", "MqName")


# -- the service and its queue


def open_pic_bucket(call: Call) -> Response:
    """POST /picbucket: the service is opened for the bucket, with one queue."""
    bucket = call.standing_bucket()
    queue = records(call).queue(bucket.name) or open_queue(call, bucket)
    return xml_response("Response", [("RequestId", call.request_id), ("PicBucket", _pic_bucket(bucket, queue))])


def _pic_bucket(bucket: Bucket, queue: Queue) -> Fields:
    """Name and BucketId are the same, with the APPID."""
    when = timing.written(queue.created)
    return [("BucketId", bucket.name), ("Name", bucket.name), ("Region", bucket.region), ("CreateTime", when)]


def close_pic_bucket(call: Call) -> Response:
    """DELETE /picbucket."""
    bucket = call.standing_bucket()
    records(call).delete_queue(bucket.name)
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
        and (queue := records(call).queue(bucket.name)) is not None
    ]
    return _numbered(call, opened, lambda each: ("PicBucketList", _pic_bucket(*each)))


def list_pic_queues(call: Call) -> Response:
    """GET /picqueue."""
    call.standing_bucket()
    queue = records(call).queue(call.bucket)
    wanted = [id for id in (call.parameters.get("queueIds") or "").split(",") if id]
    state = call.parameters.get("state")
    fits = queue is not None and (not wanted or queue.id in wanted) and state in (None, "All", queue.state)
    gone = [("NonExistPIDs", id) for id in wanted if queue is None or id != queue.id]
    return _numbered(call, [queue] if queue is not None and fits else [], lambda it: ("QueueList", _queue(it)), gone)


def update_pic_queue(call: Call) -> Response:
    """PUT /picqueue/<id>: Name, State (Active or Paused), NotifyConfig."""
    call.standing_bucket()
    root = parse(call.document(), "Request")
    queue = records(call).queue(call.bucket)
    if queue is None or queue.id != path_id(call):
        raise JobError("QueueNotFound", f"The bucket has no queue {path_id(call)}")
    state = documents.value(root, "State") or queue.state
    if state not in ("Active", "Paused"):
        raise invalid("State is Active or Paused")
    notify = root.find("NotifyConfig")
    told = queue.notify if notify is None else {
        name: documents.value(notify, name) for name in NOTIFY if notify.find(name) is not None
    }  # fmt: skip
    name = documents.value(root, "Name") or queue.name
    queue = msgspec.structs.replace(queue, name=name, state=state, notify=told, updated=call.now)
    records(call).save_queue(queue)
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
    page, size = number(call, "pageNumber", 1, 100_000), number(call, "pageSize", 10, MOST_LISTED)
    shown = items[(page - 1) * size : page * size]
    head: Fields = [
        ("RequestId", call.request_id), ("TotalCount", len(items)), ("PageNumber", page), ("PageSize", size),
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
    records(call).save_template(template)
    return _answer(call, template)


def update_template(call: Call) -> Response:
    """PUT /template/<id>."""
    call.standing_bucket()
    name, rule, pic_info = _template_document(call)
    found = _standing_template(call)
    template = msgspec.structs.replace(found, name=name, rule=rule, pic_info=pic_info, updated=call.now)
    records(call).save_template(template)
    return _answer(call, template)


def delete_template(call: Call) -> Response:
    """DELETE /template/<id>."""
    call.standing_bucket()
    template = _standing_template(call)
    records(call).delete_template(call.bucket, template.id)
    return xml_response("Response", [("RequestId", call.request_id), ("TemplateId", template.id)])


def list_templates(call: Call) -> Response:
    """GET /template: by ids, by the beginning of their name; there are no official ones of this kind."""
    call.standing_bucket()
    get = call.parameters.get
    ids, name, tag = get("ids"), get("name") or "", get("tag")
    official = get("category") == "Official"
    found = [
        template
        for template in records(call).templates(call.bucket)
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
    found = records(call).template(call.bucket, path_id(call))
    if found is None:
        raise JobError("TemplateNotFound", f"The bucket has no template {path_id(call)}")
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
