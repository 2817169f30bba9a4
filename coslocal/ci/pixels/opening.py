"""Opening files: headers without decoding, and pictures that decode when their pixels are needed."""

from __future__ import annotations

from typing import Any

import pyvips

from coslocal.ci.pixels.picture import (
    ANIMATED,
    Header,
    Image,
    Origin,
    Picture,
    as_rgb,
    eight_bits,
    errors,
    fail_on,
    flat,
    has,
    in_place,
    without,
)


def open_file(data: bytes, lenient: bool, **options: Any) -> Image:
    image = pyvips.Image.new_from_source(in_place(data), "", fail_on=fail_on(lenient), **options)
    image._references.append(data)  # pyvips forgets what a source reads from, and pixels are read later
    return image


def probe(data: bytes, format: str, *, lenient: bool = False) -> Header:
    """Read the header of a file whose format is one of READABLE; decodes no pixel."""
    with errors():
        image = open_file(data, lenient)
        exif = {name: value for name in _names(image) if (value := _text(image, name))}
        depth = {"uchar": 8, "ushort": 16, "float": 32}.get(image.format, 8)
        # libvips says 1.0 px/mm where the file says nothing
        known = (image.xres, image.yres) != (1.0, 1.0)
        return Header(
            width=image.width,
            height=image.height,
            frames=image.get("n-pages") if format in ANIMATED and has(image, "n-pages") else 1,
            bit_depth=image.get("bits-per-sample") if format != "gif" and has(image, "bits-per-sample") else depth,
            orientation=image.get("orientation") if "exif-ifd0-Orientation" in exif or format == "tiff" else 0,
            x_dpi=round(image.xres * 25.4) if known else 0,
            y_dpi=round(image.yres * 25.4) if known else 0,
            xmp=bytes(image.get("xmp-data")) if has(image, "xmp-data") else b"",
            fields=exif,
        )


def _names(image: Image) -> list[str]:
    """The names of the EXIF fields. pyvips's own get_fields fails on a PNG comment whose keyword is not UTF-8."""
    array = pyvips.vips_lib.vips_image_get_fields(image.pointer)
    found = []
    at = 0
    while array[at] != pyvips.ffi.NULL:
        found.append(pyvips.ffi.string(array[at]))
        pyvips.glib_lib.g_free(array[at])
        at += 1
    pyvips.glib_lib.g_free(array)
    return [name.decode() for name in found if name.startswith(b"exif-ifd") and name.isascii()]


def _text(image: Image, name: str) -> str:
    try:
        return str(image.get(name))
    except UnicodeDecodeError:
        return ""


def load(data: bytes, frames: int, *, lenient: bool = False) -> Picture:
    """Open a file of `frames` frames, as its header counts them; pixels are decoded when they are needed.

    `lenient`: what is missing of a damaged file is left as the decoder leaves it.
    """
    with errors():
        if frames == 1:
            raw = open_file(data, lenient)
            # thumbnailing reads the file again by itself: only where that gives the same colours
            origin = Origin(data, lenient=lenient) if raw.interpretation in ("srgb", "b-w") else None
            return Picture((plain(raw),), origin=origin)
        strip = open_file(data, lenient, n=-1)
        height = strip.get("page-height")
        cut = tuple(plain(strip.crop(0, at * height, strip.width, height)) for at in range(frames))
        delays = tuple(strip.get("delay")) if has(strip, "delay") else ()
        loop = strip.get("loop") if has(strip, "loop") else 0
        return Picture(cut, (delays + (100,) * frames)[:frames], loop)


def from_rgb(pixels: bytes, width: int, height: int, bands: int) -> Picture:
    """A picture from 8-bit pixels, row by row, red first."""
    with errors():
        image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
        return Picture((image.copy(interpretation="srgb" if bands > 2 else "b-w"),))


def to_rgb(picture: Picture, ground: tuple[int, int, int] = (255, 255, 255)) -> bytes:
    """The first frame as 8-bit RGB rows; transparency shows the ground."""
    with errors():
        return bytes(as_rgb(eight_bits(flat(picture.frames[0], ground))).write_to_memory())


def plain(image: Image) -> Image:
    """CMYK and other colour models to sRGB through the file's own profile, so that one set of operations serves all."""
    if image.interpretation in ("srgb", "b-w", "rgb16", "grey16"):
        return image
    if image.interpretation == "cmyk":
        profile = {"embedded": True} if has(image, "icc-profile-data") else {}
        image = image.icc_transform("srgb", input_profile="cmyk", intent="relative", **profile)
        return without(image, "icc-profile-data")
    return image.colourspace("srgb")
