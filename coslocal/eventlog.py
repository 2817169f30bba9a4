"""The events that listeners were told of, newest last, without a header that could hold a signature."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import Any

from coslocal.events import ObjectEvent


class EventLog:
    """The last `size` events. Thread-safe."""

    def __init__(self, size: int = 2_000) -> None:
        self._lock = threading.Lock()
        self._last: deque[ObjectEvent] = deque(maxlen=size)

    def add(self, event: ObjectEvent) -> None:
        with self._lock:
            self._last.append(replace(event, request_headers={}))

    def entries(self) -> list[ObjectEvent]:
        with self._lock:
            return list(self._last)

    def clear(self) -> None:
        with self._lock:
            self._last.clear()


def as_json(event: ObjectEvent) -> dict[str, Any]:
    """An event without its request's headers: what may be shown and logged."""
    return {
        "name": event.name, "bucket": event.bucket, "region": event.region, "key": event.key, "size": event.size,
        "etag": event.etag, "time": event.time, "request_id": event.request_id, "version_id": event.version_id,
        "meta": dict(event.meta), "source_ip": event.source_ip, "made_by_ci": event.made_by_ci,
    }  # fmt: skip
