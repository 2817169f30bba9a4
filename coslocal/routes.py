"""The routing table: (method, level, sub-resource) -> operation. The coverage page is printed from it too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from coslocal.ci.query import find_rule
from coslocal.http import Request, Response
from coslocal.operations import (
    acl,
    append,
    buckets,
    copy,
    cors,
    delete_multiple,
    images,
    job_settings,
    jobs,
    listing,
    multipart,
    objects,
    post_object,
    restore,
    styles,
    symlink,
    tagging,
    versions,
)
from coslocal.operations.call import Call
from coslocal.operations.configuration import CONFIGURATIONS, INVENTORY
from coslocal.signature import CARRIERS
from coslocal.wire.address import Address
from coslocal.wire.errors import InvalidURI, MethodNotAllowed, NotOffered

Level = Literal["service", "bucket", "object", "ci"]
Coverage = Literal["full", "stored only", "not offered"]
Operation = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """One row. `sub_resource` is the query parameter that chooses it, or one of the marks `<copy>` and `<image rule>`;
    at the level ci it is the path, in which `*` stands for an id.

    `anonymous` tells what an ACL must grant for the operation to need no signature: READ, WRITE, FREE (none needed), or
    "" (always signed).
    """

    method: str
    level: Level
    sub_resource: str | None
    operation: str
    function: Operation
    coverage: Coverage = "full"
    anonymous: str = ""


COPY, COPY_PART, IMAGE = "<copy>", "<copy of a part>", "<image rule>"


def _refuse(call: Call) -> Response:
    raise NotOffered(f"coslocal does not offer {call.operation}")


def _stored() -> list[Route]:
    rows = []
    for configuration in CONFIGURATIONS:
        name = configuration.name.replace("-", "_")
        for method, verb, function in (
            ("GET", "get", configuration.get),
            ("PUT", "put", configuration.put),
            ("DELETE", "delete", configuration.delete),
        ):
            coverage: Coverage = "full" if name == "cors" else "stored only"
            rows.append(Route(method, "bucket", configuration.name, f"{verb}_bucket_{name}", function, coverage))
    return rows


def _jobs() -> list[Route]:
    """Cloud Infinite's asynchronous side; /jobs is the general form of /pic_jobs."""
    table: tuple[tuple[str, str, str, Operation], ...] = (
        ("POST", "/pic_jobs", "create_pic_jobs", jobs.create_pic_jobs),
        ("GET", "/pic_jobs", "list_pic_jobs", jobs.list_pic_jobs),
        ("GET", "/pic_jobs/*", "describe_pic_jobs", jobs.describe_pic_jobs),
        ("PUT", "/pic_jobs/*", "cancel_pic_job", jobs.cancel_pic_job),
        ("POST", "/jobs", "create_jobs", jobs.create_pic_jobs),
        ("GET", "/jobs", "list_jobs", jobs.list_pic_jobs),
        ("GET", "/jobs/*", "describe_jobs", jobs.describe_pic_jobs),
        ("PUT", "/jobs/*", "cancel_job", jobs.cancel_pic_job),
        ("POST", "/inventorytriggerjob", "create_inventory_trigger_job", jobs.create_inventory_trigger_job),
        ("GET", "/inventorytriggerjob", "list_inventory_trigger_jobs", jobs.list_inventory_trigger_jobs),
        ("GET", "/inventorytriggerjob/*", "describe_inventory_trigger_job", jobs.describe_inventory_trigger_job),
        ("PUT", "/inventorytriggerjob/*", "cancel_inventory_trigger_job", jobs.cancel_inventory_trigger_job),
        ("POST", "/picbucket", "open_pic_bucket", job_settings.open_pic_bucket),
        ("GET", "/picbucket", "list_pic_buckets", job_settings.list_pic_buckets),
        ("DELETE", "/picbucket", "close_pic_bucket", job_settings.close_pic_bucket),
        ("GET", "/picqueue", "list_pic_queues", job_settings.list_pic_queues),
        ("PUT", "/picqueue/*", "update_pic_queue", job_settings.update_pic_queue),
        ("POST", "/template", "create_template", job_settings.create_template),
        ("GET", "/template", "list_templates", job_settings.list_templates),
        ("PUT", "/template/*", "update_template", job_settings.update_template),
        ("DELETE", "/template/*", "delete_template", job_settings.delete_template),
    )
    return [Route(method, "ci", path, operation, function) for method, path, operation, function in table]


