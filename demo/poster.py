"""The contact sheet as one picture: each source, an arrow, and its derivatives side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pyvips

from demo.paint import lettering
from demo.results import Derived, Result, amount

WIDTH = 1200
MARGIN = 34
SOURCE_WIDTH, SOURCE_HEIGHT = 190, 122
DERIVED_HEIGHT = 84
GAP = 12
ROW = 182
HEAD = 104
LIMIT = 490_000  # bytes: the README shows this picture

Color = tuple[int, int, int]
PAPER: Color = (21, 24, 30)
LINE: Color = (44, 49, 58)
INK: Color = (238, 240, 244)
FAINT: Color = (150, 158, 171)
ACCENT: Color = (255, 179, 102)
WRONG: Color = (255, 96, 96)


class _Sheet:
    """A canvas that pictures and words are laid on."""

    def __init__(self, height: int) -> None:
        self.image = _plain(WIDTH, height, PAPER)

    def put(self, image: pyvips.Image, x: int, y: int) -> None:
        self.image = self.image.insert(image, x, y).copy_memory()

    def say(self, text: str, x: int, y: int, size: int, color: Color = INK) -> int:
        """A line of words below y; what does not fit beside x is cut off. Returns where they end."""
        mask = lettering(text, size)
        top = y + (mask.get("yoffset") if mask.get_typeof("yoffset") else 0)
        mask = mask.crop(0, 0, max(1, min(mask.width, WIDTH - MARGIN - x)), mask.height)
        under = self.image.crop(x, top, mask.width, mask.height)
        self.put((under + (under * -1 + list(color)) * mask).cast("uchar"), x, top)
        return x + int(mask.width)


def poster(results: Sequence[Result], *, limit: int = LIMIT) -> bytes:
    """The sheet as a PNG of at most `limit` bytes, where a smaller palette or picture can reach that."""
    sheet = _Sheet(HEAD + ROW * len(results) + 10)
    derivatives = [derived for result in results for derived in result.derivatives]
    x = sheet.say("Derivo", MARGIN, 26, 30, ACCENT)
    sheet.say("every new image gets its derivatives, made inside the cloud", x + 18, 35, 19)
    sources, total = sum(len(result.picture.data) for result in results), sum(result.bytes for result in results)
    sheet.say(
        f"{len(results)} sources, {amount(sources)}   →   {len(derivatives)} derivatives, {amount(total)}",
        MARGIN,
        68,
        16,
        FAINT,
    )
    for number, result in enumerate(results):
        _row(sheet, result, HEAD + ROW * number)
    return _small(sheet.image, limit)


def _row(sheet: _Sheet, result: Result, top: int) -> None:
    picture = result.picture
    sheet.put(_plain(WIDTH - 2 * MARGIN, 1, LINE), MARGIN, top)
    x = sheet.say(picture.key, MARGIN, top + 12, 16)
    sheet.say(f"{picture.note} · {amount(len(picture.data))}", x + 14, top + 13, 14, FAINT)
    source = _thumbnail(picture.data, SOURCE_WIDTH, SOURCE_HEIGHT)
    y = top + 44
    sheet.put(source, MARGIN + (SOURCE_WIDTH - source.width) // 2, y + (SOURCE_HEIGHT - source.height) // 2)
    x = MARGIN + SOURCE_WIDTH + 16
    sheet.say("→", x, y + 26, 26, ACCENT)
    x += 44
    for derived in result.derivatives:
        x += _derived(sheet, derived, x, y) + GAP
        if x > WIDTH - MARGIN - 40:
            break


def _derived(sheet: _Sheet, derived: Derived, x: int, y: int) -> int:
    """One derivative with two lines of words below it; returns how wide it is."""
    if derived.seen is None or not derived.seen.width:
        image = _plain(DERIVED_HEIGHT, DERIVED_HEIGHT, LINE)
    else:
        image = _thumbnail(derived.data, WIDTH - MARGIN - x, DERIVED_HEIGHT)
    sheet.put(image, x, y)
    words = y + DERIVED_HEIGHT + 6
    if derived.problems or derived.seen is None:
        sheet.say(derived.name, x, words, 13, WRONG)
        sheet.say("wrong" if derived.seen else "missing", x, words + 18, 12, WRONG)
    else:
        seen = derived.seen
        sheet.say(f"{seen.width}×{seen.height}", x, words, 13)
        sheet.say(f"{seen.format.replace('jpeg', 'jpg')} {amount(len(derived.data))}", x, words + 18, 12, FAINT)
    return max(int(image.width), DERIVED_HEIGHT)


def _thumbnail(data: bytes, width: int, height: int) -> pyvips.Image:
    """An image file's first frame inside width x height, as it should look on the sheet's paper."""
    image = pyvips.Image.thumbnail_buffer(data, max(1, width), height=height, export_profile="srgb")
    if image.hasalpha():
        image = image.flatten(background=list(LINE))
    return image.colourspace("srgb")[0:3].cast("uchar").copy_memory()


def _plain(width: int, height: int, color: Color) -> pyvips.Image:
    return (pyvips.Image.black(width, height, bands=3) + list(color)).cast("uchar").copy(interpretation="srgb")


def _small(image: pyvips.Image, limit: int) -> bytes:
    """As PNG, full colours first, then with palettes, then smaller, until it fits or nothing is left to try."""
    data = b""
    for scale in (1.0, 0.85, 0.7):
        scaled = image if scale == 1.0 else image.resize(scale)
        for options in ({"palette": True, "dither": 0.6}, {"palette": True, "dither": 0.0}):
            data = bytes(scaled.pngsave_buffer(compression=9, effort=7, keep="none", **options))
            if len(data) <= limit:
                return data
    return data
