"""Which of many objects stand, and since when, in as few requests as their places allow. Pure but for what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Optional

from derivo.cos import Page

Place = tuple[str, str]
"""A bucket and a key."""


def seconds(text: str) -> int:
    """Unix seconds of a time as COS and timers write it, 0 of another text."""
    try:
        return int(datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc).timestamp())
    except ValueError:
        return 0


def present(
    wanted: Iterable[Place],
    list_behind: Callable[[str, str], Page],
    look: Callable[[str, str], Optional[int]],
) -> dict[Place, int]:
    """Those of the places that hold an object, each with the unix seconds of its Last-Modified.

    `list_behind(bucket, key)` gives a page of what comes behind a key, `look(bucket, key)` the time of one object. It
    lists from one place to the next as long as half of a page was asked for, and else leaps to the next place: a
    thousand neighbours cost one request, a place among strangers two at most.
    """
    found: dict[Place, int] = {}
    by_bucket: dict[str, set[str]] = {}
    for bucket, key in wanted:
        by_bucket.setdefault(bucket, set()).add(key)
    for bucket, keys in by_bucket.items():
        pending = sorted(keys, reverse=True)
        after: Optional[str] = None
        while pending:
            if after is None:
                after = pending.pop()
                modified = look(bucket, after)
                if modified is not None:
                    found[bucket, after] = modified
                continue
            page = list_behind(bucket, after)
            hits = 0
            for item in page.objects:
                while pending and pending[-1] < item.key:
                    pending.pop()
                if pending and pending[-1] == item.key:
                    found[bucket, pending.pop()] = seconds(item.modified)
                    hits += 1
            if page.next is None:
                break
            after = page.next if 2 * hits >= len(page.objects) else None
    return found
