"""watermark/1: a picture over the picture (CI 5.1).

A mark larger than the picture is cut off at its edges, away from the gravity's anchor, or refused (dialect
`mark-too-large`), unless blogo/1 asks to scale it down to the picture.
"""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.errors import shown
from coslocal.ci.operations import marks
from coslocal.ci.operations.numbers import grows, inside
from coslocal.ci.pixels import Picture
from coslocal.ci.source import examine, explain_failure
from coslocal.ci.types import ImageError
from coslocal.ci.work import Work
from derivo.ci.tree import ImageWatermark


def apply(work: Work, op: ImageWatermark) -> None:
    mark = _fetch(work, op)
    size = work.picture.width, work.picture.height
    if op.blogo == 1 and grows(size, (mark.width, mark.height)):
        mark = pixels.resize(mark, *inside((mark.width, mark.height), *size, work.dialect("rounding")))
    marks.lay(work, mark, op)


def _fetch(work: Work, op: ImageWatermark) -> Picture:
    """The mark, RGB with alpha. Raises ImageError: no such object, not an image, animated."""
    where = op.image or op.image_key
    if where is None:
        raise errors.invalid_rule("watermark/1 needs image or image_key")
    data = work.surroundings.fetch(where)
    try:
        source = examine(data, work.surroundings.dialects)
    except ImageError as error:
        raise ImageError(error.code, f"Watermark {shown(where)}: {error.message}", number=error.number) from None
    if source.header.frames > 1:
        raise errors.invalid_rule(f"Watermark {shown(where)} is an animation; only stills can be laid over a picture")
    try:
        return pixels.settled(pixels.mark_of(source.open()))
    except pixels.PixelError as error:
        raise explain_failure(source, error) from None