def _not_offered() -> list[Route]:
    named: tuple[tuple[Level, str, str], ...] = (
        ("bucket", "asyncfetch", "POST"), ("bucket", "ci-process", "GET POST"),
        ("bucket", "domaincertificate", "GET PUT DELETE"),
        ("bucket", "guetzli", "GET PUT DELETE"), ("bucket", "image-slim", "GET PUT DELETE"),
        ("bucket", "live", "GET PUT DELETE"),
        ("bucket", "notification", "GET PUT"), ("bucket", "response-control", "GET PUT DELETE"),
        ("bucket", "vod", "GET"),
        ("object", "ci-process", "POST"), ("object", "imageInspect", "GET"), ("object", "retention", "GET PUT"),
        ("object", "select", "POST"), ("object", "torrent", "GET"), ("object", "tce-process", "POST"),
    )  # fmt: skip
    rows = []
    for level, name, methods in named:
        for method in methods.split():
            operation = f"{method.lower()}_{level}_{name.replace('-', '_')}"
            rows.append(Route(method, level, name, operation, _refuse, "not offered"))
    return rows


ROUTES: tuple[Route, ...] = (
    Route("GET", "service", None, "list_buckets", buckets.list_buckets),
    Route("PUT", "bucket", None, "put_bucket", buckets.put_bucket),
    Route("HEAD", "bucket", None, "head_bucket", buckets.head_bucket, anonymous="READ"),
    Route("DELETE", "bucket", None, "delete_bucket", buckets.delete_bucket),
    Route("GET", "bucket", None, "list_objects", listing.list_objects, anonymous="READ"),
    Route("GET", "bucket", "versioning", "get_bucket_versioning", versions.VERSIONING.get),
    Route("PUT", "bucket", "versioning", "put_bucket_versioning", versions.VERSIONING.put),
    Route("GET", "bucket", "versions", "list_object_versions", versions.list_versions, anonymous="READ"),
    Route("GET", "bucket", "location", "get_bucket_location", buckets.get_location),
    Route("GET", "bucket", "uploads", "list_multipart_uploads", multipart.list_uploads),
    Route("POST", "bucket", "delete", "delete_objects", delete_multiple.delete_objects, anonymous="WRITE"),
    Route("POST", "bucket", None, "post_object", post_object.post_object, anonymous="FREE"),
    Route("OPTIONS", "bucket", None, "options_object", cors.preflight, anonymous="FREE"),
    Route("GET", "bucket", "acl", "get_bucket_acl", acl.get_acl),
    Route("PUT", "bucket", "acl", "put_bucket_acl", acl.put_acl),
    Route("GET", "bucket", "tagging", "get_bucket_tagging", tagging.get_tagging),
    Route("PUT", "bucket", "tagging", "put_bucket_tagging", tagging.put_tagging),
    Route("DELETE", "bucket", "tagging", "delete_bucket_tagging", tagging.delete_tagging),
    Route("GET", "bucket", "style", "get_style", styles.get_style),
    Route("PUT", "bucket", "style", "put_style", styles.put_style),
    Route("DELETE", "bucket", "style", "delete_style", styles.delete_style),
    *_stored(),
    Route("POST", "bucket", "inventory", "post_bucket_inventory", INVENTORY.put, "stored only"),
    Route("PUT", "object", None, "put_object", objects.put_object, anonymous="WRITE"),
    Route("PUT", "object", COPY, "copy_object", copy.copy_object, anonymous="WRITE"),
    Route("GET", "object", None, "get_object", objects.get_object, anonymous="READ"),
    Route("GET", "object", IMAGE, "get_image", images.get_image, anonymous="READ"),
    Route("HEAD", "object", None, "head_object", objects.head_object, anonymous="READ"),
    Route("DELETE", "object", None, "delete_object", objects.delete_object, anonymous="WRITE"),
    Route("OPTIONS", "object", None, "options_object", cors.preflight, anonymous="FREE"),
    Route("POST", "object", "append", "append_object", append.append_object, anonymous="WRITE"),
    Route("POST", "object", "image_process", "image_process", images.image_process),
    Route("POST", "object", "restore", "restore_object", restore.restore_object),
    Route("GET", "object", "symlink", "get_symlink", symlink.get_symlink, anonymous="READ"),
    Route("PUT", "object", "symlink", "put_symlink", symlink.put_symlink, anonymous="WRITE"),
    Route("GET", "object", "acl", "get_object_acl", acl.get_acl),
    Route("PUT", "object", "acl", "put_object_acl", acl.put_acl),
    Route("GET", "object", "tagging", "get_object_tagging", tagging.get_tagging),
    Route("PUT", "object", "tagging", "put_object_tagging", tagging.put_tagging),
    Route("DELETE", "object", "tagging", "delete_object_tagging", tagging.delete_tagging),
    Route("POST", "object", "uploads", "initiate_multipart_upload", multipart.initiate, anonymous="WRITE"),
    Route("PUT", "object", "uploadId", "upload_part", multipart.upload_part, anonymous="WRITE"),
    Route("PUT", "object", COPY_PART, "copy_part", copy.copy_part, anonymous="WRITE"),
    Route("POST", "object", "uploadId", "complete_multipart_upload", multipart.complete, anonymous="WRITE"),
    Route("GET", "object", "uploadId", "list_parts", multipart.list_parts),
    Route("DELETE", "object", "uploadId", "abort_multipart_upload", multipart.abort, anonymous="WRITE"),
    *_jobs(),
    *_not_offered(),
)

