"""Cloud Infinite's side doors in COS: Pic-Operations and image rules on download. The pixels are coslocal.ci's."""

from __future__ import annotations

from typing import Protocol

from coslocal.ci import download, persist
from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import xml_response
from coslocal.storage.types import StoredObject
from coslocal.wire.address import decode
from coslocal.wire.errors import AccessDenied
from coslocal.wire.xml import Fields

_INFORMATION = ("imageInfo", "exif", "imageAve", "imageSlim")
_RULES = ("imageMogr2", "imageView2", "watermark", "style")


class UploadResult(Protocol):
    """What coslocal.ci.persist.process gives: the children of UploadResult's two elements, in the documented order (CI 1.5).

    `original` holds Key, Location, ETag, ImageInfo; `results` one ("Object", [...]) a derivative.
    """

    @property
    def original(self) -> Fields: ...
    @property
    def results(self) -> Fields: ...


def pic_operations(call: Call) -> str | None:
    """The Pic-Operations header. Raises AccessDenied when it came unsigned (W/460/86588 in the CI reference)."""
    header = call.header("Pic-Operations")
    if header is not None and "pic-operations" not in call.signed:
        raise AccessDenied("Auth sign header must include Pic-Operations")
    return header


def process(call: Call, source: StoredObject, operations: str) -> UploadResult:
    return persist.process(call.app, call, source, operations)


def upload_result(result: UploadResult) -> Fields:
    return [("OriginalInfo", result.original), ("ProcessResults", result.results)]


def image_process(call: Call) -> Response:
    """POST /key?image_process (CI 1.1): derivatives of a stored object."""
    source = call.standing_object()
    result = process(call, source, pic_operations(call) or "")
    return xml_response("UploadResult", upload_result(result))


def rule_of(call: Call) -> str | None:
    """The image rule among the parameter names of a download, decoded; None when there is none.

    SDKs encode the rule as a name with an `=` behind it, browsers send it bare (COS 5): only base64 padding may stand
    at its end, and that may be dropped.
    """
    for parameter in call.parameters:
        first = parameter.name.partition("/")[0].partition("|")[0]
        if first in _RULES and "/" in parameter.name or first in _INFORMATION:
            return decode(parameter.raw).rstrip("=")
        if parameter.name == "ci-process":
            return f"ci-process={parameter.value}"
    return None


def serve_rule(call: Call, source: StoredObject, rule: str) -> Response:
    return download.serve(call.app, call, source, rule)
