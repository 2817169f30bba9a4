"""GET bucket: the list of objects (COS 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import OWNER, quoted, xml_date, xml_response
from coslocal.storage.index import after_prefix
from coslocal.storage.types import Store, StoredObject
from coslocal.wire.errors import InvalidArgument
from coslocal.wire.xml import Fields

MOST = 1000


@dataclass
class Page:
    """One page: its objects and common prefixes, and the marker of the next one when there is more."""

    contents: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_marker: str | None = None


def page(store: Store, bucket: str, *, prefix: str, delimiter: str, marker: str, limit: int) -> Page:
    """At most `limit` entries behind `marker` (exclusive), in order of UTF-8 bytes; a folded prefix is one entry."""
    found = Page()
    if limit == 0:
        return found
    last = ""
    from_key = _behind(marker) if delimiter and fold(marker, prefix, delimiter) == marker else ""
    while from_key is not None:
        entries = len(found.contents) + len(found.prefixes)
        folded = None
        for item in store.scan(bucket, prefix=prefix, after=marker, from_key=from_key):
            if entries == limit:
                found.next_marker = last
                return found
            entries += 1
            folded = fold(item.key, prefix, delimiter)
            if folded is not None:
                found.prefixes.append(folded)
                last = folded
                break
            found.contents.append(item)
            last = item.key
        if folded is None:
            return found
        from_key = _behind(folded)
    return found


def fold(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix that a key folds into: up to the first delimiter behind `prefix`."""
    if not delimiter or not key.startswith(prefix):
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


def _behind(prefix: str) -> str | None:
    """The least key that does not start with `prefix` and comes after those that do."""
    end = after_prefix(prefix.encode("utf-8", "surrogateescape"))
    return None if end is None else end.decode("utf-8", "surrogateescape")


def encoder(call: Call) -> Callable[[str], str]:
    """How names are written: plain, or percent-encoded with `encoding-type=url` (slashes stay, as clients expect)."""
    encoding = call.parameters.get("encoding-type")
    if encoding is None:
        return str
    if encoding.lower() != "url":
        raise InvalidArgument("encoding-type must be url")
    return lambda text: quote(text.encode("utf-8", "surrogateescape"), safe="/-_.~")


def count_parameter(call: Call, name: str, most: int = MOST) -> int:
    """A page size: 0 to `most`, which is also the default and what more is cut to."""
    value = call.parameters.get(name)
    if value is None:
        return most
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise InvalidArgument(f"{name} must be a number from 0 to {most}")
    return min(int(value), most)


def list_objects(call: Call) -> Response:
    call.standing_bucket()
    prefix, delimiter, marker = (call.parameters.get(name) or "" for name in ("prefix", "delimiter", "marker"))
    limit = count_parameter(call, "max-keys")
    encode = encoder(call)
    found = page(call.app.store, call.bucket, prefix=prefix, delimiter=delimiter, marker=marker, limit=limit)
    fields: list[tuple[str, str | int | Fields]] = [("Name", call.bucket)]
    if encode is not str:
        fields.append(("EncodingType", "url"))
    fields += [("Prefix", encode(prefix)), ("Marker", encode(marker)), ("MaxKeys", limit)]
    if delimiter:
        fields.append(("Delimiter", encode(delimiter)))
    fields.append(("IsTruncated", "true" if found.next_marker is not None else "false"))
    if found.next_marker is not None:
        fields.append(("NextMarker", encode(found.next_marker)))
    fields += [("Contents", entry(item, encode)) for item in found.contents]
    fields += [("CommonPrefixes", [("Prefix", encode(name))]) for name in found.prefixes]
    return xml_response("ListBucketResult", fields)


def entry(item: StoredObject, encode: Callable[[str], str]) -> Fields:
    return (
        ("Key", encode(item.key)),
        ("LastModified", xml_date(item.modified)),
        ("ETag", quoted(item.etag)),
        ("Size", item.size),
        ("Owner", OWNER),
        ("StorageClass", item.storage_class),
    )
