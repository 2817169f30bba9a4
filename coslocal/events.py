"""What the store tells the outside: an object was created or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectEvent:
    """One notification, in COS's own terms; scf/event.py turns it into the documented JSON.

    `name` is the concrete event (`cos:ObjectCreated:Put`); `bucket` is `<name>-<appid>`; `etag` has no quotes;
    `time` is unix seconds; `meta` holds Content-Type and x-cos-meta-* as sent; `made_by_ci` marks an object that
    Cloud Infinite wrote (whether that raises an event is a dialect); `storage_class` is "" for STANDARD.
    """

    name: str
    bucket: str
    region: str
    key: str
    size: int
    etag: str
    time: int
    request_id: str
    version_id: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)
    source_ip: str = "127.0.0.1"
    request_headers: Mapping[str, str] = field(default_factory=dict)
    made_by_ci: bool = False
    storage_class: str = ""


@dataclass(frozen=True)
class Occasion:
    """Where a fault may strike: a request, or one rule or one event of it. `mark` tells apart what has one key
    (a part's number, a rule's place, an event's name)."""

    operation: str
    bucket: str
    key: str
    mark: str = ""
    request_id: str = ""
