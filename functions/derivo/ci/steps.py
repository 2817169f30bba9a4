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
from typing import Any, Callable, Optional, Union

import msgspec

from derivo.ci import limits, texts, tree
from derivo.ci.checks import findings
from derivo.ci.printer import decimal, op_to_text, to_text
from derivo.ci.problems import Problem, SpanPath, problem
from derivo.ci.tables import GRAVITIES, MOGR, WATERMARKS
from derivo.ci.values import AREA, BAD, CUT_OFFSET, HEIGHT, PERCENT, WIDTH, Range, Reader, Scan, Token, whole, word

StepPath = tuple[Union[int, str], ...]
"""Into the YAML: `(1, "resize", "width")` is the width of the second step."""

MAX_STEPS = 100
"""More steps than this are not looked at; CI allows ten stages."""


class StepProblem(msgspec.Struct, frozen=True):
    """One finding about steps: where in the YAML, and what. The problem's offsets are 0."""

    path: StepPath
    problem: Problem


class CompiledSteps(msgspec.Struct, frozen=True):
    """`rule` is None when a problem is an error that CI would not tolerate. `origins`: which step made which part."""

    rule: Optional[tree.Rule]
    problems: tuple[StepProblem, ...] = ()
    origins: Mapping[SpanPath, StepPath] = msgspec.field(default_factory=dict)


def compile_steps(steps: object) -> CompiledSteps:
    """The rule that does the steps, and everything that is wrong with them. Raises nothing."""
    work = _Work()
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


# --- the work of compiling ------------------------------------------------------------------------------------------


class _Work:
    """The stages so far, and what was found. `output` holds what acts at the end."""

    def __init__(self) -> None:
        self.problems: list[StepProblem] = []
        self.stages: list[tree.Stage] = []
        self.origins: dict[SpanPath, StepPath] = {}
        self.output: dict[str, tuple[tree.MogrOp, StepPath]] = {}

    @property
    def refused(self) -> bool:
        return any(not each.problem.tolerated for each in self.problems)

    def say(self, path: StepPath, code: str, message: str, mend: Optional[str] = None) -> None:
        self.problems.append(StepProblem(path, problem(code, message, mend=mend)))

    def stage(self, path: StepPath, stage: tree.Stage) -> None:
        self.origins[(len(self.stages),)] = path
        self.stages.append(stage)

    def ops(self, path: StepPath, *ops: tree.MogrOp) -> None:
        """One imageMogr2 stage of operations whose order cannot matter."""
        self.stage(path, tree.ImageMogr2(ops))

    def finish(self) -> None:
        """What tells how the file is written comes last, in the last stage if that is imageMogr2 as well."""
        if not self.output:
            return
        ops = tuple(op for op, _ in self.output.values())
        last = self.stages[-1] if self.stages else None
        if isinstance(last, tree.ImageMogr2):
            self.stages[-1] = tree.ImageMogr2(last.ops + ops)
        else:
            self.stage(next(iter(self.output.values()))[1], tree.ImageMogr2(ops))
        for op, path in self.output.values():
            self.origins[(len(self.stages) - 1, op_to_text(op).partition("/")[0])] = path

    def read(self, path: StepPath, kind: str, value: object, read: Optional[Reader] = None) -> Any:
        """A value of a kind, read as the CI language reads it; BAD when it cannot be."""
        if not _KINDS[kind](value):
            shown = texts.quoted(str(value)) if isinstance(value, (str, bool, float)) else type(value).__name__
            self.say(path, "CI603", f"{_name(path)} must be {kind}, not {shown}")
            return BAD
        if isinstance(value, str) and not _encodes(value):
            self.say(path, "CI109", f"{_name(path)} holds half of a character (a lone surrogate)")
            return BAD
        if read is None:
            return value
        text = decimal(value) if isinstance(value, float) else _digits(value)
        scan = Scan()
        result = read(scan, _name(path), Token(text, 0, len(text)))
        self.problems.extend(StepProblem(path, _without_place(each)) for each in scan.problems)
        return result

    def unknown(self, path: StepPath, name: object, lead: str, known: Mapping[str, Any]) -> None:
        """A member that there is not; `lead` begins the message."""
        if isinstance(name, str):
            message = f"{lead} {texts.quoted(name)}, only {', '.join(known)}"
            self.say((*path, name), "CI602", message, texts.nearest(name, known))
        else:
            self.say(path, "CI602", f"{lead} {type(name).__name__} as a name, only {', '.join(known)}")

    def members(self, path: StepPath, value: object, table: Mapping[str, _Member], needs: tuple[str, ...] = ()) -> Any:
        """A map's members by name, BAD where one cannot be read or is missing."""
        if not isinstance(value, dict):
            self.say(path, "CI603", f"{_name(path)} must be a map with {', '.join(table)}")
            return BAD
        found: dict[str, Any] = {}
        for name, each in value.items():
            if name in table:
                found[name] = self.read((*path, name), table[name][0], each, table[name][1])
            else:
                self.unknown(path, name, f"{_name(path)} has no", table)
        missing = [name for name in needs if name not in value]
        if missing:
            self.say(path, "CI604", f"{_name(path)} needs {' and '.join(missing)}")
        return BAD if missing or len(found) < len(value) or BAD in found.values() else found


