"""Pic-Operations: every rule of a request rendered, and the results stored as objects (CI 1)."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coslocal.ci import fileid, pic_operations
from coslocal.ci.inspect import inspect
from coslocal.ci.render import ignores_errors, render
from coslocal.ci.surroundings import around, read_source
from coslocal.ci.types import ImageError, ImageInfo, Rendered
from coslocal.storage.types import Bucket, StoredObject
from coslocal.wire.xml import Fields

if TYPE_CHECKING:
    from coslocal.app import Coslocal
    from coslocal.operations.call import Call

_log = logging.getLogger("coslocal.ci")


@dataclass(frozen=True)
class Target:
    """Where one result goes."""

    bucket: Bucket
    key: str
    rule: str


@dataclass(frozen=True)
class UploadResult:
    """The children of UploadResult's two elements, in the documented order (CI 1.5)."""

    original: Fields
    results: Fields


def process(app: Coslocal, call: Call, source: StoredObject, header: str) -> UploadResult:
    """Render every rule of the header on `source`, store the results, and announce them.

    Nothing is stored unless every rule can be taken; under the dialect partial-failure=omit a rule that fails while it
    is rendered is left out of the answer. Raises ImageError, BucketGone.
    """
    asked = pic_operations.read(header)
    targets = [_target(app, source, rule) for rule in asked.rules]
    data = read_source(app, source)
    shows_info = asked.pic_info or app.dialects["pic-info-zero"] == "include-image-info"
    info = _inspect(data, targets) if shows_info else None
    made = _render_all(app, source, data, targets)
    stored = [(_store(app, call, source, target, result), target, result) for target, result in made]
    here = app.store.bucket(source.bucket)
    return UploadResult(
        original=_original(source, here.region if here else app.region, info, [item for item, _, _ in stored]),
        results=[("Object", _result(app, item, target, result)) for item, target, result in stored],
    )


def _target(app: Coslocal, source: StoredObject, asked: pic_operations.AskedRule) -> Target:
    name = asked.bucket or source.bucket
    bucket = app.store.bucket(name)
    if bucket is None:
        raise ImageError("NoSuchBucket", f"The destination bucket {name} does not exist", status=404)
    key = fileid.resolve(asked.fileid, source.key, app.dialects["fileid-encoding"])
    return Target(bucket, key, asked.rule)


def _inspect(data: bytes, targets: Sequence[Target]) -> ImageInfo | None:
    """Facts about the source; None where it is no image and every rule puts up with that."""
    try:
        return inspect(data)
    except ImageError:
        if not targets or not all(ignores_errors(target.rule) for target in targets):
            raise
        return None


def _render_all(
    app: Coslocal, source: StoredObject, data: bytes, targets: Sequence[Target]
) -> list[tuple[Target, Rendered]]:
    surroundings = around(app, source.bucket, persistent=True)
    made = []
    for target in targets:
        try:
            result = render(data, target.rule, surroundings)
        except ImageError as error:
            # not the rule itself: it may hold the signed URL of a watermark
            _log.warning("%s -> %s failed: %s (%d)", source.key, target.key, error.message, error.number)
            if app.dialects["partial-failure"] == "refuse":
                raise
            continue
        for warning in result.warnings:
            _log.warning("%s -> %s: %s", source.key, target.key, warning)
        made.append((target, result))
    return made


def _store(app: Coslocal, call: Call, source: StoredObject, target: Target, result: Rendered) -> StoredObject:
    """The result as an object: STANDARD, its Content-Type by format, and the x-cos-meta-* of a POST ?image_process."""
    blob = app.store.take_in(io.BytesIO(result.data))
    headers = {"Content-Type": result.content_type or source.headers.get("Content-Type", "application/octet-stream")}
    if call.operation == "image_process":
        headers.update({name: value for name, value in call.request.headers if name.lower().startswith("x-cos-meta-")})
    item = StoredObject(
        bucket=target.bucket.name, key=target.key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64,
        modified=app.clock(), headers=headers,
    )  # fmt: skip
    app.save(item)
    app.announce("cos:ObjectCreated:Put", item, call, made_by_ci=True)
    return item


def _location(bucket: str, region: str, key: str) -> str:
    return f"{bucket}.cos.{region}.myqcloud.com/{key}"


def _original(source: StoredObject, region: str, info: ImageInfo | None, results: list[StoredObject]) -> Fields:
    """OriginalInfo; its ETag is a result's where that has overwritten the source (CI 1.5)."""
    etag = next((item.etag for item in reversed(results) if (item.bucket, item.key) == (source.bucket, source.key)), "")
    fields: list[tuple[str, str | int | Fields]] = [
        ("Key", source.key),
        ("Location", _location(source.bucket, region, source.key)),
        ("ETag", f'"{etag or source.etag}"'),
    ]
    if info is not None:
        image: Fields = (
            ("Format", info.format.upper()), ("Width", info.width), ("Height", info.height), ("Quality", info.quality),
            ("Ave", info.ave), ("Orientation", info.orientation), ("FrameCount", info.frames),
        )  # fmt: skip
        fields.append(("ImageInfo", image))
    return fields


def _result(app: Coslocal, item: StoredObject, target: Target, result: Rendered) -> Fields:
    upper = app.dialects["format-case"] == "upper"
    fields: list[tuple[str, str | int | Fields]] = [
        ("Key", item.key),
        ("Location", _location(item.bucket, target.bucket.region, item.key)),
        ("Format", result.format.upper() if upper else result.format),
        ("Width", result.width),
        ("Height", result.height),
        ("Size", item.size),
        ("Quality", result.quality),
        ("ETag", f'"{item.etag}"'),
        ("FrameCount", result.frames),
    ]
    if result.aigc:
        fields.append(("AIGCMetadata", list(result.aigc.items())))
    return fields
