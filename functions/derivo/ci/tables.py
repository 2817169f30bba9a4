"""The tables of the grammar: which stages there are, their operations and parameters, and how each value is read.

Everything that may stand in a rule is a row here (CI 3 to 6); `grammar` walks the rule by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from derivo.ci import formats, limits, tree
from derivo.ci.geometry import crop, cut, sides, thumbnail
from derivo.ci.printer import AIGC_FIELDS
from derivo.ci.values import (
    ANGLE,
    HEIGHT,
    OFFSET,
    QUALITY,
    RADIUS,
    WIDTH,
    AsNode,
    Range,
    Reader,
    Whole,
    Word,
    blur,
    choice,
    colour,
    quality,
    size_limit,
    switch,
    text,
)


class Family(NamedTuple):
    """What takes `name/value` pairs: the rows, the names it cannot do without, and its node."""

    table: Mapping[str, Row]
    needs: tuple[str, ...]
    make: Callable[..., Any]


class Row(NamedTuple):
    """An operation or parameter: the field of the tree it fills, and the reader of its value.

    Without a value it has `bare`, its node as it stands, or `nested`, pairs of its own.
    """

    field: str
    read: Optional[Reader] = None
    bare: Optional[tree.Node] = None
    nested: Optional[Family] = None


Table = Mapping[str, Row]

GRAVITIES = ("northwest", "north", "northeast", "west", "center", "east", "southwest", "south", "southeast")

IGNORED_OFFSETS: Mapping[str, tuple[str, ...]] = {
    "center": ("dx", "dy"),
    "north": ("dx",),
    "south": ("dx",),
    "west": ("dy",),
    "east": ("dy",),
}
"""Offsets that CI ignores with a gravity (CI 4.4)."""

CI_PROCESSES = (
    "AIImageColoring", "AISuperResolution", "AIEnhanceImage", "AIImageCrop", "AIPortraitMatting", "AIPicMatting",
    "GoodsMatting", "ImageTargetRec",
)  # fmt: skip
"""The ci-process rules that may stand in Pic-Operations (CI 6)."""

QUERIES = ("imageInfo", "exif", "imageAve", "ImageInspect", "ImageAIGCMetadata")
"""Queries on download that answer JSON, not an image (CI 6)."""


def _op(make: Callable[[Any], tree.Node], read: Reader) -> Row:
    return Row("", AsNode(make, read))


_GRAVITY = Word(GRAVITIES, any_case=True)
_VERSION = Word(("1.0", "2.0", "3.0"))

AIGC = Family({name: Row(field, text) for name, field in AIGC_FIELDS.items()}, ("Label",), tree.AigcMetadata)

MOGR: Table = {
    "thumbnail": Row("", thumbnail),
    "pad": _op(tree.Pad, switch),
    "color": _op(tree.Color, colour),
    "cut": Row("", cut),
    "crop": Row("", crop),
    "gravity": _op(tree.Gravity, _GRAVITY),
    "dx": _op(tree.Dx, Whole(OFFSET)),
    "dy": _op(tree.Dy, Whole(OFFSET)),
    "iradius": _op(tree.InnerRadius, Whole(RADIUS)),
    "rradius": _op(tree.RoundRadius, Whole(RADIUS)),
    "scrop": Row("", sides(tree.SmartCrop)),
    "rcrop": Row("", sides(tree.RatioCrop)),
    "rotate": _op(tree.Rotate, Whole(ANGLE)),
    "auto-orient": Row("", bare=tree.AutoOrient()),
    "flip": _op(tree.Flip, Word(("vertical", "horizontal"))),
    "format": _op(tree.Format, Word(formats.MOGR_FORMATS)),
    "cgif": _op(tree.CGif, Whole(Range(1, 100, "CI209"))),
    "egif": _op(tree.EGif, Whole(Range(1, 10, "CI209"))),
    "frame": _op(tree.Frame, Whole(Range(1, limits.CLAMP, "CI209"))),
    "interlace": _op(tree.Interlace, switch),
    "quality": Row("", quality),
    "rquality": _op(tree.RelativeQuality, Whole(QUALITY)),
    "lquality": _op(tree.LowestQuality, Whole(QUALITY)),
    "blur": Row("", blur),
    "bright": _op(tree.Bright, Whole(Range(-100, 100, "CI210"))),
    "contrast": _op(tree.Contrast, Whole(Range(-100, 100, "CI210"))),
    "sharpen": _op(tree.Sharpen, Whole(Range(10, 300, "CI210"))),
    "grayscale": _op(tree.Grayscale, switch),
    "strip": Row("", bare=tree.Strip()),
    "size-limit": Row("", size_limit),
    "ignore-error": _op(lambda _: tree.IgnoreError(), choice(1)),
    "AIGCMetadata": Row("", nested=AIGC),
}

VIEW: Table = {
    "w": Row("width", Whole(WIDTH)),
    "h": Row("height", Whole(HEIGHT)),
    "format": Row("format", Word(formats.VIEW_FORMATS)),
    "q": Row("quality", quality),
    "rq": Row("relative_quality", Whole(QUALITY)),
    "lq": Row("lowest_quality", Whole(QUALITY)),
    "ignore-error": Row("ignore_error", choice(1)),
}

_PLACE: Table = {
    "gravity": Row("gravity", _GRAVITY),
    "dx": Row("dx", Whole(OFFSET)),
    "dy": Row("dy", Whole(OFFSET)),
    "dissolve": Row("dissolve", Whole(Range(1, 100, "CI212"))),
    "batch": Row("batch", switch),
    "degree": Row("degree", Whole(ANGLE)),
    "spacing": Row("spacing", Whole(Range(0, 100, "CI212"))),
    "scatype": Row("scatype", choice(1, 2, 3)),
    "spcent": Row("spcent", Whole(Range(1, 1000, "CI212"))),
}


WATERMARKS: Mapping[str, Family] = {
    "1": Family(
        {
            "image": Row("image", text),
            "image_key": Row("image_key", text),
            "blogo": Row("blogo", choice(1, 2)),
            **_PLACE,
        },
        (),
        tree.ImageWatermark,
    ),
    "2": Family(
        {
            "text": Row("text", text),
            "font": Row("font", text),
            "fontsize": Row("fontsize", Whole(Range(1, limits.CLAMP, "CI212"))),
            "fill": Row("fill", colour),
            "shadow": Row("shadow", Whole(Range(0, 100, "CI212"))),
            **_PLACE,
        },
        ("text",),
        tree.TextWatermark,
    ),
    "3": Family(
        {
            "type": Row("kind", choice(1, 2, 3)),
            "image": Row("image", text),
            "text": Row("text", text),
            "level": Row("level", choice(1, 2, 3)),
            "version": Row("version", _VERSION),
        },
        ("type",),
        tree.BlindWatermark,
    ),
    "4": Family(
        {
            "type": Row("kind", choice(1, 2, 3)),
            "image": Row("image", text),
            "version": Row("version", _VERSION),
        },
        ("type",),
        tree.BlindExtract,
    ),
}

QR: Table = {"cover": Row("cover", switch)}