_Member = tuple[str, Optional[Reader]]

_KINDS: Mapping[str, Callable[[object], bool]] = {
    "a whole number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "a number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "text in quotes": lambda value: isinstance(value, str) and value != "",
    "true or false": lambda value: isinstance(value, bool),
    "a map": lambda value: isinstance(value, dict),
}
_WHOLE, _NUMBER, _TEXT, _SWITCH, _MAP = _KINDS


def _name(path: StepPath) -> str:
    return " ".join(str(each) for each in path if isinstance(each, str))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digits(value: object) -> str:
    # Python refuses to print integers of thousands of digits; no honest value has ten.
    if isinstance(value, int) and value.bit_length() > 64:
        return "9" * 20
    return str(value)


def _without_place(found: Problem) -> Problem:
    return msgspec.structs.replace(found, start=0, end=0)


def _step(work: _Work, index: int, step: object) -> None:
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


def _auto_orient(work: _Work, path: StepPath, value: object) -> None:
    if work.read(path, _SWITCH, value) is True:
        work.ops(path, tree.AutoOrient())


_GRAVITY: _Member = (_TEXT, word(GRAVITIES, any_case=True))

_RESIZE: Mapping[str, _Member] = {
    "width": (_WHOLE, whole(WIDTH)),
    "height": (_WHOLE, whole(HEIGHT)),
    "fit": (_TEXT, word(("contain", "cover", "fill"))),
    "enlarge": (_SWITCH, None),
    "gravity": _GRAVITY,
    "area": (_WHOLE, whole(AREA)),
    "percent": (_WHOLE, whole(PERCENT)),
}


def _resize(work: _Work, path: StepPath, value: object) -> None:
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


def _fitted(work: _Work, path: StepPath, fit: str, found: Mapping[str, Any]) -> None:
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


_CROP: Mapping[str, _Member] = {
    "width": (_WHOLE, whole(WIDTH)),
    "height": (_WHOLE, whole(HEIGHT)),
    "gravity": _GRAVITY,
    "x": (_WHOLE, whole(CUT_OFFSET)),
    "y": (_WHOLE, whole(CUT_OFFSET)),
}


def _crop(work: _Work, path: StepPath, value: object) -> None:
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


def _operation(name: str, kind: str) -> Callable[[_Work, StepPath, object], None]:
    """A step that is one operation with one value."""

    def step(work: _Work, path: StepPath, value: object) -> None:
        op = work.read(path, kind, value, MOGR[name].read)
        if op is not BAD:
            work.ops(path, op)

    return step


