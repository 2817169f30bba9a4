"""blur, bright, contrast, sharpen, grayscale (CI 4.9). The vendor documents ranges, no curves.

bright adds its per cent of full scale; contrast turns the curve around the middle grey, with the slope of
tan(45 + 0.45 c) degrees; sharpen is an unsharp mask of v per cent.
"""

from __future__ import annotations

from math import pi, tan

from coslocal.ci import errors, pixels
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import Blur, Bright, Contrast, Grayscale, Sharpen


def bright_table(value: int) -> list[int]:
    return [_byte(at + value * 255 / 100) for at in range(256)]


def contrast_table(value: int) -> list[int]:
    slope = tan(pi / 4 * (1 + min(value, 99.9) / 100))
    return [_byte((at - 127.5) * slope + 127.5) for at in range(256)]


def _byte(value: float) -> int:
    return min(255, max(0, int(value + 0.5)))


def apply_blur(work: Work, segment: Segment, op: Blur) -> None:
    if op.sigma <= 0 or not 1 <= op.radius <= 50:
        raise errors.invalid_rule("blur takes a radius of 1 to 50 and a sigma above 0")
    work.picture = pixels.blur(work.picture, max(1, round(op.radius)), max(op.sigma, 0.1))


def apply_bright(work: Work, segment: Segment, op: Bright) -> None:
    work.picture = pixels.curve(work.picture, bright_table(op.value))


def apply_contrast(work: Work, segment: Segment, op: Contrast) -> None:
    work.picture = pixels.curve(work.picture, contrast_table(op.value))


def apply_sharpen(work: Work, segment: Segment, op: Sharpen) -> None:
    work.picture = pixels.sharpen(work.picture, op.value / 100)


def apply_grayscale(work: Work, segment: Segment, op: Grayscale) -> None:
    if op.on:
        work.picture = pixels.grayscale(work.picture)
