"""SCF event -> sources. All that is odd about the event is handled here and nowhere else (reference: SCF 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union
from urllib.parse import quote, unquote_to_bytes

import msgspec

CREATED = "cos:ObjectCreated:"
REMOVED = "cos:ObjectRemove:"

# The short names that the vendor gives for bare regions (SCF 1.3); for all others none is published.
SHORT_REGIONS: Mapping[str, str] = {
    "tj": "ap-beijing-1",
    "bj": "ap-beijing",
    "sh": "ap-shanghai",
    "gz": "ap-guangzhou",
    "cd": "ap-chengdu",
    "sgp": "ap-singapore",
    "hk": "ap-hongkong",
    "ca": "na-toronto",
    "ger": "eu-frankfurt",
}

# Both go into host names, so nothing else may stand in them.
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_APPIDS = range(1, 10**18)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_URL_REGION = re.compile(r"[a-z]+://[^/]+?\.cos\.([a-z0-9-]+)\.[^/]*")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An image object that was created.

    `bucket` is `<name>-<appid>`, `region` the full name (`ap-guangzhou`), `key` the object key exactly as COS has it,
    without a leading slash of our own. `other_key` is set only when the event leaves it open how its key was encoded:
    it is the other reading, to be tried when `key` does not exist. `size` is in bytes; `etag` has no quotes; `meta` has
    lower-case names. Unknown values are None.
    """

    bucket: str
    region: str
    key: str
    other_key: Optional[str] = None
    size: Optional[int] = None
    etag: Optional[str] = None
    version_id: str = ""
    event_name: str = ""
    event_time: Optional[int] = None
    request_id: str = ""
    meta: Mapping[str, str] = msgspec.field(default_factory=dict)


class Removal(msgspec.Struct, frozen=True):
    """An object was removed. `source` is what it was, as far as the event tells."""

    source: Source


