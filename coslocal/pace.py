"""Keeping a transfer to a rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

_STEPS = 10  # a second, so that the other end sees a slow line and no long silences


class Pace:
    """So many bytes a second, counted from now; None does not wait. `clock` and `sleep` count seconds."""

    def __init__(
        self,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._started = clock()
        self._moved = 0

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk in pieces that are small for the rate."""
        step = max(1, self._rate // _STEPS) if self._rate is not None else len(chunk)
        return (chunk[at : at + step] for at in range(0, len(chunk), step or 1))

    async def moved(self, count: int) -> None:
        """Wait until `count` bytes more may have been moved."""
        if self._rate is None:
            return
        self._moved += count
        early = self._started + self._moved / self._rate - self._clock()
        if early > 0:
            await self._sleep(early)
