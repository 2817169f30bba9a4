"""watermark/2: a text over the picture (CI 5.2). A point is a pixel; newlines are kept, nothing is wrapped."""

from __future__ import annotations

from coslocal.ci import errors, fonts, pixels
from coslocal.ci.operations import marks
from coslocal.ci.operations.thumbnail import rgb_of
from coslocal.ci.pixels import Picture
from coslocal.ci.work import Work
from derivo.ci.tree import TextWatermark

FONT_SIZE, FILL = 13, "#3D3D3D"
_MOST_INK = 50_000_000  # pixels of one text: what a font size and a text's length may ask for


def apply(work: Work, op: TextWatermark) -> None:
    for warning in fonts.warnings(op.text, op.font):
        work.warn(warning)
    marks.lay(work, draw(op), op)


def draw(op: TextWatermark) -> Picture:
    """The text as a mark, with its shadow down to the right."""
    size = FONT_SIZE if op.fontsize is None else op.fontsize
    if size < 1 or size * size * (len(op.text) + 1) > _MOST_INK:
        raise errors.invalid_rule(f"watermark/2: a fontsize of {size} does not go with {len(op.text)} characters")
    try:
        mask = pixels.text_mask(op.text, fonts.describe(op.font, size), fonts.font_file())
    except pixels.PixelError:
        raise errors.invalid_rule("watermark/2: the text has nothing to draw") from None
    mark = pixels.paint(mask, rgb_of(op.fill or FILL))
    return _with_shadow(mask, mark, op.shadow, size) if op.shadow else mark


def _with_shadow(mask: Picture, mark: Picture, shadow: int, size: int) -> Picture:
    offset = max(1, size // 16)
    ground = pixels.blank(mark.width + offset, mark.height + offset)
    dark = pixels.fade(pixels.paint(mask, (0, 0, 0)), shadow / 100)
    return pixels.overlay(pixels.overlay(ground, dark, offset, offset), mark, 0, 0)
