"""POST /?delete: many objects at once (COS 5)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import xml_response
from coslocal.wire.errors import BadDigest, InvalidDigest, MalformedXML, MissingContentMD5
from coslocal.wire.xml import Fields, parse, text

MOST = 1000


def delete_objects(call: Call) -> Response:
    """Missing keys count as deleted; `Quiet` lists errors only, of which there are none here."""
    call.standing_bucket()
    body = call.document()
    _check_md5(call, body)
    document = parse(body, "Delete")
    keys = [text(element, "Key") for element in document.findall("Object")]
    if not 1 <= len(keys) <= MOST or not all(keys):
        raise MalformedXML(f"Delete must name 1 to {MOST} objects, each with a Key")
    deleted: list[tuple[str, Fields]] = []
    for key in filter(None, keys):
        item = call.app.store.delete(call.bucket, key)
        if item is not None:
            call.app.announce("cos:ObjectRemove:Delete", item, call)
        deleted.append(("Deleted", [("Key", key)]))
    quiet = (text(document, "Quiet") or "").strip().lower() == "true"
    return xml_response("DeleteResult", [] if quiet else deleted)


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
