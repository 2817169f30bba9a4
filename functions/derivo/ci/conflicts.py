"""What cannot be, though each part alone is well formed: operations that contradict one another, the source, the
output, or persistent processing (CI 4 to 6). Each check yields findings; `CHECKS` lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Optional

from derivo.ci import formats, limits, texts, tree
from derivo.ci.look import Finding, Formats, Look, listed
from derivo.ci.problems import SpanPath

_GIF = frozenset({"gif"})
_LETTERS_AND_DIGITS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def _impossible(code: str, path: SpanPath, what: str, met: Formats, bad: Optional[frozenset[str]]) -> Iterator[Finding]:
    """An error when every format met is a bad one, a warning when only some are. None for `met` says nothing."""
    hit = (met or frozenset()) & (bad or frozenset())
    if hit and hit == met:
        yield Finding(path, code, f"{what} does not work with {listed(hit)}")
    elif hit:
        yield Finding(path, "CI513", f"{what} does not work with {listed(hit)}, which some of the sources are")


def animated(look: Look) -> Iterator[Finding]:
    """Radii and blur are not for gif (CI 4.3, 4.7)."""
    still_only = ((tree.InnerRadius, "iradius"), (tree.RoundRadius, "rradius"), (tree.Blur, "blur"))
    for ops in look.mogr():
        for kind, name in still_only:
            if kind not in ops.by_class:
                continue
            beside = [each for cls, each in ((tree.CGif, "cgif"), (tree.EGif, "egif")) if cls in ops.by_class]
            if beside:
                message = f"{name} does not work on animated images, which {beside[0]} makes"
                yield Finding(ops.path(name), "CI301", message)
            elif look.formats[ops.stage + 1] == _GIF:
                yield Finding(ops.path(name), "CI301", f"{name} does not work with gif")
            else:
                yield from _impossible("CI301", ops.path(name), name, look.formats[ops.stage], _GIF)


def svg(look: Look) -> Iterator[Finding]:
    """`format/svgc` makes svg smaller; it takes svg and nothing beside it (CI 4.6)."""
    for ops in look.mogr():
        op = ops.by_class.get(tree.Format)
        if not (isinstance(op, tree.Format) and op.name == "svgc"):
            continue
        if len(look.rule.stages) > 1 or len(ops.by_class) > 1:
            yield Finding(ops.path("format"), "CI302", "format/svgc stands alone, without other operations or stages")
        met = look.formats[ops.stage]
        if met is not None and met != {"svg"}:
            others = listed(met - {"svg"})
            yield Finding(ops.path("format"), "CI302", f"format/svgc takes svg only, but the sources are {others} too")


def beside(look: Look) -> Iterator[Finding]:
    """Operations that need, or exclude, another one in the same stage (CI 4.1, 4.4, 4.7)."""
    for ops in look.mogr():
        has = ops.by_class
        pad = has.get(tree.Pad)
        padded = isinstance(pad, tree.Pad) and pad.on
        thumbnail = has.get(tree.Thumbnail)
        if tree.Frame in has and (tree.CGif in has or tree.EGif in has):
            yield Finding(ops.path("frame"), "CI303", "frame takes one frame, cgif and egif keep several")
        if padded and not (isinstance(thumbnail, tree.Thumbnail) and thumbnail.form == "fit"):
            message = "pad/1 needs thumbnail/WxH in the same stage: that is the size of its canvas"
            yield Finding(ops.path("pad"), "CI304", message, tolerated=True)
        if tree.Color in has and not padded:
            message = "color is the colour of the canvas of pad/1, which is missing"
            yield Finding(ops.path("color"), "CI305", message, tolerated=True)
        if tree.Crop not in has and tree.Cut not in has:
            for kind, name in ((tree.Gravity, "gravity"), (tree.Dx, "dx"), (tree.Dy, "dy")):
                if kind in has:
                    message = f"{name} needs crop or cut in the same stage"
                    yield Finding(ops.path(name), "CI306", message, tolerated=True)


def outputs(look: Look) -> Iterator[Finding]:
    """Operations that only some output formats can have (CI 4.6, 4.10, 6)."""
    for ops in look.mogr():
        out = look.formats[ops.stage + 1]
        if tree.SizeLimit in ops.by_class and out is not None and out != {"jpg"}:
            message = f"size-limit needs jpg output, here it is {listed(out)}; add format/jpg"
            yield Finding(ops.path("size-limit"), "CI307", message, tolerated=True)
        if tree.AigcMetadata in ops.by_class and out is not None:
            bad = out - formats.AIGC
            yield from _impossible("CI311", ops.path("AIGCMetadata"), "AIGCMetadata", out, bad)
    for path, name in look.conversions():
        if name == "heif":
            before = look.formats[int(path[0])]
            yield from _impossible("CI312", path, "a conversion to heif", before, _GIF)


def image_mark(look: Look) -> Iterator[Finding]:
    """The mark of watermark/1 (CI 5.1)."""
    for index, stage in enumerate(look.rule.stages):
        if not isinstance(stage, tree.ImageWatermark):
            continue
        if stage.image is not None and not stage.image.startswith("http://"):
            message = f"the mark must be an http:// address in the source's bucket, not {texts.quoted(stage.image)}"
            _, https, rest = stage.image.partition("https://")
            mend = "image/" + texts.encode("http://" + rest) if https and rest else None
            yield Finding((index, "image"), "CI308", message, mend)
        if stage.image is not None and stage.image_key is not None:
            yield Finding((index, "image_key"), "CI309", "image and image_key say the same thing twice", tolerated=True)


def mark_parameters(look: Look) -> Iterator[Finding]:
    """Parameters of watermarks 1 and 2 that need one another (CI 5.1, 5.2)."""
    for index, stage in enumerate(look.rule.stages):
        if not isinstance(stage, (tree.ImageWatermark, tree.TextWatermark)):
            continue
        needs = (
            ("spcent", stage.spcent is not None and stage.scatype is None, "scatype"),
            ("scatype", stage.scatype is not None and stage.spcent is None, "spcent"),
            ("degree", bool(stage.degree) and not stage.batch, "batch/1"),
            ("spacing", stage.spacing is not None and not stage.batch, "batch/1"),
        )
        for name, lacking, needed in needs:
            if lacking:
                yield Finding((index, name), "CI309", f"{name} has an effect only with {needed}", tolerated=True)
        if stage.scatype == 3 and (stage.spcent or 0) > 250:
            message = f"spcent {stage.spcent} is outside 1..250, its range with scatype/3"
            yield Finding((index, "spcent"), "CI212", message)


def blind(look: Look) -> Iterator[Finding]:
    """Blind watermarks (CI 5.3)."""
    for index, stage in enumerate(look.rule.stages):
        if isinstance(stage, tree.BlindWatermark):
            idle = (
                ("level", stage.level is not None and stage.kind != 2, "type/2"),
                ("image", stage.image is not None and stage.kind == 3, "types 1 and 2"),
                ("text", stage.text is not None and stage.kind != 3, "type/3"),
            )
            for name, unused, kinds in idle:
                if unused:
                    yield Finding((index, name), "CI309", f"{name} has an effect only with {kinds}", tolerated=True)
            yield from _blind_text(index, stage)
        if isinstance(stage, (tree.BlindWatermark, tree.BlindExtract)):
            path = (index, "watermark")
            yield from _impossible("CI301", path, "a blind watermark", look.formats[index], _GIF)


def _blind_text(index: int, stage: tree.BlindWatermark) -> Iterator[Finding]:
    if stage.kind != 3 or stage.text is None:
        return
    if len(stage.text) > limits.BLIND_TEXT:
        message = f"the blind text has {len(stage.text)} characters, more than {limits.BLIND_TEXT}"
        yield Finding((index, "text"), "CI310", message)
    if stage.version == "1.0" and not _LETTERS_AND_DIGITS.issuperset(stage.text):
        message = "version 1.0 holds only letters and digits of ASCII; versions 2.0 and 3.0 hold any text"
        yield Finding((index, "text"), "CI310", message)


def way(look: Look) -> Iterator[Finding]:
    """What works only on download, or only in persistent processing (CI 4.6, 4.7, 5.3, 6)."""
    for path, name in look.conversions():
        if look.persistent and name in formats.DOWNLOAD_ONLY:
            yield Finding(path, "CI402", f"format/{name} works on download only; its result cannot be stored")
        if not look.persistent and name in formats.PERSISTENT_ONLY:
            yield Finding(path, "CI405", f"format/{name} works in persistent processing only")
    for ops in look.mogr():
        if look.persistent and tree.Frame in ops.by_class:
            yield Finding(ops.path("frame"), "CI401", "frame works on download only; its result cannot be stored")
        if not look.persistent and tree.AigcMetadata in ops.by_class:
            yield Finding(ops.path("AIGCMetadata"), "CI405", "AIGCMetadata works in persistent processing only")
    for index, stage in enumerate(look.rule.stages):
        if not look.persistent and isinstance(stage, tree.BlindExtract):
            yield Finding((index, "watermark"), "CI405", "watermark/4 works in persistent processing only")


def ignored_errors(look: Look) -> Iterator[Finding]:
    """`ignore-error/1` stores the unprocessed source under the derivative's key when CI fails (CI 4.10)."""
    if look.keep_original_on_error or not look.persistent:
        return
    for index, stage in enumerate(look.rule.stages):
        in_mogr = isinstance(stage, tree.ImageMogr2) and tree.IgnoreError() in stage.ops
        if in_mogr or (isinstance(stage, tree.ImageView2) and stage.ignore_error):
            message = (
                "ignore-error/1 stores the unprocessed source as the derivative when CI fails; "
                "say keep_original_on_error: true if that is wanted"
            )
            yield Finding((index, "ignore-error"), "CI403", message, tolerated=True)


CHECKS: tuple[Callable[[Look], Iterator[Finding]], ...] = (
    animated,
    svg,
    beside,
    outputs,
    image_mark,
    mark_parameters,
    blind,
    way,
    ignored_errors,
)
