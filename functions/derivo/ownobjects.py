"""The small JSON objects that Derivo keeps in the bucket: made to be read by people too, read with distrust. Pure."""

from __future__ import annotations

from typing import Optional, TypeVar

import msgspec

FOLDER = ".derivo/"
"""Where the objects of Derivo itself lie, in each bucket: nothing in it is a source."""

T = TypeVar("T", bound=msgspec.Struct)


def encode(value: msgspec.Struct) -> bytes:
    """UTF-8 JSON; the same value gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def decode(data: bytes, kind: type[T], member: str, version: int) -> Optional[T]:
    """The value, or None when the bytes are no object of that kind and version: they then prove nothing."""
    try:
        found = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return found if getattr(found, member) == version else None
