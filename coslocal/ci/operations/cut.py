"""`cut/WxH[xDXxDY]`: a window at the gravity anchor, no scaling (CI 4.2).

A window that leaves the image is clipped to it or refused (dialect `cut-outside`); one wholly outside is refused.
"""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.operations.gravity import asked, place
from coslocal.ci.operations.numbers import Size
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import Cut


def window(size: Size, box: Size, at: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, top, width, height) of the part of the box that lies on the image; a side is below 1 when none does."""
    left, top = max(0, at[0]), max(0, at[1])
    return left, top, min(size[0], at[0] + box[0]) - left, min(size[1], at[1] + box[1]) - top


def apply(work: Work, segment: Segment, op: Cut) -> None:
    size = work.picture.width, work.picture.height
    gravity, dx, dy = asked(segment, "northwest")
    dx = dx if op.dx is None else op.dx
    dy = dy if op.dy is None else op.dy
    left, top, width, height = window(size, (op.width, op.height), place(size, (op.width, op.height), gravity, dx, dy))
    if width < 1 or height < 1:
        raise errors.invalid_rule(f"cut/{op.width}x{op.height} lies outside the image of {size[0]}x{size[1]}")
    if (width, height) != (op.width, op.height):
        if work.dialect("cut-outside") == "refuse":
            raise errors.invalid_rule(f"cut/{op.width}x{op.height} leaves the image of {size[0]}x{size[1]}")
        work.warn(f"cut/{op.width}x{op.height} leaves the image: clipped to {width}x{height}")
    work.picture = pixels.extract(work.picture, left, top, width, height)
