"""The index over the blobs: one SQLite database, in a file or in memory. Keys are stored as their UTF-8 bytes."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from coslocal.storage.blobs import Blobs, new_name
from coslocal.storage.types import Blob, BlobGone, Bucket, BucketGone, Part, Readable, StoredObject, Upload, UploadGone

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL REFERENCES buckets(name), key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, crc64 TEXT NOT NULL, modified REAL NOT NULL, headers TEXT NOT NULL, storage_class TEXT NOT NULL,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
    whole TEXT NOT NULL, position INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (whole, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    upload_id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets(name), key BLOB NOT NULL, started REAL NOT NULL,
    headers TEXT NOT NULL, storage_class TEXT NOT NULL, configurations TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT NOT NULL REFERENCES uploads(upload_id) ON DELETE CASCADE, number INTEGER NOT NULL,
    blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, crc64 TEXT NOT NULL, modified REAL NOT NULL,
    PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS configurations (
    bucket TEXT NOT NULL REFERENCES buckets(name) ON DELETE CASCADE, key BLOB NOT NULL, name TEXT NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (bucket, key, name)) WITHOUT ROWID;
"""
_OBJECT = "bucket, key, blob, size, etag, crc64, modified, headers, storage_class"
_UPLOAD = "upload_id, bucket, key, started, headers, storage_class, configurations"
_PART = "number, blob, size, etag, crc64, modified"
_FIRST_PAGE, _PAGE = 16, 1000  # a listing with a delimiter begins many scans and reads little of each
_OPEN_AT_ONCE = 100
# A blob name with this mark stands for a row of segments (a finished multipart upload, an appended object).
_WHOLE = "w-"


