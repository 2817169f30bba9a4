"""POST /key?restore of an archived object. Nothing is slow here, so it only answers as documented."""

from __future__ import annotations

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty
from coslocal.wire.errors import InvalidRequest
from coslocal.wire.xml import parse


def restore_object(call: Call) -> Response:
    item = call.standing_object()
    parse(call.document(), "RestoreRequest")
    if "ARCHIVE" not in item.storage_class:
        raise InvalidRequest("Only an object of an archive class can be restored")
    return empty(202)