def _grayscale(work: _Work, path: StepPath, value: object) -> None:
    if work.read(path, _SWITCH, value) is True:
        work.ops(path, tree.Grayscale(True))


def _blur(work: _Work, path: StepPath, value: object) -> None:
    found = work.members(path, value, {"radius": (_NUMBER, None), "sigma": (_NUMBER, None)}, ("radius", "sigma"))
    if found is not BAD:
        pair = f"{decimal(found['radius'])}x{decimal(found['sigma'])}"
        op = work.read(path, _TEXT, pair, MOGR["blur"].read)
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


_BOTH: Mapping[str, tuple[str, _Member]] = {
    "gravity": ("gravity", _GRAVITY),
    "opacity": ("dissolve", (_WHOLE, _like("dissolve"))),
    "dx": ("dx", (_WHOLE, _like("dx"))),
    "dy": ("dy", (_WHOLE, _like("dy"))),
    "tile": ("batch", (_SWITCH, None)),
    "rotate": ("degree", (_WHOLE, _like("degree"))),
    "spacing": ("spacing", (_WHOLE, _like("spacing"))),
    "scale": ("", (_MAP, None)),
}
_TEXT_MARK: Mapping[str, tuple[str, _Member]] = {
    "text": ("text", (_TEXT, None)),
    "font": ("font", (_TEXT, None)),
    "size": ("fontsize", (_WHOLE, _like("fontsize"))),
    "color": ("fill", (_TEXT, _colour)),
    "shadow": ("shadow", (_WHOLE, _like("shadow"))),
    **_BOTH,
}
_IMAGE_MARK: Mapping[str, tuple[str, _Member]] = {"image": ("image", (_TEXT, None)), **_BOTH}

_SCALES = ("width", "height", "area")
_SCALE: Mapping[str, _Member] = {
    "by": (_TEXT, word(_SCALES)),
    "permille": (_WHOLE, whole(Range(1, 1000, "CI212"))),
}


def _watermark(work: _Work, path: StepPath, value: object) -> None:
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


def _image_mark(work: _Work, path: StepPath, fields: dict[str, Any]) -> None:
    """The mark is an http:// address, or else the key of an object in the source's bucket (CI 5.1)."""
    image = fields.pop("image")
    if image.startswith("https://"):
        message = "CI fetches marks from http:// addresses only, not from https://"
        work.say((*path, "image"), "CI308", message, "http://" + image[len("https://") :])
        return
    field = "image" if image.startswith("http://") else "image_key"
    work.stage(path, tree.ImageWatermark(**{field: image}, **fields))


STEPS: Mapping[str, Callable[[_Work, StepPath, object], None]] = {
    "auto_orient": _auto_orient,
    "resize": _resize,
    "crop": _crop,
    "rotate": _operation("rotate", _WHOLE),
    "flip": _operation("flip", _TEXT),
    "blur": _blur,
    "sharpen": _operation("sharpen", _WHOLE),
    "brightness": _operation("bright", _WHOLE),
    "contrast": _operation("contrast", _WHOLE),
    "grayscale": _grayscale,
    "watermark": _watermark,
}


# --- how the file is written ----------------------------------------------------------------------------------------

_OUTPUT: Mapping[str, str] = {"format": _TEXT, "quality": _WHOLE, "interlace": _SWITCH, "strip": _SWITCH}


def _output(work: _Work, path: StepPath, value: object) -> None:
    name = str(path[-1])
    if name in work.output:
        work.say(path, "CI605", f"{name} stands twice in the steps; it acts once, at the end")
        return
    kind = _OUTPUT[name]
    op = work.read(path, kind, value, MOGR[name].read if kind is not _SWITCH else None)
    if kind is _SWITCH and op is not BAD:
        if not op:
            return
        op = tree.Interlace(True) if name == "interlace" else tree.Strip()
    if op is not BAD:
        work.output[name] = (op, path)
