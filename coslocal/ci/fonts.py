"""Which font a text watermark is drawn with, glyph by glyph.

The first choice is Noto Sans CJK, which pip brings and which holds Chinese, Japanese, Korean, Latin, Greek and
Cyrillic: so a text looks alike on every machine. Where it lacks a glyph, Pango takes one of the system's fonts. The
fonts of CI's list are the vendor's licensed ones: they are used where the system has them. What no font has is told,
never silently a box.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib import metadata

from coslocal.ci import pixels

_PACKAGE = "cvttf-NotoSansCJK-Regular"
_FAMILY = "Noto Sans CJK TC"
# CI 5.2: the file names that `font` may hold, and the family that each one is.
FAMILIES = {
    "simfang仿宋.ttf": "FangSong",
    "simhei黑体.ttf": "SimHei",
    "simkai楷体.ttf": "KaiTi",
    "simsun宋体.ttc": "SimSun",
    "STHeiti Light华文黑体.ttc": "Heiti SC Light",
    "STHeiti Medium.ttc": "Heiti SC Medium",
    "幼圆.TTF": "YouYuan",
    "ahronbd.ttf": "Aharoni",
    "arial.ttf": "Arial",
    "ariblk.ttf": "Arial Black",
    "Helvetica.dfont": "Helvetica",
    "HelveticaNeue.dfont": "Helvetica Neue",
    "tahoma.ttf": "Tahoma",
}
_NOWHERE = "\u0378"  # no font has this unassigned character: it shows what Pango draws in place of a glyph
_FRAME = 2  # thickness that is compared, in pixels at the trial size
_TRIAL = 48


@lru_cache(maxsize=1)
def font_file() -> str:
    """The file of Noto Sans CJK, or "" when its package is not installed."""
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        return ""
    return next((str(file.locate()) for file in files if file.name.endswith(".otf") and ".." not in file.parts), "")


def describe(font: str | None, size: float) -> str:
    """A Pango font description: the asked-for family first, Noto Sans CJK next. `size` in points of 1/72 inch."""
    family = FAMILIES.get(font or "")
    return ",".join(filter(None, (family, _FAMILY))) + f" {size:g}"


def warnings(text: str, font: str | None) -> list[str]:
    """What will not look as asked for: a font that is not here, glyphs that no font has."""
    found = []
    if font and not _has_font(font):
        found.append(f"font {font!r} is not on this machine: drawn with {_FAMILY}")
    missing = [character for character in dict.fromkeys(text) if not has_glyph(character)]
    if missing:
        names = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing)
        found.append(f"no font on this machine has a glyph for {names}")
    return found


@lru_cache(maxsize=64)
def _has_font(font: str) -> bool:
    """Whether the family changes what is drawn."""
    if font not in FAMILIES:
        return False
    drawn = [pixels.text_mask("Rag永37", name, font_file()) for name in (describe(font, 24), describe(None, 24))]
    return pixels.mask_bytes(drawn[0]) != pixels.mask_bytes(drawn[1])


@lru_cache(maxsize=4096)
def has_glyph(character: str) -> bool:
    """Whether some font here can draw the character. What has no ink by nature counts as drawn."""
    if unicodedata.category(character)[0] in "ZCM" and unicodedata.category(character) not in ("Co", "Cn"):
        return True
    frame = _outline(character)
    return frame is None or frame not in (_outline(_NOWHERE), _outline("\U0003fffd"))


@lru_cache(maxsize=16)
def _outline(character: str) -> bytes | None:
    """The outermost pixels of a character as drawn: the box for a missing glyph always has the same ones."""
    try:
        mask = pixels.text_mask(character, describe(None, _TRIAL), font_file())
    except pixels.PixelError:
        return None
    ink, width = pixels.mask_bytes(mask), mask.width
    rows = [ink[at : at + width] for at in range(0, len(ink), width)]
    sides = b"".join(row[:_FRAME] + row[-_FRAME:] for row in rows)
    return b"".join(rows[:_FRAME]) + sides + b"".join(rows[-_FRAME:])
