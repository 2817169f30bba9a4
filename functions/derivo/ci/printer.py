"""Prints a tree as the text that CI reads: `parse(to_text(rule)).rule == rule` for every valid tree.

Texts are written in URL-safe base64 without padding (CI 5); parameters of watermarks and of imageView2 come in the
order of the tree's fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from derivo.ci import texts, tree

AIGC_FIELDS: Mapping[str, str] = {
    "Label": "label",
    "ContentProducer": "content_producer",
    "ProduceID": "produce_id",
    "ReservedCode1": "reserved_code1",
    "ContentPropagator": "content_propagator",
    "PropagateID": "propagate_id",
    "ReservedCode2": "reserved_code2",
}
"""Parameter of AIGCMetadata -> field of the tree."""

_TEXTS = frozenset({"image", "image_key", "text", "font", "fill"})

_GEOMETRY: Mapping[str, str] = {
    "percent": "!{0.amount}p",
    "percent-width": "!{0.amount}px",
    "percent-height": "!x{0.amount}p",
    "width": "{0.width}x",
    "height": "x{0.height}",
    "fit": "{0.width}x{0.height}",
    "shrink": "{0.width}x{0.height}>",
    "enlarge": "{0.width}x{0.height}<",
    "cover": "!{0.width}x{0.height}r",
    "force": "{0.width}x{0.height}!",
    "area": "{0.amount}@",
}


def to_text(rule: tree.Rule) -> str:
    """The rule as text, as it stands in Pic-Operations."""
    return "|".join(_STAGES[type(stage)](stage) for stage in rule.stages)


def op_to_text(op: tree.Node) -> str:
    """One imageMogr2 operation: `name` or `name/value`."""
    return _OPS[type(op)](op)


def geometry(thumbnail: tree.Thumbnail) -> str:
    """The value of `thumbnail/`."""
    return _GEOMETRY[thumbnail.form].format(thumbnail)


def decimal(value: float) -> str:
    """A number of at most four decimals, without an exponent."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _cut(op: tree.Cut) -> str:
    window = f"cut/{op.width}x{op.height}"
    return window if op.dx is None and op.dy is None else f"{window}x{op.dx or 0}x{op.dy or 0}"


def _crop(op: tree.Crop) -> str:
    width = "" if op.width is None else op.width
    height = "" if op.height is None else op.height
    return f"crop/{width}x{height}"


def _aigc(op: tree.AigcMetadata) -> str:
    values = ((name, getattr(op, field)) for name, field in AIGC_FIELDS.items())
    return "/".join(["AIGCMetadata", *(f"{name}/{texts.encode(value)}" for name, value in values if value is not None)])


_OPS: Mapping[type, Callable[[Any], str]] = {
    tree.Thumbnail: lambda op: "thumbnail/" + geometry(op),
    tree.Pad: lambda op: f"pad/{op.on:d}",
    tree.Color: lambda op: "color/" + texts.encode(op.rgb),
    tree.Cut: _cut,
    tree.Crop: _crop,
    tree.Gravity: lambda op: f"gravity/{op.value}",
    tree.Dx: lambda op: f"dx/{op.value}",
    tree.Dy: lambda op: f"dy/{op.value}",
    tree.InnerRadius: lambda op: f"iradius/{op.radius}",
    tree.RoundRadius: lambda op: f"rradius/{op.radius}",
    tree.SmartCrop: lambda op: f"scrop/{op.width}x{op.height}",
    tree.RatioCrop: lambda op: f"rcrop/{op.width}x{op.height}",
    tree.Rotate: lambda op: f"rotate/{op.degrees}",
    tree.AutoOrient: lambda op: "auto-orient",
    tree.Flip: lambda op: f"flip/{op.axis}",
    tree.Format: lambda op: f"format/{op.name}",
    tree.CGif: lambda op: f"cgif/{op.frames}",
    tree.EGif: lambda op: f"egif/{op.every}",
    tree.Frame: lambda op: f"frame/{op.number}",
    tree.Interlace: lambda op: f"interlace/{op.on:d}",
    tree.Quality: lambda op: "quality/" + _quality(op),
    tree.RelativeQuality: lambda op: f"rquality/{op.value}",
    tree.LowestQuality: lambda op: f"lquality/{op.value}",
    tree.Blur: lambda op: f"blur/{decimal(op.radius)}x{decimal(op.sigma)}",
    tree.Bright: lambda op: f"bright/{op.value}",
    tree.Contrast: lambda op: f"contrast/{op.value}",
    tree.Sharpen: lambda op: f"sharpen/{op.value}",
    tree.Grayscale: lambda op: f"grayscale/{op.on:d}",
    tree.Strip: lambda op: "strip",
    tree.SizeLimit: lambda op: f"size-limit/{op.amount}{op.unit}{'!' if op.smaller else ''}",
    tree.IgnoreError: lambda op: "ignore-error/1",
    tree.AigcMetadata: _aigc,
}


def _quality(quality: tree.Quality) -> str:
    return f"{quality.value}{'!' if quality.forced else ''}"


def _mogr(stage: tree.ImageMogr2) -> str:
    return "/".join(["imageMogr2", *(op_to_text(op) for op in stage.ops)])


def _view(stage: tree.ImageView2) -> str:
    pairs = (
        ("w", stage.width),
        ("h", stage.height),
        ("format", stage.format),
        ("q", None if stage.quality is None else _quality(stage.quality)),
        ("rq", stage.relative_quality),
        ("lq", stage.lowest_quality),
        ("ignore-error", 1 if stage.ignore_error else None),
    )
    head = ["imageView2"] if stage.mode is None else ["imageView2", str(stage.mode)]
    return "/".join(head + [f"{name}/{value}" for name, value in pairs if value is not None])


def _watermark(kind: int) -> Callable[[Any], str]:
    def to_segments(stage: Any) -> str:
        parts = [f"watermark/{kind}"]
        for field in stage.__struct_fields__:
            value = getattr(stage, field)
            if value is None:
                continue
            name = "type" if field == "kind" else field
            shown = texts.encode(value) if field in _TEXTS else f"{value:d}" if isinstance(value, int) else value
            parts.append(f"{name}/{shown}")
        return "/".join(parts)

    return to_segments


def _ci_process(stage: tree.CiProcess) -> str:
    return "&".join([f"ci-process={stage.name}", *(f"{name}={value}" for name, value in stage.params)])


_STAGES: Mapping[type, Callable[[Any], str]] = {
    tree.ImageMogr2: _mogr,
    tree.ImageView2: _view,
    tree.ImageWatermark: _watermark(1),
    tree.TextWatermark: _watermark(2),
    tree.BlindWatermark: _watermark(3),
    tree.BlindExtract: _watermark(4),
    tree.Style: lambda stage: f"style/{stage.name}",
    tree.ImageSlim: lambda stage: "imageSlim",
    tree.QrCode: lambda stage: f"QRcode/cover/{stage.cover:d}",
    tree.CiProcess: _ci_process,
}


def stage_to_text(stage: tree.Stage) -> str:
    """One stage as text."""
    return _STAGES[type(stage)](stage)
