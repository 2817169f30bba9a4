"""Pic-Operations: every rule of a request rendered, and the results stored as objects (CI 1)."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from coslocal.cam import actions
from coslocal.ci import errors, fileid, pic_operations
from coslocal.ci.errors import ignores
from coslocal.ci.surroundings import around, read_source
from coslocal.ci.types import ImageError, ImageInfo, Rendered
from coslocal.contenttypes import content_type_of
from coslocal.core import Core
from coslocal.operations.call import Call
from coslocal.storage.types import Bucket, StoredObject
from coslocal.wire.xml import Fields

_log = logging.getLogger("coslocal.ci")


@dataclass(frozen=True)
class Target:
    """Where one result goes."""

    bucket: Bucket
    key: str
    rule: str
    flaw: Callable[[], str] = str  # what a fault makes of it (faultshapes.Partial)


@dataclass(frozen=True)
class UploadResult:
    """The children of UploadResult's two elements, in the documented order (CI 1.5)."""

    original: Fields
    results: Fields


@dataclass(frozen=True)
class Prepared:
    """The results of one request, rendered and not stored yet. `failure` is what the request ends in once those that
    came before it are stored (dialect partial-failure=refuse-late)."""

    source: StoredObject
    info: ImageInfo | None
    made: Sequence[tuple[Target, Rendered]]
    failure: ImageError | None = None
    tells_original: bool = True

    def store(self, app: Core, call: Call) -> UploadResult:
        """Store and announce them. Raises ImageError, BucketGone."""
        stored = [(_store(app, call, self.source, *made), *made) for made in self.made]
        if self.failure is not None:
            raise self.failure
        items = [item for item, _, _ in stored]
        return UploadResult(
            original=_original(app, self.source, self.info, items) if self.tells_original else [],
            results=[
                ("Object", _result(app, item, target, result))
                for item, target, result in stored
                if target.flaw() != "unlisted"
            ],
        )


def prepare(
    app: Core,
    source: StoredObject,
    asked: pic_operations.PicOperations,
    data: Callable[[], bytes] | None = None,
    call: Call | None = None,
) -> Prepared:
    """Render the rules on `source`, whose bytes `data` gives where it does not stand yet; nothing is stored.

    What becomes of a rule that fails while it is rendered is the dialect partial-failure. Each result is written in the
    name of whoever asked (CI 1.3). Raises ImageError, AccessDenied.
    """
    targets = [_target(app, source, rule) for rule in asked.rules]
    _check_twice(app, targets)
    if call is not None:
        for target in targets:
            for action in actions.on_result(app.dialects):
                call.require(action, bucket=target.bucket.name, key=target.key)
        targets = [_struck(app, call, target, place) for place, target in enumerate(targets, 1)]
    silent = "" if asked.pic_info else app.dialects["pic-info-zero"]
    prepared = render_on(
        app, source, targets, info=silent in ("", "include-image-info"), failing=app.dialects["partial-failure"],
        data=data,
    )  # fmt: skip
    return replace(prepared, tells_original=silent != "omit-original-info")


def render_on(
    app: Core,
    source: StoredObject,
    targets: Sequence[Target],
    *,
    info: bool,
    failing: str = "refuse",
    data: Callable[[], bytes] | None = None,
) -> Prepared:
    """Render rules for places that are known. `failing`: refuse, refuse-late or omit. Raises ImageError."""
    found = read_source(app, source, data)
    facts = _inspect(app, found, targets) if info else None
    made, failure = _render_all(app, source, found, targets, failing)
    return Prepared(source, facts, made, failure)


def _target(app: Core, source: StoredObject, asked: pic_operations.AskedRule) -> Target:
    name = asked.bucket or source.bucket
    bucket = app.store.bucket(name)
    if bucket is None:
        raise ImageError("NoSuchBucket", f"The destination bucket {name} does not exist", status=404)
    here = app.store.bucket(source.bucket)
    if here is not None and bucket.region != here.region and app.dialects["cross-region"] == "refuse":
        raise errors.bad_region(f"The destination bucket {name} lies in {bucket.region}, the source in {here.region}")
    key = fileid.resolve(
        asked.fileid, source.key, app.dialects["fileid-encoding"], normalise=app.dialects["fileid-path"] == "normalised"
    )
    return Target(bucket, key, asked.rule)


def _struck(app: Core, call: Call, target: Target, place: int) -> Target:
    """The target of the `place`-th rule with what a fault makes of it: found out once, when it is rendered."""
    return replace(target, flaw=cache(lambda: app.faults.strike_rule(call.occasion(f"rule {place}"), place)))


def _check_twice(app: Core, targets: Sequence[Target]) -> None:
    places = {(target.bucket.name, target.key) for target in targets}
    if len(places) < len(targets) and app.dialects["fileid-twice"] == "refuse":
        raise errors.invalid_rule("Pic-Operations: two rules have the same fileid")


