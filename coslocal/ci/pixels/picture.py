"""What a picture is, what a file says of itself, and the small conversions that the primitives share.

A Picture is never changed; each primitive gives a new one and works on every frame. Decoding is lazy: opening reads the
header only, and a picture that was not touched yet and is made smaller decodes at the smaller size (shrink-on-load).
Lengths are pixels. Whatever libvips refuses is raised as PixelError with one line of text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyvips

# The formats that CI reads and libvips trusts. Files are opened by the loader of their sniffed format and no other.
READABLE = ("jpeg", "png", "webp", "gif", "tiff", "avif", "heif")
ANIMATED = ("gif", "webp")
# what libvips warns of becomes an error here, and a damaged file may warn once a row
logging.getLogger("pyvips").setLevel(logging.ERROR)
pyvips.cache_set_max(0)  # every request has its own bytes: libvips's cache would only keep them alive

# Damaged and truncated files are errors, unless asked for what can be read of them.
_FAIL_ON = {False: "error", True: "none"}

Image = Any  # pyvips.Image, which has no types


def close_other_loaders() -> None:
    """Shut all loaders but those of READABLE for the whole process: a second lock for a server. Not for a process that
    is somebody else's, such as a test run with the fixtures."""
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in ("Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"):
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)


def fail_on(lenient: bool) -> str:
    return _FAIL_ON[lenient]


def in_place(data: bytes) -> Any:
    """Bytes for libvips to read where they lie: its functions for buffers copy them first. Who reads keeps `data`."""
    return pyvips.Source.new_from_memory(data)


def options(lenient: bool) -> str:
    """The same as thumbnailing a buffer takes it: in its option string."""
    return f"[fail_on={_FAIL_ON[lenient]}]"


class PixelError(Exception):
    """libvips could not do it: damaged bytes, or a picture it cannot hold."""


@contextmanager
def errors() -> Iterator[None]:
    try:
        yield
    except pyvips.Error as error:
        lines = (error.detail or error.message).strip().splitlines()
        raise PixelError(lines[0] if lines else "libvips gave no reason") from None
    except UnicodeDecodeError:  # pyvips reads libvips's text as UTF-8, and libvips quotes the file
        raise PixelError("the file is damaged") from None


@dataclass(frozen=True)
class Header:
    """What a file says of itself before anything is decoded. `fields` are its metadata as text, EXIF included."""

    width: int
    height: int
    frames: int
    bit_depth: int
    orientation: int
    x_dpi: int
    y_dpi: int
    fields: Mapping[str, str]
    xmp: bytes = b""


@dataclass(frozen=True)
class Origin:
    """An untouched file: its bytes, whether it is to be turned as EXIF says, and whether damage is put up with."""

    data: bytes
    turned: bool = False
    lenient: bool = False


@dataclass(frozen=True)
class Picture:
    """Frames of one size; `delays` in milliseconds, one a frame; `loop` 0 is for ever.

    `streamed`: the pixels come from top to bottom once, straight from the decoder.
    """

    frames: tuple[Image, ...]
    delays: tuple[int, ...] = ()
    loop: int = 0
    origin: Origin | None = None
    streamed: bool = False

    @property
    def width(self) -> int:
        return int(self.frames[0].width)

    @property
    def height(self) -> int:
        return int(self.frames[0].height)

    @property
    def animated(self) -> bool:
        return len(self.frames) > 1

    @property
    def has_alpha(self) -> bool:
        return bool(self.frames[0].hasalpha())

    def each(self, change: Callable[[Image], Image], *, streams: bool = False) -> Picture:
        """The same picture with every frame changed. `streams`: the change reads each row once, in order."""
        before = self if streams or not self.streamed else settled(self)
        with errors():
            return replace(before, frames=tuple(change(frame) for frame in before.frames), origin=None)


def flat(frame: Image, rgb: tuple[int, int, int]) -> Image:
    if not frame.hasalpha():
        return frame
    scale = 257 if frame.format == "ushort" else 1
    background = [value * scale for value in rgb] if frame.bands > 2 else [sum(rgb) // 3 * scale]
    return frame.flatten(background=background, max_alpha=255 * scale)


def eight_bits(frame: Image) -> Image:
    if frame.format == "uchar":
        return frame
    if frame.format == "ushort":
        return (frame >> 8).cast("uchar").copy(interpretation="srgb" if frame.bands > 2 else "b-w")
    return frame.cast("uchar")


def as_rgb(frame: Image) -> Image:
    return frame if frame.bands > 2 else frame.colourspace("srgb")


def with_alpha(frame: Image) -> Image:
    return frame if frame.hasalpha() else frame.addalpha()


def has(frame: Image, name: str) -> bool:
    """Whether the image carries this metadata."""
    return bool(frame.get_typeof(name))


def without(frame: Image, *names: str) -> Image:
    frame = frame.copy()
    for name in names:
        if has(frame, name):
            frame.remove(name)
    return frame


def settled(picture: Picture) -> Picture:
    """The same picture with all pixels computed, for work that reads them more than once."""
    with errors():
        return replace(
            picture, frames=tuple(frame.copy_memory() for frame in picture.frames), origin=None, streamed=False
        )