class Unusable(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is no source: `reason` is a stable word (`folder_marker`, `empty_object`, `malformed_record`, ...),
    `permanent_error` tells whether it is a failure to report or just nothing to do."""

    reason: str
    detail: str = ""
    key: str = ""
    bucket: str = ""
    permanent_error: bool = False


class EventError(ValueError):
    """The event as a whole is not one of COS's."""


Record = Union[Source, Removal, Unusable]


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """A timer trigger fired (SCF 6.2): `time` as the platform writes it, `message` what its owner wrote."""

    time: str
    message: str


def timer(event: Any) -> Optional[Timer]:
    """The timer's event, or None when it is another one."""
    if not isinstance(event, dict) or event.get("Type") != "Timer":
        return None
    time, message = event.get("Time"), event.get("Message")
    return Timer(
        time=time if isinstance(time, str) else "",
        message=message if isinstance(message, str) else "",
    )


def sources(event: Any, *, default_region: Optional[str] = None) -> list[Record]:
    """Every record of the event, in order, as a Source, as the Removal of one, or as the reason why it is none.

    Accepts a COS event, a dead-letter envelope (its `Body.ClientContext`, SCF 3.3), and a synthetic event made by
    Derivo. `default_region` is the function's own region, which is always the bucket's too (SCF 1.5). Members that are
    not needed to find the object count as unknown when they are missing or of another type.
    Raises EventError when the event is none of these.
    """
    return [_read(record, default_region) for record in _records(_opened(event))]


# --- the envelope ---------------------------------------------------------------------------------------------------


def _opened(event: Any) -> Any:
    """The event inside a dead-letter message, or the event itself."""
    for name in ("Body", "ClientContext"):
        if isinstance(event, dict) and "Records" not in event and name in event:
            event = event[name]
            if isinstance(event, str):
                try:
                    event = json.loads(event)
                except (ValueError, RecursionError):
                    raise EventError(f"not a COS event: {name} of the dead-letter message is not JSON") from None
    return event


def _records(event: Any) -> list[Any]:
    records = event.get("Records") if isinstance(event, dict) else None
    if isinstance(records, list) and any(isinstance(r, dict) and ("cos" in r or "event" in r) for r in records):
        return records
    # Only the kind is told: an event holds signatures and whatever its sender put into it.
    raise EventError(
        f"not a COS event: it looks like {_kind(event)}; "
        'a COS event is {"Records": [{"cos": {...}, "event": {...}}, ...]}'
    )


def _kind(event: Any) -> str:
    if event is None:
        return "no event at all (null)"
    if isinstance(event, dict):
        return _kind_of_object(event)
    names = {list: "a list", str: "a text", bool: "a truth value", int: "a number", float: "a number"}
    return names.get(type(event), "something that is not JSON")


def _kind_of_object(event: Mapping[Any, Any]) -> str:
    records = event.get("Records")
    if records == []:
        return "a COS event with no records"
    if isinstance(records, list):
        members = {name for record in records if isinstance(record, dict) for name in record}
        for name, kind in (("s3", "an S3 event"), ("Ckafka", "a CKafka event"), ("CMQ", "a CMQ event")):
            if name in members:
                return kind
        return "Records of another service"
    if event.get("Type") == "Timer":
        return "a timer event"
    if "httpMethod" in event or "requestContext" in event:
        return "an API gateway request"
    return "an object without a list of Records"


# --- one record -----------------------------------------------------------------------------------------------------


class _Malformed(ValueError):
    """The message says what is missing or wrong in the record."""


def _read(record: Any, default_region: Optional[str]) -> Record:
    try:
        return _source(record, default_region)
    except _Malformed as error:
        return _unread(record, "malformed_record", str(error), permanent_error=True)


def _unread(record: Any, reason: str, detail: str, *, permanent_error: bool = False) -> Unusable:
    """With bucket and key as the record has them, where it has any."""
    bucket, key = _member(record, "cos.cosBucket.name"), _member(record, "cos.cosObject.key")
    return Unusable(
        reason=reason,
        detail=detail,
        bucket=bucket if isinstance(bucket, str) else "",
        key=key if isinstance(key, str) else "",
        permanent_error=permanent_error,
    )


def _source(record: Any, default_region: Optional[str]) -> Record:
    event_name = _text(record, "event.eventName")
    if not event_name.startswith("cos:"):
        raise _Malformed("event.eventName is not the name of a COS event")
    removal = event_name.startswith(REMOVED)
    if not removal and not event_name.startswith(CREATED):
        return _unread(record, "not_a_creation", event_name[:80])
    name, appid = _bucket(record)
    bucket = name if name.endswith("-" + appid) else f"{name}-{appid}"
    url = _member(record, "cos.cosObject.url")
    key, other_key = _readings(_stripped(_text(record, "cos.cosObject.key"), name, appid), url)
    size = _count(_member(record, "cos.cosObject.size"))
    if key.endswith("/"):
        return Unusable(reason="folder_marker", detail="the key ends in a slash", key=key, bucket=bucket)
    if size == 0 and not removal:
        return Unusable(reason="empty_object", detail="the object has no bytes", key=key, bucket=bucket)
    meta = _meta(_member(record, "cos.cosObject.meta"))
    version_id = _member(record, "cos.cosObject.vid")
    source = Source(
        bucket=bucket,
        region=_region(record, url, default_region),
        key=key,
        other_key=other_key,
        size=size,
        etag=meta.pop("etag", "").strip('"') or None,
        version_id=version_id if isinstance(version_id, str) else "",
        event_name=event_name,
        event_time=_count(_member(record, "event.eventTime")),
        request_id=meta.pop("x-cos-request-id", ""),
        meta=meta,
    )
    return Removal(source) if removal else source


def _member(record: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def _text(record: Any, path: str) -> str:
    value = _member(record, path)
    if value is None:
        raise _Malformed(f"{path} is missing")
    if not isinstance(value, str) or not value:
        raise _Malformed(f"{path} is not a text")
    return value


def _count(value: Any) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _meta(value: Any) -> dict[str, str]:
    """Metadata with lower-case names: the letter case of the event's is not promised (SCF 1.1)."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {name.lower(): text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _bucket(record: Any) -> tuple[str, str]:
    """The bucket's name as the event has it, and the appid, which may come as a number (SCF 1.1)."""
    name = _text(record, "cos.cosBucket.name")
    appid = _member(record, "cos.cosBucket.appid")
    if appid is None:
        raise _Malformed("cos.cosBucket.appid is missing")
    digits = appid if isinstance(appid, str) else str(appid) if (_count(appid) or 0) in _APPIDS else ""
    if not digits.isascii() or not digits.isdigit():
        raise _Malformed("cos.cosBucket.appid is not a number")
    if not _NAME.fullmatch(name):
        raise _Malformed("cos.cosBucket.name is not the name of a bucket")
    return name, digits


def _stripped(key: str, name: str, appid: str) -> str:
    """The key without its `/<appid>/<name>/`: taken off once, from the left, for the object's own key may begin with
    the same text again (SCF 1.2)."""
    for prefix in (f"/{appid}/{name}/", f"/{appid}/{_without_tail(name, '-' + appid)}/"):
        if key.startswith(prefix):
            break
    else:
        raise _Malformed(f"cos.cosObject.key does not begin with /{appid}/{name}/")
    stripped = key[len(prefix) :]
    if not stripped:
        raise _Malformed("cos.cosObject.key holds no object key")
    if _as_utf8(stripped) is None:
        raise _Malformed("cos.cosObject.key holds a character that UTF-8 cannot write")
    return stripped


def _without_tail(text: str, tail: str) -> str:
    return text[: -len(tail)] if text.endswith(tail) else text


def _as_utf8(text: str) -> Optional[bytes]:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _readings(stripped: str, url: Any) -> tuple[str, Optional[str]]:
    """The object's key, and the other key that the event may mean: whether COS percent-encodes keys in events is not
    documented, but `url` always is (SCF 1.2). `+` stands for itself: it is legal in keys."""
    decoded = _decoded(stripped)
    from_url = _decoded(_path(url))
    if from_url == stripped:
        return stripped, None
    if from_url and from_url == decoded:
        return from_url, stripped
    other = from_url or decoded
    return stripped, other if other and other != stripped else None


def _path(url: Any) -> str:
    """What follows the host's slash, taken as it stands: a `?`, `#` or second slash belongs to the key."""
    _, scheme, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    return rest.partition("/")[2] if scheme else ""


def _decoded(text: str) -> Optional[str]:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        return None


def _region(record: Any, url: Any, default_region: Optional[str]) -> str:
    """The full region, in the order of SCF 1.3."""
    in_url = _URL_REGION.match(url) if isinstance(url, str) else None
    short = _member(record, "cos.cosBucket.region")
    for found in (
        _member(record, "cos.cosBucket.cosRegion"),
        _member(record, "cos.cosBucket.s3Region"),
        in_url[1] if in_url else None,
        default_region,
        SHORT_REGIONS.get(short) if isinstance(short, str) else None,
        short,
    ):
        if isinstance(found, str) and _REGION.fullmatch(found):
            return found
    raise _Malformed("cos.cosBucket.region is missing or unknown, and nothing else tells the region")


# --- the other way --------------------------------------------------------------------------------------------------


def synthetic_event(sources: Iterable[Source]) -> dict[str, Any]:
    """An event of the same shape, for backfill and replay: `sources` reads the same values back from it.

    An empty event name becomes `cos:ObjectCreated:Put`. Buckets are `<name>-<appid>`.
    """
    return {"Records": [_record(source) for source in sources]}


def _record(source: Source) -> dict[str, Any]:
    name, _, appid = source.bucket.rpartition("-")
    key, path = _as_written(source)
    meta = dict(source.meta)
    if source.etag is not None:
        meta["ETag"] = f'"{source.etag}"'
    if source.request_id:
        meta["x-cos-request-id"] = source.request_id
    cos_object: dict[str, Any] = {"key": f"/{appid}/{name}/{key}", "vid": source.version_id, "meta": meta}
    if path is not None:
        cos_object["url"] = f"http://{source.bucket}.cos.{source.region}.myqcloud.com/{quote(path, safe='/~')}"
    if source.size is not None:
        cos_object["size"] = source.size
    event: dict[str, Any] = {
        "eventName": source.event_name or CREATED + "Put",
        "eventVersion": "1.0",
        "eventSource": "qcs::cos",
    }
    if source.event_time is not None:
        event["eventTime"] = source.event_time
    bucket = {"region": source.region, "cosRegion": source.region, "name": name, "appid": appid}
    return {"cos": {"cosSchemaVersion": "1.0", "cosBucket": bucket, "cosObject": cos_object}, "event": event}


def _as_written(source: Source) -> tuple[str, Optional[str]]:
    """The key member and the key behind the url that `_readings` turns into this source's two keys."""
    key, other = source.key, source.other_key
    if other is None:
        return key, key
    if _decoded(other) == key:
        return other, key
    return key, None if _decoded(key) == other else other
