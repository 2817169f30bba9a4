"""`cgif/<n>`, `egif/<k>` and `frame/<n>`: which frames of an animation are kept (CI 4.7).

The time of a frame that egif leaves out goes to the one before it. cgif and egif also reduce the colours of a gif: to
how many is not documented, here to half of what it can have.
"""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import CGif, EGif, Frame


def first(count: int, asked: int) -> range:
    """cgif: the first n frames; 1 means 30."""
    return range(min(count, 30 if asked == 1 else asked))


def every(count: int, step: int) -> range:
    """egif: frames 1, 1+k, 1+2k ..."""
    return range(0, count, max(1, step))


def apply_cgif(work: Work, segment: Segment, op: CGif) -> None:
    work.picture = pixels.select(work.picture, first(len(work.picture.frames), op.frames))
    work.output.fewer_colours = True


def apply_egif(work: Work, segment: Segment, op: EGif) -> None:
    if segment.find(CGif) is None:  # given both, cgif wins
        work.picture = pixels.select(work.picture, every(len(work.picture.frames), op.every))
        work.output.fewer_colours = True


def apply_frame(work: Work, segment: Segment, op: Frame) -> None:
    if work.surroundings.persistent:
        raise errors.invalid_rule("frame is offered on download only, not in Pic-Operations")
    last = len(work.picture.frames)
    work.picture = pixels.select(work.picture, [min(max(op.number, 1), last) - 1])
