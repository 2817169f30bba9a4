"""One imageMogr2 segment: the order of its operations is the list below.

The vendor does not document an order (CI 4): the dialect `segment-order` chooses between this list and the text's own
order. Operations that only modify others (gravity, dx, dy, pad, color, ignore-error) are read by those.
"""

from __future__ import annotations

from coslocal.ci.operations import (
    crop,
    cut,
    filters,
    format,
    frames,
    radius,
    rotate,
    settings,
    smart_crop,
    thumbnail,
)
from coslocal.ci.source import check_limits
from coslocal.ci.work import Apply, Segment, Work
from derivo.ci import tree

STEPS: tuple[tuple[type[tree.Node], Apply], ...] = (
    (tree.CGif, frames.apply_cgif),
    (tree.EGif, frames.apply_egif),
    (tree.Frame, frames.apply_frame),
    (tree.AutoOrient, rotate.apply_auto_orient),
    (tree.Thumbnail, thumbnail.apply),
    (tree.Cut, cut.apply),
    (tree.Crop, crop.apply),
    (tree.SmartCrop, smart_crop.apply_smart),
    (tree.RatioCrop, smart_crop.apply_ratio),
    (tree.Rotate, rotate.apply),
    (tree.Flip, rotate.apply_flip),
    (tree.InnerRadius, radius.apply_inner),
    (tree.RoundRadius, radius.apply_round),
    (tree.Grayscale, filters.apply_grayscale),
    (tree.Bright, filters.apply_bright),
    (tree.Contrast, filters.apply_contrast),
    (tree.Blur, filters.apply_blur),
    (tree.Sharpen, filters.apply_sharpen),
    (tree.Strip, settings.apply_strip),
    (tree.Format, format.apply),
    (tree.Interlace, settings.apply_interlace),
    (tree.Quality, settings.apply_quality),
    (tree.RelativeQuality, settings.apply_relative_quality),
    (tree.LowestQuality, settings.apply_lowest_quality),
    (tree.SizeLimit, settings.apply_size_limit),
    (tree.AigcMetadata, settings.apply_aigc),
)
_PLACE = {kind: at for at, (kind, _) in enumerate(STEPS)}


def ordered(ops: tuple[tree.MogrOp, ...], order: str) -> list[tree.MogrOp]:
    """The operations that do something by themselves, in the order in which they run: `fixed` or `textual`."""
    found = [op for op in ops if type(op) in _PLACE]
    return sorted(found, key=lambda op: _PLACE[type(op)]) if order == "fixed" else found


def run(work: Work, stage: tree.ImageMogr2) -> None:
    segment = Segment(stage.ops)
    for op in ordered(stage.ops, work.dialect("segment-order")):
        STEPS[_PLACE[type(op)]][1](work, segment, op)
        check_limits(work.picture.width, work.picture.height, len(work.picture.frames))
