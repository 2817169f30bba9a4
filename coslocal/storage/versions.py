"""Older versions of objects, and delete markers. What stands is among the objects; what is here is older than that, or
is the marker that hides a key. An object's version is kept among its headers, under the name that clients see."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
import time

from coslocal.storage.rows import OBJECT, as_bytes, as_object
from coslocal.storage.types import MARKER, NULL, VERSION, StoredObject

ENABLED, SUSPENDED = "Enabled", "Suspended"
MODE = "versions"  # the configuration of a bucket that holds one of these
SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    bucket TEXT NOT NULL REFERENCES buckets(name), key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, crc64 TEXT NOT NULL, modified REAL NOT NULL, headers TEXT NOT NULL, storage_class TEXT NOT NULL,
    version TEXT NOT NULL, age INTEGER NOT NULL, PRIMARY KEY (bucket, key, age)) WITHOUT ROWID;
"""
NEWEST = 1 << 62  # the age of what stands; in `versions` they count up from 1


def next_id(mode: str) -> str:
    """The version of what is put now: letters and digits as COS's own, or `null` while versions are suspended."""
    if mode != ENABLED:
        return NULL
    number = (1 << 64) - time.time_ns() // 100 * 10 - secrets.randbelow(10)
    return base64.b64encode(f"{number:020d}{secrets.randbelow(10):d}".encode()).decode()


def marker(bucket: str, key: str, version: str, at: float) -> StoredObject:
    return StoredObject(
        bucket=bucket, key=key, blob="", size=0, etag="", crc64="", modified=at,
        headers={VERSION: version, MARKER: "true"},
    )  # fmt: skip


class Versions:
    """The table, inside the transactions of whoever calls."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(SCHEMA)

    def mode(self, bucket: str) -> str:
        """Enabled, Suspended, or "" for a bucket that never had versions."""
        where = "bucket = ? AND key = ? AND name = ?"
        row = self._database.execute(f"SELECT value FROM configurations WHERE {where}", (bucket, b"", MODE)).fetchone()
        return row[0].decode() if row else ""

    def add(self, item: StoredObject) -> None:
        """As the newest of those that do not stand."""
        place = (item.bucket, as_bytes(item.key))
        (age,) = self._database.execute(
            "SELECT coalesce(max(age), 0) + 1 FROM versions WHERE bucket = ? AND key = ?", place
        ).fetchone()
        values = (
            *place, item.blob, item.size, item.etag, item.crc64, item.modified, json.dumps(dict(item.headers)),
            item.storage_class, item.version, age,
        )  # fmt: skip
        self._database.execute(f"INSERT INTO versions ({OBJECT}, version, age) VALUES ({', '.join('?' * 11)})", values)

    def newest(self, bucket: str, key: str) -> StoredObject | None:
        row = self._database.execute(
            f"SELECT {OBJECT} FROM versions WHERE bucket = ? AND key = ? ORDER BY age DESC LIMIT 1",
            (bucket, as_bytes(key)),
        ).fetchone()
        return as_object(row) if row else None

    def find(self, bucket: str, key: str, version: str) -> StoredObject | None:
        where = "bucket = ? AND key = ? AND version = ?"
        values = (bucket, as_bytes(key), version)
        row = self._database.execute(f"SELECT {OBJECT} FROM versions WHERE {where}", values).fetchone()
        return as_object(row) if row else None

    def age(self, bucket: str, key: str, version: str) -> int | None:
        where = "bucket = ? AND key = ? AND version = ?"
        values = (bucket, as_bytes(key), version)
        row = self._database.execute(f"SELECT age FROM versions WHERE {where}", values).fetchone()
        return row[0] if row else None

    def take(self, bucket: str, key: str, version: str) -> StoredObject | None:
        """`find`, and remove."""
        found = self.find(bucket, key, version)
        if found is not None:
            where = "bucket = ? AND key = ? AND version = ?"
            self._database.execute(f"DELETE FROM versions WHERE {where}", (bucket, as_bytes(key), version))
        return found


def in_order(bounded: bool) -> str:
    """The statement for a page of what stands and what does not, by key and the newest first: its values are bucket,
    first key, the end of keys when they are `bounded`, key, key and age behind which it begins, and how many."""
    return (
        f"SELECT {OBJECT}, age FROM (SELECT {OBJECT}, {NEWEST} AS age FROM objects UNION ALL"
        f" SELECT {OBJECT}, age FROM versions) WHERE bucket = ? AND key >= ? {'AND key < ?' if bounded else ''}"
        " AND (key > ? OR (key = ? AND age < ?)) ORDER BY key, age DESC LIMIT ?"
    )
