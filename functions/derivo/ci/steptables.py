"""The steps and their members in tables: kind, range or words, and one line of help. The compiler reads values by
them; the JSON Schema and the reference page are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from derivo.ci import texts
from derivo.ci.tables import GRAVITIES, MOGR, WATERMARKS
from derivo.ci.tree import Quality
from derivo.ci.values import (
    AREA,
    BAD,
    BLUR_RADIUS,
    BLUR_SIGMA,
    CUT_OFFSET,
    HEIGHT,
    PERCENT,
    QUALITY,
    WIDTH,
    AsNode,
    Decimals,
    Range,
    Reader,
    Scan,
    Token,
    Whole,
    Word,
)

WHOLE = "a whole number"
NUMBER = "a number"
TEXT = "text in quotes"
SWITCH = "true or false"
MAP = "a map"


class Form(NamedTuple):
    """One way to fill a map: the members it takes, those it needs, and those of which it needs at least one. `fit` is
    the word of the member of that name which chooses the form."""

    takes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    fit: str = ""


class Member(NamedTuple):
    """A step, or a member of one. `read` holds the range or the words; `pattern` (a regular expression of JSON Schema)
    says what a text looks like. A map has `members`, `needs` some of them, and may have `forms`."""

    kind: str
    help: str
    read: Optional[Reader] = None
    pattern: str = ""
    members: Mapping[str, Member] = {}
    needs: tuple[str, ...] = ()
    forms: Mapping[str, Form] = {}


def _colour(scan: Scan, label: str, token: Token) -> Any:
    found = texts.colour(token.text)
    if found is None:
        message = f"{label} {texts.quoted(token.text)} is not #RRGGBB"
        scan.say("CI115", message, token, texts.nearest_colour(token.text))
    return BAD if found is None else found


def _gravity(help_: str) -> Member:
    return Member(TEXT, help_, Word(GRAVITIES, any_case=True))


def _mark(name: str) -> Optional[Reader]:
    return WATERMARKS["2"].table[name].read


def _map(
    help_: str, members: Mapping[str, Member], needs: tuple[str, ...] = (), forms: Optional[Mapping[str, Form]] = None
) -> Member:
    return Member(MAP, help_, members=members, needs=needs, forms=forms or {})


CONTAIN, COVER, FILL = "contain", "cover", "fill"

RESIZE = _map(
    "Scale the picture.",
    {
        "width": Member(WHOLE, "Width in pixels.", Whole(WIDTH)),
        "height": Member(WHOLE, "Height in pixels.", Whole(HEIGHT)),
        "fit": Member(
            TEXT,
            "contain (the default): inside width x height; cover: exactly that, cut; fill: exactly that, distorted.",
            Word((CONTAIN, COVER, FILL)),
        ),
        "enlarge": Member(SWITCH, "With fit contain: enlarge what is smaller; it is left as it is otherwise."),
        "gravity": _gravity("With fit cover: the part that is kept; center is the default."),
        "area": Member(WHOLE, "Shrink to at most so many pixels; stands alone.", Whole(AREA)),
        "percent": Member(WHOLE, "Scale both sides by so many per cent; stands alone.", Whole(PERCENT)),
    },
    forms={
        "area": Form(("area",), ("area",)),
        "percent": Form(("percent",), ("percent",)),
        CONTAIN: Form(("width", "height", "fit", "enlarge"), either=("width", "height"), fit=CONTAIN),
        COVER: Form(("width", "height", "fit", "gravity"), ("fit", "width", "height"), fit=COVER),
        FILL: Form(("width", "height", "fit"), ("fit", "width", "height"), fit=FILL),
    },
)

CROP = _map(
    "Cut out a window, without scaling.",
    {
        "width": Member(WHOLE, "Width of the window in pixels.", Whole(WIDTH)),
        "height": Member(WHOLE, "Height of the window in pixels.", Whole(HEIGHT)),
        "gravity": _gravity("Where the window lies; northwest is the default."),
        "x": Member(WHOLE, "Pixels to the right of the gravity's place.", Whole(CUT_OFFSET)),
        "y": Member(WHOLE, "Pixels below the gravity's place.", Whole(CUT_OFFSET)),
    },
    needs=("width", "height"),
)

BLUR = _map(
    "Blur the picture.",
    {
        "radius": Member(NUMBER, "Radius in pixels.", Decimals(BLUR_RADIUS, "CI210")),
        "sigma": Member(NUMBER, "Standard deviation in pixels.", Decimals(BLUR_SIGMA, "CI210")),
    },
    needs=("radius", "sigma"),
)

SCALES = ("width", "height", "area")

_BOTH: Mapping[str, Member] = {
    "gravity": _gravity("Where the mark lies; southeast is CI's default."),
    "opacity": Member(WHOLE, "Opacity in per cent; 90 is CI's default.", _mark("dissolve")),
    "dx": Member(WHOLE, "Horizontal distance from the gravity's edge in pixels.", _mark("dx")),
    "dy": Member(WHOLE, "Vertical distance from the gravity's edge in pixels.", _mark("dy")),
    "tile": Member(SWITCH, "Cover the whole picture with the mark."),
    "rotate": Member(WHOLE, "With tile: degrees that each mark is turned by.", _mark("degree")),
    "spacing": Member(WHOLE, "With tile: distance between the marks in per cent.", _mark("spacing")),
    "scale": _map(
        "Size of the mark, measured by the picture.",
        {
            "by": Member(TEXT, "What of the picture it is measured by.", Word(SCALES)),
            "permille": Member(WHOLE, "Thousandths of that; 250 at most by area.", Whole(Range(1, 1000, "CI212"))),
        },
        needs=("by", "permille"),
    ),
}
_TEXT_MARK: Mapping[str, Member] = {
    "text": Member(TEXT, "The text, in any script."),
    "font": Member(TEXT, "A font of CI, by its file name."),
    "size": Member(WHOLE, "Size of the letters in points.", _mark("fontsize")),
    "color": Member(TEXT, "Colour of the letters as #RRGGBB; in quotes, since # begins a comment.", _colour,
                    pattern="^#[0-9A-Fa-f]{6}$"),
    "shadow": Member(WHOLE, "Strength of a shadow in per cent.", _mark("shadow")),
}  # fmt: skip
_IMAGE_MARK: Mapping[str, Member] = {
    "image": Member(TEXT, "Key of an image in the source's bucket, or its http:// address.", pattern="^(?!https://)"),
}

WATERMARK = _map(
    "Write a text, or lay an image, over the picture.",
    {**_TEXT_MARK, **_IMAGE_MARK, **_BOTH},
    forms={
        "text": Form((*_TEXT_MARK, *_BOTH), ("text",)),
        "image": Form((*_IMAGE_MARK, *_BOTH), ("image",)),
    },
)

MARK_FIELDS: Mapping[str, str] = {
    "opacity": "dissolve", "tile": "batch", "rotate": "degree", "size": "fontsize", "color": "fill",
}  # fmt: skip
"""Members of watermark that the CI language calls otherwise."""

STEPS: Mapping[str, Member] = {
    "auto_orient": Member(SWITCH, "Turn the picture as its EXIF says. It should come first."),
    "resize": RESIZE,
    "crop": CROP,
    "rotate": Member(WHOLE, "Turn clockwise by degrees.", MOGR["rotate"].read),
    "flip": Member(TEXT, "Mirror the picture.", MOGR["flip"].read),
    "blur": BLUR,
    "sharpen": Member(WHOLE, "Sharpen.", MOGR["sharpen"].read),
    "brightness": Member(WHOLE, "Change the brightness.", MOGR["bright"].read),
    "contrast": Member(WHOLE, "Change the contrast.", MOGR["contrast"].read),
    "grayscale": Member(SWITCH, "Take the colours out."),
    "watermark": WATERMARK,
}

OUTPUT: Mapping[str, Member] = {
    "format": Member(TEXT, "Format of the derivative; that of the source otherwise.", MOGR["format"].read),
    "quality": Member(WHOLE, "Quality of jpg, webp, avif, heif and tpg.", AsNode(Quality, Whole(QUALITY))),
    "interlace": Member(SWITCH, "Write a progressive jpg."),
    "strip": Member(SWITCH, "Leave EXIF and other metadata out."),
}
"""How the file is written: wherever these stand they act once, at the end, and they may share one map."""

MAX_STEPS = 100
"""More steps than this are not looked at; CI allows ten stages."""
