"""Operations that change no pixel but how the result is written: strip, interlace, the qualities, size-limit, AIGC."""

from __future__ import annotations

from coslocal.ci import errors
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import AigcMetadata, Interlace, LowestQuality, Quality, RelativeQuality, SizeLimit, Strip


def apply_strip(work: Work, segment: Segment, op: Strip) -> None:
    work.output.strip = True


def apply_interlace(work: Work, segment: Segment, op: Interlace) -> None:
    work.output.progressive = op.on


def apply_quality(work: Work, segment: Segment, op: Quality) -> None:
    work.output.quality = op


def apply_relative_quality(work: Work, segment: Segment, op: RelativeQuality) -> None:
    work.output.relative_quality = op


def apply_lowest_quality(work: Work, segment: Segment, op: LowestQuality) -> None:
    work.output.lowest_quality = op


def apply_size_limit(work: Work, segment: Segment, op: SizeLimit) -> None:
    if work.surroundings.persistent and work.dialect("size-limit-stored") == "refuse":
        raise errors.invalid_rule("size-limit is offered on download only, not in Pic-Operations")
    work.output.size_limit = op


def apply_aigc(work: Work, segment: Segment, op: AigcMetadata) -> None:
    if not work.surroundings.persistent:  # CI 6: upload and cloud only
        raise errors.invalid_rule("AIGCMetadata is offered in Pic-Operations only, not on download")
    work.output.aigc = op
