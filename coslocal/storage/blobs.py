"""Where bytes lie: the interface of the two blob stores, and what they share."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from typing import Protocol

from coslocal.storage.crc64 import crc64
from coslocal.storage.types import Blob, Readable

CHUNK = 256 * 1024


class Blobs(Protocol):
    """Bytes under opaque names, written once and read many times."""

    in_memory: bool

    def save(self, body: Readable) -> Blob: ...
    def read(self, name: str, start: int, length: int) -> Iterator[bytes]:
        """`length` bytes from `start`, opened before this returns: a later delete does no harm. Raises BlobGone."""

    def whole(self, name: str) -> bytes:
        """Raises BlobGone."""

    def delete(self, name: str) -> None:
        """Also when it is gone already."""

    def sweep(self, known: set[str]) -> int:
        """Delete every blob that is not known; the number deleted."""

    def close(self) -> None: ...


def new_name() -> str:
    return uuid.uuid4().hex


def absorb(name: str, body: Readable, write: Callable[[bytes], object]) -> Blob:
    """Read `body` to its end through `write`, counting and hashing on the way."""
    size = 0
    md5 = hashlib.md5(usedforsecurity=False)
    crc = 0
    while chunk := body.read(CHUNK):
        write(chunk)
        size += len(chunk)
        md5.update(chunk)
        crc = crc64(chunk, crc)
    return Blob(name=name, size=size, md5=md5.hexdigest(), crc64=str(crc))
