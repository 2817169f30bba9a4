"""The nine-grid: where a box lies inside a larger one (CI 4.4)."""

from __future__ import annotations

from coslocal.ci.work import Segment
from derivo.ci.tree import Dx, Dy, Gravity


def place(outer: tuple[int, int], box: tuple[int, int], gravity: str, dx: int = 0, dy: int = 0) -> tuple[int, int]:
    """(left, top) of the box. Offsets go inward from the anchor; a centred axis ignores its own."""
    left = _along(outer[0], box[0], "west" in gravity, "east" in gravity, dx)
    top = _along(outer[1], box[1], "north" in gravity, "south" in gravity, dy)
    return left, top


def _along(outer: int, box: int, start: bool, end: bool, offset: int) -> int:
    if start:
        return offset
    if end:
        return outer - box - offset
    return (outer - box) // 2


def window(outer: tuple[int, int], box: tuple[int, int], at: tuple[int, int]) -> tuple[int, int]:
    """(left, top) moved so that the box, which is no larger than the outer one, lies inside it."""
    return min(max(at[0], 0), outer[0] - box[0]), min(max(at[1], 0), outer[1] - box[1])


def asked(segment: Segment, default: str) -> tuple[str, int, int]:
    """gravity, dx and dy of an imageMogr2 segment."""
    gravity, dx, dy = segment.find(Gravity), segment.find(Dx), segment.find(Dy)
    return gravity.value if gravity else default, dx.value if dx else 0, dy.value if dy else 0
