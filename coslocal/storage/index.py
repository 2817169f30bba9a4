"""The index over the blobs: one SQLite database, in a file or in memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace

from coslocal.storage import snapshots, versions
from coslocal.storage.blobs import new_name
from coslocal.storage.rows import OBJECT, PART, UPLOAD, as_bytes, as_object, as_part, as_upload
from coslocal.storage.transactions import WHOLE, Transactions
from coslocal.storage.types import (
    NULL,
    VERSION,
    Blob,
    BlobGone,
    Bucket,
    BucketGone,
    Part,
    Readable,
    Snapshot,
    StoredObject,
    Upload,
    UploadGone,
)

_FIRST_PAGE, _PAGE = 16, 1000  # a listing with a delimiter begins many scans and reads little of each


def after_prefix(prefix: bytes) -> bytes | None:
    """The least byte string that is greater than all that start with `prefix`; None when there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


class IndexedStore(Transactions):
    """A Store over `blobs`. Safe to use from many threads: one connection, one lock, short statements."""

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

    def put(self, item: StoredObject, configurations: Mapping[str, str] | None = None) -> StoredObject:
        with self._change() as unwanted:
            return self._place(item, configurations or {}, unwanted)

    def _place(self, item: StoredObject, configurations: Mapping[str, str], unwanted: list[str]) -> StoredObject:
        key = as_bytes(item.key)
        mode = self._versions.mode(item.bucket)
        if mode and VERSION not in item.headers:
            item = replace(item, headers={**item.headers, VERSION: versions.next_id(mode)})
        self._make_way(item, mode, unwanted)
        self._write(item)
        self._run("DELETE FROM configurations WHERE bucket = ? AND key = ?", item.bucket, key)
        for name, value in configurations.items():
            self._run("INSERT INTO configurations VALUES (?, ?, ?, ?)", item.bucket, key, name, value.encode())
        return item

    def _make_way(self, item: StoredObject, mode: str, unwanted: list[str]) -> None:
        """Inside a change, before an item becomes the newest of its key: what stands is kept, unless it is the same
        version."""
        standing = self._find(item.bucket, item.key)
        if standing is not None and standing.version != item.version:
            self._versions.add(standing)
        elif standing is not None and standing.blob != item.blob:
            self._release(standing.blob, unwanted)
        if mode and item.version == NULL:
            self._drop(self._versions.take(item.bucket, item.key, NULL), unwanted)

    def _drop(self, item: StoredObject | None, unwanted: list[str]) -> None:
        if item is not None and item.blob:
            self._release(item.blob, unwanted)

    def _write(self, item: StoredObject) -> None:
        values = (
            item.bucket, as_bytes(item.key), item.blob, item.size, item.etag, item.crc64, item.modified,
            json.dumps(dict(item.headers)), item.storage_class,
        )  # fmt: skip
        try:
            self._run(f"INSERT OR REPLACE INTO objects ({OBJECT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise BucketGone(item.bucket) from None

    def append(self, item: StoredObject, tail: Blob, *, expected: int) -> StoredObject | None:
        with self._change() as unwanted:
            standing = self._find(item.bucket, item.key)
            if (standing.size if standing else 0) != expected:
                return None
            pieces = self._segments(standing.blob, standing.size) if standing else []
            if standing and standing.blob.startswith(WHOLE):
                self._run("DELETE FROM segments WHERE whole = ?", standing.blob)
            blob = self._compose([*pieces, (tail.name, tail.size)])
            whole = replace(item, blob=blob, size=expected + tail.size)
            kept = self._run("SELECT name, value FROM configurations WHERE bucket = ? AND key = ?",
                             item.bucket, as_bytes(item.key)).fetchall()  # fmt: skip
            if standing:
                self._run("DELETE FROM objects WHERE bucket = ? AND key = ?", item.bucket, as_bytes(item.key))
            return self._place(whole, {name: value.decode() for name, value in kept}, unwanted)

    def update(self, item: StoredObject) -> None:
        with self._change():
            self._run(
                "UPDATE objects SET headers = ?, storage_class = ?, modified = ?"
                " WHERE bucket = ? AND key = ? AND blob = ?",
                json.dumps(dict(item.headers)), item.storage_class, item.modified,
                item.bucket, as_bytes(item.key), item.blob,
            )  # fmt: skip

    def get(self, bucket: str, key: str) -> StoredObject | None:
        with self._lock:
            return self._find(bucket, key)

    def _find(self, bucket: str, key: str) -> StoredObject | None:
        row = self._run(f"SELECT {OBJECT} FROM objects WHERE bucket = ? AND key = ?", bucket, as_bytes(key)).fetchone()
        return as_object(row) if row else None

    def delete(self, bucket: str, key: str, *, at: float = 0.0) -> StoredObject | None:
        with self._change() as unwanted:
            if mode := self._versions.mode(bucket):
                marker = versions.marker(bucket, key, versions.next_id(mode), at)
                self._make_way(marker, mode, unwanted)
                self._forget(bucket, key)
                self._versions.add(marker)
                return marker
            standing = self._find(bucket, key)
            if standing is not None:
                self._drop(standing, unwanted)
                self._forget(bucket, key)
            return standing

    def _forget(self, bucket: str, key: str) -> None:
        self._run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, as_bytes(key))
        self._run("DELETE FROM configurations WHERE bucket = ? AND key = ?", bucket, as_bytes(key))

    def scan(self, bucket: str, *, prefix: str = "", after: str = "", from_key: str = "") -> Iterator[StoredObject]:
        first = max(as_bytes(prefix), as_bytes(from_key))
        behind = as_bytes(after)
        end = after_prefix(as_bytes(prefix))
        bound, ends = ("AND key < ?", (end,)) if end is not None else ("", ())
        where = f"bucket = ? AND key >= ? AND key > ? {bound}"
        statement = f"SELECT {OBJECT} FROM objects WHERE {where} ORDER BY key LIMIT ?"
        page = _FIRST_PAGE
        while True:
            rows = self._all(statement, bucket, first, behind, *ends, page)
            yield from map(as_object, rows)
            if len(rows) < page:
                return
            behind = rows[-1][1]
            page = min(page * 4, _PAGE)

    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if not blob.startswith(WHOLE):
            return self._blobs.read(blob, start, length if length is not None else 1 << 62)
        with self._lock:
            return self._readers.join(self._segments(blob, 0), start, length if length is not None else 1 << 62)

    def whole(self, blob: str) -> bytes:
        return b"".join(self.read(blob)) if blob.startswith(WHOLE) else self._blobs.whole(blob)

    # -- versions

    def keep_versions(self, bucket: str, mode: str) -> None:
        self.put_configuration(bucket, "", versions.MODE, mode.encode())

    def version(self, bucket: str, key: str, version: str) -> StoredObject | None:
        with self._lock:
            standing = self._find(bucket, key)
            if standing is not None and standing.version == version:
                return standing
            return self._versions.find(bucket, key, version)

    def hidden_by(self, bucket: str, key: str) -> StoredObject | None:
        with self._lock:
            newest = None if self._find(bucket, key) else self._versions.newest(bucket, key)
            return newest if newest is not None and newest.is_marker else None

    def delete_version(self, bucket: str, key: str, version: str) -> StoredObject | None:
        with self._change() as unwanted:
            standing = self._find(bucket, key)
            if standing is not None and standing.version == version:
                item: StoredObject | None = standing
                self._forget(bucket, key)
                standing = None
            else:
                item = self._versions.take(bucket, key, version)
            self._drop(item, unwanted)
            before = None if standing else self._versions.newest(bucket, key)
            if before is not None and not before.is_marker:
                self._versions.take(bucket, key, before.version)
                self._write(before)
        return item

    def scan_versions(
        self, bucket: str, *, prefix: str = "", after: tuple[str, str | None] | None = None
    ) -> Iterator[tuple[StoredObject, bool]]:
        end = after_prefix(as_bytes(prefix))
        statement = versions.in_order(bounded=end is not None)
        key, age = (b"", versions.NEWEST + 1) if after is None else self._place_of(bucket, *after)
        while True:
            values = (bucket, as_bytes(prefix), *([end] if end is not None else []), key, key, age, _PAGE)
            rows = self._all(statement, *values)
            for row in rows:
                yield as_object(row[:-1]), row[1] != key
                key, age = row[1], row[-1]
            if len(rows) < _PAGE:
                return

    def _place_of(self, bucket: str, key: str, version: str | None) -> tuple[bytes, int]:
        """Where a listing goes on behind a version, or behind all versions of a key."""
        if version is None:
            return as_bytes(key), -1
        with self._lock:
            standing = self._find(bucket, key)
            stands = standing is not None and standing.version == version
            age = versions.NEWEST if stands else self._versions.age(bucket, key, version)
        if age is None:
            raise KeyError(version)
        return as_bytes(key), age

    # -- wholes: a blob made of others

    def _segments(self, blob: str, size: int) -> list[tuple[str, int]]:
        if not blob.startswith(WHOLE):
            return [(blob, size)]
        rows = self._run("SELECT blob, size FROM segments WHERE whole = ? ORDER BY position", blob).fetchall()
        if not rows:
            raise BlobGone(blob)
        return rows

    def _compose(self, pieces: list[tuple[str, int]]) -> str:
        if len(pieces) == 1:
            return pieces[0][0]
        whole = WHOLE + new_name()
        rows = [(whole, position, blob, size) for position, (blob, size) in enumerate(pieces)]
        self._database.executemany("INSERT INTO segments VALUES (?, ?, ?, ?)", rows)
        return whole

    # -- multipart uploads

    def start_upload(self, upload: Upload) -> None:
        values = (
            upload.upload_id, upload.bucket, as_bytes(upload.key), upload.started, json.dumps(dict(upload.headers)),
            upload.storage_class, json.dumps(dict(upload.configurations)),
        )  # fmt: skip
        try:
            with self._change():
                self._run(f"INSERT INTO uploads ({UPLOAD}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise BucketGone(upload.bucket) from None

    def upload(self, upload_id: str) -> Upload | None:
        row = self._one(f"SELECT {UPLOAD} FROM uploads WHERE upload_id = ?", upload_id)
        return as_upload(row) if row else None

    def uploads(self, bucket: str, *, prefix: str = "") -> list[Upload]:
        end = after_prefix(as_bytes(prefix))
        bound, ends = ("AND key < ?", (end,)) if end is not None else ("", ())
        rows = self._all(
            f"SELECT {UPLOAD} FROM uploads WHERE bucket = ? AND key >= ? {bound} ORDER BY key, started, upload_id",
            bucket, as_bytes(prefix), *ends,
        )  # fmt: skip
        return [as_upload(row) for row in rows]

    def put_part(self, upload_id: str, part: Part) -> None:
        values = (upload_id, part.number, part.blob, part.size, part.etag, part.crc64, part.modified)
        try:
            with self._change() as unwanted:
                where = "WHERE upload_id = ? AND number = ?"
                unwanted.extend(row[0] for row in self._run(f"SELECT blob FROM parts {where}", upload_id, part.number))
                self._run(f"INSERT OR REPLACE INTO parts (upload_id, {PART}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise UploadGone(upload_id) from None

    def parts(self, upload_id: str) -> list[Part]:
        return [
            as_part(row)
            for row in self._all(f"SELECT {PART} FROM parts WHERE upload_id = ? ORDER BY number", upload_id)
        ]

    def finish_upload(self, upload_id: str, item: StoredObject, parts: list[Part]) -> StoredObject:
        with self._change() as unwanted:
            row = self._run(f"SELECT {UPLOAD} FROM uploads WHERE upload_id = ?", upload_id).fetchone()
            standing = {blob for (blob,) in self._run("SELECT blob FROM parts WHERE upload_id = ?", upload_id)}
            used = {part.blob for part in parts}
            if row is None or not used <= standing:
                raise UploadGone(upload_id)
            whole = replace(item, blob=self._compose([(part.blob, part.size) for part in parts]))
            whole = self._place(whole, as_upload(row).configurations, unwanted)
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
                values = (bucket, as_bytes(key), name, value)
                self._run("INSERT OR REPLACE INTO configurations VALUES (?, ?, ?, ?)", *values)
        except sqlite3.IntegrityError:
            raise BucketGone(bucket) from None

    def configuration(self, bucket: str, key: str, name: str) -> bytes | None:
        where = "bucket = ? AND key = ? AND name = ?"
        row = self._one(f"SELECT value FROM configurations WHERE {where}", bucket, as_bytes(key), name)
        return row[0] if row else None

    def configurations(self, bucket: str, key: str, *, prefix: str = "") -> list[tuple[str, bytes]]:
        where = "bucket = ? AND key = ?"
        rows = self._all(f"SELECT name, value FROM configurations WHERE {where} ORDER BY name", bucket, as_bytes(key))
        return [(name, value) for name, value in rows if name.startswith(prefix)]

    def delete_configuration(self, bucket: str, key: str, name: str) -> None:
        with self._change():
            where = "bucket = ? AND key = ? AND name = ?"
            self._run(f"DELETE FROM configurations WHERE {where}", bucket, as_bytes(key), name)

    # -- everything at once

    def reset(self, *, keep_buckets: bool = False, keep_snapshots: bool = False) -> None:
        with self._change() as unwanted:
            unwanted.extend(self._known())
            if keep_buckets:
                for table in ("parts", "uploads", "segments", "versions", "objects"):
                    self._run(f"DELETE FROM {table}")
                self._run("DELETE FROM configurations WHERE key <> ?", b"")
            else:
                snapshots.clear(self._database)
            for snapshot in [] if keep_snapshots else snapshots.listed(self._database):
                unwanted.extend(snapshots.drop(self._database, snapshot.name))

    def take_snapshot(self, name: str, taken: float) -> None:
        with self._change() as unwanted:
            unwanted.extend(snapshots.drop(self._database, name))
            snapshots.take(self._database, name, taken)

    def restore_snapshot(self, name: str) -> bool:
        with self._change() as unwanted:
            if not snapshots.exists(self._database, name):
                return False
            unwanted.extend(self._known())
            snapshots.restore(self._database, name)
            return True

    def drop_snapshot(self, name: str) -> bool:
        with self._change() as unwanted:
            found = snapshots.exists(self._database, name)
            unwanted.extend(snapshots.drop(self._database, name))
            return found

    def snapshots(self) -> list[Snapshot]:
        with self._lock:
            return snapshots.listed(self._database)
