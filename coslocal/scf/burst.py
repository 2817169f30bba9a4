"""How many new instances may start in a minute: beyond it a run is refused with 429 (SCF 2.6, 3.4)."""

from __future__ import annotations

import threading
from collections import deque

from coslocal.scf.clock import Clock

MOST_PER_MINUTE = 500
"""New instances of an account in a region (SCF 2.6)."""


class Burst:
    """Counts the instances that all functions together have started in the last 60 seconds of the clock."""

    def __init__(self, clock: Clock, most: int = MOST_PER_MINUTE) -> None:
        self.most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._started = deque[float]()

    def take(self) -> bool:
        """Note one start; False when there were too many."""
        with self._lock:
            now = self._clock.now()
            while self._started and self._started[0] <= now - 60:
                self._started.popleft()
            if len(self._started) >= self.most:
                return False
            self._started.append(now)
            return True
