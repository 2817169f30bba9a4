"""POST /?delete: many objects at once (COS 5)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from coslocal.cam import actions
from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import xml_response
from coslocal.operations.versions import remove
from coslocal.wire.errors import (
    AccessDenied,
    BadDigest,
    InvalidDigest,
    MalformedXML,
    MissingContentMD5,
)
from coslocal.wire.xml import Fields, parse, text

MOST = 1000


def delete_objects(call: Call) -> Response:
    """Missing keys count as deleted; `Quiet` lists errors only."""
    call.standing_bucket()
    body = call.document()
    _check_md5(call, body)
    document = parse(body, "Delete")
    named = [(text(element, "Key"), text(element, "VersionId")) for element in document.findall("Object")]
    if not 1 <= len(named) <= MOST or not all(key for key, _ in named):
        raise MalformedXML(f"Delete must name 1 to {MOST} objects, each with a Key")
    quiet = (text(document, "Quiet") or "").strip().lower() == "true"
    told = [_delete(call, key or "", version) for key, version in named]
    return xml_response("DeleteResult", [entry for entry in told if not quiet or entry[0] == "Error"])


def _delete(call: Call, key: str, version: str | None) -> tuple[str, Fields]:
    """What became of one object; a key that who asks may not delete is an error, as it is of a single DELETE."""
    fields: list[tuple[str, str | int | Fields]] = [("Key", key)]
    if version:
        fields.append(("VersionId", version))
    try:
        call.require(actions.DELETE, key=key)
    except AccessDenied as error:
        return "Error", [*fields, ("Code", error.code), ("Message", error.message)]
    item = remove(call, key, version or None)
    if item is not None and item.is_marker:
        fields += [("DeleteMarker", "true"), ("DeleteMarkerVersionId", item.version)]
    return "Deleted", fields


def _check_md5(call: Call, body: bytes) -> None:
    sent = call.header("Content-MD5")
    if sent is None:
        raise MissingContentMD5
    try:
        digest = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDigest from None
    if digest != hashlib.md5(body, usedforsecurity=False).digest():
        raise BadDigest
