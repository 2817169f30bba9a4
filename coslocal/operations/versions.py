"""Versions of objects: keeping them, listing them, removing one (vendor documents 436/19883, 436/19889)."""

from __future__ import annotations

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.configuration import Configuration
from coslocal.operations.listing import Page, count_parameter, encoder, entry, fold
from coslocal.operations.responses import OWNER, empty, xml_date, xml_response
from coslocal.storage.types import MARKER, VERSION, StoredObject
from coslocal.storage.versions import ENABLED, MODE, SUSPENDED
from coslocal.wire.errors import InvalidArgument, MalformedXML
from coslocal.wire.xml import Fields, parse, text

_STATES = (ENABLED, SUSPENDED)


class Versioning(Configuration):
    """Versions are kept from then on. They cannot be turned off again, only suspended; before, that changes nothing."""

    def put(self, call: Call) -> Response:
        state = (text(parse(call.document(), self.root), "Status") or "").strip()
        if state not in _STATES:
            raise MalformedXML(f"Status must be {' or '.join(_STATES)}")
        bucket = call.standing_bucket().name
        if state == ENABLED or call.app.store.configuration(bucket, "", MODE) is not None:
            call.app.store.keep_versions(bucket, state)
        document = xml_response(self.root, [("Status", state)])
        assert isinstance(document.body, bytes)
        call.app.store.put_configuration(bucket, "", self.name, document.body)
        return empty()


VERSIONING = Versioning("versioning", "VersioningConfiguration")


def told(item: StoredObject | None) -> list[tuple[str, str]]:
    """What an answer says of the version that was made or removed; nothing where a bucket keeps none."""
    return [] if item is None else [(name, item.headers[name]) for name in (VERSION, MARKER) if name in item.headers]


def remove(call: Call, key: str, version: str | None) -> StoredObject | None:
    """Delete a key, or one version of it for good, and announce it: what was removed, or the new delete marker."""
    store = call.app.store
    if version is None:
        item = store.delete(call.bucket, key, at=call.now)
    else:
        item = store.delete_version(call.bucket, key, version)
    if item is not None:
        hidden = version is None and item.is_marker
        call.app.announce(f"cos:ObjectRemove:{'DeleteMarkerCreated' if hidden else 'Delete'}", item, call)
    return item


def list_versions(call: Call) -> Response:
    """GET /?versions: all versions, keys in order, the newest first."""
    call.standing_bucket()
    prefix, delimiter, marker = (call.parameters.get(name) or "" for name in ("prefix", "delimiter", "key-marker"))
    before = call.parameters.get("version-id-marker")
    limit = count_parameter(call, "max-keys")
    encode = encoder(call)
    if before is not None and not marker:
        raise InvalidArgument("version-id-marker goes with a key-marker")
    found, latest = _page(call, prefix, delimiter, (marker, before) if marker else None, limit)
    fields: list[tuple[str, str | int | Fields]] = [("Name", call.bucket)]
    if encode is not str:
        fields.append(("EncodingType", "url"))
    fields += [("Prefix", encode(prefix)), ("KeyMarker", encode(marker)), ("VersionIdMarker", before or "")]
    fields.append(("MaxKeys", limit))
    if delimiter:
        fields.append(("Delimiter", encode(delimiter)))
    fields.append(("IsTruncated", "true" if found.next_marker is not None else "false"))
    if found.next_marker is not None:
        ends_folded = found.next_marker in found.prefixes
        fields.append(("NextKeyMarker", encode(found.next_marker)))
        fields.append(("NextVersionIdMarker", "" if ends_folded else found.contents[-1].version))
    for item, newest in zip(found.contents, latest, strict=True):
        which: Fields = (("VersionId", item.version), ("IsLatest", "true" if newest else "false"))
        key, *rest = entry(item, encode)
        if item.is_marker:
            fields.append(("DeleteMarker", [key, *which, ("LastModified", xml_date(item.modified)), ("Owner", OWNER)]))
        else:
            fields.append(("Version", [key, *which, *rest]))
    fields += [("CommonPrefixes", [("Prefix", encode(name))]) for name in found.prefixes]
    return xml_response("ListVersionsResult", fields)


def _page(
    call: Call, prefix: str, delimiter: str, after: tuple[str, str | None] | None, limit: int
) -> tuple[Page, list[bool]]:
    """At most `limit` entries, and of each version whether it is its key's newest; a folded prefix is one entry."""
    found, latest, last = Page(), [], ""
    passed = fold(after[0], prefix, delimiter) if after else None
    try:
        for item, newest in call.app.store.scan_versions(call.bucket, prefix=prefix, after=after):
            folded = fold(item.key, prefix, delimiter)
            if folded is not None and folded in (passed, *found.prefixes[-1:]):
                continue
            if len(found.contents) + len(found.prefixes) == limit:
                found.next_marker = last if limit else None
                break
            if folded is not None:
                found.prefixes.append(folded)
            else:
                found.contents.append(item)
                latest.append(newest)
            last = folded or item.key
    except KeyError:
        raise InvalidArgument("version-id-marker is no version of the key-marker") from None
    return found, latest
