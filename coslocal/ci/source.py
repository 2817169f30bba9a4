"""Opening what is to be processed: sniffed, held against the limits, and only then decoded."""

from __future__ import annotations

from dataclasses import dataclass

from coslocal.ci import bmp, errors, pixels, webp
from coslocal.ci.jpeg import estimate_quality
from coslocal.ci.pixels import Header, Picture
from coslocal.ci.sniff import sniff
from coslocal.dialects import Dialects
from derivo.ci import limits

WRITABLE = ("jpeg", "png", "webp", "gif", "tiff", "avif", "bmp")


@dataclass(frozen=True)
class Source:
    """A file that is an image within the limits. `quality` 1..100 as it was saved, 100 where the format has none."""

    data: bytes
    format: str
    header: Header
    quality: int
    lenient: bool = False
    """Whether a file that is cut short is rendered as far as it goes (dialect truncated)."""

    def open(self) -> Picture:
        """A picture of it; pixels are decoded when they are needed. Raises PixelError."""
        if self.format == "bmp":
            return pixels.from_rgb(*bmp.decode(self.data))
        return pixels.load(self.data, self.header.frames, lenient=self.lenient)


def examine(data: bytes, dialects: Dialects | None = None) -> Source:
    """Read the header and check the limits of CI 7, before a pixel is decoded. Raises ImageError."""
    if not data:
        raise errors.empty_source()
    if len(data) > limits.SOURCE_BYTES:
        raise errors.too_large(len(data), limits.SOURCE_BYTES)
    format = sniff(data)
    if format not in pixels.READABLE and format != "bmp":
        what = f"coslocal cannot read {format}" if format else "The object is not an image"
        raise errors.bad_format(f"{what}; it reads jpeg, png, webp, gif, tiff, bmp and avif")
    if format == "webp":
        check_limits(1, 1, webp.count_frames(data, limits.FRAMES), format)
    lenient = (dialects or Dialects())["truncated"] == "render"
    try:
        header = bmp.probe(data) if format == "bmp" else pixels.probe(data, format, lenient=lenient)
    except pixels.PixelError as error:
        raise errors.bad_source(f"The {format} file cannot be read: {error}") from None
    check_limits(header.width, header.height, header.frames, format)
    return Source(data, format, header, estimate_quality(data) if format == "jpeg" else 100, lenient)


def check_limits(width: int, height: int, frames: int, format: str = "") -> None:
    """The limits on sides, pixels and frames, which hold for sources and for results (CI 7). Raises ImageError."""
    side = limits.WEBP_SIDE if format == "webp" else limits.SIDE
    if max(width, height) > side:
        raise errors.over_resolution(
            f"The image is {width}x{height}; a side of a {format or 'picture'} is at most {side} pixels"
        )
    if width * height > limits.PIXELS:
        raise errors.over_resolution(f"The image is {width}x{height}; the limit is {limits.PIXELS} pixels")
    if frames > limits.FRAMES:
        raise errors.over_resolution(f"The image has {frames} frames; the limit is {limits.FRAMES}")
    if frames > 1 and width * height * frames > limits.FRAME_PIXELS:
        raise errors.over_resolution(
            f"The animation is {width}x{height} with {frames} frames; width x height x frames is at most "
            f"{limits.FRAME_PIXELS}"
        )


def explain_failure(source: Source, error: pixels.PixelError) -> Exception:
    """Why pixels failed: what is damaged or too much is the client's fault, anything else is ours."""
    if errors.is_of_memory(str(error)):
        return errors.no_memory()
    try:
        pixels.settled(source.open())
    except pixels.PixelError as damage:
        if errors.is_of_memory(str(damage)):
            return errors.no_memory()
        return errors.bad_source(f"The {source.format} file is damaged or cut short: {damage}")
    return errors.broken(str(error))
