"""The asynchronous events that wait, kept in a file: they survive a stop, and a kill at any moment."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from coslocal.scf.schedule import Message

_TABLE = """CREATE TABLE IF NOT EXISTS waiting (
    request_id TEXT PRIMARY KEY, function TEXT NOT NULL, due REAL NOT NULL, pushed REAL NOT NULL,
    failures INTEGER NOT NULL, source TEXT NOT NULL, subject TEXT NOT NULL, event TEXT NOT NULL)"""
_ALL = (
    "SELECT request_id, event, subject, source, pushed, failures, due FROM waiting WHERE function = ? ORDER BY due,"
    " rowid"
)


class Kept:
    """The file, for all functions. Only its owner may read it: an event holds the uploader's signature.

    An event is in it from before it is taken in until it is done or has become a dead letter, so that after a kill it
    is run again: at least once. When the file cannot be written `tell` gets a line, and the event is in memory only.
    Raises sqlite3.Error or OSError when it cannot be opened.
    """

    def __init__(self, path: Path, *, fsync: bool = False, tell: Callable[[str], None] = lambda line: None) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite's other files follow its mode
        self._tell = tell
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
        self._file.execute(_TABLE)

    def of(self, function: str) -> KeptOf:
        return KeptOf(self, function)

    def load(self, function: str) -> list[tuple[Message, float]]:
        """The messages of a function and when each is due, earliest first."""
        with self._lock:
            rows = self._file.execute(_ALL, (function,)).fetchall()
        return [
            (
                Message(
                    request_id=request_id, event=event, subject=subject, source=source, pushed=pushed,
                    failures=failures,
                ),
                due,
            )
            for request_id, event, subject, source, pushed, failures, due in rows
        ]  # fmt: skip

    def change(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            with self._lock:
                self._file.execute(statement, values)
        except sqlite3.Error as error:
            self._tell(f"the waiting events cannot be kept: {error}")

    def close(self) -> None:
        with self._lock:
            self._file.close()


class KeptOf:
    """One function's part: what its schedule calls."""

    def __init__(self, kept: Kept, function: str) -> None:
        self._kept = kept
        self._function = function

    def keep(self, message: Message, due: float) -> None:
        self._kept.change(
            "INSERT OR REPLACE INTO waiting (request_id, function, due, pushed, failures, source, subject, event)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message.request_id, self._function, due, message.pushed, message.failures, message.source,
                message.subject, message.event,
            ),
        )  # fmt: skip

    def drop(self, message: Message) -> None:
        self._kept.change("DELETE FROM waiting WHERE request_id = ?", (message.request_id,))

    def load(self) -> list[tuple[Message, float]]:
        return self._kept.load(self._function)
