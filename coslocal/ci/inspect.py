"""Facts about an image file, found in its bytes: `imageInfo`, `exif`, `imageAve`, and OriginalInfo of a result."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from coslocal.ci import pixels
from coslocal.ci.source import Source, examine, explain_failure
from coslocal.ci.types import ImageInfo
from coslocal.dialects import Dialects

_FIELD = re.compile(r"exif-ifd\d-(.+)")
_TAIL = re.compile(r", \w+, \d+ components?, \d+ bytes?\)$")


def inspect(data: bytes, dialects: Dialects | None = None) -> ImageInfo:
    """Facts about an image; decodes it once, at the smallest size its format offers.

    `ave` is the average colour of the first frame, transparency on white (CI 6 calls it dominant and gives no method).
    Raises ImageError: InvalidImageFormat, InvalidImageSource, ImageTooLarge, ImageResolutionExceed.
    """
    source = examine(data, dialects)
    header = source.header
    return ImageInfo(
        format=source.format,
        width=header.width,
        height=header.height,
        size=len(data),
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        quality=source.quality,
        ave=average_colour(source),
        orientation=header.orientation,
        frames=header.frames,
        bit_depth=header.bit_depth,
        vertical_dpi=header.y_dpi,
        horizontal_dpi=header.x_dpi,
        exif=exif_of(header.fields),
    )


def average_colour(source: Source) -> str:
    """`0xrrggbb`. Raises ImageError when the pixels cannot be decoded."""
    try:
        if source.format == "bmp":
            red, green, blue = pixels.mean_of(source.open())
        else:
            red, green, blue = pixels.mean(source.data, lenient=source.lenient)
    except pixels.PixelError as error:
        raise explain_failure(source, error) from None
    return f"0x{red:02x}{green:02x}{blue:02x}"


def exif_of(fields: Mapping[str, str]) -> dict[str, str]:
    """EXIF tag -> readable value, from libvips's `value (readable, Type, n components, m bytes)`."""
    found: dict[str, str] = {}
    for name in sorted(fields):
        match = _FIELD.fullmatch(name)
        if match:
            found.setdefault(match[1], _readable(fields[name]))
    return found


def _readable(text: str) -> str:
    body = _TAIL.sub("", text)
    if body == text:
        return text.strip()
    half = (len(body) - 2) // 2
    if body[:half] == body[half + 2 :]:  # a text is given twice: it may hold brackets itself
        return body[:half].strip()
    value, _, readable = body.partition(" (")
    # a tag whose type libexif did not expect is explained as an internal error
    return value.strip() if readable.startswith("Internal error") else readable.strip()
