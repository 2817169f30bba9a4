"""What the storage keeps, and the one interface to it. Two blob stores (memory, directory), one contract test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """`name` is `<name>-<appid>`; `created` unix seconds."""

    name: str
    region: str
    created: float


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """`headers` are those kept with the object (Content-Type, Cache-Control, ..., x-cos-meta-*), names as sent;
    `etag` has no quotes; `crc64` is decimal text; `blob` is an opaque name; `modified` unix seconds."""

    bucket: str
    key: str
    blob: str
    size: int
    etag: str
    crc64: str
    modified: float
    headers: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that were taken in but belong to no object yet: `md5` hex, `crc64` decimal text."""

    name: str
    size: int
    md5: str
    crc64: str


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A multipart upload. `headers` come from its start and go to the object."""

    bucket: str
    key: str
    upload_id: str
    started: float
    headers: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"


@dataclass(frozen=True, kw_only=True)
class Part:
    number: int
    blob: str
    size: int
    etag: str
    crc64: str
    modified: float


class Store(Protocol):
    """Buckets, objects, multipart uploads and stored configurations. Every change is atomic and durable when it returns.

    Keys are text (surrogateescape for bytes that are not UTF-8) and are ordered by their UTF-8 bytes.
    """

    def create_bucket(self, bucket: Bucket) -> bool: ...
    def bucket(self, name: str) -> Bucket | None: ...
    def buckets(self) -> list[Bucket]: ...
    def delete_bucket(self, name: str) -> bool: ...

    def take_in(self, body: BinaryIO) -> Blob: ...
    def put(self, item: StoredObject) -> None: ...
    def get(self, bucket: str, key: str) -> StoredObject | None: ...
    def delete(self, bucket: str, key: str) -> StoredObject | None: ...
    def scan(self, bucket: str, *, prefix: str = "", after: str = "", from_key: str = "") -> Iterator[StoredObject]: ...
    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]: ...

    def start_upload(self, upload: Upload) -> None: ...
    def upload(self, upload_id: str) -> Upload | None: ...
    def uploads(self, bucket: str, *, prefix: str = "") -> list[Upload]: ...
    def put_part(self, upload_id: str, part: Part) -> None: ...
    def parts(self, upload_id: str) -> list[Part]: ...
    def finish_upload(self, upload_id: str, item: StoredObject, parts: list[Part]) -> StoredObject: ...
    def abort_upload(self, upload_id: str) -> None: ...

    def put_configuration(self, bucket: str, key: str, name: str, value: bytes) -> None: ...
    def configuration(self, bucket: str, key: str, name: str) -> bytes | None: ...
    def delete_configuration(self, bucket: str, key: str, name: str) -> None: ...

    def close(self) -> None: ...
