"""Processing on download: GET /key?<rule>, and the questions imageInfo, exif, imageAve (CI 1.1, 6)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from coslocal.ci.surroundings import around, read_source, source_limit
from coslocal.ci.types import ImageError, ImageInfo
from coslocal.core import Core
from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.storage.types import StoredObject

_log = logging.getLogger("coslocal.ci")
# CI 9.3: downloads have numbers of their own, in X-ErrNo. How they map to the persistent ones is not documented.
_NUMBERS: Mapping[int, int] = {-60998: -103, -60967: -105, -60987: -6101, -60950: -40168, -62999: -441}
_RESOLUTION = -447


def serve(app: Core, call: Call, source: StoredObject, rule: str) -> Response:
    """The answer to a download with a rule. A source above the limit is answered with 302 to the raw object (CI 1.3).

    Raises ImageError with the numbers of CI 9.3.
    """
    if source.size > source_limit(app.dialects):
        return Response(302, [("Location", _raw(call, rule))])
    try:
        data = read_source(app, source)
        if rule in QUESTIONS:
            return _json(QUESTIONS[rule](app, data))
        return _image(app, source, data, rule)
    except ImageError as error:
        number = _RESOLUTION if error.code == "ImageResolutionExceed" else _NUMBERS.get(error.number, error.number)
        raise ImageError(error.code, error.message, number=number, status=error.status) from None


def _image(app: Core, source: StoredObject, data: bytes, rule: str) -> Response:
    result = app.images.render(data, rule, around(app, source.bucket, persistent=False))
    for warning in result.warnings:
        _log.warning("%s: %s", source.key, warning)
    kind = result.content_type or source.headers.get("Content-Type", "application/octet-stream")
    digest = hashlib.md5(result.data, usedforsecurity=False).hexdigest()
    headers = [("Content-Type", kind), ("ETag", f'"{digest}"')]
    if rule.rpartition("|")[2] == "imageSlim":
        headers.append(("X-Slimflag", "2" if result.data == data else "1"))
    return Response(200, headers, result.data)


def _raw(call: Call, rule: str) -> str:
    """The object's own URL: this request's, without the rule."""
    first = rule.partition("/")[0].partition("=")[0]
    kept = [item.raw for item in call.parameters if item.name.partition("/")[0].partition("|")[0] != first]
    path = call.request.target.partition("?")[0]
    if path.startswith("/"):
        path = f"http://{call.address.authority}{path}"
    return path + ("?" + "&".join(kept) if kept else "")


def _json(value: Any) -> Response:
    return Response(200, [("Content-Type", "application/json")], json.dumps(value, ensure_ascii=False).encode())


def image_info(info: ImageInfo) -> dict[str, str]:
    """`?imageInfo`: every value is a text."""
    return {
        "format": info.format,
        "width": str(info.width),
        "height": str(info.height),
        "size": str(info.size),
        "md5": info.md5,
        "frame_count": str(info.frames),
        "bit_depth": str(info.bit_depth),
        "vertical_dpi": str(info.vertical_dpi),
        "horizontal_dpi": str(info.horizontal_dpi),
        "photo_rgb": info.ave,
    }


def exif(info: ImageInfo) -> dict[str, Any]:
    """`?exif`: tag -> {"val": readable value}."""
    if not info.exif:
        return {"error": "no exif data"}
    return {name: {"val": value} for name, value in info.exif.items()}


def _aigc(app: Core, data: bytes) -> dict[str, Any]:
    found = app.images.label(data, app.dialects)
    return {"AIGC": found} if found else {}


QUESTIONS: Mapping[str, Callable[[Core, bytes], Any]] = {
    "imageInfo": lambda app, data: image_info(app.images.inspect(data, app.dialects)),
    "exif": lambda app, data: exif(app.images.inspect(data, app.dialects)),
    "imageAve": lambda app, data: {"RGB": app.images.inspect(data, app.dialects).ave},
    "ci-process=ImageAIGCMetadata": _aigc,
}
