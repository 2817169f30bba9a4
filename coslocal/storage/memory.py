"""Blobs in memory: for tests and throw-away servers."""

from __future__ import annotations

from collections.abc import Iterator

from coslocal.storage.blobs import CHUNK, absorb, new_name
from coslocal.storage.index import IndexedStore
from coslocal.storage.types import Blob, BlobGone, Readable


class MemoryBlobs:
    in_memory = True

    def __init__(self) -> None:
        self._bytes: dict[str, bytes] = {}

    def save(self, body: Readable) -> Blob:
        chunks: list[bytes] = []
        blob = absorb(new_name(), body, chunks.append)
        self._bytes[blob.name] = b"".join(chunks)
        return blob

    def read(self, name: str, start: int, length: int) -> Iterator[bytes]:
        data = self._bytes.get(name)
        if data is None:
            raise BlobGone(name)
        if start == 0 and length >= len(data) and len(data) <= CHUNK:
            return iter((data,) if data else ())
        view = memoryview(data)[start : start + length]
        return (bytes(view[at : at + CHUNK]) for at in range(0, len(view), CHUNK))

    def whole(self, name: str) -> bytes:
        try:
            return self._bytes[name]
        except KeyError:
            raise BlobGone(name) from None

    def delete(self, name: str) -> None:
        self._bytes.pop(name, None)

    def sweep(self, known: set[str]) -> int:
        strays = [name for name in self._bytes if name not in known]
        for name in strays:
            self.delete(name)
        return len(strays)

    def close(self) -> None:
        self._bytes.clear()


def open_memory() -> IndexedStore:
    """An empty store that ends with the process."""
    return IndexedStore(MemoryBlobs(), ":memory:")
