"""`crop/WxH`, `crop/Wx`, `crop/xH`: shrink to cover, then crop at the gravity (CI 4.2; dialect `crop`).

Sizes beyond the image are taken as the image's own. The default gravity is undocumented: the legacy northwest.
"""

from __future__ import annotations

from coslocal.ci import pixels
from coslocal.ci.operations.gravity import asked, place, window
from coslocal.ci.operations.numbers import Size, around, clamped, grows, resized
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import Crop


def cover(size: Size, width: int | None, height: int | None) -> Size:
    """The size to shrink to before cropping: only where both sides are given, and never larger."""
    if width is None or height is None:
        return size
    found = around(size, width, height)
    return size if grows(size, found) else found


def apply(work: Work, segment: Segment, op: Crop) -> None:
    picture = work.picture
    width = None if op.width is None else clamped(op.width)
    height = None if op.height is None else clamped(op.height)
    if work.dialect("crop") == "scale-then-crop":
        picture = resized(work, cover((picture.width, picture.height), width, height))
    size = picture.width, picture.height
    box = min(width or size[0], size[0]), min(height or size[1], size[1])
    left, top = window(size, box, place(size, box, *asked(segment, "northwest")))
    work.picture = pixels.extract(picture, left, top, *box)
