"""What a processing rule should make of a picture: told from the rule alone, before anything is processed.

This is a second reading of the rules beside coslocal's, written for geometry only, so that the demo does not check
coslocal with coslocal. It follows the operations that rule sets of photographs use (CI 4.1, 4.2, 4.6); for anything
else it says that it cannot tell, which fails the check.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from derivo.ci import parse, tree

ANIMATED_FORMATS = ("gif", "webp")


class Unpredictable(ValueError):
    """The rule holds something whose result this module does not know."""


@dataclass(frozen=True)
class Box:
    """A rectangle in fractions of the whole: 0, 0, 1, 1 is all of it."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A derivative as it should be. Sides in pixels of one frame; `view` is the part of the upright source that is to
    be seen."""

    format: str
    width: float
    height: float
    frames: int
    view: Box = Box()

    @property
    def size(self) -> tuple[int, int]:
        return whole(self.width), whole(self.height)


def whole(side: float) -> int:
    """Pixels of a side; how CI rounds is not documented (CI 4.1), so checks allow one pixel to either side."""
    return max(1, math.floor(side + 0.5))


def expected(rule: str, *, format: str, width: int, height: int, frames: int = 1) -> Expected:
    """What `rule` makes of a source of that format and upright size. Raises Unpredictable."""
    parsed = parse(rule)
    if parsed.rule is None or parsed.errors:
        raise Unpredictable(f"{rule!r} is no valid processing rule")
    state = Expected(format=format, width=width, height=height, frames=frames)
    for stage in parsed.rule.stages:
        state = _stage(stage, state)
        state = replace(state, width=whole(state.width), height=whole(state.height))
    return state if state.format in ANIMATED_FORMATS else replace(state, frames=1)


def _stage(stage: tree.Stage, state: Expected) -> Expected:
    if isinstance(stage, tree.ImageMogr2):
        return _mogr(stage, state)
    if isinstance(stage, (tree.TextWatermark, tree.ImageWatermark, tree.ImageSlim)):
        return state
    raise Unpredictable(f"a stage of kind {type(stage).__name__}")


_NEUTRAL = (
    tree.AutoOrient, tree.Strip, tree.Quality, tree.RelativeQuality, tree.LowestQuality, tree.Interlace, tree.Gravity,
    tree.Blur, tree.Bright, tree.Contrast, tree.Sharpen, tree.Grayscale,
)  # fmt: skip


def _mogr(stage: tree.ImageMogr2, state: Expected) -> Expected:
    """The order inside one segment is not documented (CI 4), so more than one change of size there cannot be told."""
    resized = False
    gravity = next((op.value for op in stage.ops if isinstance(op, tree.Gravity)), "northwest")
    for op in stage.ops:
        if isinstance(op, _NEUTRAL):
            continue
        if isinstance(op, tree.Format):
            state = replace(state, format=_format(op.name))
            continue
        if resized:
            raise Unpredictable("two changes of size in one segment")
        resized = True
        if isinstance(op, tree.Thumbnail):
            state = _thumbnail(op, state)
        elif isinstance(op, tree.Crop) and op.width and op.height:
            state = _cover(state, op.width, op.height, gravity)
        else:
            raise Unpredictable(f"the operation {type(op).__name__}")
    return state


def _format(name: str) -> str:
    return {"jpg": "jpeg", "yjpeg": "jpeg", "heic": "heif"}.get(name, name)


_Ratio = Callable[[float, float, Any], float]

# form of a thumbnail -> its factor, from the width's ratio, the height's ratio and the operation
_FACTORS: dict[str, _Ratio] = {
    "percent": lambda _w, _h, op: op.amount / 100,
    "width": lambda w, _h, _op: w,
    "height": lambda _w, h, _op: h,
    "fit": lambda w, h, _op: min(w, h),
    "shrink": lambda w, h, _op: min(1.0, w, h),
    "enlarge": lambda w, h, _op: max(1.0, min(w, h)),
    "cover": lambda w, h, _op: max(w, h),
}


def _thumbnail(op: tree.Thumbnail, state: Expected) -> Expected:
    if op.form == "force":
        return replace(state, width=op.width, height=op.height)
    if op.form == "area":
        return _scaled(state, math.sqrt(op.amount / (state.width * state.height)))
    if op.form not in _FACTORS:
        raise Unpredictable(f"a thumbnail of the form {op.form}")
    return _scaled(state, _FACTORS[op.form](op.width / state.width, op.height / state.height, op))


def _scaled(state: Expected, factor: float) -> Expected:
    if state.frames > 1:
        factor = min(1.0, factor)  # animations are not enlarged (CI 4.1)
    return replace(state, width=state.width * factor, height=state.height * factor)


def _cover(state: Expected, width: int, height: int, gravity: str) -> Expected:
    """Shrunk until only one side is too long, then cut at the gravity; a side that is too short stays as it is."""
    factor = min(1.0, max(width / state.width, height / state.height))
    wide, high = min(width, state.width * factor), min(height, state.height * factor)
    across, down = wide / (state.width * factor), high / (state.height * factor)
    left = (1 - across) * (0.0 if "west" in gravity else 1.0 if "east" in gravity else 0.5)
    top = (1 - down) * (0.0 if "north" in gravity else 1.0 if "south" in gravity else 0.5)
    seen = _part(state.view, Box(left, top, left + across, top + down))
    return replace(state, width=wide, height=high, view=seen)


def _part(of: Box, box: Box) -> Box:
    wide, high = of.right - of.left, of.bottom - of.top
    return Box(
        of.left + box.left * wide, of.top + box.top * high, of.left + box.right * wide, of.top + box.bottom * high
    )
