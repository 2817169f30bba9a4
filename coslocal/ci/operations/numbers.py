"""The arithmetic of sizes: whole pixels, rounded half up, never less than one (CI 4.1: rounding is undocumented)."""

from __future__ import annotations

from coslocal.ci import pixels
from coslocal.ci.pixels import Picture
from coslocal.ci.source import check_limits
from coslocal.ci.work import Work
from derivo.ci import limits

Size = tuple[int, int]


def scaled(length: int, numerator: int, denominator: int) -> int:
    """length * numerator / denominator, rounded half up, at least 1."""
    return max(1, (2 * length * numerator + denominator) // (2 * denominator))


def clamped(length: int) -> int:
    """A width or height as CI takes it: at most 10,000 (CI 0)."""
    return min(length, limits.CLAMP)


def inside(size: Size, width: int, height: int) -> Size:
    """The largest size of the same ratio that does not exceed width x height."""
    return _to_width(size, width) if width * size[1] <= height * size[0] else _to_height(size, height)


def around(size: Size, width: int, height: int) -> Size:
    """The smallest size of the same ratio that covers width x height."""
    return _to_width(size, width) if width * size[1] >= height * size[0] else _to_height(size, height)


def _to_width(size: Size, width: int) -> Size:
    return width, scaled(size[1], width, size[0])


def _to_height(size: Size, height: int) -> Size:
    return scaled(size[0], height, size[1]), height


def grows(size: Size, target: Size) -> bool:
    return target[0] > size[0] or target[1] > size[1]


def resized(work: Work, target: Size) -> Picture:
    """The present picture at the target size.

    An animation that would grow keeps its size: CI does not enlarge them (CI 4.7). Raises ImageError above the limits.
    """
    picture = work.picture
    if picture.animated and grows((picture.width, picture.height), target):
        work.warn("an animation is not enlarged: its size is left unchanged")
        return picture
    check_limits(*target, len(picture.frames))
    return pixels.resize(picture, *target)
