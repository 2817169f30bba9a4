"""Typed steps, compiled to the CI language.

A step is a map with one member, its name. They are executed in the order written: because the vendor does not say in
which order the operations of one stage run (CI 4), each step becomes stages of its own, joined by `|`. `format`,
`quality`, `interlace` and `strip` tell how the file is written: wherever they stand they act at the end, and they may
stand together in one map.

    auto_orient: true              turn as EXIF says
    resize: {width, height, fit, enlarge, gravity} | {area} | {percent}
                                   contain (the default): fit inside, enlarging only with `enlarge: true`; one side may
                                   be left free · cover: exactly width x height, scaled and cut at `gravity` (center) ·
                                   fill: exactly width x height, distorted · area: at most so many pixels · percent
    crop: {width, height, gravity, x, y}   a window at the gravity's anchor (northwest), without scaling
    rotate: degrees                clockwise, 0..360
    flip: vertical | horizontal
    blur: {radius, sigma}          sharpen: 10..300 · brightness, contrast: -100..100 · grayscale: true
    watermark: {text, font, size, color, shadow} or {image: key or http:// address, scale: {by, permille}};
               both: gravity, opacity, dx, dy, tile, rotate, spacing
    format: name                   quality: 0..100 · interlace: true · strip: true
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

import msgspec

from derivo.ci import limits, texts, tree
from derivo.ci.checks import findings
from derivo.ci.printer import decimal, to_text
from derivo.ci.problems import SpanPath, problem
from derivo.ci.stepwork import MAP, NUMBER, SWITCH, TEXT, WHOLE, Member, StepPath, StepProblem, Work
from derivo.ci.tables import GRAVITIES, MOGR, WATERMARKS
from derivo.ci.values import AREA, BAD, CUT_OFFSET, HEIGHT, PERCENT, WIDTH, Range, Reader, Scan, Token, whole, word

MAX_STEPS = 100
"""More steps than this are not looked at; CI allows ten stages."""


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
    known = [name for name in step if isinstance(name, str) and (name in STEPS or name in _OUTPUT)]
    for name in step:
        if name not in known:
            work.unknown((index,), name, "there is no step", {**STEPS, **_OUTPUT})
    if len(step) > 1 and any(name in STEPS for name in known):
        work.say(
            (index,), "CI605", "one step a list item, as a map has no order (save format, quality, interlace, strip)"
        )
        return
    for name in known:
        path = (index, name)
        if name in _OUTPUT:
            _output(work, path, step[name])
        else:
            STEPS[name](work, path, step[name])


# --- steps ------------------------------------------------------------------------------------------------------------


def _auto_orient(work: Work, path: StepPath, value: object) -> None:
    if work.read(path, SWITCH, value) is True:
        work.ops(path, tree.AutoOrient())


_GRAVITY: Member = (TEXT, word(GRAVITIES, any_case=True))

_RESIZE: Mapping[str, Member] = {
    "width": (WHOLE, whole(WIDTH)),
    "height": (WHOLE, whole(HEIGHT)),
    "fit": (TEXT, word(("contain", "cover", "fill"))),
    "enlarge": (SWITCH, None),
    "gravity": _GRAVITY,
    "area": (WHOLE, whole(AREA)),
    "percent": (WHOLE, whole(PERCENT)),
}


def _resize(work: Work, path: StepPath, value: object) -> None:
    found = work.members(path, value, _RESIZE)
    if found is BAD:
        return
    alone = [name for name in ("area", "percent") if name in found]
    fit = found.get("fit", "contain")
    allowed = {"contain": {"width", "height", "fit", "enlarge"}, "cover": {"width", "height", "fit", "gravity"}}
    extra = set(found) - ({alone[0]} if alone else allowed.get(fit, {"width", "height", "fit"}))
    if extra:
        kind = alone[0] if alone else f"fit: {fit}"
        work.say(path, "CI605", f"resize with {kind} takes no {' or '.join(sorted(extra))}")
    elif alone:
        work.ops(path, tree.Thumbnail(alone[0], amount=found[alone[0]]))
    elif "width" not in found and "height" not in found:
        work.say(path, "CI604", "resize needs width or height, or area, or percent")
    elif fit != "contain" and not ("width" in found and "height" in found):
        work.say(path, "CI604", f"resize with fit: {fit} needs width and height")
    else:
        _fitted(work, path, fit, found)


def _fitted(work: Work, path: StepPath, fit: str, found: Mapping[str, Any]) -> None:
    width, height = found.get("width"), found.get("height")
    sides = {"width": width or limits.CLAMP, "height": height or limits.CLAMP}
    if fit == "fill":
        work.ops(path, tree.Thumbnail("force", **sides))
    elif fit == "cover":
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


_CROP: Mapping[str, Member] = {
    "width": (WHOLE, whole(WIDTH)),
    "height": (WHOLE, whole(HEIGHT)),
    "gravity": _GRAVITY,
    "x": (WHOLE, whole(CUT_OFFSET)),
    "y": (WHOLE, whole(CUT_OFFSET)),
}


def _crop(work: Work, path: StepPath, value: object) -> None:
    """A window: `cut`, because what `crop` does to the scale is disputed (CI 4.2)."""
    found = work.members(path, value, _CROP, ("width", "height"))
    if found is BAD:
        return
    gravity = found.get("gravity", "northwest")
    if gravity == "center" and (found.get("x") or found.get("y")):
        work.say(path, "CI605", "crop takes no x or y with gravity: center, which CI would ignore")
        return
    window = tree.Cut(found["width"], found["height"], found.get("x", 0), found.get("y", 0))
    work.ops(path, window, tree.Gravity(gravity))


def _operation(name: str, kind: str) -> Callable[[Work, StepPath, object], None]:
    """A step that is one operation with one value."""

    def step(work: Work, path: StepPath, value: object) -> None:
        op = work.read(path, kind, value, MOGR[name].read)
        if op is not BAD:
            work.ops(path, op)

    return step


def _grayscale(work: Work, path: StepPath, value: object) -> None:
    if work.read(path, SWITCH, value) is True:
        work.ops(path, tree.Grayscale(True))


def _blur(work: Work, path: StepPath, value: object) -> None:
    found = work.members(path, value, {"radius": (NUMBER, None), "sigma": (NUMBER, None)}, ("radius", "sigma"))
    if found is not BAD:
        pair = f"{decimal(found['radius'])}x{decimal(found['sigma'])}"
        op = work.read(path, TEXT, pair, MOGR["blur"].read)
        if op is not BAD:
            work.ops(path, op)


# --- watermarks -------------------------------------------------------------------------------------------------------


def _colour(scan: Scan, label: str, token: Token) -> Any:
    found = texts.colour(token.text)
    if found is None:
        message = f"{label} {texts.quoted(token.text)} is not #RRGGBB"
        scan.say("CI115", message, token, texts.nearest_colour(token.text))
    return BAD if found is None else found


def _like(name: str) -> Optional[Reader]:
    return WATERMARKS["2"].table[name].read


_BOTH: Mapping[str, tuple[str, Member]] = {
    "gravity": ("gravity", _GRAVITY),
    "opacity": ("dissolve", (WHOLE, _like("dissolve"))),
    "dx": ("dx", (WHOLE, _like("dx"))),
    "dy": ("dy", (WHOLE, _like("dy"))),
    "tile": ("batch", (SWITCH, None)),
    "rotate": ("degree", (WHOLE, _like("degree"))),
    "spacing": ("spacing", (WHOLE, _like("spacing"))),
    "scale": ("", (MAP, None)),
}
_TEXT_MARK: Mapping[str, tuple[str, Member]] = {
    "text": ("text", (TEXT, None)),
    "font": ("font", (TEXT, None)),
    "size": ("fontsize", (WHOLE, _like("fontsize"))),
    "color": ("fill", (TEXT, _colour)),
    "shadow": ("shadow", (WHOLE, _like("shadow"))),
    **_BOTH,
}
_IMAGE_MARK: Mapping[str, tuple[str, Member]] = {"image": ("image", (TEXT, None)), **_BOTH}

_SCALES = ("width", "height", "area")
_SCALE: Mapping[str, Member] = {
    "by": (TEXT, word(_SCALES)),
    "permille": (WHOLE, whole(Range(1, 1000, "CI212"))),
}


def _watermark(work: Work, path: StepPath, value: object) -> None:
    if not isinstance(value, dict) or ("text" in value) == ("image" in value):
        work.say(path, "CI604", "a watermark is a map with either text or image")
        return
    table = _TEXT_MARK if "text" in value else _IMAGE_MARK
    found = work.members(path, value, {name: row[1] for name, row in table.items()})
    if found is BAD:
        return
    fields = {table[name][0]: each for name, each in found.items() if name != "scale"}
    if "scale" in found:
        scale = work.members((*path, "scale"), found["scale"], _SCALE, ("by", "permille"))
        if scale is BAD:
            return
        fields.update(scatype=_SCALES.index(scale["by"]) + 1, spcent=scale["permille"])
    index = len(work.stages)
    if "text" in fields:
        work.stage(path, tree.TextWatermark(**fields))
    else:
        _image_mark(work, path, fields)
    work.origins.update({(index, table[name][0]): (*path, name) for name in found if name != "scale"})


def _image_mark(work: Work, path: StepPath, fields: dict[str, Any]) -> None:
    """The mark is an http:// address, or else the key of an object in the source's bucket (CI 5.1)."""
    image = fields.pop("image")
    if image.startswith("https://"):
        message = "CI fetches marks from http:// addresses only, not from https://"
        work.say((*path, "image"), "CI308", message, "http://" + image[len("https://") :])
        return
    field = "image" if image.startswith("http://") else "image_key"
    work.stage(path, tree.ImageWatermark(**{field: image}, **fields))


STEPS: Mapping[str, Callable[[Work, StepPath, object], None]] = {
    "auto_orient": _auto_orient,
    "resize": _resize,
    "crop": _crop,
    "rotate": _operation("rotate", WHOLE),
    "flip": _operation("flip", TEXT),
    "blur": _blur,
    "sharpen": _operation("sharpen", WHOLE),
    "brightness": _operation("bright", WHOLE),
    "contrast": _operation("contrast", WHOLE),
    "grayscale": _grayscale,
    "watermark": _watermark,
}


# --- how the file is written ----------------------------------------------------------------------------------------

_OUTPUT: Mapping[str, str] = {"format": TEXT, "quality": WHOLE, "interlace": SWITCH, "strip": SWITCH}


def _output(work: Work, path: StepPath, value: object) -> None:
    name = str(path[-1])
    if name in work.output:
        work.say(path, "CI605", f"{name} stands twice in the steps; it acts once, at the end")
        return
    kind = _OUTPUT[name]
    op = work.read(path, kind, value, MOGR[name].read if kind is not SWITCH else None)
    if kind is SWITCH and op is not BAD:
        if not op:
            return
        op = tree.Interlace(True) if name == "interlace" else tree.Strip()
    if op is not BAD:
        work.output[name] = (op, path)