def _inspect(app: Core, data: bytes, targets: Sequence[Target]) -> ImageInfo | None:
    """Facts about the source; None where it is no image and every rule puts up with that."""
    try:
        return app.images.inspect(data, app.dialects)
    except ImageError as error:
        if not targets or not all(ignores(target.rule, error, app.dialects) for target in targets):
            raise
        return None


def _render_all(
    app: Core, source: StoredObject, data: bytes, targets: Sequence[Target], failing: str
) -> tuple[list[tuple[Target, Rendered]], ImageError | None]:
    surroundings = around(app, source.bucket, persistent=True)
    made: list[tuple[Target, Rendered]] = []
    for target in targets:
        try:
            if target.flaw() == "omit":
                continue
            result = app.images.render(data, target.rule, surroundings)
        except ImageError as error:
            # not the rule itself: it may hold the signed URL of a watermark
            _log.warning("%s -> %s failed: %s (%d)", source.key, target.key, error.message, error.number)
            if failing == "refuse":
                raise
            if failing == "refuse-late":
                return made, error
            continue
        for warning in result.warnings:
            _log.warning("%s -> %s: %s", source.key, target.key, warning)
        made.append((target, result))
    return made, None


def _store(app: Core, call: Call, source: StoredObject, target: Target, result: Rendered) -> StoredObject:
    """The result as an object; what it inherits from the original and the request is up to dialects (CI 1.7)."""
    blob = app.store.take_in(io.BytesIO(result.data))
    dialects = app.dialects
    sha1 = dialects["result-etag"] == "sha1"
    item = StoredObject(
        bucket=target.bucket.name, key=target.key, blob=blob.name, size=blob.size,
        etag=hashlib.sha1(result.data, usedforsecurity=False).hexdigest() if sha1 else blob.md5, crc64=blob.crc64,
        modified=app.clock(), headers=_headers(app, call, source, target, result),
        storage_class=source.storage_class if dialects["result-storage-class"] == "source" else "STANDARD",
    )  # fmt: skip
    if target.flaw() == "unwritten":
        app.store.discard(blob.name)
        return item
    item = app.save(item, _acl_of(app, source) if dialects["result-acl"] == "source" else {})
    app.announce(f"cos:ObjectCreated:{dialects['result-event-name']}", item, call, made_by_ci=True)
    return item


def _headers(app: Core, call: Call, source: StoredObject, target: Target, result: Rendered) -> dict[str, str]:
    if app.dialects["result-content-type"] == "extension":
        kind = content_type_of(target.key)
    else:
        kind = result.content_type or source.headers.get("Content-Type", "application/octet-stream")
    headers = {"Content-Type": kind}
    asked_for = app.dialects["result-meta"]
    if asked_for == "always" or (asked_for == "image-process" and call.operation == "image_process"):
        headers.update({name: value for name, value in call.request.headers if name.lower().startswith("x-cos-meta-")})
    return headers


def _acl_of(app: Core, source: StoredObject) -> dict[str, str]:
    found = app.store.configuration(source.bucket, source.key, "acl")
    return {} if found is None else {"acl": found.decode()}


def _location(bucket: str, region: str, key: str) -> str:
    return f"{bucket}.cos.{region}.myqcloud.com/{key}"


def _original(app: Core, source: StoredObject, info: ImageInfo | None, results: Sequence[StoredObject]) -> Fields:
    """OriginalInfo; its ETag is a result's where that has overwritten the source (CI 1.5)."""
    here = app.store.bucket(source.bucket)
    region = here.region if here else app.region
    any_will_do = app.dialects["original-etag"] == "result"
    over = [item for item in results if any_will_do or (item.bucket, item.key) == (source.bucket, source.key)]
    etag = over[-1].etag if over else ""
    fields: list[tuple[str, str | int | Fields]] = [
        ("Key", source.key),
        ("Location", _location(source.bucket, region, source.key)),
        ("ETag", f'"{etag or source.etag}"'),
    ]
    if info is not None:
        image: Fields = (
            ("Format", info.format.upper()), ("Width", info.width), ("Height", info.height), ("Quality", info.quality),
            ("Ave", info.ave), ("Orientation", info.orientation or int(app.dialects["orientation-unset"])),
            *_frames(app, info.frames),
        )  # fmt: skip
        fields.append(("ImageInfo", image))
    return fields


def _result(app: Core, item: StoredObject, target: Target, result: Rendered) -> Fields:
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
        *_frames(app, result.frames),
    ]
    if result.aigc:
        fields.append(("AIGCMetadata", list(result.aigc.items())))
    return fields


def _frames(app: Core, count: int) -> Fields:
    return (("FrameCount", count),) if app.dialects["frame-count"] == "yes" else ()
