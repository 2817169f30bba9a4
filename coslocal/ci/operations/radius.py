"""`iradius/<r>` and `rradius/<r>`: the inscribed circle and rounded corners (CI 4.3).

Canvas and fill are undocumented: the circle's canvas is 2r x 2r, and outside is transparent, white in formats
without alpha. CI does neither for gif.
"""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import InnerRadius, RoundRadius


def apply_inner(work: Work, segment: Segment, op: InnerRadius) -> None:
    _check(work, "iradius", op.radius)
    side = 2 * op.radius
    picture = work.picture
    square = pixels.extract(picture, (picture.width - side) // 2, (picture.height - side) // 2, side, side)
    work.picture = pixels.rounded(square, op.radius)


def apply_round(work: Work, segment: Segment, op: RoundRadius) -> None:
    _check(work, "rradius", op.radius)
    work.picture = pixels.rounded(work.picture, op.radius)


def _check(work: Work, name: str, radius: int) -> None:
    if work.source.format == "gif":
        raise errors.invalid_rule(f"{name} is not offered for gif")
    shorter = min(work.picture.width, work.picture.height)
    if not 0 < radius <= shorter / 2:
        raise errors.invalid_rule(f"{name}/{radius} does not fit: it is above 0 and at most half of {shorter}")
