"""What passes between the COS operations and the image side of coslocal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coslocal.dialects import Dialects


class ImageError(Exception):
    """Processing refused or failed. `code` is COS's error code (`InvalidImageFormat`), `number` CI's own (-62999)."""

    def __init__(self, code: str, message: str, *, number: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.number = number
        self.status = status


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """Facts about an image file. `format` is lower case (jpeg, png, webp, gif, avif, heif, tiff, bmp, svg); `width` and
    `height` are the stored pixels before any EXIF turn, of one frame; `ave` is `0xRRGGBB`; `orientation` 0 when the
    file has none; `quality` is estimated from JPEG tables, 100 for formats without one."""

    format: str
    width: int
    height: int
    size: int
    md5: str
    quality: int
    ave: str
    orientation: int = 0
    frames: int = 1
    bit_depth: int = 8
    vertical_dpi: int = 0
    horizontal_dpi: int = 0
    exif: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A result image. `warnings` are for coslocal's log (a glyph without a font, an approximation); `aigc` are the
    fields of an AI label that was written into it."""

    data: bytes
    format: str
    width: int
    height: int
    quality: int
    frames: int
    content_type: str
    warnings: tuple[str, ...] = ()
    aigc: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a rule may need beside the source's bytes.

    `style(name)` gives a saved style's rule text or None; `fetch(url)` the bytes of a watermark image that lies on
    this coslocal (raises ImageError); `persistent` tells Pic-Operations from a download.
    """

    style: Callable[[str], str | None]
    fetch: Callable[[str], bytes]
    persistent: bool = False
    dialects: Dialects = field(default_factory=Dialects)
