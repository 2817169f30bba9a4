"""Every limit of the platform, in one table with its source and date. The linter, the plan and coslocal read it here.

Sizes are bytes unless the unit says otherwise. Where pages of different years disagree, the newest stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB


class Limit(msgspec.Struct, frozen=True):
    """`source` is a section of the reference (CI, COS or SCF); `date` is that of the vendor's page, `YYYY-MM`, or
    `unknown` where we know the figure and have no dated page for it."""

    name: str
    value: int
    unit: str
    source: str
    date: str
    note: str = ""


TABLE: tuple[Limit, ...] = (
    # Cloud Infinite: a request
    Limit("RULES_PER_REQUEST", 5, "rules", "CI 1.2", "2026-01", "a request with more is refused as a whole"),
    Limit("STAGES", 10, "stages", "CI 4.11", "2023-07", "3 in 2018"),
    Limit("STYLES_PER_BUCKET", 100, "styles", "CI 2", "2023-07"),
    Limit("RULE_CHARACTERS", 16 * KIB, "characters", "Derivo", "2026-08", "our own bound: headers are no longer"),
    # Cloud Infinite: images
    Limit("SOURCE_BYTES", 32 * MIB, "bytes", "CI 7", "2026-01", "20 MB in older pages"),
    Limit("RESULT_BYTES", 32 * MIB, "bytes", "CI 7", "2026-01"),
    Limit("SIDE", 50_000, "pixels", "CI 7", "2026-01", "30,000 and 9,999 in older pages"),
    Limit("WEBP_SIDE", 16_383, "pixels", "CI 7", "2026-01"),
    Limit("PIXELS", 250_000_000, "pixels", "CI 7", "2026-01"),
    Limit("FRAMES", 300, "frames", "CI 7", "2026-01"),
    Limit("FRAME_PIXELS", 250_000_000, "pixels", "CI 7", "2026-01", "width x height x frames"),
    Limit("CLAMP", 10_000, "pixels", "CI 0", "2026-01", "a larger width or height in a rule is taken as this"),
    Limit("QRCODE_BYTES", 3 * MIB, "bytes", "CI 6", "2023-07"),
    Limit("QRCODE_SIDE", 50, "pixels", "CI 6", "2023-07", "both sides must be larger"),
    Limit("BLIND_TEXT", 256, "characters", "CI 5.3", "2026-01"),
    Limit("IMAGE_MARKS", 10, "marks", "CI 5.1", "2023-07", "different image marks in one picture"),
    # Cloud Infinite: requests a second, per account and region
    Limit("QPS_UPLOAD", 100, "requests/s", "CI 1.3", "2026-01", "mainland public regions"),
    Limit("QPS_CLOUD", 100, "requests/s", "CI 1.3", "2026-01", "mainland public regions"),
    Limit("QPS_ASYNC", 100, "requests/s", "CI 1.3", "2026-01", "mainland public regions"),
    Limit("QPS_ABROAD", 50, "requests/s", "CI 1.3", "2026-01", "upload, cloud, async: finance zones and overseas"),
    Limit("QPS_DOWNLOAD", 3000, "requests/s", "CI 1.3", "2026-01"),
    # COS: objects
    Limit("KEY_BYTES", 850, "bytes", "COS", "unknown", "UTF-8"),
    Limit("PUT_BYTES", 5 * GIB, "bytes", "COS", "unknown", "one PUT; larger objects go up in parts"),
    Limit("PARTS", 10_000, "parts", "COS", "unknown"),
    Limit("PART_BYTES_MIN", 1 * MIB, "bytes", "COS", "unknown", "the last part may be smaller"),
    Limit("PART_BYTES_MAX", 5 * GIB, "bytes", "COS", "unknown"),
    Limit("OBJECT_BYTES", 50_000 * GIB, "bytes", "COS", "unknown", "in parts"),
    Limit("LIST_KEYS", 1000, "keys", "COS", "unknown", "a page of a listing"),
    Limit("DELETE_KEYS", 1000, "keys", "COS", "unknown", "one multi-object delete"),
    # Serverless Cloud Function
    Limit("ASYNC_EVENT_BYTES", 128 * KIB, "bytes", "SCF 2.6", "2025-10"),
    Limit("SYNC_EVENT_BYTES", 6 * MIB, "bytes", "SCF 2.6", "2025-10"),
    Limit("TRIGGERS", 10, "triggers", "SCF 2.6", "2025-10", "of one kind, per function"),
    Limit("ENV_BYTES", 4 * KIB, "bytes", "SCF 2.6", "2025-10", "all environment variables of a function"),
    Limit("TIMEOUT_SECONDS", 900, "seconds", "SCF 2.6", "2025-10"),
    Limit("CODE_BYTES", 500 * MIB, "bytes", "SCF 2.6", "2025-10", "code and layers, unpacked"),
    Limit("ZIP_BYTES", 50 * MIB, "bytes", "SCF 2.6", "2023-03", "larger packages go through COS"),
    Limit("TMP_BYTES", 512 * MIB, "bytes", "SCF 2.6", "2025-10"),
    Limit("MEMORY_MB_MIN", 64, "MB", "SCF 2.6", "2025-10", "64, then 128 and more in steps of 128"),
    Limit("MEMORY_MB_MAX", 3072, "MB", "SCF 2.6", "2025-10"),
    Limit("RETRIES", 2, "retries", "SCF 3.1", "2024-12", "after an execution error, one a minute"),
    Limit("EVENT_AGE_SECONDS", 21_600, "seconds", "SCF 3.1", "2024-12"),
    Limit("CONCURRENCY_MB", 128_000, "MB", "SCF 2.6", "2025-10", "an account's, in most regions of the mainland"),
    Limit("CONCURRENCY_ABROAD_MB", 64_000, "MB", "SCF 2.6", "2025-10", "in the other regions"),
    Limit("UNRESERVED_MB", 12_800, "MB", "SCF 2.7", "2025-10", "of an account's concurrency no function may reserve"),
    Limit("INVOKE_QPS", 100, "requests/s", "SCF 4", "2023-07"),
)

MAINLAND = frozenset(
    f"ap-{place}" for place in ("beijing-1", "beijing", "nanjing", "shanghai", "guangzhou", "chengdu", "chongqing")
)
"""The mainland's public regions; finance zones (`-fsi`) and all others have the lower rate (CI 1.3, 2026-01)."""

