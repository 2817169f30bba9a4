"""`scrop/WxH` and `rcrop/WxH` (CI 4.3).

CI crops around faces; here libvips's attention measure stands in for the face, which is an approximation. rcrop takes
the largest window of the ratio W:H at the gravity (its units and anchor are dialects).
"""

from __future__ import annotations

from coslocal.ci import pixels
from coslocal.ci.operations.gravity import asked, place, window
from coslocal.ci.operations.numbers import HALF_UP, Size, around, clamped, resized, scaled
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import RatioCrop, SmartCrop


def apply_smart(work: Work, segment: Segment, op: SmartCrop) -> None:
    if work.dialect("scrop-face") == "none":
        work.warn("scrop found no face: the picture is as it was")
        return
    wanted = clamped(op.width), clamped(op.height)
    picture = resized(work, around((work.picture.width, work.picture.height), *wanted, work.dialect("rounding")))
    size = picture.width, picture.height
    box = min(wanted[0], size[0]), min(wanted[1], size[1])
    work.warn("scrop looks for what catches the eye, not for a face: an approximation")
    if box != size:
        picture = pixels.settled(picture)
        x, y = pixels.attention(picture, *box)
        left, top = window(size, box, (x - box[0] // 2, y - box[1] // 2))
        picture = pixels.extract(picture, left, top, *box)
    work.picture = picture


def ratio_box(size: Size, width: int, height: int, rounding: str = HALF_UP) -> Size:
    """The largest box of the ratio width:height inside a size."""
    if width * size[1] >= height * size[0]:
        return size[0], min(size[1], scaled(size[0], height, width, rounding))
    return min(size[0], scaled(size[1], width, height, rounding)), size[1]


def apply_ratio(work: Work, segment: Segment, op: RatioCrop) -> None:
    size = work.picture.width, work.picture.height
    if work.dialect("rcrop-units") == "pixels":
        box = min(op.width, size[0]), min(op.height, size[1])
    else:
        box = ratio_box(size, op.width, op.height, work.dialect("rounding"))
    left, top = window(size, box, place(size, box, *asked(segment, work.dialect("rcrop-anchor"))))
    work.picture = pixels.extract(work.picture, left, top, *box)
