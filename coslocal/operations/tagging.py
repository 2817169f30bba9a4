"""Tags of objects and buckets: `?tagging`, and the x-cos-tagging header of an upload."""

from __future__ import annotations

from urllib.parse import unquote_plus

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty
from coslocal.storage.types import Store
from coslocal.wire.errors import InvalidTag, NoSuchConfiguration
from coslocal.wire.xml import Fields, parse, render, text

_MOST = {"object": 10, "bucket": 50}


def from_header(call: Call) -> str | None:
    """The document for `x-cos-tagging: a=1&b=2` (URL-encoded); None without the header."""
    header = call.header("x-cos-tagging")
    if header is None:
        return None
    pairs = [piece.partition("=") for piece in header.split("&") if piece]
    return _document([(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs], "object").decode()


def _document(tags: list[tuple[str, str]], level: str) -> bytes:
    if len(tags) > _MOST[level]:
        raise InvalidTag(f"An {level} has {_MOST[level]} tags at most")
    if len({name for name, _ in tags}) != len(tags):
        raise InvalidTag("Two tags have the same key")
    if any(not 1 <= len(name) <= 127 or len(value) > 255 for name, value in tags):
        raise InvalidTag("A tag's key has 1 to 127 characters, its value 255 at most")
    fields: list[tuple[str, Fields]] = [("Tag", [("Key", name), ("Value", value)]) for name, value in tags]
    return render("Tagging", [("TagSet", fields)])


def tags_of(store: Store, bucket: str, key: str) -> list[tuple[str, str]]:
    """The tags of an object, or with key "" of a bucket."""
    document = store.configuration(bucket, key, "tagging")
    return [] if document is None else _tags(document)


def _tags(document: bytes) -> list[tuple[str, str]]:
    found = parse(document, "Tagging").findall("TagSet/Tag")
    return [(text(tag, "Key") or "", text(tag, "Value") or "") for tag in found]


def _level(call: Call) -> str:
    if call.key:
        call.standing_object()
        return "object"
    call.standing_bucket()
    return "bucket"


def get_tagging(call: Call) -> Response:
    _level(call)
    document = call.app.store.configuration(call.bucket, call.key, "tagging")
    if document is None:
        raise NoSuchConfiguration("NoSuchTagSet")
    return Response(200, [("Content-Type", "application/xml")], document)


def put_tagging(call: Call) -> Response:
    level = _level(call)
    document = _document(_tags(call.document()), level)
    call.app.store.put_configuration(call.bucket, call.key, "tagging", document)
    return empty(200 if level == "object" else 204)


def delete_tagging(call: Call) -> Response:
    _level(call)
    call.app.store.delete_configuration(call.bucket, call.key, "tagging")
    return empty(204)
