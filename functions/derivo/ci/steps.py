"""Typed steps, compiled to the CI language.

A step is a map with one member, its name. They are executed in the order written: because the vendor does not say in
which order the operations of one stage run (CI 4), each step becomes stages of its own, joined by `|`. `format`,
`quality`, `interlace` and `strip` tell how the file is written: wherever they stand they act at the end, and they may
stand together in one map. `steptables` lists the steps and their members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

import msgspec

from derivo.ci import limits, tree
from derivo.ci.checks import findings
from derivo.ci.printer import to_text
from derivo.ci.problems import SpanPath, problem
from derivo.ci.steptables import (
    CONTAIN,
    COVER,
    FILL,
    MARK_FIELDS,
    MAX_STEPS,
    OUTPUT,
    RESIZE,
    SCALES,
    STEPS,
    WATERMARK,
)
from derivo.ci.stepwork import StepPath, StepProblem, Work
from derivo.ci.values import BAD


class CompiledSteps(msgspec.Struct, frozen=True):
    """`rule` is None when a problem is an error that CI would not tolerate. `origins`: which step made which part."""

    rule: Optional[tree.Rule]
    problems: tuple[StepProblem, ...] = ()
    origins: Mapping[SpanPath, StepPath] = msgspec.field(default_factory=dict)


def compile_steps(steps: object) -> CompiledSteps:
    """The rule that does the steps, and everything that is wrong with them. Raises nothing."""
    work = Work()
    if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS:
        work.say((), "CI601", f"steps are a list of 1 to {MAX_STEPS} steps")
        return CompiledSteps(None, tuple(work.problems))
    for index, step in enumerate(steps):
        _step(work, index, step)
    work.finish()
    if len(work.stages) > limits.STAGES:
        message = f"the steps need {len(work.stages)} stages, more than the {limits.STAGES} that CI allows"
        work.say((), "CI606", message)
    rule = tree.Rule(tuple(work.stages))
    if not work.stages and not work.problems:
        work.say((), "CI601", "the steps do nothing")
    elif not work.refused and len(to_text(rule)) > limits.RULE_CHARACTERS:
        work.say((), "CI117", f"the steps make a rule of more than {limits.RULE_CHARACTERS} characters")
    return CompiledSteps(None if work.refused else rule, tuple(work.problems), work.origins)


def check_steps(
    compiled: CompiledSteps,
    *,
    key_extension: Optional[str] = None,
    source_suffixes: Optional[tuple[str, ...]] = None,
    keep_original_on_error: bool = False,
) -> tuple[StepProblem, ...]:
    """What `checks.check` finds in compiled steps, filed under the step that made it.

    That a step enlarges is no finding: each says for itself whether it may.
    """
    if compiled.rule is None:
        return ()
    found = findings(
        compiled.rule,
        key_extension=key_extension,
        source_suffixes=source_suffixes,
        keep_original_on_error=keep_original_on_error,
        persistent=True,
    )
    return tuple(
        StepProblem(
            compiled.origins.get(f.path) or compiled.origins.get(f.path[:1]) or (),
            problem(f.code, f.message, mend=_STEP_MENDS.get(f.code), tolerated=f.tolerated),
        )
        for f in found
        if f.code != "CI503"
    )


_STEP_MENDS = {"CI501": "auto_orient: true"}


def _step(work: Work, index: int, step: object) -> None:
    if not isinstance(step, dict) or not step:
        work.say((index,), "CI603", "a step is a map with one member, such as `rotate: 90`")
        return
    known = [name for name in step if isinstance(name, str) and (name in STEPS or name in OUTPUT)]
    for name in step:
        if name not in known:
            work.unknown((index,), name, "there is no step", {**STEPS, **OUTPUT})
    if len(step) > 1 and any(name in STEPS for name in known):
        work.say(
            (index,), "CI605", "one step a list item, as a map has no order (save format, quality, interlace, strip)"
        )
        return
    for name in known:
        path = (index, name)
        if name in OUTPUT:
            _output(work, path, step[name])
            continue
        value = work.read(path, STEPS[name], step[name])
        if value is not BAD:
            _COMPILERS.get(name, _operation)(work, path, value)


# --- steps ------------------------------------------------------------------------------------------------------------


def _auto_orient(work: Work, path: StepPath, value: Any) -> None:
    if value:
        work.ops(path, tree.AutoOrient())


def _resize(work: Work, path: StepPath, found: dict[str, Any]) -> None:
    alone = next((name for name in ("area", "percent") if name in found), None)
    fit = found.get("fit", CONTAIN)
    form = RESIZE.forms[alone or fit]
    extra = sorted(set(found) - set(form.takes))
    if extra:
        work.say(path, "CI605", f"resize with {alone or f'fit: {fit}'} takes no {' or '.join(extra)}")
    elif form.either and not found.keys() & set(form.either):
        work.say(path, "CI604", "resize needs width or height, or area, or percent")
    elif not found.keys() >= set(form.needs):
        work.say(path, "CI604", f"resize with fit: {fit} needs width and height")
    elif alone:
        work.ops(path, tree.Thumbnail(alone, amount=found[alone]))
    else:
        _fitted(work, path, fit, found)


def _fitted(work: Work, path: StepPath, fit: str, found: Mapping[str, Any]) -> None:
    width, height = found.get("width"), found.get("height")
    sides = {"width": width or limits.CLAMP, "height": height or limits.CLAMP}
    if fit == FILL:
        work.ops(path, tree.Thumbnail("force", **sides))
    elif fit == COVER:
        work.ops(path, tree.Thumbnail("cover", **sides))
        work.ops(path, tree.Crop(**sides), tree.Gravity(found.get("gravity", "center")))
    elif not found.get("enlarge"):
        work.ops(path, tree.Thumbnail("shrink", **sides))
    elif height is None:
        work.ops(path, tree.Thumbnail("width", width=sides["width"]))
    elif width is None:
        work.ops(path, tree.Thumbnail("height", height=sides["height"]))
    else:
        # Whether a plain WxH enlarges is not documented (CI 4.1); these two forms are.
        work.ops(path, tree.Thumbnail("shrink", **sides))
        work.ops(path, tree.Thumbnail("enlarge", **sides))


def _crop(work: Work, path: StepPath, found: dict[str, Any]) -> None:
    """A window: `cut`, because what `crop` does to the scale is disputed (CI 4.2)."""
    gravity = found.get("gravity", "northwest")
    if gravity == "center" and (found.get("x") or found.get("y")):
        work.say(path, "CI605", "crop takes no x or y with gravity: center, which CI would ignore")
        return
    window = tree.Cut(found["width"], found["height"], found.get("x", 0), found.get("y", 0))
    work.ops(path, window, tree.Gravity(gravity))


def _operation(work: Work, path: StepPath, op: tree.MogrOp) -> None:
    """A step that is one operation with one value."""
    work.ops(path, op)


def _grayscale(work: Work, path: StepPath, value: Any) -> None:
    if value:
        work.ops(path, tree.Grayscale(True))


def _blur(work: Work, path: StepPath, found: dict[str, Any]) -> None:
    work.ops(path, tree.Blur(found["radius"], found["sigma"]))


# --- watermarks -------------------------------------------------------------------------------------------------------


def _watermark(work: Work, path: StepPath, found: dict[str, Any]) -> None:
    named = [name for name in WATERMARK.forms if name in found]
    if len(named) != 1:
        work.say(path, "CI604", "a watermark has either text or image")
        return
    extra = sorted(set(found) - set(WATERMARK.forms[named[0]].takes))
    if extra:
        work.say(path, "CI605", f"a watermark of {named[0]} takes no {' or '.join(extra)}")
        return
    names = {name: MARK_FIELDS.get(name, name) for name in found if name != "scale"}
    fields = {field: found[name] for name, field in names.items()}
    if "scale" in found:
        scale = found["scale"]
        fields.update(scatype=SCALES.index(scale["by"]) + 1, spcent=scale["permille"])
    index = len(work.stages)
    if "text" in fields:
        work.stage(path, tree.TextWatermark(**fields))
    else:
        _image_mark(work, path, fields)
    work.origins.update({(index, field): (*path, name) for name, field in names.items()})


def _image_mark(work: Work, path: StepPath, fields: dict[str, Any]) -> None:
    """The mark is an http:// address, or else the key of an object in the source's bucket (CI 5.1)."""
    image = fields.pop("image")
    if image.startswith("https://"):
        message = "CI fetches marks from http:// addresses only, not from https://"
        work.say((*path, "image"), "CI308", message, "http://" + image[len("https://") :])
        return
    field = "image" if image.startswith("http://") else "image_key"
    work.stage(path, tree.ImageWatermark(**{field: image}, **fields))


_COMPILERS: Mapping[str, Callable[[Work, StepPath, Any], None]] = {
    "auto_orient": _auto_orient,
    "resize": _resize,
    "crop": _crop,
    "blur": _blur,
    "grayscale": _grayscale,
    "watermark": _watermark,
}
"""The steps that are more than one operation with one value."""


# --- how the file is written ----------------------------------------------------------------------------------------


def _output(work: Work, path: StepPath, value: object) -> None:
    name = str(path[-1])
    if name in work.output:
        work.say(path, "CI605", f"{name} stands twice in the steps; it acts once, at the end")
        return
    op = work.read(path, OUTPUT[name], value)
    if op is True:
        op = tree.Interlace(True) if name == "interlace" else tree.Strip()
    if op is not BAD and op is not False:
        work.output[name] = (op, path)
