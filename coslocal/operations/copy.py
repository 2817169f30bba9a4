"""Copies within this coslocal: PUT /key and PUT ?partNumber with x-cos-copy-source (COS 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coslocal.cam import actions
from coslocal.http import Response
from coslocal.operations import encryption, restore
from coslocal.operations.append import APPENDABLE
from coslocal.operations.call import Call
from coslocal.operations.conditions import judge, read_range
from coslocal.operations.multipart import part_number, save_part, standing_upload
from coslocal.operations.objects import check_key, kept_headers, made, receipt, side_documents, storage_class
from coslocal.operations.responses import quoted, xml_date, xml_response
from coslocal.storage.types import VERSION, Blob, BlobGone, Part, StoredObject
from coslocal.wire.address import decode, read_host
from coslocal.wire.errors import (
    InvalidArgument,
    InvalidRange,
    InvalidRequest,
    NoSuchBucket,
    PreconditionFailed,
)
from coslocal.wire.xml import Fields

_SOURCE = re.compile(r"(?:https?://)?([^/]+)/(.+?)(?:\?versionId=([^?]*))?", re.DOTALL)


class _Reader:
    """Chunks as a body."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, size: int, /) -> bytes:
        return next(self._chunks, b"")


def _source(call: Call) -> StoredObject:
    """The object that x-cos-copy-source names and its conditions allow."""
    found = _SOURCE.fullmatch(call.header("x-cos-copy-source") or "")
    host = read_host(found[1].partition(":")[0].lower(), call.app.host_suffixes) if found else None
    if found is None or host is None:
        raise InvalidArgument("x-cos-copy-source must look like <bucket>.cos.<region>.myqcloud.com/<url-encoded key>")
    name = host.bucket or found[1]
    call.require(actions.GET, bucket=name, key=decode(found[2]))
    bucket = call.app.store.bucket(name)
    if bucket is None or (host.region and host.region != bucket.region):
        raise NoSuchBucket
    item = call.object_of(name, decode(found[2]), found[3] or None)
    encryption.check(call, item.headers, source=True)
    restore.check_readable(call, item)
    if judge(call.request, item, "x-cos-copy-source-") != 200:
        raise PreconditionFailed
    return item


def _taken(call: Call, *, ranged: bool = False) -> tuple[StoredObject, Blob]:
    """The source and a new blob of its bytes; looked up again when it was overwritten meanwhile."""
    while True:
        item = _source(call)
        start, length = _range(call, item) if ranged else (0, item.size)
        try:
            return item, call.app.store.take_in(_Reader(call.app.store.read(item.blob, start, length)))
        except BlobGone:
            if call.app.store.version(item.bucket, item.key, item.version) == item:
                raise


def _range(call: Call, item: StoredObject) -> tuple[int, int]:
    asked = call.header("x-cos-copy-source-range")
    if asked is None:
        return 0, item.size
    found = read_range(asked, item.size)
    if found is None:
        raise InvalidArgument("x-cos-copy-source-range must look like bytes=first-last")
    if not asked.rstrip().endswith(f"-{found[0] + found[1] - 1}"):
        raise InvalidRange("x-cos-copy-source-range lies outside the source")
    return found


def copy_object(call: Call) -> Response:
    """PUT /key with a source in the same coslocal; the directive says whose metadata the copy has."""
    check_key(call.key)
    call.standing_bucket()
    directive = (call.header("x-cos-metadata-directive") or "Copy").lower()
    if directive not in ("copy", "replaced"):
        raise InvalidArgument("x-cos-metadata-directive must be Copy or Replaced")
    source = _source(call)
    wanted_class = storage_class(call) if call.header("x-cos-storage-class") else None
    onto_itself = (source.bucket, source.key) == (call.bucket, call.key)
    if onto_itself and directive == "copy" and wanted_class in (None, source.storage_class):
        raise InvalidRequest("An object cannot be copied to itself without changing its metadata or storage class")
    documents = side_documents(call)
    if "tagging" not in documents and (call.header("x-cos-tagging-directive") or "Copy").lower() == "copy":
        tags = call.app.store.configuration(source.bucket, source.key, "tagging")
        documents |= {"tagging": tags.decode()} if tags is not None else {}
    source, blob = _taken(call)
    own = (APPENDABLE, restore.RESTORED, VERSION)
    kept = {name: value for name, value in encryption.without(source.headers).items() if name not in own}
    headers = kept | encryption.kept(call) if directive == "copy" else kept_headers(call, call.key)
    item = made(call, call.key, blob, headers, storage_class=wanted_class or "STANDARD")
    item = call.app.save(item, documents)
    call.app.announce("cos:ObjectCreated:Copy", item, call)
    fields: Fields = (("ETag", quoted(item.etag)), ("CRC64", item.crc64), ("LastModified", xml_date(item.modified)))
    return xml_response("CopyObjectResult", fields, headers=receipt(item)[1:])


def copy_part(call: Call) -> Response:
    """PUT ?partNumber&uploadId with a source, whole or a range of it."""
    number = part_number(call)
    upload = standing_upload(call)
    encryption.check(call, upload.headers)
    _, blob = _taken(call, ranged=True)
    part = Part(number=number, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=call.now)
    save_part(call, upload, part)
    fields: Fields = (("ETag", quoted(part.etag)), ("CRC64", part.crc64), ("LastModified", xml_date(part.modified)))
    more = encryption.told(upload.headers)
    return xml_response("CopyPartResult", fields, headers=[("x-cos-hash-crc64ecma", part.crc64), *more])
