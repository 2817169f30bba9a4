"""What both watermarks share: scaling to the picture, tiling, and laying the mark at its place (CI 5.1, 5.2)."""

from __future__ import annotations

from math import isqrt

from coslocal.ci import errors, pixels
from coslocal.ci.operations.gravity import place
from coslocal.ci.operations.numbers import HALF_UP, Size, grows, scaled, to_height, to_width
from coslocal.ci.operations.rotate import turned
from coslocal.ci.pixels import Picture
from coslocal.ci.work import Work
from derivo.ci import limits
from derivo.ci.tree import ImageWatermark, TextWatermark

Mark = ImageWatermark | TextWatermark
GRAVITY, DISSOLVE, SPACING = "southeast", 90, 10


def scale(mark: Size, picture: Size, scatype: int | None, spcent: int | None, rounding: str = HALF_UP) -> Size:
    """The mark's size for scatype 1 (width), 2 (height), 3 (area): spcent per mille of the picture's."""
    if scatype is None or spcent is None:
        return mark
    if scatype == 1:
        return to_width(mark, scaled(picture[0], spcent, 1000, rounding), rounding)
    if scatype == 2:
        return to_height(mark, scaled(picture[1], spcent, 1000, rounding), rounding)
    area = picture[0] * picture[1] * spcent // 1000
    return max(1, isqrt(area * mark[0] // mark[1])), max(1, isqrt(area * mark[1] // mark[0]))


def lay(work: Work, mark: Picture, op: Mark) -> None:
    """Scale, fade and lay the mark: once at its gravity, or tiled over the whole picture."""
    picture = work.picture
    size = picture.width, picture.height
    fitted = scale((mark.width, mark.height), size, op.scatype, op.spcent, work.dialect("rounding"))
    if fitted[0] * fitted[1] > limits.PIXELS:
        raise errors.over_resolution(f"The watermark would be {fitted[0]}x{fitted[1]} pixels")
    if grows(size, fitted) and not op.batch and work.dialect("mark-too-large") == "refuse":
        raise errors.invalid_rule(f"The watermark of {fitted[0]}x{fitted[1]} is larger than the picture")
    mark = pixels.fade(pixels.resize(mark, *fitted), (DISSOLVE if op.dissolve is None else op.dissolve) / 100)
    if op.batch:
        work.picture = pixels.overlay(picture, _tiles(mark, size, op), 0, 0)
        return
    left, top = place(size, (mark.width, mark.height), op.gravity or GRAVITY, op.dx or 0, op.dy or 0)
    work.picture = pixels.overlay(picture, mark, left, top)


def _tiles(mark: Picture, size: Size, op: Mark) -> Picture:
    """Each copy is turned by `degree`; gaps are `spacing` per cent of the mark's own size."""
    spacing = SPACING if op.spacing is None else op.spacing
    gaps = mark.width * spacing // 100, mark.height * spacing // 100
    return pixels.tile(turned(mark, op.degree or 0), *size, *gaps)