_TABLE = {(row.method, row.level, row.sub_resource): row for row in ROUTES}
_SUB_RESOURCES = {(row.level, row.sub_resource) for row in ROUTES if row.sub_resource}
# Bucket-level parameters without a value that choose nothing by themselves.
_PLAIN = frozenset(("prefix", "delimiter", "marker", "max-keys", "encoding-type", "region", "id", "cos-list-type"))


def find(request: Request, address: Address) -> Route:
    """The row for a request. Raises InvalidURI, MethodNotAllowed, NotOffered (501, with the operation's name)."""
    level = _level(address)
    if level == "ci":
        return _on_ci(request, address)
    if request.method == "OPTIONS" and level in ("bucket", "object"):
        return _TABLE["OPTIONS", level, None]  # a browser asks with the whole URL, sub-resource and all
    named = next((item.name for item in address.parameters if (level, item.name) in _SUB_RESOURCES), None)
    copying = request.method == "PUT" and level == "object" and request.headers.get("x-cos-copy-source") is not None
    if copying:
        named = {None: COPY, "uploadId": COPY_PART}.get(named, named)
    reading = request.method in ("GET", "HEAD") and level == "object"
    if reading and named in (None, "ci-process") and find_rule(address.parameters) is not None:
        return _TABLE["GET", "object", IMAGE]
    row = _TABLE.get((request.method, level, named))
    if row is None and named is not None and request.method in ("GET", "PUT", "POST", "DELETE", "HEAD"):
        raise MethodNotAllowed(f"{request.method} is not allowed on ?{named} of the {level}")
    if row is None:
        raise MethodNotAllowed(f"{request.method} is not allowed on the {level}")
    if named is None:
        _refuse_unknown(request, address, level)
    return row


def _on_ci(request: Request, address: Address) -> Route:
    first, slash, rest = address.key.partition("/")
    row = _TABLE.get((request.method, "ci", f"/{first}/*" if slash and rest else f"/{first}"))
    if row is None or not (address.host.bucket or row.operation == "list_pic_buckets"):
        raise NotOffered(f"coslocal does not offer {request.method} {address.path[:200]} on the ci host")
    return row


def _level(address: Address) -> Level:
    if address.host.kind == "ci":
        return "ci"
    if address.host.bucket:
        return "object" if address.key else "bucket"
    if address.key:
        raise InvalidURI("There is no bucket in the host name: use <bucket>-<appid>.cos.<region>.myqcloud.com as Host")
    return "service"


def _refuse_unknown(request: Request, address: Address, level: Level) -> None:
    """A bare unknown parameter (`?foo`) counts as a sub-resource where ignoring it could change or hide something."""
    if level == "service" or (level == "object" and request.method in ("GET", "HEAD")):
        return
    for item in address.parameters:
        if not item.value and item.name not in _PLAIN and item.name not in CARRIERS:
            raise NotOffered(f"coslocal does not offer {request.method} {level} ?{item.name}")
