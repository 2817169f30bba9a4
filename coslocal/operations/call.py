"""What every operation is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coslocal.core import Core
from coslocal.events import Occasion
from coslocal.http import Request, Response
from coslocal.storage.types import BlobGone, Bucket, StoredObject
from coslocal.wire.address import Address, Parameters, decode
from coslocal.wire.errors import (
    IncompleteBody,
    InvalidRequest,
    MethodNotAllowed,
    MissingContentLength,
    NoSuchBucket,
    NoSuchKey,
    NoSuchVersion,
)

SYMLINK = "x-cos-symlink-target"
MAX_DOCUMENT = 4 * 1024 * 1024  # an XML body; 10,000 parts of a multipart upload fit


@dataclass(frozen=True, kw_only=True)
class Call:
    """One authenticated request for one operation.

    `bucket` is `<name>-<appid>` ("" at service level), `key` the object key exactly as COS has it ("" for the bucket
    itself), `principal` the access key id or None for anonymous, `signed` the lower-case names of the signed headers,
    `now` unix seconds.
    """

    app: Core
    request: Request
    address: Address
    operation: str
    bucket: str
    key: str
    principal: str | None
    signed: frozenset[str]
    request_id: str
    now: float

    @property
    def parameters(self) -> Parameters:
        return self.address.parameters

    def occasion(self, mark: str) -> Occasion:
        """This request, for faults; `mark` tells what of it."""
        return Occasion(self.operation, self.bucket, self.key, mark, self.request_id)

    def require(self, action: str, *, bucket: str | None = None, key: str | None = None) -> None:
        """Raises AccessDenied unless whoever asks may also do this, on what the request names besides its URL."""
        where = self.bucket if bucket is None else bucket
        self.app.guard.check(self.principal, action, where, self.key if key is None else key)

    def header(self, name: str) -> str | None:
        return self.request.headers.get(name)

    def standing_bucket(self) -> Bucket:
        """The bucket asked for, in the region asked for. Raises NoSuchBucket."""
        bucket = self.app.store.bucket(self.bucket)
        region = self.address.host.region
        if bucket is None or (region and region != bucket.region):
            raise NoSuchBucket
        return bucket

    def standing_object(self) -> StoredObject:
        """The object asked for, or its version. Raises NoSuchBucket, NoSuchKey, NoSuchVersion, MethodNotAllowed."""
        try:
            return self.object_of(self.bucket, self.key, self.parameters.get("versionId"))
        except (NoSuchKey, NoSuchVersion):
            self.standing_bucket()
            raise

    def object_of(self, bucket: str, key: str, version: str | None) -> StoredObject:
        """The newest version of a key, or the one that is named. Raises NoSuchKey, NoSuchVersion, and MethodNotAllowed
        for a delete marker that is asked for by its name."""
        store = self.app.store
        item = store.get(bucket, key) if version is None else store.version(bucket, key, version)
        if item is None and version is None:
            hiding = store.hidden_by(bucket, key)
            raise NoSuchKey(headers=tuple(hiding.headers.items()) if hiding else ())
        if item is None:
            raise NoSuchVersion
        if item.is_marker:
            raise MethodNotAllowed("This version is a delete marker", headers=tuple(item.headers.items()))
        return item

    def readable_object(self) -> StoredObject:
        """As `standing_object`; a symbolic link leads to its target, which must not be one."""
        item = self.standing_object()
        if SYMLINK not in item.headers:
            return item
        target = self.app.store.get(self.bucket, self.target_of(item.headers[SYMLINK]))
        if target is None or SYMLINK in target.headers:
            raise NoSuchKey("The target of the symbolic link does not exist")
        return target

    @staticmethod
    def target_of(link: str) -> str:
        return decode(link).removeprefix("/")

    def serve(self, answer: Callable[[Call, StoredObject], Response]) -> Response:
        """The answer for the object as it is now: asked again when it was overwritten between look-up and opening."""
        while True:
            item = self.readable_object()
            try:
                return answer(self, item)
            except BlobGone:
                if self.app.store.version(item.bucket, item.key, item.version) == item:
                    raise

    def document(self) -> bytes:
        """The whole body of a request that carries a small document."""
        body = self.request.body.read(MAX_DOCUMENT + 1)
        if len(body) > MAX_DOCUMENT:
            raise InvalidRequest(f"The body of this request must not exceed {MAX_DOCUMENT} bytes")
        if self.request.length is not None and len(body) != self.request.length:
            raise IncompleteBody
        return body

    def need_length(self) -> None:
        """Refuse a body that has neither a Content-Length nor chunks. Raises MissingContentLength."""
        if self.request.length is None and "chunked" not in (self.header("Transfer-Encoding") or "").lower():
            raise MissingContentLength
