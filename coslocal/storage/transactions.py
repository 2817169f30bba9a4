"""The SQLite database of an index, and changes to it that let go of blobs once they stand."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from coslocal.storage import snapshots, versions
from coslocal.storage.blobs import Blobs
from coslocal.storage.readers import Readers
from coslocal.storage.rows import SCHEMA

# A blob name with this mark stands for a row of segments (a finished multipart upload, an appended object).
WHOLE = "w-"


class _Held(Protocol):
    def close(self) -> None: ...


class Transactions:
    """One connection, one lock, short statements: safe to use from many threads."""

    def __init__(self, blobs: Blobs, path: str, *, fsync: bool = False, held: _Held | None = None) -> None:
        self._blobs = blobs
        self.in_memory = blobs.in_memory
        self._readers = Readers(blobs)
        self._held = held
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
        self._run("PRAGMA journal_mode = WAL")
        self._run(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
        self._run("PRAGMA foreign_keys = ON")
        self._database.executescript(SCHEMA)
        self._versions = versions.Versions(self._database)
        snapshots.prepare(self._database)
        kept = {blob for (blob,) in self._all("SELECT blob FROM kept_blobs")}
        self._blobs.sweep(self._known() | kept)

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._database.execute(statement, values)

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._run(statement, *values).fetchall()

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._run(statement, *values).fetchone()
            return row

    @contextlib.contextmanager
    def _change(self) -> Iterator[list[str]]:
        """A transaction; blobs named in the list given are deleted once it is committed, but for those in snapshots."""
        unwanted: list[str] = []
        with self._lock:
            self._run("BEGIN IMMEDIATE")
            try:
                yield unwanted
                free = [blob for blob in unwanted if not snapshots.keeps(self._database, blob)]
                self._run("COMMIT")
            except BaseException:
                self._run("ROLLBACK")
                raise
        for blob in free:
            self._readers.delete(blob)

    def _known(self) -> set[str]:
        return {blob for (blob,) in self._all(snapshots.BLOBS)}

    def _release(self, blob: str, unwanted: list[str]) -> None:
        """Inside a change: forget a blob with its segments."""
        if not blob.startswith(WHOLE):
            unwanted.append(blob)
            return
        unwanted.extend(row[0] for row in self._run("SELECT blob FROM segments WHERE whole = ?", blob))
        self._run("DELETE FROM segments WHERE whole = ?", blob)

    def close(self) -> None:
        """Later calls raise sqlite3.ProgrammingError."""
        with self._lock:
            self._database.close()
            self._blobs.close()
            if self._held is not None:
                self._held.close()
