"""imageView2: thumbnails by template (CI 3)."""

from __future__ import annotations

from coslocal.ci import pixels
from coslocal.ci.operations import format
from coslocal.ci.operations.gravity import place
from coslocal.ci.operations.numbers import HALF_UP, Size, around, clamped, grows, inside, resized, to_height, to_width
from coslocal.ci.work import Work
from derivo.ci.tree import ImageView2, LowestQuality, RelativeQuality


def plan(
    mode: int, size: Size, width: int | None, height: int | None, upscale: bool = True, rounding: str = HALF_UP
) -> tuple[Size, Size]:
    """(size to scale to, size of the centred crop). `upscale`: whether modes 2, 4, 5 may enlarge (undocumented)."""
    if width is None and height is None:
        return size, size
    if mode == 2 and (width is None or height is None):
        found = _one_side(size, width, height, rounding)
        return (found, found) if upscale or not grows(size, found) else (size, size)
    across, down = width or height or 1, height or width or 1
    if mode in (4, 5) and size[0] < size[1]:  # across is for the long edge, down for the short one
        across, down = down, across
    fit = inside if mode == 2 else around
    found = fit(size, across, down, rounding)
    if mode in (2, 4, 5) and not upscale and grows(size, found):
        found = size
    return found, (min(across, found[0]), min(down, found[1])) if mode in (1, 5) else found


def _one_side(size: Size, width: int | None, height: int | None, rounding: str) -> Size:
    return to_height(size, height or 1, rounding) if width is None else to_width(size, width, rounding)


def apply(work: Work, op: ImageView2) -> None:
    if op.mode is not None:
        size = work.picture.width, work.picture.height
        width = None if op.width is None else clamped(op.width)
        height = None if op.height is None else clamped(op.height)
        scale, crop = plan(op.mode, size, width, height, work.dialect("upscale") == "allow", work.dialect("rounding"))
        picture = resized(work, scale)
        outer = picture.width, picture.height
        box = min(crop[0], outer[0]), min(crop[1], outer[1])
        work.picture = pixels.extract(picture, *place(outer, box, "center"), *box)
    if op.format is not None:
        format.switch(work, op.format)
    output = work.output
    output.quality = op.quality or output.quality
    if op.relative_quality is not None:
        output.relative_quality = RelativeQuality(op.relative_quality)
    if op.lowest_quality is not None:
        output.lowest_quality = LowestQuality(op.lowest_quality)
