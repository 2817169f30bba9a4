"""How often Cloud Infinite may be asked: token buckets on the app's clock (CI 1.3). Off unless an app is given some."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from coslocal.wire.errors import SlowDown
from derivo.ci import limits

# The platform's own numbers for being too fast: of persistent processing and of downloads (CI 9.2, 9.3).
_NUMBERS = {"download": "-29214"}
_PERSISTENT = "-60949"


@dataclass
class _Bucket:
    """`left` requests at `when`, unix seconds."""

    left: float
    when: float


class Rates:
    """Requests a second and account (APPID) and region, for each way to process: upload, cloud, async, download.

    None for a number is the platform's own: 100 for the first three (50 outside the mainland's public regions), 3000
    for downloads. A second's worth may come at once.
    """

    def __init__(self, persistent: int | None = None, download: int | None = None) -> None:
        self._persistent = persistent
        self._download = download
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def take(self, way: str, bucket: str, region: str, clock: Callable[[], float], *, everywhere: bool = False) -> None:
        """Count one request for an image of `bucket`; `everywhere`: all regions have the mainland's rates.

        Raises SlowDown.
        """
        limit = self._limit(way, region, everywhere)
        name = (way, bucket.rpartition("-")[2], region)
        with self._lock:
            now = clock()
            state = self._buckets.setdefault(name, _Bucket(limit, now))
            state.left = min(limit, state.left + max(0.0, now - state.when) * limit)
            state.when = now
            if state.left < 1:
                number = _NUMBERS.get(way, _PERSISTENT)
                raise SlowDown(f"More than {limit} requests a second", headers=(("X-ErrNo", number),))
            state.left -= 1

    def _limit(self, way: str, region: str, everywhere: bool) -> int:
        if way == "download":
            return limits.QPS_DOWNLOAD if self._download is None else self._download
        if self._persistent is not None:
            return self._persistent
        if region not in limits.MAINLAND and not everywhere:
            return limits.QPS_ABROAD
        return {"upload": limits.QPS_UPLOAD, "cloud": limits.QPS_CLOUD, "async": limits.QPS_ASYNC}[way]
