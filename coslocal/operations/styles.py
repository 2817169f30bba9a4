"""Saved styles of a bucket: PUT, GET and DELETE /?style (CI 2). GET and DELETE carry a body too."""

from __future__ import annotations

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty, xml_response
from coslocal.storage.types import Store
from coslocal.wire.errors import InvalidArgument, MalformedXML, NoSuchConfiguration, TooManyStyles
from coslocal.wire.xml import Fields, parse, text

_PREFIX = "style:"
MAX_STYLES = 100


def find(store: Store, bucket: str, name: str) -> str | None:
    """The rule of a bucket's style, or None. Names are case-sensitive."""
    value = store.configuration(bucket, "", _PREFIX + name)
    return None if value is None else value.decode()


def put_style(call: Call) -> Response:
    call.standing_bucket()
    document = parse(call.document(), "AddStyle")
    name, body = text(document, "StyleName"), text(document, "StyleBody")
    if not name or not body:
        raise MalformedXML("AddStyle needs a StyleName and a StyleBody")
    known = call.app.store.configurations(call.bucket, "", prefix=_PREFIX)
    if len(known) >= MAX_STYLES and all(key != _PREFIX + name for key, _ in known):
        raise TooManyStyles
    if call.app.dialects["style-overwrite"] == "refuse" and find(call.app.store, call.bucket, name) is not None:
        raise InvalidArgument(f"The style {name} exists")
    call.app.store.put_configuration(call.bucket, "", _PREFIX + name, body.strip().encode())
    return empty()


def get_style(call: Call) -> Response:
    """All styles, or the one named in the body."""
    call.standing_bucket()
    wanted = _named(call, "GetStyle")
    if wanted is not None:
        _check_missing(call, wanted)
    rules: list[tuple[str, Fields]] = [
        ("StyleRule", [("StyleName", name.removeprefix(_PREFIX)), ("StyleBody", value.decode())])
        for name, value in call.app.store.configurations(call.bucket, "", prefix=_PREFIX)
        if wanted in (None, name.removeprefix(_PREFIX))
    ]
    return xml_response("StyleList", rules)


def delete_style(call: Call) -> Response:
    call.standing_bucket()
    name = _named(call, "DeleteStyle")
    if not name:
        raise InvalidArgument("DeleteStyle needs a StyleName")
    _check_missing(call, name)
    call.app.store.delete_configuration(call.bucket, "", _PREFIX + name)
    return empty()


def _check_missing(call: Call, name: str) -> None:
    """What becomes of a name that no style has is the dialect style-missing."""
    if call.app.dialects["style-missing"] == "refuse" and find(call.app.store, call.bucket, name) is None:
        raise NoSuchConfiguration("NoSuchStyle")


def _named(call: Call, root: str) -> str | None:
    body = call.document()
    return (text(parse(body, root), "StyleName") or None) if body else None
