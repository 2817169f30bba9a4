"""The pictures of the demo: each is made here, each is something that goes wrong in other image pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyvips

from demo import landscapes, still_lifes
from demo.paint import caption
from derivo.ci import limits

UPLOAD = "upload"
PUT = "derivo put"
FRAMES = 12


class UnreadablePicture(ValueError):
    """A path of the user's that is no image; the message is for the user."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image file on its way into the bucket. `width` and `height` are those of one frame seen upright; `via` is
    UPLOAD (the event runs the function) or PUT (derived while it is uploaded)."""

    key: str
    data: bytes = field(repr=False)
    note: str
    width: int
    height: int
    frames: int = 1
    via: str = UPLOAD

    @property
    def filename(self) -> str:
        return self.key.rsplit("/", 1)[-1]


def picture(key: str, data: bytes, note: str, via: str = UPLOAD) -> Picture:
    """Reads the facts off the file's own header. Raises pyvips.Error when it is no image."""
    head = pyvips.Image.new_from_buffer(data, "")
    width, height = head.width, head.get("page-height") if head.get_typeof("page-height") else head.height
    frames = head.get("n-pages") if head.get_typeof("n-pages") else 1
    if orientation(head) >= 5:
        width, height = height, width
    return Picture(key=key, data=data, note=note, width=width, height=height, frames=frames, via=via)


def orientation(image: pyvips.Image) -> int:
    """EXIF Orientation, 1 when the file has none."""
    return int(image.get("orientation")) if image.get_typeof("orientation") else 1


def users(path: Path) -> Picture:
    """The user's own picture under products/. Raises UnreadablePicture."""
    try:
        path.name.encode()
        if path.stat().st_size > limits.SOURCE_BYTES:
            raise UnreadablePicture(f"{path} is over {limits.SOURCE_BYTES >> 20} MiB, the most that CI processes")
        data = path.read_bytes()
        found = picture(f"products/{path.name}", data, "your own picture")
        if found.width * found.height * found.frames > limits.PIXELS:
            raise UnreadablePicture(f"{path} has more than {limits.PIXELS:,} pixels, the most that CI processes")
        pyvips.Image.new_from_buffer(data, "", fail_on="error").avg()
    except OSError as error:
        raise UnreadablePicture(f"{path}: {error.strerror or error}") from None
    except UnicodeEncodeError:
        raise UnreadablePicture(f"{str(path)!r}: the name is not UTF-8 and cannot be a key; rename the file") from None
    except pyvips.Error as error:
        raise UnreadablePicture(f"{path} is no image that can be read: {reason(error)}") from None
    return found


def reason(error: pyvips.Error) -> str:
    """The first line of what libvips says."""
    return (str(error.detail).strip().splitlines() or ["unknown format"])[0]


def all_pictures() -> Iterator[Picture]:
    """The demo's pictures, one at a time: the big one is never held together with the others' pixels."""
    for key, note, make, via in _TABLE:
        yield picture(key, make(), note, via)


def _jpeg(image: pyvips.Image, quality: int = 90) -> bytes:
    return bytes(image.jpegsave_buffer(Q=quality))


def _teapot() -> bytes:
    return _jpeg(caption(still_lifes.teapot(960, 720, 2), "宜兴 Yixing teapot"))


def _stored(turned: pyvips.Image, exif: int) -> bytes:
    """The pixels as the camera keeps them, and in EXIF how they are to be turned."""
    stored = turned.copy()
    stored.set_type(pyvips.GValue.gint_type, "orientation", exif)
    return _jpeg(stored)


def _sideways_vase() -> bytes:
    """As a telephone held upright stores it."""
    upright = caption(still_lifes.vase(720, 960, 2), "EXIF 6: stored sideways, seen upright")
    return _stored(upright.rot270(), 6)


def _mirrored_lamp() -> bytes:
    """The rarest of EXIF's turns, which only few programs get right."""
    upright = caption(still_lifes.moon_lamp(960, 720, 2), "EXIF 5: stored mirrored and sideways")
    return _stored(upright.rot90().fliphor(), 5)


def _print_persimmons() -> bytes:
    """Four inks and their ICC profile, as a printer's agency sends them."""
    image = caption(still_lifes.persimmons(960, 720, 2), "CMYK + ICC, for print")
    return _jpeg(image.icc_transform("cmyk", input_profile="srgb", intent="relative"), 92)


def _panda() -> bytes:
    return bytes(still_lifes.panda(800).pngsave_buffer(compression=6))


def _mountains() -> bytes:
    return _jpeg(caption(landscapes.mountains(1500, 1000, 4), "24 Mpx"), 86)


def _aurora() -> bytes:
    return bytes(caption(landscapes.aurora(1500, 1000), "WebP in, WebP out").webpsave_buffer(Q=90, effort=2))


def _harbour() -> bytes:
    return _jpeg(caption(landscapes.harbour(1280, 720, 2), "Harbour, 18:40"))


def _sea() -> bytes:
    frames = [landscapes.sea(720, 480, turn / FRAMES) for turn in range(FRAMES)]
    strip = pyvips.Image.arrayjoin(frames, across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", 480)
    strip.set_type(pyvips.GValue.array_int_type, "delay", [90] * FRAMES)
    strip.set_type(pyvips.GValue.gint_type, "loop", 0)
    return bytes(strip.gifsave_buffer(effort=1, dither=0.5))


_TABLE: tuple[tuple[str, str, Callable[[], bytes], str], ...] = (
    ("products/新品 2026/茶壶 50%+1.jpg", "a key with Chinese, spaces, % and +", _teapot, UPLOAD),
    ("products/vase.jpg", "JPEG stored sideways, EXIF orientation 6", _sideways_vase, UPLOAD),
    ("products/print/persimmons.jpg", "CMYK JPEG with an ICC profile", _print_persimmons, UPLOAD),
    ("products/moon lamp.jpg", "JPEG stored mirrored and sideways, EXIF orientation 5", _mirrored_lamp, UPLOAD),
    ("avatars/1029/panda.png", "PNG with alpha", _panda, UPLOAD),
    ("articles/2026/11/mountains.jpg", "24 megapixels", _mountains, UPLOAD),
    ("articles/2026/11/aurora.webp", "WebP", _aurora, UPLOAD),
    ("articles/2026/11/harbour.jpg", "derived while it is uploaded, by derivo put", _harbour, PUT),
    ("articles/2026/11/evening sea.gif", "animated GIF, 12 frames", _sea, UPLOAD),
)
