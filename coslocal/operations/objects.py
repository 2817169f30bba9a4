"""PUT, GET, HEAD and DELETE of an object."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from coslocal.contenttypes import content_type_of
from coslocal.http import Response
from coslocal.operations import acl, encryption, images, restore, tagging, traffic, versions
from coslocal.operations.call import Call
from coslocal.operations.conditions import judge, wanted_range
from coslocal.operations.responses import empty, http_date, quoted, xml_response
from coslocal.storage.types import Blob, StoredObject
from coslocal.wire.errors import (
    BadDigest,
    EntityTooLarge,
    IncompleteBody,
    InvalidArgument,
    InvalidDigest,
    KeyTooLong,
    NoSuchKey,
    PreconditionFailed,
)

MAX_KEY = 850  # bytes of UTF-8 (law 6)
MAX_PUT = 5 * 1024**3
_KEPT = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Expires",
    "x-cos-website-redirect-location",
)
_KEPT_LOWER = {name.lower(): name for name in _KEPT}
STORAGE_CLASSES = (
    *("STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ARCHIVE", "DEEP_ARCHIVE", "COLD"),
    *("MAZ_STANDARD", "MAZ_STANDARD_IA", "MAZ_INTELLIGENT_TIERING", "MAZ_COLD"),
)
_OVERRIDES = {
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
    "response-content-language": "Content-Language",
    "response-content-type": "Content-Type",
    "response-expires": "Expires",
}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def check_key(key: str) -> None:
    if len(key.encode("utf-8", "surrogateescape")) > MAX_KEY:
        raise KeyTooLong(f"Your key is longer than {MAX_KEY} bytes")


def kept_headers(call: Call, key: str) -> dict[str, str]:
    """The request's headers that belong to the object: names in COS's case, x-cos-meta-* as sent."""
    kept: dict[str, str] = {}
    for name, value in call.request.headers:
        lower = name.lower()
        if value and lower in _KEPT_LOWER:
            kept.setdefault(_KEPT_LOWER[lower], value)
        elif lower.startswith("x-cos-meta-"):
            kept.setdefault(name, value)
    kept.update(encryption.kept(call))
    kept.setdefault("Content-Type", content_type_of(key))
    return kept


def storage_class(call: Call) -> str:
    wanted = (call.header("x-cos-storage-class") or "STANDARD").upper()
    if wanted not in STORAGE_CLASSES:
        raise InvalidArgument(f"There is no storage class {wanted}")
    return wanted


def take_body(call: Call) -> Blob:
    """The request's body as a blob, checked against Content-Length and Content-MD5; what does not agree is dropped."""
    call.need_length()
    traffic.check(call)
    if (call.request.length or 0) > MAX_PUT:
        raise EntityTooLarge
    expected = _content_md5(call)
    blob = call.app.store.take_in(call.request.body)
    error: Exception | None = None
    if call.request.length is not None and blob.size != call.request.length:
        error = IncompleteBody()
    elif blob.size > MAX_PUT:
        error = EntityTooLarge()
    elif expected is not None and expected != blob.md5:
        error = BadDigest()
    if error is not None:
        call.app.store.discard(blob.name)
        raise error
    return blob


def _content_md5(call: Call) -> str | None:
    sent = call.header("Content-MD5")
    if sent is None:
        return None
    try:
        digest = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDigest from None
    if len(digest) != 16:
        raise InvalidDigest
    return digest.hex()


def made(
    call: Call,
    key: str,
    blob: Blob,
    headers: Mapping[str, str],
    *,
    bucket: str | None = None,
    storage_class: str = "STANDARD",
) -> StoredObject:
    """A new object of `blob`, not stored yet."""
    return StoredObject(
        bucket=bucket or call.bucket, key=key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64,
        modified=call.now, headers=headers, storage_class=storage_class,
    )  # fmt: skip


def side_documents(call: Call) -> dict[str, str]:
    """The configurations that come with a new object in its headers: ACL and tags."""
    documents = {"acl": acl.from_headers(call), "tagging": tagging.from_header(call)}
    return {name: document for name, document in documents.items() if document is not None}


