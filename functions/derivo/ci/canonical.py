"""The canonical form of a rule: same meaning, same text. It is what the spec digest hashes.

Left out are parameters that say what CI does anyway, where the documents agree on that, and operations without effect.
Kept are the order of operations inside a stage and every value whose default is disputed (CI 11). When in doubt two
rules stay different: a derivative made once too often is better than one that is stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Callable, Optional, TypeVar

import msgspec

from derivo.ci import limits
from derivo.ci.printer import to_text
from derivo.ci.tables import IGNORED_OFFSETS
from derivo.ci.tree import (
    BlindWatermark,
    CGif,
    CiProcess,
    Color,
    Crop,
    Cut,
    Dx,
    Dy,
    EGif,
    Format,
    Gravity,
    Grayscale,
    ImageMogr2,
    ImageView2,
    ImageWatermark,
    Interlace,
    MogrOp,
    Node,
    Pad,
    RatioCrop,
    Rotate,
    Rule,
    SmartCrop,
    Stage,
    TextWatermark,
    Thumbnail,
)

_Sized = TypeVar("_Sized", bound=Node)

_NOTHING = ImageMogr2((Interlace(False),))
"""What stands for a rule that does nothing: a stage must have an operation."""


def canonical(rule: Rule) -> str:
    """The rule's canonical text, itself a rule of the same meaning. Idempotent over `parse`."""
    stages = [stage for stage in (_stage(each) for each in rule.stages) if stage is not None]
    return to_text(Rule(tuple(stages) or (_NOTHING,)))


def spec_digest(rule: Rule) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the canonical text."""
    return sha256(canonical(rule).encode()).hexdigest()[:12]


def _stage(stage: Stage) -> Optional[Stage]:
    plain = _STAGES.get(type(stage))
    return stage if plain is None else plain(stage)


# --- imageMogr2 -------------------------------------------------------------------------------------------------------


def _mogr(stage: ImageMogr2) -> Optional[ImageMogr2]:
    ops = [op for op in (_op(each) for each in stage.ops) if op is not None]
    kinds = {type(op) for op in ops}
    dropped: set[type] = set()
    if Pad not in kinds:
        dropped.add(Color)
    if CGif in kinds:
        dropped.add(EGif)  # cgif wins (CI 4.7)
    for op in ops:
        if isinstance(op, Gravity):
            dropped.update(Dx if name == "dx" else Dy for name in IGNORED_OFFSETS.get(op.value, ()))
    kept = tuple(op for op in ops if type(op) not in dropped)
    return ImageMogr2(kept) if kept else None


def _op(op: MogrOp) -> Optional[MogrOp]:
    """The operation in its one spelling, or None when it has no effect."""
    if isinstance(op, (Pad, Interlace, Grayscale)):
        return op if op.on else None
    if isinstance(op, Rotate):
        return op if op.degrees % 360 else None
    if isinstance(op, Format):
        return Format(_format(op.name))
    if isinstance(op, CGif):
        return CGif(30) if op.frames == 1 else op  # CI 4.7
    if isinstance(op, Thumbnail) and op.form.startswith("percent"):
        return op if 1 <= op.amount <= 1000 else None  # "not processed" (CI 4.1)
    if isinstance(op, (Thumbnail, Cut, Crop, SmartCrop, RatioCrop)):
        return _clamped(op)
    return op


def _clamped(node: _Sized) -> _Sized:
    """The node with its width and height as CI takes them (CI 0)."""
    changes = {side: limits.CLAMP for side in ("width", "height") if (getattr(node, side) or 0) > limits.CLAMP}
    return msgspec.structs.replace(node, **changes) if changes else node


def _format(name: str) -> str:
    return "jpg" if name == "jpeg" else name


# --- the other stages -------------------------------------------------------------------------------------------------


def _view(stage: ImageView2) -> Optional[ImageView2]:
    plain = _clamped(stage)
    if plain.format is not None:
        plain = msgspec.structs.replace(plain, format=_format(plain.format))
    return plain


_MARK_DEFAULTS: Mapping[str, Any] = {"gravity": "southeast", "dx": 0, "dy": 0, "dissolve": 90, "degree": 0}
_TEXT_DEFAULTS: Mapping[str, Any] = {
    **_MARK_DEFAULTS,
    "font": "tahoma.ttf",
    "fontsize": 13,
    "fill": "#3D3D3D",
    "spacing": 10,
    "shadow": 0,
}
"""Documented defaults of watermarks (CI 5.1, 5.2)."""


def _mark(defaults: Mapping[str, Any]) -> Callable[[Any], Any]:
    def plain(stage: Any) -> Any:
        changes: dict[str, Any] = {}
        if not stage.batch:
            changes.update(batch=None, degree=None)  # degree acts on tiles only
        changes.update((name, None) for name in IGNORED_OFFSETS.get(stage.gravity or "", ()))
        changes.update((name, None) for name, value in defaults.items() if getattr(stage, name) == value)
        return msgspec.structs.replace(stage, **changes)

    return plain


def _blind(stage: BlindWatermark) -> BlindWatermark:
    return msgspec.structs.replace(stage, level=None) if stage.kind == 2 and stage.level == 1 else stage


def _ci_process(stage: CiProcess) -> CiProcess:
    return CiProcess(stage.name, tuple(sorted(stage.params)))


_STAGES: Mapping[type, Callable[[Any], Any]] = {
    ImageMogr2: _mogr,
    ImageView2: _view,
    ImageWatermark: _mark(_MARK_DEFAULTS),
    TextWatermark: _mark(_TEXT_DEFAULTS),
    BlindWatermark: _blind,
    CiProcess: _ci_process,
}
