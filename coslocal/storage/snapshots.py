"""Named copies of the index. Blobs are never changed, so a snapshot keeps names of blobs and not a byte of them."""

from __future__ import annotations

import sqlite3

from coslocal.storage.types import Snapshot

# In the order in which rows refer to one another.
TABLES = ("buckets", "objects", "versions", "segments", "uploads", "parts", "configurations")
BLOBS = (
    "SELECT blob FROM objects UNION SELECT blob FROM versions WHERE blob <> ''"
    " UNION SELECT blob FROM segments UNION SELECT blob FROM parts"
)


def prepare(database: sqlite3.Connection) -> None:
    """Make the tables that snapshots are kept in, where they are missing."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS snapshots (name TEXT PRIMARY KEY, taken REAL NOT NULL,"
        " buckets INTEGER NOT NULL, objects INTEGER NOT NULL, bytes INTEGER NOT NULL)"
    )
    database.execute(
        "CREATE TABLE IF NOT EXISTS kept_blobs (snapshot TEXT, blob TEXT, PRIMARY KEY (blob, snapshot)) WITHOUT ROWID"
    )
    for table in TABLES:
        database.execute(
            f"CREATE TABLE IF NOT EXISTS kept_{table} AS SELECT '' AS snapshot, live.* FROM {table} AS live WHERE 0"
        )
        database.execute(f"CREATE INDEX IF NOT EXISTS kept_{table}_of ON kept_{table} (snapshot)")


def take(database: sqlite3.Connection, name: str, taken: float) -> None:
    """Inside a change: keep what stands now under `name`, in place of what was kept there."""
    for table in TABLES:
        database.execute(f"INSERT INTO kept_{table} SELECT ?, live.* FROM {table} AS live", (name,))
    database.execute(f"INSERT INTO kept_blobs SELECT ?, blob FROM ({BLOBS})", (name,))
    database.execute(
        "INSERT INTO snapshots SELECT ?, ?, (SELECT count(*) FROM buckets), count(*), coalesce(sum(size), 0)"
        " FROM objects", (name, taken),
    )  # fmt: skip


def restore(database: sqlite3.Connection, name: str) -> None:
    """Inside a change: let what is kept under `name` stand again; the snapshot remains."""
    clear(database)
    for table in TABLES:
        columns = ", ".join(row[1] for row in database.execute(f"PRAGMA table_info({table})"))
        database.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table} WHERE snapshot = ?", (name,)
        )


def clear(database: sqlite3.Connection) -> None:
    """Inside a change: forget everything that stands."""
    for table in reversed(TABLES):
        database.execute(f"DELETE FROM {table}")


def drop(database: sqlite3.Connection, name: str) -> list[str]:
    """Inside a change: forget a snapshot; the blobs that it alone kept."""
    mine = {blob for (blob,) in database.execute("SELECT blob FROM kept_blobs WHERE snapshot = ?", (name,))}
    for table in ("blobs", *TABLES):
        database.execute(f"DELETE FROM kept_{table} WHERE snapshot = ?", (name,))
    database.execute("DELETE FROM snapshots WHERE name = ?", (name,))
    return sorted(mine - {blob for (blob,) in database.execute(BLOBS)})


def exists(database: sqlite3.Connection, name: str) -> bool:
    return database.execute("SELECT 1 FROM snapshots WHERE name = ?", (name,)).fetchone() is not None


def keeps(database: sqlite3.Connection, blob: str) -> bool:
    """Whether some snapshot needs this blob."""
    return database.execute("SELECT 1 FROM kept_blobs WHERE blob = ?", (blob,)).fetchone() is not None


def listed(database: sqlite3.Connection) -> list[Snapshot]:
    """All snapshots, in order of their names."""
    rows = database.execute("SELECT name, taken, buckets, objects, bytes FROM snapshots ORDER BY name")
    return [
        Snapshot(name=name, taken=taken, buckets=buckets, objects=objects, bytes=size)
        for name, taken, buckets, objects, size in rows
    ]
