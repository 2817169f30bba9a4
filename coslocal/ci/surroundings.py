"""What rules find around them on this coslocal: the bucket's styles, and watermark images."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from coslocal.ci import errors
from coslocal.ci.errors import shown
from coslocal.ci.query import find_rule
from coslocal.ci.types import Surroundings
from coslocal.core import Core
from coslocal.dialects import Dialects
from coslocal.grants import lets_anyone
from coslocal.http import Headers, Request
from coslocal.operations import restore, styles
from coslocal.signature import verify
from coslocal.storage.types import StoredObject
from coslocal.wire.address import Address, locate
from coslocal.wire.errors import CosError
from derivo.ci import limits


def around(app: Core, bucket: str, *, persistent: bool, marks: bool = True) -> Surroundings:
    """The surroundings of a source in `bucket`. `marks` False: watermark images may not be made with further marks."""

    def fetch(where: str) -> bytes:
        if not marks:
            raise errors.no_mark("A watermark's own watermark may not have a further one")
        return _fetch(app, bucket, where)

    return Surroundings(
        style=lambda name: styles.find(app.store, bucket, name),
        fetch=fetch,
        persistent=persistent,
        dialects=app.dialects,
    )


def source_limit(dialects: Dialects) -> int:
    """How many bytes an image to be processed may have."""
    return limits.SOURCE_BYTES if dialects["source-limit"] == "32MB" else 20 * limits.MIB


def read_source(app: Core, item: StoredObject, data: Callable[[], bytes] | None = None) -> bytes:
    """The bytes of an image to be processed; `data` gives them where the object does not stand yet.

    Raises ImageError: too large, or archived (CI 1.3).
    """
    limit = source_limit(app.dialects)
    if item.size > limit:
        raise errors.too_large(item.size, limit)
    if "ARCHIVE" in item.storage_class and not restore.is_restored(item, app.clock()):
        raise errors.bad_source(f"The object is in {item.storage_class}: it must be restored before it is processed")
    return data() if data is not None else app.store.whole(item.blob)


def _fetch(app: Core, bucket: str, where: str) -> bytes:
    """A mark: an object key, or an http:// URL of an object in the same bucket, which may carry a rule (CI 5.1)."""
    if "://" not in where:
        return _object(app, bucket, where)
    try:
        parts = urlsplit(where)
        request = Request("GET", where, Headers([("Host", parts.netloc)]))
        address = locate(request, suffixes=app.host_suffixes)
    except (CosError, ValueError):
        raise errors.no_mark(f"Watermark {shown(where)} is no URL of COS") from None
    if parts.scheme != "http" or address.host.bucket != bucket:
        raise errors.no_mark(
            f"Watermark {shown(where)} must be an http:// URL of an object in the source's bucket {bucket}"
        )
    _admit(app, request, address)
    data = _object(app, bucket, address.key)
    rule = find_rule(address.parameters)
    if rule is None:
        return data
    return app.images.render(data, rule, around(app, bucket, persistent=False, marks=False)).data


def _admit(app: Core, request: Request, address: Address) -> None:
    """CI fetches the URL as anyone would: a private object needs a signed one (CI 5.1)."""
    try:
        signer = verify(request, address, app.credentials, app.clock())
    except CosError as error:
        raise errors.no_mark(f"Watermark {address.key}: {error.message}") from None
    if signer is None and not lets_anyone(app.store, address.host.bucket, address.key, "READ"):
        raise errors.no_mark(
            f"Watermark {address.key} is private: sign its URL, let anyone read it, or name it with image_key"
        )


def _object(app: Core, bucket: str, key: str) -> bytes:
    item = app.store.get(bucket, key)
    if item is None:
        raise errors.no_mark(f"Watermark {key} does not exist in bucket {bucket}")
    return read_source(app, item)
