"""`crop/WxH`, `crop/Wx`, `crop/xH`: shrink to cover, then crop at the gravity (CI 4.2; dialects `crop`, `crop-gravity`
and `crop-beyond`)."""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.operations.gravity import asked, place, window
from coslocal.ci.operations.numbers import HALF_UP, Size, around, clamped, grows, resized
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import Crop


def cover(size: Size, width: int | None, height: int | None, rounding: str = HALF_UP) -> Size:
    """The size to shrink to before cropping: only where both sides are given, and never larger."""
    if width is None or height is None:
        return size
    found = around(size, width, height, rounding)
    return size if grows(size, found) else found


def apply(work: Work, segment: Segment, op: Crop) -> None:
    picture = work.picture
    width = None if op.width is None else clamped(op.width)
    height = None if op.height is None else clamped(op.height)
    beyond = (width or 0) > picture.width or (height or 0) > picture.height
    if beyond and work.dialect("crop-beyond") == "refuse":
        raise errors.invalid_rule(f"crop asks for more than the image of {picture.width}x{picture.height}")
    if work.dialect("crop") == "scale-then-crop":
        picture = resized(work, cover((picture.width, picture.height), width, height, work.dialect("rounding")))
    size = picture.width, picture.height
    box = min(width or size[0], size[0]), min(height or size[1], size[1])
    left, top = window(size, box, place(size, box, *asked(segment, work.dialect("crop-gravity"))))
    work.picture = pixels.extract(picture, left, top, *box)
