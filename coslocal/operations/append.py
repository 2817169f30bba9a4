"""POST /key?append&position=N (COS 5)."""

from __future__ import annotations

from dataclasses import replace

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.objects import (
    check_key,
    kept_headers,
    made,
    receipt,
    side_documents,
    storage_class,
    take_body,
)
from coslocal.operations.responses import empty
from coslocal.storage.crc64 import combine
from coslocal.wire.errors import InvalidArgument, ObjectNotAppendable, PositionNotEqualToLength

APPENDABLE = "x-cos-object-type"


def append_object(call: Call) -> Response:
    """The body goes behind the object's end, which must be at `position`; its event is the dialect append-events."""
    check_key(call.key)
    call.standing_bucket()
    position = call.parameters.get("position") or ""
    if not (position.isascii() and position.isdigit() and len(position) <= 15):
        raise InvalidArgument("position must be a number of bytes")
    headers, documents, wanted_class = kept_headers(call, call.key), side_documents(call), storage_class(call)
    blob = take_body(call)
    standing = call.app.store.get(call.bucket, call.key)
    try:
        if standing is not None and APPENDABLE not in standing.headers:
            raise ObjectNotAppendable
        if (standing.size if standing else 0) != int(position):
            raise PositionNotEqualToLength
        kept = {**headers, APPENDABLE: "appendable"}
        fresh = made(call, call.key, blob, kept, storage_class=wanted_class)
        base = fresh if standing is None else replace(standing, modified=call.now)
        crc = combine(int(standing.crc64), int(blob.crc64), blob.size) if standing else int(blob.crc64)
        # The whole's MD5 would need its bytes again; what COS gives is not documented, so each append has its own.
        item = call.app.store.append(replace(base, etag=blob.md5, crc64=str(crc)), blob, expected=int(position))
        if item is None:
            raise PositionNotEqualToLength
    except BaseException:
        call.app.store.discard(blob.name)
        raise
    for name, document in documents.items() if standing is None else ():
        call.app.store.put_configuration(call.bucket, call.key, name, document.encode())
    event = call.app.dialects["append-events"]
    if event != "no":
        call.app.announce(f"cos:ObjectCreated:{event}", item, call)
    more = [("x-cos-next-append-position", str(item.size)), ("x-cos-content-sha1", blob.md5)]
    return empty(200, [*receipt(item), *more])
