"""Opening files: headers without decoding, and pictures that decode when their pixels are needed."""

from __future__ import annotations

from typing import Any

import pyvips

from coslocal.ci.pixels.picture import (
    ANIMATED,
    LOADERS,
    Header,
    Image,
    Origin,
    Picture,
    as_rgb,
    eight_bits,
    errors,
    flat,
    without,
)


def open_file(data: bytes, format: str, **options: Any) -> Image:
    return getattr(pyvips.Image, LOADERS[format])(data, fail_on="error", **options)


def probe(data: bytes, format: str) -> Header:
    """Read the header of a file whose format is one of LOADERS; decodes no pixel."""
    with errors():
        image = open_file(data, format)
    names = set(image.get_fields())
    depth = {"uchar": 8, "ushort": 16, "float": 32}.get(image.format, 8)
    # libvips says 1.0 px/mm where the file says nothing
    known = (image.xres, image.yres) != (1.0, 1.0)
    return Header(
        width=image.width,
        height=image.height,
        frames=image.get("n-pages") if format in ANIMATED and "n-pages" in names else 1,
        bit_depth=image.get("bits-per-sample") if "bits-per-sample" in names and format != "gif" else depth,
        orientation=image.get("orientation") if "exif-ifd0-Orientation" in names or format == "tiff" else 0,
        x_dpi=round(image.xres * 25.4) if known else 0,
        y_dpi=round(image.yres * 25.4) if known else 0,
        xmp=bytes(image.get("xmp-data")) if "xmp-data" in names else b"",
        fields={name: str(image.get(name)) for name in names if name.startswith("exif-ifd")},
    )


def load(data: bytes, format: str, frames: int) -> Picture:
    """Open a file of `frames` frames, as its header counts them; pixels are decoded when they are needed."""
    with errors():
        if frames == 1:
            raw = open_file(data, format)
            # thumbnailing reads the file again by itself: only where that gives the same colours
            origin = Origin(data) if raw.interpretation in ("srgb", "b-w") else None
            return Picture((plain(raw),), origin=origin)
        strip = open_file(data, format, n=-1)
        height = strip.get("page-height")
        names = strip.get_fields()
        cut = tuple(plain(strip.crop(0, at * height, strip.width, height)) for at in range(frames))
        delays = tuple(strip.get("delay")) if "delay" in names else ()
        loop = strip.get("loop") if "loop" in names else 0
        return Picture(cut, (delays + (100,) * frames)[:frames], loop)


def from_rgb(pixels: bytes, width: int, height: int, bands: int) -> Picture:
    """A picture from 8-bit pixels, row by row, red first."""
    with errors():
        image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
        return Picture((image.copy(interpretation="srgb" if bands > 2 else "b-w"),))


def to_rgb(picture: Picture) -> bytes:
    """The first frame as 8-bit RGB rows; transparency falls on white."""
    with errors():
        return bytes(as_rgb(eight_bits(flat(picture.frames[0], (255, 255, 255)))).write_to_memory())


def plain(image: Image) -> Image:
    """CMYK and other colour models to sRGB through the file's own profile, so that one set of operations serves all."""
    if image.interpretation in ("srgb", "b-w", "rgb16", "grey16"):
        return image
    if image.interpretation == "cmyk":
        profile = {"embedded": True} if "icc-profile-data" in image.get_fields() else {}
        image = image.icc_transform("srgb", input_profile="cmyk", intent="relative", **profile)
        return without(image, "icc-profile-data")
    return image.colourspace("srgb")
