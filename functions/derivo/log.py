"""Logs: one JSON object a line, first-level fields as the platform's log service indexes them (SCF 7), under 8 KB.

Nothing is written here that was not chosen field by field: no event, no header, no URL (law 9).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Optional

# SCF 7: 8 KB a line, the rest is cut; room is left for what the platform puts around it.
LINE_BYTES = 7800

Log = Callable[[dict[str, Any]], None]


def line(fields: dict[str, Any], *, limit: int = LINE_BYTES) -> str:
    """One JSON line of at most `limit` bytes. When it is too long the details of what went well go first, then all
    details; the counts always stay."""
    text = _encode(fields)
    if len(text) <= limit:
        return text
    details = fields.get("derivatives")
    if isinstance(details, list):
        kept = [item for item in details if item.get("outcome") != "written"]
        while kept and len(_encode({**fields, "derivatives": kept, "cut": True})) > limit:
            kept = kept[: len(kept) // 2]
        fields = {**fields, "derivatives": kept, "cut": True}
        text = _encode(fields)
    if len(text) > limit:
        fields = {name: value[:500] if isinstance(value, str) else value for name, value in fields.items()}
        text = _encode(fields)
    if len(text) > limit:
        text = _encode({"level": fields.get("level", "error"), "msg": fields.get("msg", "line"), "cut": True})
    return text


def to_stdout(fields: dict[str, Any]) -> None:
    """The function's log: the platform collects standard output."""
    sys.stdout.write(line(fields) + "\n")
    sys.stdout.flush()


def silent(fields: dict[str, Any]) -> None:
    """For callers that report outcomes themselves."""


def _encode(fields: dict[str, Any]) -> str:
    # ASCII, so that a character is a byte and an unpaired surrogate in a key cannot break the stream
    return json.dumps(_without_none(fields), separators=(",", ":"))


def _without_none(fields: dict[str, Any]) -> dict[str, Optional[Any]]:
    return {name: value for name, value in fields.items() if value is not None}
