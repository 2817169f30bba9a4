"""What the storage keeps, and the one interface to it. Two blob stores (memory, directory), one contract test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

VERSION = "x-cos-version-id"
MARKER = "x-cos-delete-marker"
NULL = "null"  # the version of what was put while a bucket had no versions


class StoreError(Exception):
    """The store could not do what was asked because something it needs is gone."""


class BucketGone(StoreError):
    """The bucket does not exist (any more)."""


class BlobGone(StoreError):
    """The bytes are no longer there: the object was overwritten or deleted after it was looked up."""


class UploadGone(StoreError):
    """The multipart upload does not exist, or one of its parts was replaced meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """`name` is `<name>-<appid>`; `created` unix seconds."""

    name: str
    region: str
    created: float


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """`headers` are those kept with the object (Content-Type, Cache-Control, ..., x-cos-meta-*), names as sent;
    `etag` has no quotes; `crc64` is decimal text; `blob` is an opaque name; `modified` unix seconds. Where a bucket
    keeps versions, `headers` hold VERSION too, and MARKER for a delete marker, which has no blob."""

    bucket: str
    key: str
    blob: str
    size: int
    etag: str
    crc64: str
    modified: float
    headers: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"

    @property
    def version(self) -> str:
        return self.headers.get(VERSION, NULL)

    @property
    def is_marker(self) -> bool:
        return MARKER in self.headers


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that were taken in but belong to no object yet: `md5` hex, `crc64` decimal text."""

    name: str
    size: int
    md5: str
    crc64: str


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A multipart upload. `headers` and `configurations` (ACL, tags) come from its start and go to the object."""

    bucket: str
    key: str
    upload_id: str
    started: float
    headers: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    configurations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Part:
    number: int
    blob: str
    size: int
    etag: str
    crc64: str
    modified: float


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """`taken` is unix seconds; `bytes` the sizes of its objects together, which share their blobs with what stands."""

    name: str
    taken: float
    buckets: int
    objects: int
    bytes: int


class Readable(Protocol):
    """A body: at most `size` bytes a call, b"" at its end."""

    def read(self, size: int, /) -> bytes: ...


class Store(Protocol):
    """Buckets, objects, multipart uploads and stored configurations. Every change is atomic and stands when it returns.

    Keys are text (surrogateescape for bytes that are not UTF-8) and are ordered by their UTF-8 bytes. A configuration
    is a small document under (bucket, key, name); the bucket's own have the key "". Those of an object (ACL, tags) go
    with it: `put` replaces them all.
    """

    @property
    def in_memory(self) -> bool:
        """Whether nothing waits for a disk."""

    def create_bucket(self, bucket: Bucket) -> bool:
        """False when the name is taken."""

    def bucket(self, name: str) -> Bucket | None: ...
    def buckets(self) -> list[Bucket]: ...
    def delete_bucket(self, name: str) -> bool:
        """False when the bucket still holds objects or unfinished uploads."""

    def take_in(self, body: Readable) -> Blob:
        """Read `body` to its end into a blob; constant memory where the store is on disk."""

    def discard(self, blob: str) -> None:
        """Drop a blob that was taken in and became no object."""

    def put(self, item: StoredObject, configurations: Mapping[str, str] | None = None) -> StoredObject:
        """Create or replace an object; as it stands then, with its version. Raises BucketGone."""

    def append(self, item: StoredObject, tail: Blob, *, expected: int) -> StoredObject | None:
        """Put `item` as the standing object of `expected` bytes (0: none) with `tail` behind; None if it is not so."""

    def get(self, bucket: str, key: str) -> StoredObject | None: ...
    def update(self, item: StoredObject) -> None:
        """Replace what is written about a standing object (headers, class), not its bytes nor configurations."""

    def delete(self, bucket: str, key: str, *, at: float = 0.0) -> StoredObject | None:
        """The object that was removed; where the bucket keeps versions, the delete marker that now hides it, of the
        time `at`."""

    def keep_versions(self, bucket: str, mode: str) -> None:
        """From now on what is replaced or deleted is kept ("Enabled"), or what is put is version `null` ("Suspended").
        Raises BucketGone."""

    def version(self, bucket: str, key: str, version: str) -> StoredObject | None:
        """One version of a key, whether it stands or not; it may be a delete marker."""

    def hidden_by(self, bucket: str, key: str) -> StoredObject | None:
        """The delete marker that is the newest version of a key."""

    def delete_version(self, bucket: str, key: str, version: str) -> StoredObject | None:
        """Remove one version for good, a delete marker too; the one before stands again if it was the newest."""

    def scan_versions(
        self, bucket: str, *, prefix: str = "", after: tuple[str, str | None] | None = None
    ) -> Iterator[tuple[StoredObject, bool]]:
        """All versions in order of keys, the newest first, and whether it is the key's newest; behind (key, version),
        or behind all versions of a key. Raises KeyError when there is no such version."""

    def scan(self, bucket: str, *, prefix: str = "", after: str = "", from_key: str = "") -> Iterator[StoredObject]:
        """Objects in order of their keys' UTF-8 bytes: behind `after` (exclusive) and not before `from_key`."""

    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes in chunks. Raises BlobGone at once; a delete from then on does the reader no harm."""

    def whole(self, blob: str) -> bytes:
        """All bytes at once, for what is known to be small enough. Raises BlobGone."""

    def start_upload(self, upload: Upload) -> None: ...
    def upload(self, upload_id: str) -> Upload | None: ...
    def uploads(self, bucket: str, *, prefix: str = "") -> list[Upload]:
        """In order of key and start."""

    def put_part(self, upload_id: str, part: Part) -> None:
        """Create or replace a part. Raises UploadGone."""

    def parts(self, upload_id: str) -> list[Part]: ...
    def finish_upload(self, upload_id: str, item: StoredObject, parts: list[Part]) -> StoredObject:
        """Make the object of `parts` in their order (`blob` is chosen here) and end the upload. Raises UploadGone."""

    def abort_upload(self, upload_id: str) -> None: ...

    def put_configuration(self, bucket: str, key: str, name: str, value: bytes) -> None: ...
    def configuration(self, bucket: str, key: str, name: str) -> bytes | None: ...
    def configurations(self, bucket: str, key: str, *, prefix: str = "") -> list[tuple[str, bytes]]:
        """(name, value) of those whose name starts with `prefix`, in order of name."""

    def delete_configuration(self, bucket: str, key: str, name: str) -> None: ...

    def reset(self, *, keep_buckets: bool = False, keep_snapshots: bool = False) -> None:
        """Forget everything, but for the buckets with their configurations, or the snapshots, where these are kept."""

    def take_snapshot(self, name: str, taken: float) -> None:
        """Keep what stands under `name`, at `taken` unix seconds; one that had the name is replaced."""

    def restore_snapshot(self, name: str) -> bool:
        """Let what was kept under `name` stand in place of everything; False when there is no such snapshot."""

    def drop_snapshot(self, name: str) -> bool:
        """False when there is none."""

    def snapshots(self) -> list[Snapshot]: ...

    def close(self) -> None: ...
