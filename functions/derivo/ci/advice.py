"""What is valid but unwise: each check yields warnings. `CHECKS` lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Callable, Optional

from derivo.ci import formats, limits, tree
from derivo.ci.look import Finding, Look, listed
from derivo.ci.printer import geometry
from derivo.ci.tables import IGNORED_OFFSETS

_QUALITIES: Mapping[type, str] = {
    tree.Quality: "quality",
    tree.RelativeQuality: "rquality",
    tree.LowestQuality: "lquality",
}

_LISTED_ORDER: Mapping[type, tuple[int, str]] = {
    tree.AutoOrient: (0, "auto-orient"),
    tree.Thumbnail: (1, "thumbnail"),
    tree.Cut: (2, "cut"),
    tree.Crop: (3, "crop"),
    tree.SmartCrop: (3, "scrop"),
    tree.RatioCrop: (3, "rcrop"),
    tree.Rotate: (4, "rotate"),
    tree.Flip: (5, "flip"),
    tree.InnerRadius: (6, "iradius"),
    tree.RoundRadius: (6, "rradius"),
}
"""Operations whose order shows in the result, in the order that the vendor lists them (CI 4)."""


def orientation(look: Look) -> Iterator[Finding]:
    """EXIF is lost by `strip`, and by many conversions, before the picture has been turned (CI 4.5)."""
    turned = formats.ORIENTED if look.sources is None else look.sources & formats.ORIENTED
    if not turned:
        return
    for index, stage in enumerate(look.rule.stages):
        if isinstance(stage, tree.ImageMogr2) and tree.AutoOrient() in stage.ops:
            return
        if isinstance(stage, (tree.Style, tree.CiProcess)):
            return  # what it does is not written here
        loss = _exif_loss(look, index, turned)
        if loss:
            message = f"{loss} without auto-orient: pictures that EXIF turns would lie on their side"
            head = "imageMogr2" if isinstance(stage, tree.ImageMogr2) else "imageView2"
            # It must come first, so it can be put in place only where nothing stands before this stage.
            mend = "imageMogr2/auto-orient" if head == "imageMogr2" and index == 0 else None
            yield Finding((index, head), "CI501", message, mend)
            return


def _exif_loss(look: Look, index: int, turned: frozenset[str]) -> Optional[str]:
    stage = look.rule.stages[index]
    if isinstance(stage, tree.ImageMogr2) and tree.Strip() in stage.ops:
        return "strip removes EXIF"
    out = next((name for path, name in look.conversions() if path[0] == index), None)
    # With any source possible, the common case counts: photographs in jpg.
    common = frozenset({"jpg"}) if look.sources is None else turned
    return f"the conversion to {out} may lose EXIF" if out is not None and common - {out} else None


def extension(look: Look) -> Iterator[Finding]:
    """The key promises another format than the image has (CI 1.4: the extension does not choose it)."""
    promised = formats.of_extension(look.key_extension)
    if promised is None or look.result is None or look.result == {promised}:
        return
    if look.result == {"apng"} and promised == "png":
        return
    path = next((path for path, _ in reversed(list(look.conversions()))), ())
    yield Finding(path, "CI502", f"the key ends in {look.key_extension}, but the image is {listed(look.result)}")


def enlarging(look: Look) -> Iterator[Finding]:
    """Forms that make a small source larger, or may do so (CI 3, 4.1)."""
    for ops in look.mogr():
        op = ops.by_class.get(tree.Thumbnail)
        if isinstance(op, tree.Thumbnail) and _enlarges(op):
            shrink = None if tree.Pad in ops.by_class else _shrink_only(op)
            only = f"; thumbnail/{shrink} only shrinks" if shrink else ""
            message = f"thumbnail/{geometry(op)} enlarges a source that is smaller{only}"
            yield Finding(ops.path("thumbnail"), "CI503", message, f"thumbnail/{shrink}" if shrink else None)
    for index, stage in enumerate(look.rule.stages):
        if isinstance(stage, tree.ImageView2) and stage.mode is not None and (stage.width or stage.height):
            message = f"imageView2/{stage.mode} may enlarge a source that is smaller"
            yield Finding((index, "imageView2"), "CI503", message)


def _enlarges(op: tree.Thumbnail) -> bool:
    return op.amount > 100 if op.form.startswith("percent") else op.form not in ("shrink", "area")


def _shrink_only(op: tree.Thumbnail) -> Optional[str]:
    if op.form not in ("fit", "width", "height"):
        return None
    return geometry(tree.Thumbnail("shrink", op.width or limits.CLAMP, op.height or limits.CLAMP))


def transparency(look: Look) -> Iterator[Finding]:
    """jpg has no alpha channel."""
    for path, name in look.conversions():
        before = look.formats[int(path[0])]
        clear = formats.ALPHA if before is None else before & formats.ALPHA
        if name == "jpg" and clear:
            which = "sources may have transparency" if before is None else f"{listed(clear)} may have transparency"
            yield Finding(path, "CI504", f"{which}, which jpg cannot keep")
            return


def activation(look: Look) -> Iterator[Finding]:
    """What must be switched on for the bucket first (CI 4.6, 6)."""
    for path, name in look.conversions():
        if name in formats.ACTIVATED:
            yield Finding(path, "CI505", f"format/{name} needs advanced compression on the bucket, billed per use")
    for index, stage in enumerate(look.rule.stages):
        if isinstance(stage, tree.ImageSlim):
            yield Finding((index, "imageSlim"), "CI505", "imageSlim must be enabled on the bucket, and is billed apart")


def animation(look: Look) -> Iterator[Finding]:
    """Animated sources that become stills, and counts of frames that surprise (CI 4.6, 4.7)."""
    for path, name in look.conversions():
        before = look.formats[int(path[0])]
        if before is not None and "gif" in before and name not in formats.ANIMATED and name != "heif":
            yield Finding(path, "CI506", f"an animated gif becomes a still {name}")
    for ops in look.mogr():
        cgif = ops.by_class.get(tree.CGif)
        if cgif == tree.CGif(1):
            yield Finding(ops.path("cgif"), "CI507", "cgif/1 means the default, the first 30 frames, not one")
        if cgif is not None and tree.EGif in ops.by_class:
            yield Finding(ops.path("egif"), "CI508", "egif has no effect beside cgif")


def idle(look: Look) -> Iterator[Finding]:
    """Operations that the output format or the gravity makes idle (CI 4.4, 4.6, 4.8)."""
    for ops in look.mogr():
        out = look.formats[ops.stage + 1]
        if out is not None and not out & formats.QUALITY:
            for kind, name in _QUALITIES.items():
                if kind in ops.by_class:
                    yield Finding(ops.path(name), "CI508", f"{name} has no effect on {listed(out)}")
        if out is not None and "jpg" not in out and tree.Interlace(True) == ops.by_class.get(tree.Interlace):
            yield Finding(ops.path("interlace"), "CI508", f"interlace has no effect on {listed(out)}")
        gravity = ops.by_class.get(tree.Gravity)
        if isinstance(gravity, tree.Gravity):
            for name in IGNORED_OFFSETS.get(gravity.value, ()):
                if (tree.Dx if name == "dx" else tree.Dy) in ops.by_class:
                    yield Finding(ops.path(name), "CI508", f"{name} has no effect with gravity/{gravity.value}")


def undocumented(look: Look) -> Iterator[Finding]:
    """What the documents leave open (CI 4, 4.8, 4.10, 4.11)."""
    for index, stage in enumerate(look.rule.stages):
        if isinstance(stage, tree.Style) and len(look.rule.stages) > 1:
            yield Finding((index, "style"), "CI509", "whether a saved style may stand in a pipeline is not documented")
    for ops in look.mogr():
        if look.persistent and tree.SizeLimit in ops.by_class:
            yield Finding(ops.path("size-limit"), "CI510", "size-limit is documented for downloads only")
        qualities = [name for kind, name in _QUALITIES.items() if kind in ops.by_class]
        if len(qualities) > 1:
            which = " and ".join(qualities)
            yield Finding(ops.path(qualities[-1]), "CI512", f"which of {which} wins in one stage is not documented")
        yield from _order(ops.stage, [_LISTED_ORDER[kind] for kind in ops.order if kind in _LISTED_ORDER])


def _order(index: int, ranked: list[tuple[int, str]]) -> Iterator[Finding]:
    for before, after in zip(ranked, ranked[1:]):
        if after[0] < before[0]:
            message = (
                f"{before[1]} before {after[1]} in one stage: CI may run them in another order; "
                f"put {after[1]} into a stage of its own, after a |"
            )
            yield Finding((index, after[1]), "CI511", message)


CHECKS: tuple[Callable[[Look], Iterator[Finding]], ...] = (
    orientation,
    extension,
    enlarging,
    transparency,
    activation,
    animation,
    idle,
    undocumented,
)
