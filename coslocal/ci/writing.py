"""The end of a rendering: one encode, at the quality asked for, below the size asked for."""

from __future__ import annotations

from coslocal.ci import bmp, errors, pixels
from coslocal.ci.operations import aigc, quality
from coslocal.ci.pixels import Saving
from coslocal.ci.sniff import CONTENT_TYPES
from coslocal.ci.source import WRITABLE, check_limits
from coslocal.ci.types import Rendered
from coslocal.ci.work import Work
from derivo.ci import formats, limits
from derivo.ci.tree import SizeLimit

_UNITS = {"k": 1024, "m": 1024 * 1024}


def finish(work: Work) -> Rendered:
    """Write the result. Raises ImageError, PixelError."""
    output, picture, untouched = work.output, work.picture, work.untouched
    if output.format not in WRITABLE:
        raise errors.bad_format(f"coslocal cannot write {output.format}; ask for another format")
    frames = len(picture.frames) if output.format in pixels.ANIMATED else 1
    check_limits(picture.width, picture.height, frames, output.format)
    if output.strip or output.format in ("gif", "bmp"):  # nothing will say which colours these are
        work.picture = pixels.to_srgb(picture)
    best = quality.of_output(work.source.quality, output, work.dialect("quality-combination"))
    limit = output.size_limit
    data, best = _limited(work, best, limit) if limit else (_encode(work, best), best)
    if output.slim and untouched and len(data) >= len(work.source.data):
        return original(work, "imageSlim found nothing to save: the original is returned")
    if limit and limit.smaller and len(work.source.data) <= len(data):
        return original(work, "size-limit: the source is the smaller one and is returned")
    if len(data) > limits.RESULT_BYTES:
        raise errors.too_large(len(data), limits.RESULT_BYTES, "result")
    return Rendered(
        data=data,
        format=output.format,
        width=picture.width,
        height=picture.height,
        quality=best,
        frames=frames,
        content_type=CONTENT_TYPES[output.format],
        warnings=tuple(work.warnings),
        aigc=aigc.fields(output.aigc) if output.aigc else {},
    )


def original(work: Work, reason: str) -> Rendered:
    """The source as it is, for rules that ask for the smaller of both."""
    work.warn(reason)
    source = work.source
    return Rendered(
        data=source.data,
        format=source.format,
        width=source.header.width,
        height=source.header.height,
        quality=source.quality,
        frames=source.header.frames,
        content_type=CONTENT_TYPES[source.format],
        warnings=tuple(work.warnings),
    )


def _encode(work: Work, best: int) -> bytes:
    output = work.output
    ground = (0, 0, 0) if work.dialect("alpha-in-jpg") == "black" else (255, 255, 255)
    packet = None
    if output.aigc is not None:
        if output.format not in {"jpeg" if name == "jpg" else name for name in formats.AIGC}:
            raise errors.invalid_rule(f"AIGCMetadata is for jpg, png and avif, not for {output.format}")
        packet = aigc.packet(output.aigc)
    if output.format == "bmp":
        return bmp.encode(pixels.to_rgb(work.picture, ground), work.picture.width, work.picture.height)
    saving = Saving(
        quality=best, progressive=output.progressive, strip=output.strip, slim=output.slim,
        fewer=output.fewer_colours, xmp=packet, ground=ground,
    )  # fmt: skip
    return pixels.encode(work.picture, output.format, saving)


def _limited(work: Work, best: int, limit: SizeLimit) -> tuple[bytes, int]:
    """The best quality up to `best` whose file keeps the limit; the smallest file where none does (undocumented)."""
    if work.output.format != "jpeg" and work.dialect("size-limit-formats") == "jpg-only":
        raise errors.invalid_rule(f"size-limit is for jpg, not for {work.output.format}")
    wanted = limit.amount * _UNITS[limit.unit]
    work.picture = pixels.settled(work.picture)  # decoded and computed once, for up to eight encodes
    data = _encode(work, best)
    if len(data) <= wanted:
        return data, best
    if work.output.format not in quality.LOSSY:
        work.warn(f"size-limit acts on lossy formats, not on {work.output.format}: {len(data)} bytes")
        return data, best
    return _search(work, wanted, best, limit)


def _search(work: Work, wanted: int, best: int, limit: SizeLimit) -> tuple[bytes, int]:
    low, high = 1, best - 1
    data, found = _encode(work, 1), 1
    if len(data) > wanted:
        if work.dialect("size-limit-unmet") == "refuse":
            raise errors.invalid_rule(
                f"size-limit/{limit.amount}{limit.unit} cannot be met: {len(data)} bytes at least"
            )
        work.warn(f"size-limit/{limit.amount}{limit.unit} cannot be met: {len(data)} bytes at the lowest quality")
        return data, found
    while low < high:
        middle = (low + high + 1) // 2
        tried = _encode(work, middle)
        if len(tried) <= wanted:
            low, data, found = middle, tried, middle
        else:
            high = middle - 1
    return data, found
