"""PUT and GET /key?symlink: an object that leads to another of its bucket."""

from __future__ import annotations

from coslocal.http import Response
from coslocal.operations.call import SYMLINK, Call
from coslocal.operations.objects import (
    check_key,
    identity,
    kept_headers,
    made,
    side_documents,
    storage_class,
    take_body,
)
from coslocal.operations.responses import empty, http_date
from coslocal.operations.versions import told
from coslocal.wire.errors import InvalidArgument, NoSuchKey


def put_symlink(call: Call) -> Response:
    """The target, URL-encoded, need not exist; it must not be the link itself."""
    check_key(call.key)
    call.standing_bucket()
    target = call.header(SYMLINK)
    if target is None:
        raise InvalidArgument(f"{SYMLINK} is missing")
    if call.key == call.target_of(target):
        raise InvalidArgument("A symbolic link must not lead to itself")
    headers, documents = {**kept_headers(call, call.key), SYMLINK: target}, side_documents(call)
    item = made(call, call.key, take_body(call), headers, storage_class=storage_class(call))
    item = call.app.save(item, documents)
    return empty(200, [*identity(item), *told(item)])


def get_symlink(call: Call) -> Response:
    item = call.standing_object()
    if SYMLINK not in item.headers:
        raise NoSuchKey("The object is not a symbolic link")
    return empty(200, [(SYMLINK, item.headers[SYMLINK]), *identity(item), ("Last-Modified", http_date(item.modified))])
