"""An object event as the JSON that COS hands to a function, oddities included (SCF 1.1 to 1.3, 1.8)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

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
    key = escaped if dialects["event-key"] == "percent-encoded" else event.key
    meta = {**event.meta, "x-cos-request-id": event.request_id}
    if event.etag:
        meta["ETag"] = f'"{event.etag}"'  # the quotes are part of the value
    return {
        "cos": {
            "cosSchemaVersion": "1.0",
            "cosNotificationId": "unkown",  # misspelt by the platform
            "cosBucket": bucket,
            "cosObject": {
                "url": f"http://{event.bucket}.cos.{event.region}.myqcloud.com/{escaped}",
                "key": f"/{appid}/{name}/{key}",
                "vid": event.version_id,
                "size": event.size,
                "meta": meta,
            },
        },
        "event": {
            "eventName": event.name,
            "eventVersion": "1.0",
            "eventTime": int(event.time),
            "eventSource": "qcs::cos",
            "requestParameters": {
                "requestSourceIP": event.source_ip,
                "requestHeaders": dict(event.request_headers),
            },
            "eventQueue": f"qcs:0:scf:{queue_region}:appid/{appid}:{target}",
            "reservedInfo": "",
            "reqid": 0,
        },
    }


def envelope(*records: dict[str, Any]) -> dict[str, Any]:
    """The whole event. The cloud has only been seen to send one record at a time (SCF 1.1)."""
    return {"Records": list(records)}
