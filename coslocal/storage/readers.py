"""Reading a blob that is made of others, and deletions that wait until nobody reads any more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

from coslocal.storage.blobs import Blobs


class Readers:
    """The readers of joined blobs. A blob deleted meanwhile is deleted when the last of them has ended. Thread-safe."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._doomed: set[str] = set()

    def join(self, pieces: Sequence[tuple[str, int]], start: int, length: int) -> Iterator[bytes]:
        """Chunks over several blobs of the sizes given. From this call on no deletion does the reader any harm."""
        wanted: list[tuple[str, int, int]] = []
        for name, size in pieces:
            take = min(size - start, length)
            if take > 0:
                wanted.append((name, start, take))
                length -= take
            start = max(0, start - size)
        with self._lock:
            self._held.update(name for name, _, _ in wanted)
        reader = self._chunks(wanted)
        next(reader)  # enter the `try`, so that the hold ends even when nothing is read
        return reader

    def _chunks(self, wanted: Sequence[tuple[str, int, int]]) -> Iterator[bytes]:
        try:
            yield b""
            for piece in wanted:
                yield from self._blobs.read(*piece)
        finally:
            self._let_go([name for name, _, _ in wanted])

    def _let_go(self, names: Sequence[str]) -> None:
        with self._lock:
            self._held.subtract(names)
            free = {name for name in names if not self._held[name]}
            for name in free:
                del self._held[name]
            doomed = free & self._doomed
            self._doomed -= doomed
        for name in doomed:
            self._blobs.delete(name)

    def delete(self, name: str) -> None:
        """Delete a blob now, or when its last reader has ended."""
        with self._lock:
            if self._held[name]:
                self._doomed.add(name)
                return
            del self._held[name]
        self._blobs.delete(name)