BY_NAME: Mapping[str, Limit] = {limit.name: limit for limit in TABLE}


def _value(name: str) -> int:
    return BY_NAME[name].value


RULES_PER_REQUEST = _value("RULES_PER_REQUEST")
STAGES = _value("STAGES")
STYLES_PER_BUCKET = _value("STYLES_PER_BUCKET")
RULE_CHARACTERS = _value("RULE_CHARACTERS")
SOURCE_BYTES = _value("SOURCE_BYTES")
RESULT_BYTES = _value("RESULT_BYTES")
SIDE = _value("SIDE")
WEBP_SIDE = _value("WEBP_SIDE")
PIXELS = _value("PIXELS")
FRAMES = _value("FRAMES")
FRAME_PIXELS = _value("FRAME_PIXELS")
CLAMP = _value("CLAMP")
QRCODE_BYTES = _value("QRCODE_BYTES")
QRCODE_SIDE = _value("QRCODE_SIDE")
BLIND_TEXT = _value("BLIND_TEXT")
IMAGE_MARKS = _value("IMAGE_MARKS")
QPS_UPLOAD = _value("QPS_UPLOAD")
QPS_CLOUD = _value("QPS_CLOUD")
QPS_ASYNC = _value("QPS_ASYNC")
QPS_ABROAD = _value("QPS_ABROAD")
QPS_DOWNLOAD = _value("QPS_DOWNLOAD")
KEY_BYTES = _value("KEY_BYTES")
PUT_BYTES = _value("PUT_BYTES")
PARTS = _value("PARTS")
PART_BYTES_MIN = _value("PART_BYTES_MIN")
PART_BYTES_MAX = _value("PART_BYTES_MAX")
OBJECT_BYTES = _value("OBJECT_BYTES")
LIST_KEYS = _value("LIST_KEYS")
DELETE_KEYS = _value("DELETE_KEYS")
ASYNC_EVENT_BYTES = _value("ASYNC_EVENT_BYTES")
SYNC_EVENT_BYTES = _value("SYNC_EVENT_BYTES")
TRIGGERS = _value("TRIGGERS")
ENV_BYTES = _value("ENV_BYTES")
TIMEOUT_SECONDS = _value("TIMEOUT_SECONDS")
CODE_BYTES = _value("CODE_BYTES")
ZIP_BYTES = _value("ZIP_BYTES")
TMP_BYTES = _value("TMP_BYTES")
MEMORY_MB_MIN = _value("MEMORY_MB_MIN")
MEMORY_MB_MAX = _value("MEMORY_MB_MAX")
RETRIES = _value("RETRIES")
EVENT_AGE_SECONDS = _value("EVENT_AGE_SECONDS")
CONCURRENCY_MB = _value("CONCURRENCY_MB")
CONCURRENCY_ABROAD_MB = _value("CONCURRENCY_ABROAD_MB")
UNRESERVED_MB = _value("UNRESERVED_MB")
INVOKE_QPS = _value("INVOKE_QPS")


def processing_qps(region: str) -> int:
    """Persistent processing requests a second that an account may make in a region, unless it has asked for more."""
    return QPS_CLOUD if region in MAINLAND else QPS_ABROAD
