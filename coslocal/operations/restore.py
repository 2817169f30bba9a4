"""Archived objects: they cannot be read until POST /key?restore, which is done at once here; the cloud takes hours."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import parsedate_to_datetime

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty, http_date
from coslocal.storage.types import StoredObject
from coslocal.wire.errors import InvalidObjectState, InvalidRequest, MalformedXML
from coslocal.wire.xml import parse, text

RESTORED = "x-cos-restore"
_EXPIRY = re.compile(r'expiry-date="([^"]+)"')
_DAY = 86400


def is_restored(item: StoredObject, now: float) -> bool:
    found = _EXPIRY.search(item.headers.get(RESTORED, ""))
    return found is not None and parsedate_to_datetime(found[1]).timestamp() > now


def check_readable(call: Call, item: StoredObject) -> None:
    """Raises InvalidObjectState for an archived object that is not restored, or not any more."""
    if "ARCHIVE" in item.storage_class and not is_restored(item, call.now):
        raise InvalidObjectState


def restore_object(call: Call) -> Response:
    """202, and 200 for one that is restored already, whose time is then counted anew."""
    item = call.standing_object()
    days = (text(parse(call.document(), "RestoreRequest"), "Days") or "").strip()
    if not (days.isascii() and days.isdigit() and len(days) <= 4 and int(days)):
        raise MalformedXML("RestoreRequest needs Days, a number from 1")
    if "ARCHIVE" not in item.storage_class:
        raise InvalidRequest("Only an object of an archive class can be restored")
    until = f'ongoing-request="false", expiry-date="{http_date(call.now + int(days) * _DAY)}"'
    call.app.store.update(replace(item, headers={**item.headers, RESTORED: until}))
    return empty(200 if is_restored(item, call.now) else 202)