class _Held(Protocol):
    def close(self) -> None: ...


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def after_prefix(prefix: bytes) -> bytes | None:
    """The least byte string that is greater than all that start with `prefix`; None when there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def _object(row: tuple[Any, ...]) -> StoredObject:
    bucket, key, blob, size, etag, crc64, modified, headers, storage_class = row
    return StoredObject(
        bucket=bucket, key=_text(key), blob=blob, size=size, etag=etag, crc64=crc64, modified=modified,
        headers=json.loads(headers), storage_class=storage_class,
    )  # fmt: skip


def _upload(row: tuple[Any, ...]) -> Upload:
    upload_id, bucket, key, started, headers, storage_class, configurations = row
    return Upload(
        upload_id=upload_id, bucket=bucket, key=_text(key), started=started, headers=json.loads(headers),
        storage_class=storage_class, configurations=json.loads(configurations),
    )  # fmt: skip


def _part(row: tuple[Any, ...]) -> Part:
    number, blob, size, etag, crc64, modified = row
    return Part(number=number, blob=blob, size=size, etag=etag, crc64=crc64, modified=modified)


class IndexedStore:
    """A Store over `blobs`. Safe to use from many threads: one connection, one lock, short statements."""

    def __init__(self, blobs: Blobs, path: str, *, fsync: bool = False, held: _Held | None = None) -> None:
        self._blobs = blobs
        self._held = held
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
        self._run("PRAGMA journal_mode = WAL")
        self._run(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
        self._run("PRAGMA foreign_keys = ON")
        self._database.executescript(_SCHEMA)
        self._blobs.sweep(self._known())

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
        """A transaction; blobs named in the list given are deleted once it is committed."""
        unwanted: list[str] = []
        with self._lock:
            self._run("BEGIN IMMEDIATE")
            try:
                yield unwanted
                self._run("COMMIT")
            except BaseException:
                self._run("ROLLBACK")
                raise
        for blob in unwanted:
            self._blobs.delete(blob)

    def _known(self) -> set[str]:
        rows = self._all("SELECT blob FROM objects UNION SELECT blob FROM segments UNION SELECT blob FROM parts")
        return {blob for (blob,) in rows}

    def _release(self, blob: str, unwanted: list[str]) -> None:
        """Inside a change: forget a blob with its segments."""
        if not blob.startswith(_WHOLE):
            unwanted.append(blob)
            return
        unwanted.extend(row[0] for row in self._run("SELECT blob FROM segments WHERE whole = ?", blob))
        self._run("DELETE FROM segments WHERE whole = ?", blob)

    # -- buckets

    def create_bucket(self, bucket: Bucket) -> bool:
        with self._change():
            values = (bucket.name, bucket.region, bucket.created)
            return self._run("INSERT OR IGNORE INTO buckets VALUES (?, ?, ?)", *values).rowcount == 1

    def bucket(self, name: str) -> Bucket | None:
        row = self._one("SELECT name, region, created FROM buckets WHERE name = ?", name)
        return Bucket(name=row[0], region=row[1], created=row[2]) if row else None

    def buckets(self) -> list[Bucket]:
        rows = self._all("SELECT name, region, created FROM buckets ORDER BY name")
        return [Bucket(name=name, region=region, created=created) for name, region, created in rows]

    def delete_bucket(self, name: str) -> bool:
        try:
            with self._change():
                self._run("DELETE FROM buckets WHERE name = ?", name)
        except sqlite3.IntegrityError:  # an object or an upload still refers to it
            return False
        return True

    # -- objects

    def take_in(self, body: Readable) -> Blob:
        return self._blobs.save(body)

    def discard(self, blob: str) -> None:
        self._blobs.delete(blob)

    def put(self, item: StoredObject, configurations: Mapping[str, str] | None = None) -> None:
        with self._change() as unwanted:
            self._place(item, configurations or {}, unwanted)

    def _place(self, item: StoredObject, configurations: Mapping[str, str], unwanted: list[str]) -> None:
        key = _bytes(item.key)
        old = self._run("SELECT blob FROM objects WHERE bucket = ? AND key = ?", item.bucket, key).fetchone()
        if old and old[0] != item.blob:
            self._release(old[0], unwanted)
        self._write(item)
        self._run("DELETE FROM configurations WHERE bucket = ? AND key = ?", item.bucket, key)
        for name, value in configurations.items():
            self._run("INSERT INTO configurations VALUES (?, ?, ?, ?)", item.bucket, key, name, value.encode())

    def _write(self, item: StoredObject) -> None:
        values = (
            item.bucket, _bytes(item.key), item.blob, item.size, item.etag, item.crc64, item.modified,
            json.dumps(dict(item.headers)), item.storage_class,
        )  # fmt: skip
        try:
            self._run(f"INSERT OR REPLACE INTO objects ({_OBJECT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise BucketGone(item.bucket) from None

    def append(self, item: StoredObject, tail: Blob, *, expected: int) -> StoredObject | None:
        with self._change() as unwanted:
            standing = self._find(item.bucket, item.key)
            if (standing.size if standing else 0) != expected:
                return None
            pieces = self._segments(standing.blob, standing.size) if standing else []
            if standing and standing.blob.startswith(_WHOLE):
                self._run("DELETE FROM segments WHERE whole = ?", standing.blob)
            blob = self._compose([*pieces, (tail.name, tail.size)])
            whole = replace(item, blob=blob, size=expected + tail.size)
            kept = self._run("SELECT name, value FROM configurations WHERE bucket = ? AND key = ?",
                             item.bucket, _bytes(item.key)).fetchall()  # fmt: skip
            if standing:
                self._run("DELETE FROM objects WHERE bucket = ? AND key = ?", item.bucket, _bytes(item.key))
            self._place(whole, {name: value.decode() for name, value in kept}, unwanted)
            return whole

    def update(self, item: StoredObject) -> None:
        with self._change():
            self._run(
                "UPDATE objects SET headers = ?, storage_class = ?, modified = ?"
                " WHERE bucket = ? AND key = ? AND blob = ?",
                json.dumps(dict(item.headers)), item.storage_class, item.modified,
                item.bucket, _bytes(item.key), item.blob,
            )  # fmt: skip

    def get(self, bucket: str, key: str) -> StoredObject | None:
        with self._lock:
            return self._find(bucket, key)

    def _find(self, bucket: str, key: str) -> StoredObject | None:
        row = self._run(f"SELECT {_OBJECT} FROM objects WHERE bucket = ? AND key = ?", bucket, _bytes(key)).fetchone()
        return _object(row) if row else None

    def delete(self, bucket: str, key: str) -> StoredObject | None:
        with self._change() as unwanted:
            item = self._find(bucket, key)
            if item is not None:
                self._release(item.blob, unwanted)
                self._run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, _bytes(key))
                self._run("DELETE FROM configurations WHERE bucket = ? AND key = ?", bucket, _bytes(key))
        return item

    def scan(self, bucket: str, *, prefix: str = "", after: str = "", from_key: str = "") -> Iterator[StoredObject]:
        first = max(_bytes(prefix), _bytes(from_key))
        behind = _bytes(after)
        end = after_prefix(_bytes(prefix))
        bound, ends = ("AND key < ?", (end,)) if end is not None else ("", ())
        where = f"bucket = ? AND key >= ? AND key > ? {bound}"
        statement = f"SELECT {_OBJECT} FROM objects WHERE {where} ORDER BY key LIMIT ?"
        page = _FIRST_PAGE
        while True:
            rows = self._all(statement, bucket, first, behind, *ends, page)
            yield from map(_object, rows)
            if len(rows) < page:
                return
            behind = rows[-1][1]
            page = min(page * 4, _PAGE)

    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if not blob.startswith(_WHOLE):
            return self._blobs.read(blob, start, length if length is not None else 1 << 62)
        with self._lock:
            pieces = self._segments(blob, 0)
        return self._join(pieces, start, length if length is not None else 1 << 62)

    def _join(self, pieces: list[tuple[str, int]], start: int, length: int) -> Iterator[bytes]:
        """Chunks over several blobs, the first of them opened at once: a delete meanwhile does those no harm."""
        wanted: list[tuple[str, int, int]] = []
        for name, size in pieces:
            take = min(size - start, length)
            if take > 0:
                wanted.append((name, start, take))
                length -= take
            start = max(0, start - size)
        opened = [self._blobs.read(*piece) for piece in wanted[:_OPEN_AT_ONCE]]

        def chunks() -> Iterator[bytes]:
            for reader in opened:
                yield from reader
            for piece in wanted[_OPEN_AT_ONCE:]:
                yield from self._blobs.read(*piece)

        return chunks()

    # -- wholes: a blob made of others

    def _segments(self, blob: str, size: int) -> list[tuple[str, int]]:
        if not blob.startswith(_WHOLE):
            return [(blob, size)]
        rows = self._run("SELECT blob, size FROM segments WHERE whole = ? ORDER BY position", blob).fetchall()
        if not rows:
            raise BlobGone(blob)
        return rows

    def _compose(self, pieces: list[tuple[str, int]]) -> str:
        if len(pieces) == 1:
            return pieces[0][0]
        whole = _WHOLE + new_name()
        rows = [(whole, position, blob, size) for position, (blob, size) in enumerate(pieces)]
        self._database.executemany("INSERT INTO segments VALUES (?, ?, ?, ?)", rows)
        return whole

    # -- multipart uploads

    def start_upload(self, upload: Upload) -> None:
        values = (
            upload.upload_id, upload.bucket, _bytes(upload.key), upload.started, json.dumps(dict(upload.headers)),
            upload.storage_class, json.dumps(dict(upload.configurations)),
        )  # fmt: skip
        try:
            with self._change():
                self._run(f"INSERT INTO uploads ({_UPLOAD}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise BucketGone(upload.bucket) from None

    def upload(self, upload_id: str) -> Upload | None:
        row = self._one(f"SELECT {_UPLOAD} FROM uploads WHERE upload_id = ?", upload_id)
        return _upload(row) if row else None

    def uploads(self, bucket: str, *, prefix: str = "") -> list[Upload]:
        end = after_prefix(_bytes(prefix))
        bound, ends = ("AND key < ?", (end,)) if end is not None else ("", ())
        rows = self._all(
            f"SELECT {_UPLOAD} FROM uploads WHERE bucket = ? AND key >= ? {bound} ORDER BY key, started, upload_id",
            bucket, _bytes(prefix), *ends,
        )  # fmt: skip
        return [_upload(row) for row in rows]

    def put_part(self, upload_id: str, part: Part) -> None:
        values = (upload_id, part.number, part.blob, part.size, part.etag, part.crc64, part.modified)
        try:
            with self._change() as unwanted:
                where = "WHERE upload_id = ? AND number = ?"
                unwanted.extend(row[0] for row in self._run(f"SELECT blob FROM parts {where}", upload_id, part.number))
                self._run(f"INSERT OR REPLACE INTO parts (upload_id, {_PART}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise UploadGone(upload_id) from None

    def parts(self, upload_id: str) -> list[Part]:
        return [
            _part(row) for row in self._all(f"SELECT {_PART} FROM parts WHERE upload_id = ? ORDER BY number", upload_id)
        ]

    def finish_upload(self, upload_id: str, item: StoredObject, parts: list[Part]) -> StoredObject:
        with self._change() as unwanted:
            row = self._run(f"SELECT {_UPLOAD} FROM uploads WHERE upload_id = ?", upload_id).fetchone()
            standing = {blob for (blob,) in self._run("SELECT blob FROM parts WHERE upload_id = ?", upload_id)}
            used = {part.blob for part in parts}
            if row is None or not used <= standing:
                raise UploadGone(upload_id)
            whole = replace(item, blob=self._compose([(part.blob, part.size) for part in parts]))
            self._place(whole, _upload(row).configurations, unwanted)
            self._run("DELETE FROM uploads WHERE upload_id = ?", upload_id)
            unwanted.extend(standing - used)
        return whole

    def abort_upload(self, upload_id: str) -> None:
        with self._change() as unwanted:
            unwanted.extend(row[0] for row in self._run("SELECT blob FROM parts WHERE upload_id = ?", upload_id))
            self._run("DELETE FROM uploads WHERE upload_id = ?", upload_id)

    # -- configurations

    def put_configuration(self, bucket: str, key: str, name: str, value: bytes) -> None:
        try:
            with self._change():
                values = (bucket, _bytes(key), name, value)
                self._run("INSERT OR REPLACE INTO configurations VALUES (?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise BucketGone(bucket) from None

    def configuration(self, bucket: str, key: str, name: str) -> bytes | None:
        where = "bucket = ? AND key = ? AND name = ?"
        row = self._one(f"SELECT value FROM configurations WHERE {where}", bucket, _bytes(key), name)
        return row[0] if row else None

    def configurations(self, bucket: str, key: str, *, prefix: str = "") -> list[tuple[str, bytes]]:
        where = "bucket = ? AND key = ?"
        rows = self._all(f"SELECT name, value FROM configurations WHERE {where} ORDER BY name", bucket, _bytes(key))
        return [(name, value) for name, value in rows if name.startswith(prefix)]

    def delete_configuration(self, bucket: str, key: str, name: str) -> None:
        with self._change():
            where = "bucket = ? AND key = ? AND name = ?"
            self._run(f"DELETE FROM configurations WHERE {where}", bucket, _bytes(key), name)

    def reset(self) -> None:
        with self._change() as unwanted:
            unwanted.extend(self._known())
            for table in ("configurations", "parts", "uploads", "segments", "objects", "buckets"):
                self._run(f"DELETE FROM {table}")

    def close(self) -> None:
        """Later calls raise sqlite3.ProgrammingError."""
        with self._lock:
            self._database.close()
            self._blobs.close()
            if self._held is not None:
                self._held.close()
