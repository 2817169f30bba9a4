"""Cloud Infinite's side doors in COS: Pic-Operations and image rules on download. The pixels are coslocal.ci's."""

from __future__ import annotations

from collections.abc import Callable

from coslocal.atonce import may_wait
from coslocal.cam import actions
from coslocal.ci import download, persist
from coslocal.ci import pic_operations as asking
from coslocal.ci.persist import Prepared, UploadResult
from coslocal.ci.query import find_rule
from coslocal.http import Response
from coslocal.operations import encryption, restore, styles
from coslocal.operations.call import Call
from coslocal.operations.responses import xml_response
from coslocal.storage.types import StoredObject
from coslocal.wire.errors import AccessDenied
from coslocal.wire.xml import Fields

# Which of these a bucket uses is set in the vendor's console (CI 2); here all are, once no object has the whole name.
_SEPARATORS = "!-_/"


def pic_operations(call: Call) -> str | None:
    """The Pic-Operations header. Raises SlowDown, and AccessDenied when it came unsigned (W/460/86588 of CI)."""
    header = call.header("Pic-Operations")
    if header is not None and "pic-operations" not in call.signed:
        raise AccessDenied("Auth sign header must include Pic-Operations")
    if header is not None:
        call.app.count_image("cloud" if call.operation == "image_process" else "upload", call.bucket)
    return header


def process(call: Call, source: StoredObject, operations: str) -> UploadResult:
    return _prepare(call, source, operations).store(call.app, call)


def _prepare(call: Call, source: StoredObject, operations: str, data: Callable[[], bytes] | None = None) -> Prepared:
    """The results, rendered and not stored; `data` gives the source's bytes where it does not stand yet."""
    encryption.check(call, source.headers)
    restore.check_readable(call, source)
    asked = asking.read(operations, call.app.dialects)
    return persist.prepare(call.app, source, asked, data, call)


def process_new(
    call: Call,
    item: StoredObject,
    operations: str,
    *,
    event: str,
    save: Callable[[], StoredObject],
    data: Callable[[], bytes],
) -> tuple[StoredObject, UploadResult]:
    """Store an object by `save`, with its derivatives, and announce it.

    A failure of processing keeps it, or drops it, which means that the request has done nothing (dialect failed-put).
    """
    if call.app.dialects["failed-put"] == "drop-original":
        try:
            prepared = _prepare(call, item, operations, data)
            if prepared.failure is not None:
                raise prepared.failure
        except BaseException:
            if item.blob:
                call.app.store.discard(item.blob)
            raise
        standing = save()
        result = prepared.store(call.app, call)
        call.app.announce(event, standing, call)
        return standing, result
    standing = save()
    try:
        return standing, process(call, standing, operations)
    finally:
        call.app.announce(event, standing, call)


def upload_result(result: UploadResult) -> Fields:
    return [("OriginalInfo", result.original), ("ProcessResults", result.results)]


def image_process(call: Call) -> Response:
    """POST /key?image_process (CI 1.1): derivatives of a stored object."""
    operations = pic_operations(call) or ""
    return call.serve(
        lambda call, source: xml_response("UploadResult", upload_result(process(call, source, operations)))
    )


def get_image(call: Call) -> Response:
    """GET /key?<image rule> (CI 1.1: processing on download)."""
    rule = find_rule(call.parameters) or ""
    return call.serve(lambda call, source: _serve(call, source, rule))


def _serve(call: Call, source: StoredObject, rule: str) -> Response:
    may_wait()  # before it is counted
    call.app.count_image("download", source.bucket)
    encryption.check(call, source.headers)
    restore.check_readable(call, source)
    return download.serve(call.app, call, source, rule)


def by_separator(call: Call) -> Response | None:
    """GET /key!style (CI 2): when `key` exists and the bucket has that style; a rule in the query follows it."""
    for at in (at for at, letter in enumerate(call.key) if letter in _SEPARATORS and at):
        key, name = call.key[:at], call.key[at + 1 :]
        if name and styles.find(call.app.store, call.bucket, name) is not None:
            source = call.app.store.get(call.bucket, key)
            if source is not None:
                call.require(actions.GET, key=key)
                further = find_rule(call.parameters)
                return _serve(call, source, f"style/{name}|{further}" if further else f"style/{name}")
    return None
