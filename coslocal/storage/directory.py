"""Blobs in a folder, under opaque names: no key ever becomes a path.

A blob is written to `incoming/`, then renamed into `blobs/xx/`; the index names it only after that, so a process killed
at any moment leaves at most a stray file, which the next start sweeps away.

Blobs' paths are plain text: pathlib interns every name that it sees, in a table that never shrinks.
"""

# ruff: noqa: PTH104, PTH108, PTH123

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from coslocal.storage.blobs import CHUNK, absorb, new_name
from coslocal.storage.index import IndexedStore
from coslocal.storage.types import Blob, BlobGone, Readable, StoreError


class DirectoryBlobs:
    in_memory = False

    def __init__(self, root: Path, *, fsync: bool = False) -> None:
        self._fsync = fsync
        self._folder = root / "blobs"
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for number in range(256):
            (self._folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        self._blobs, self._coming = str(self._folder), str(self._incoming)

    def _path(self, name: str) -> str:
        return f"{self._blobs}/{name[:2]}/{name}"

    def save(self, body: Readable) -> Blob:
        name = new_name()
        incoming = f"{self._coming}/{name}"
        target = self._path(name)
        try:
            with open(incoming, "wb") as file:
                blob = absorb(name, body, file.write)
                file.flush()
                if self._fsync:
                    os.fsync(file.fileno())
            os.rename(incoming, target)
        except BaseException:
            _unlink(incoming)
            raise
        if self._fsync:
            _sync_folder(f"{self._blobs}/{name[:2]}")
        return blob

    def read(self, name: str, start: int, length: int) -> Iterator[bytes]:
        try:
            file = open(self._path(name), "rb", buffering=0)  # noqa: SIM115
        except FileNotFoundError:
            raise BlobGone(name) from None
        return _chunks(file, start, length)

    def whole(self, name: str) -> bytes:
        try:
            with open(self._path(name), "rb", buffering=0) as file:
                return file.read()
        except FileNotFoundError:
            raise BlobGone(name) from None

    def delete(self, name: str) -> None:
        _unlink(self._path(name))

    def sweep(self, known: set[str]) -> int:
        strays = [path for path in self._folder.glob("*/*") if path.name not in known]
        strays += self._incoming.iterdir()
        for path in strays:
            path.unlink()
        return len(strays)

    def close(self) -> None:
        pass


def _chunks(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    reader = _read_on(file, start, length)
    next(reader)  # enter the `with`, so that the file is closed even when nothing is read
    return reader


def _read_on(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with file:
        yield b""
        file.seek(start)
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class DirectoryInUse(StoreError):
    """Another coslocal works on this folder."""


def open_directory(path: Path | str, *, fsync: bool = False) -> IndexedStore:
    """The store in `path`, made when absent. With `fsync` it also survives a loss of power. Raises DirectoryInUse."""
    root = Path(path)
    root.mkdir(parents=True, exist_ok=True)
    lock = (root / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DirectoryInUse(f"{root} is in use by another coslocal; stop it or choose another folder") from None
    return IndexedStore(DirectoryBlobs(root, fsync=fsync), str(root / "index.sqlite"), fsync=fsync, held=lock)
