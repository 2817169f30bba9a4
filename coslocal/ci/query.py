"""The image rule of a download, as it stands in the query."""

from __future__ import annotations

from coslocal.wire.address import Parameters, decode

# Rules that may stand alone, and rules that always have arguments behind a slash.
_BARE = ("imageInfo", "exif", "imageAve", "imageSlim")
_WITH_ARGUMENTS = ("imageMogr2", "imageView2", "watermark", "style")


def find_rule(parameters: Parameters) -> str | None:
    """The image rule among the parameter names of a download, decoded; None when there is none.

    SDKs encode the rule as a name with an `=` behind it, browsers send it bare (COS 5): only base64 padding may stand
    at its end, and that may be dropped.
    """
    for parameter in parameters:
        first, slash, _ = parameter.name.partition("|")[0].partition("/")
        if first in _BARE or (slash and first in _WITH_ARGUMENTS):
            return decode(parameter.raw).rstrip("=")
        if parameter.name == "ci-process":
            return f"ci-process={parameter.value}"
    return None
