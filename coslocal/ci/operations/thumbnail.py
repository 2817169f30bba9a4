"""`thumbnail/<geometry>` in its eleven forms, with `pad/1` and `color/<b64>` (CI 4.1)."""

from __future__ import annotations

from math import isqrt

from coslocal.ci import pixels
from coslocal.ci.operations.gravity import place
from coslocal.ci.operations.numbers import (
    HALF_UP,
    Size,
    around,
    clamped,
    grows,
    inside,
    resized,
    scaled,
    to_height,
    to_width,
)
from coslocal.ci.work import Segment, Work
from derivo.ci.tree import Color, Pad, Thumbnail

PADDED = ("fit", "shrink", "enlarge")


def target(op: Thumbnail, size: Size, upscale: bool = True, rounding: str = HALF_UP) -> Size:
    """The size after this thumbnail. `upscale`: whether `WxH` and `N@` may enlarge (undocumented)."""
    if op.form.startswith("percent"):
        return _percent(op, size, rounding)
    width, height = clamped(op.width), clamped(op.height)
    if op.form == "width":
        return to_width(size, width, rounding)
    if op.form == "height":
        return to_height(size, height, rounding)
    if op.form == "force":
        return width, height
    if op.form == "cover":
        return around(size, width, height, rounding)
    if op.form == "area":
        found = max(1, isqrt(op.amount * size[0] // size[1])), max(1, isqrt(op.amount * size[1] // size[0]))
        return found if upscale else (size if grows(size, found) else found)
    return _within(op.form, size, inside(size, width, height, rounding), upscale)


def _percent(op: Thumbnail, size: Size, rounding: str) -> Size:
    if not 1 <= op.amount <= 1000:  # CI 4.1: outside this range it is "not processed"
        return size
    across = op.amount if op.form != "percent-height" else 100
    down = op.amount if op.form != "percent-width" else 100
    return scaled(size[0], across, 100, rounding), scaled(size[1], down, 100, rounding)


def _within(form: str, size: Size, fitted: Size, upscale: bool) -> Size:
    """fit goes both ways, `>` only shrinks, `<` only enlarges."""
    larger = grows(size, fitted)
    if form == "shrink" or (form == "fit" and not upscale):
        return size if larger else fitted
    if form == "enlarge":
        return fitted if larger else size
    return fitted


def apply(work: Work, segment: Segment, op: Thumbnail) -> None:
    picture = work.picture
    size = picture.width, picture.height
    found = target(op, size, work.dialect("upscale") == "allow", work.dialect("rounding"))
    work.picture = resized(work, found)
    pad = segment.find(Pad)
    if pad and pad.on and op.form in PADDED:
        _pad(work, segment, (clamped(op.width), clamped(op.height)))


def _pad(work: Work, segment: Segment, canvas: Size) -> None:
    """Centre the picture on a canvas of one colour; a picture that stayed larger is cut to it."""
    color = segment.find(Color)
    rgb = rgb_of(color.rgb if color else work.dialect("pad-colour"))
    picture = work.picture
    left, top = place(canvas, (picture.width, picture.height), "center")
    work.picture = pixels.on_canvas(picture, *canvas, left, top, rgb)


def rgb_of(colour: str) -> tuple[int, int, int]:
    """`#RRGGBB` as three values 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
