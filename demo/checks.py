"""Looks at a derivative's bytes: is it the image that the rule promises, and does it show the source, upright?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyvips

from demo.expect import Box, Expected
from demo.pictures import Picture, orientation, reason

TILE = 32  # pictures are compared as tiles of so many pixels a side
ALIKE = 16.0  # mean difference of 0..255 up to which two tiles show the same
MARGIN = 2.0  # by how much a turned tile must fit better before the derivative is called turned

# how a derivative could be turned or mirrored by mistake, and what undoes it
_TURNS: dict[str, Callable[[Any], Any]] = {
    "upside down": lambda tile: tile.rot180(),
    "turned to the right": lambda tile: tile.rot270(),
    "turned to the left": lambda tile: tile.rot90(),
    "mirrored": lambda tile: tile.fliphor(),
    "mirrored, upside down": lambda tile: tile.flipver(),
    "mirrored and turned to the right": lambda tile: tile.rot270().fliphor(),
    "mirrored and turned to the left": lambda tile: tile.rot90().fliphor(),
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A derivative as it is: its format by its first bytes, the size of one frame, and all that is wrong with it."""

    format: str
    width: int
    height: int
    frames: int
    problems: tuple[str, ...] = ()


def sniff(data: bytes) -> str:
    """The format by the first bytes, whatever the name says."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "avif"
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return "tiff"
    return "bmp" if data[:2] == b"BM" else "unknown"


def look(picture: Picture, data: bytes, promised: Expected) -> Seen:
    """Open a derivative of the picture and hold it against what was promised. Raises nothing for bad bytes."""
    kind = sniff(data)
    try:
        image = pyvips.Image.new_from_buffer(data, "", fail_on="error").copy_memory()
    except pyvips.Error as error:
        return Seen(format=kind, width=0, height=0, frames=0, problems=(f"cannot be opened: {reason(error)}",))
    frames = image.get("n-pages") if image.get_typeof("n-pages") else 1
    problems = []
    if kind != promised.format:
        problems.append(f"is {kind}, should be {promised.format}")
    wide, high = promised.size
    if abs(image.width - wide) > 1 or abs(image.height - high) > 1:
        problems.append(f"is {image.width}x{image.height}, should be {wide}x{high}")
    if frames != promised.frames:
        problems.append(f"has {frames} frames, should have {promised.frames}")
    if orientation(image) != 1:
        problems.append(f"waits for an EXIF turn (orientation {orientation(image)})")
    problems += _unlike(picture, image, promised)
    return Seen(format=kind, width=image.width, height=image.height, frames=frames, problems=tuple(problems))


def _unlike(picture: Picture, image: pyvips.Image, promised: Expected) -> list[str]:
    """Whether the derivative shows the part of the source that it should, the right way up and in its colours."""
    source = _upright(picture.data)
    if promised.format in ("png", "webp") and _is_clear(source) and not _is_clear(image):
        return ["has lost its transparency"]
    # what lies behind transparency is not promised, so a dark and a light background are both allowed
    fits = [_fit(source, image, promised, ground) for ground in ([255], [0])[: 2 if source.hasalpha() else 1]]
    straight, turned = min(fits, key=lambda fit: fit[0])
    best = min(turned, key=lambda name: turned[name])
    if min(straight, turned[best]) > ALIKE:
        return [f"does not look like its source (mean difference {straight:.0f} of 255)"]
    return [f"is {best}"] if turned[best] + MARGIN < straight else []


@lru_cache(maxsize=1)  # a source is looked at once for each of its derivatives, one after the other
def _upright(data: bytes) -> pyvips.Image:
    return pyvips.Image.thumbnail_buffer(data, 400, height=400, export_profile="srgb").copy_memory()


def _is_clear(image: pyvips.Image) -> bool:
    """Whether anything is transparent; an alpha channel alone does not tell."""
    return bool(image.hasalpha()) and image[image.bands - 1].min() < 250


def _fit(
    source: pyvips.Image, image: pyvips.Image, promised: Expected, ground: list[int]
) -> tuple[float, dict[str, float]]:
    """How far the derivative is from what it should show: as it stands, and after undoing each possible mistake."""
    wanted, shown = _tile(source, promised.view, ground), _tile(image, Box(), ground)
    return _difference(wanted, shown), {name: _difference(wanted, undo(shown)) for name, undo in _TURNS.items()}


def _tile(image: pyvips.Image, box: Box, ground: list[int]) -> pyvips.Image:
    if image.hasalpha():
        image = image.flatten(background=ground)
    image = image.colourspace("srgb")
    left = min(round(box.left * image.width), image.width - 1)
    top = min(round(box.top * image.height), image.height - 1)
    wide = max(1, round((box.right - box.left) * image.width))
    high = max(1, round((box.bottom - box.top) * image.height))
    part = image.crop(left, top, min(wide, image.width - left), min(high, image.height - top))
    return part.thumbnail_image(TILE, height=TILE, size="force", no_rotate=True).cast("float").copy_memory()


def _difference(one: pyvips.Image, other: pyvips.Image) -> float:
    return float((one - other).abs().avg())
