"""`iradius/<r>` and `rradius/<r>`: the inscribed circle and rounded corners (CI 4.3).

The circle's canvas and what lies outside are dialects (`iradius-canvas`, `radius-fill`). CI does neither for gif.
"""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.pixels import Picture
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import InnerRadius, RoundRadius


def apply_inner(work: Work, segment: Segment, op: InnerRadius) -> None:
    _check(work, "iradius", op.radius)
    side = 2 * op.radius
    picture = work.picture
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    circle = pixels.rounded(pixels.extract(picture, left, top, side, side), op.radius)
    if work.dialect("iradius-canvas") == "source":
        circle = pixels.on_nothing(circle, picture.width, picture.height, left, top)
    work.picture = _filled(work, circle)


def apply_round(work: Work, segment: Segment, op: RoundRadius) -> None:
    _check(work, "rradius", op.radius)
    work.picture = _filled(work, pixels.rounded(work.picture, op.radius))


def _filled(work: Work, picture: Picture) -> Picture:
    white = work.dialect("radius-fill") == "white"
    return pixels.on_colour(picture, (255, 255, 255)) if white else picture


def _check(work: Work, name: str, radius: int) -> None:
    if work.source.format == "gif":
        raise errors.invalid_rule(f"{name} is not offered for gif")
    shorter = min(work.picture.width, work.picture.height)
    if not 0 < radius <= shorter / 2:
        raise errors.invalid_rule(f"{name}/{radius} does not fit: it is above 0 and at most half of {shorter}")