def put_object(call: Call) -> Response:
    """PUT /key, with Pic-Operations too (CI 1.1: the original and its derivatives)."""
    check_key(call.key)
    call.standing_bucket()
    operations = images.pic_operations(call)
    headers, documents, wanted_class = kept_headers(call, call.key), side_documents(call), storage_class(call)
    item = made(call, call.key, take_body(call), headers, storage_class=wanted_class)

    def save() -> StoredObject:
        return call.app.save(item, documents)

    event = "cos:ObjectCreated:Put"
    if operations is None:
        standing = save()
        call.app.announce(event, standing, call)
        return empty(200, receipt(standing))
    standing, result = images.process_new(
        call, item, operations, event=event, save=save, data=lambda: call.app.store.whole(item.blob)
    )
    return xml_response("UploadResult", images.upload_result(result), headers=receipt(standing))


def identity(item: StoredObject) -> list[tuple[str, str]]:
    return [("ETag", quoted(item.etag)), ("x-cos-hash-crc64ecma", item.crc64)]


def receipt(item: StoredObject) -> list[tuple[str, str]]:
    """The headers of the answer to an upload."""
    return [*identity(item), *encryption.told(item.headers), *versions.told(item)]


def description(call: Call, item: StoredObject) -> list[tuple[str, str]]:
    """The headers of GET and HEAD."""
    gone = () if restore.is_restored(item, call.now) else (restore.RESTORED,)
    headers = [*(pair for pair in item.headers.items() if pair[0] not in gone), *identity(item)]
    headers += [("Last-Modified", http_date(item.modified)), ("Accept-Ranges", "bytes")]
    if item.storage_class != "STANDARD":
        headers.append(("x-cos-storage-class", item.storage_class))
    if tags := tagging.tags_of(call.app.store, item.bucket, item.key):
        headers.append(("x-cos-tagging-count", str(len(tags))))
    return headers


def _overridden(call: Call, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`response-*` parameters put in place of the object's own headers."""
    given = {
        item.name.lower(): item.value for item in call.parameters if item.name.lower() in _OVERRIDES and item.value
    }
    for name, value in given.items():
        if _CONTROL.search(value):
            raise InvalidArgument(f"{name} must not contain control characters")
    new = {_OVERRIDES[name]: value for name, value in given.items()}
    return [pair for pair in headers if pair[0] not in new] + list(new.items())


def get_object(call: Call) -> Response:
    """GET /key: whole or one range, conditional."""
    try:
        return call.serve(_serve)
    except NoSuchKey:
        styled = images.by_separator(call)
        if styled is None:
            raise
        return styled


def _serve(call: Call, item: StoredObject) -> Response:
    rate = traffic.check(call)
    encryption.check(call, item.headers)
    restore.check_readable(call, item)
    verdict = judge(call.request, item)
    if verdict == 412:
        raise PreconditionFailed
    headers = description(call, item)
    if verdict == 304:
        return empty(304, [pair for pair in headers if pair[0] not in ("Content-Type", "Content-Encoding")])
    part = wanted_range(call.request, item)
    headers = _overridden(call, headers)
    if part is None:
        return Response(200, headers, call.app.store.read(item.blob), item.size, rate=rate)
    start, length = part
    headers.append(("Content-Range", f"bytes {start}-{start + length - 1}/{item.size}"))
    return Response(206, headers, call.app.store.read(item.blob, start, length), length, rate=rate)


def head_object(call: Call) -> Response:
    """HEAD /key: as GET without the bytes."""
    item = call.readable_object()
    encryption.check(call, item.headers)
    verdict = judge(call.request, item)
    if verdict == 412:
        raise PreconditionFailed
    headers = description(call, item)
    if verdict == 304:
        return empty(304, headers)
    part = wanted_range(call.request, item)
    if part is None:
        return Response(200, _overridden(call, headers), length=item.size)
    start, length = part
    headers.append(("Content-Range", f"bytes {start}-{start + length - 1}/{item.size}"))
    return Response(206, _overridden(call, headers), length=length)


def delete_object(call: Call) -> Response:
    """DELETE /key: 204, also when there was none."""
    call.standing_bucket()
    return empty(204, versions.told(versions.remove(call, call.key, call.parameters.get("versionId"))))
