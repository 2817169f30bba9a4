"""Conditional requests and ranges (RFC 9110), for downloads and for copy sources."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from coslocal.http import Request
from coslocal.storage.types import StoredObject
from coslocal.wire.errors import InvalidRange

_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,19})\s*-\s*([0-9]{0,19})\s*", re.ASCII | re.IGNORECASE)


def _names(value: str, etag: str) -> bool:
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in value.split(","))
    return any(tag in ("*", etag) for tag in tags)


def _time(value: str | None) -> float | None:
    """Unix seconds; None when absent or not a date, which RFC 9110 says to ignore."""
    try:
        moment = parsedate_to_datetime(value or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def judge(request: Request, item: StoredObject, prefix: str = "") -> int:
    """200 to go on, 304 when it is not newer, 412 when a precondition failed. `prefix` is that of copy sources."""
    headers = request.headers
    modified = int(item.modified)
    if_match = headers.get(prefix + "If-Match")
    if_none_match = headers.get(prefix + "If-None-Match")
    if if_match is not None:
        if not _names(if_match, item.etag):
            return 412
    else:
        unmodified = _time(headers.get(prefix + "If-Unmodified-Since"))
        if unmodified is not None and modified > unmodified:
            return 412
    if if_none_match is not None:
        return 304 if _names(if_none_match, item.etag) else 200
    since = _time(headers.get(prefix + "If-Modified-Since"))
    return 304 if since is not None and modified <= since else 200


def wanted_range(request: Request, item: StoredObject) -> tuple[int, int] | None:
    """(start, length) of the one range asked for; None for the whole: no range, several, or one that cannot be read.

    Raises InvalidRange when it lies behind the end.
    """
    asked = request.headers.get("Range")
    if_range = request.headers.get("If-Range")
    if asked is None or (if_range is not None and not _still(if_range, item)):
        return None
    return read_range(asked, item.size)


def _still(if_range: str, item: StoredObject) -> bool:
    moment = _time(if_range)
    return int(item.modified) <= moment if moment is not None else if_range.strip().strip('"') == item.etag


def read_range(asked: str, size: int) -> tuple[int, int] | None:
    """(start, length) within `size` bytes, None when it is not one range. Raises InvalidRange."""
    found = _RANGE.fullmatch(asked)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start = max(0, size - int(last))
        end = size if int(last) else 0
    else:
        start = int(first)
        end = min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or end <= start:
        raise InvalidRange(headers=(("Content-Range", f"bytes */{size}"),))
    return start, end - start
