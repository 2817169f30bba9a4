"""PUT, HEAD and DELETE of a bucket, its location, and the service's list of buckets (COS 5)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime

from coslocal.http import Response
from coslocal.operations import acl, tagging
from coslocal.operations.call import Call
from coslocal.operations.listing import count_parameter
from coslocal.operations.responses import OWNER, empty, xml_response
from coslocal.storage.types import Bucket
from coslocal.wire.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidArgument,
    InvalidBucketName,
)
from coslocal.wire.xml import Fields, parse

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?-[0-9]{1,20}", re.ASCII)
_MOST = 2000
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def valid_name(name: str) -> bool:
    """`<name>-<appid>`: lower case, digits and hyphens, 60 characters at most with a domain in mind."""
    return len(name) <= 60 and _NAME.fullmatch(name) is not None


def put_bucket(call: Call) -> Response:
    if not valid_name(call.bucket):
        raise InvalidBucketName(f"A bucket's name must be <name>-<appid>, not {call.bucket}")
    body = call.document()
    if body.strip():
        parse(body, "CreateBucketConfiguration")
    document = acl.from_headers(call)
    region = call.address.host.region or call.app.region
    if not call.app.store.create_bucket(Bucket(name=call.bucket, region=region, created=call.now)):
        standing = call.app.store.bucket(call.bucket)
        raise BucketAlreadyOwnedByYou if standing and standing.region == region else BucketAlreadyExists
    if document is not None:
        call.app.store.put_configuration(call.bucket, "", "acl", document.encode())
    return empty()


def head_bucket(call: Call) -> Response:
    return empty(200, [("x-cos-bucket-region", call.standing_bucket().region)])


def delete_bucket(call: Call) -> Response:
    call.standing_bucket()
    if not call.app.store.delete_bucket(call.bucket):
        raise BucketNotEmpty
    return empty(204)


def get_location(call: Call) -> Response:
    return xml_response("LocationConstraint", call.standing_bucket().region)


def list_buckets(call: Call) -> Response:
    """GET service; the host `cos.<region>.myqcloud.com`, `region`, `tagkey` with `tagvalue`, and `create-time` with
    `range` narrow it, `marker` and `max-keys` page it."""
    region = call.parameters.get("region") or call.address.host.region
    marker = call.parameters.get("marker") or ""
    limit = count_parameter(call, "max-keys", _MOST)
    standing = [
        item
        for item in call.app.store.buckets()
        if item.name > marker and region in ("", item.region) and _is_of_age(call, item) and _is_tagged(call, item)
    ]
    shown, more = standing[:limit], len(standing) > limit > 0
    entries: list[tuple[str, Fields]] = [("Bucket", _entry(item)) for item in shown]
    fields: list[tuple[str, str | int | Fields]] = [("Owner", OWNER), ("Buckets", entries), ("Marker", marker)]
    if more:
        fields.append(("NextMarker", shown[-1].name))
    fields.append(("IsTruncated", "true" if more else "false"))
    return xml_response("ListAllMyBucketsResult", fields)


def _is_of_age(call: Call, bucket: Bucket) -> bool:
    at, how = call.parameters.get("create-time"), call.parameters.get("range")
    if at is None or how is None:
        return True
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or how not in _COMPARISONS:
        raise InvalidArgument(f"create-time must be unix seconds, and range one of {', '.join(_COMPARISONS)}")
    return _COMPARISONS[how](int(bucket.created), int(at))


def _is_tagged(call: Call, bucket: Bucket) -> bool:
    key, value = call.parameters.get("tagkey"), call.parameters.get("tagvalue")
    return key is None or value is None or (key, value) in tagging.tags_of(call.app.store, bucket.name, "")


def _entry(bucket: Bucket) -> Fields:
    created = datetime.fromtimestamp(int(bucket.created), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        ("Name", bucket.name),
        ("Location", bucket.region),
        ("CreationDate", created),
        ("BucketType", "cos"),
    )
