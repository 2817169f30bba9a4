"""`rotate/<degrees>`, `auto-orient` and `flip` (CI 4.5).

Canvas and background of angles that are no quarter turn are dialects: `rotate-canvas`, `rotate-fill`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, floor, radians, sin

from coslocal.ci import pixels
from coslocal.ci.operations.numbers import Size
from coslocal.ci.pixels import Picture
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import AutoOrient, Flip, Rotate


def canvas(size: Size, degrees: int) -> Size:
    """The size that holds the turned picture, rounded half up."""
    if degrees % 180 == 0:
        return size
    if degrees % 90 == 0:
        return size[1], size[0]
    across, down = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    return floor(size[0] * across + size[1] * down + 0.5), floor(size[0] * down + size[1] * across + 0.5)


def turned(picture: Picture, degrees: int) -> Picture:
    """The picture turned clockwise; quarter turns move pixels and blend none."""
    if degrees % 90 == 0:
        return pixels.turn(picture, degrees // 90)
    return pixels.rotate(picture, degrees % 360, *canvas((picture.width, picture.height), degrees))


FILLS: Mapping[str, tuple[int, int, int] | None] = {
    "transparent": None,
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}


def apply(work: Work, segment: Segment, op: Rotate) -> None:
    picture, degrees = work.picture, op.degrees % 360
    if degrees % 90 == 0:
        work.picture = turned(picture, degrees)
        return
    size = picture.width, picture.height
    room = size if work.dialect("rotate-canvas") == "keep" else canvas(size, degrees)
    work.picture = pixels.rotate(picture, degrees, *room, FILLS[work.dialect("rotate-fill")])


def apply_auto_orient(work: Work, segment: Segment, op: AutoOrient) -> None:
    work.picture = pixels.auto_orient(work.picture)


def apply_flip(work: Work, segment: Segment, op: Flip) -> None:
    work.picture = pixels.flip(work.picture, op.axis)
