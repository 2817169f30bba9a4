"""The arithmetic of sizes: whole pixels, rounded as the dialect `rounding` says, never less than one (CI 4.1)."""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.pixels import Picture
from coslocal.ci.source import check_limits
from coslocal.ci.work import Work
from derivo.ci import limits

Size = tuple[int, int]


HALF_UP = "half-up"


def scaled(length: int, numerator: int, denominator: int, rounding: str = HALF_UP) -> int:
    """length * numerator / denominator, rounded (half-up, down or up), at least 1."""
    product = length * numerator
    if rounding == "down":
        return max(1, product // denominator)
    if rounding == "up":
        return max(1, -(-product // denominator))
    return max(1, (2 * product + denominator) // (2 * denominator))


def clamped(length: int) -> int:
    """A width or height as CI takes it: at most 10,000 (CI 0)."""
    return min(length, limits.CLAMP)


def inside(size: Size, width: int, height: int, rounding: str = HALF_UP) -> Size:
    """The largest size of the same ratio that does not exceed width x height."""
    wide = width * size[1] <= height * size[0]
    return to_width(size, width, rounding) if wide else to_height(size, height, rounding)


def around(size: Size, width: int, height: int, rounding: str = HALF_UP) -> Size:
    """The smallest size of the same ratio that covers width x height."""
    wide = width * size[1] >= height * size[0]
    return to_width(size, width, rounding) if wide else to_height(size, height, rounding)


def to_width(size: Size, width: int, rounding: str = HALF_UP) -> Size:
    return width, scaled(size[1], width, size[0], rounding)


def to_height(size: Size, height: int, rounding: str = HALF_UP) -> Size:
    return scaled(size[0], height, size[1], rounding), height


def grows(size: Size, target: Size) -> bool:
    return target[0] > size[0] or target[1] > size[1]


def resized(work: Work, target: Size) -> Picture:
    """The present picture at the target size.

    An animation is not enlarged (CI 4.7): it keeps its size, or is refused, by dialect. Raises ImageError, above the
    limits too.
    """
    picture = work.picture
    if picture.animated and grows((picture.width, picture.height), target):
        if work.dialect("animated-upscale") == "refuse":
            raise errors.invalid_rule("an animation cannot be enlarged")
        work.warn("an animation is not enlarged: its size is left unchanged")
        return picture
    check_limits(*target, len(picture.frames))
    return pixels.resize(picture, *target)
