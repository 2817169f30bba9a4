"""An object event as the JSON that COS hands to a function, oddities included (SCF 1.1 to 1.3, 1.8)."""

from __future__ import annotations

import zlib
from typing import Any
from urllib.parse import quote, quote_plus

from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent

SHORT_REGIONS = {
    "ap-beijing-1": "tj",
    "ap-beijing": "bj",
    "ap-shanghai": "sh",
    "ap-guangzhou": "gz",
    "ap-chengdu": "cd",
    "ap-singapore": "sgp",
    "ap-hongkong": "hk",
    "na-toronto": "ca",
    "eu-frankfurt": "ger",
}
"""The nine legacy names that are documented (SCF 1.3). Any other region goes by its full name here."""


def record(event: ObjectEvent, *, target: str, dialects: Dialects) -> dict[str, Any]:
    """One member of `Records`. `target` is `<namespace>.<function>.<qualifier>`.

    It holds the uploader's `Authorization` header, as the cloud's does: never log it.
    """
    name, _, appid = event.bucket.rpartition("-")
    region = SHORT_REGIONS.get(event.region, event.region)
    bucket: dict[str, str] = {"region": region, "name": name, "appid": appid}
    queue_region = region
    if dialects["event-region"] == "full":
        bucket["cosRegion"] = bucket["s3Region"] = queue_region = event.region
    escaped = quote(event.key, safe="/", errors="surrogateescape")
    family = event.name.rpartition(":")[0]
    return {
        "cos": {
            "cosSchemaVersion": "1.0",
            "cosNotificationId": "unkown",  # misspelt by the platform
            "cosBucket": bucket,
            "cosObject": {
                "url": f"http://{event.bucket}.cos.{event.region}.myqcloud.com/{escaped}",
                "key": f"/{appid}/{name}/{_key(event.key, dialects)}",
                "vid": event.version_id,
                "size": event.size,
                "meta": _meta(event, dialects),
            },
        },
        "event": {
            "eventName": f"{family}:*" if dialects["event-name"] == "family" else event.name,
            "eventVersion": "1.0",
            "eventTime": int(event.time),
            "eventSource": "qcs::cos",
            "requestParameters": {
                "requestSourceIP": event.source_ip,
                "requestHeaders": dict(event.request_headers),
            },
            "eventQueue": f"qcs:0:scf:{queue_region}:appid/{appid}:{target}",
            "reservedInfo": "",
            "reqid": 0 if dialects["event-reqid"] == "zero" else zlib.crc32(event.request_id.encode()),
        },
    }


def _key(key: str, dialects: Dialects) -> str:
    if dialects["event-key"] == "percent-encoded":
        return quote(key, safe="/", errors="surrogateescape")
    if dialects["event-key"] == "plus-encoded":
        return quote_plus(key, safe="/", errors="surrogateescape")
    return key


def _meta(event: ObjectEvent, dialects: Dialects) -> dict[str, str]:
    meta = {**event.meta, "x-cos-request-id": event.request_id}
    if dialects["event-meta"] == "observed":
        if event.etag:
            meta["ETag"] = f'"{event.etag}"'  # the quotes are part of the value
        if event.storage_class:
            meta["x-cos-storage-class"] = event.storage_class
    return {name.lower(): value for name, value in meta.items()} if dialects["event-meta-case"] == "lower" else meta


def envelope(*records: dict[str, Any]) -> dict[str, Any]:
    """The whole event. The cloud has only been seen to send one record at a time (SCF 1.1)."""
    return {"Records": list(records)}
