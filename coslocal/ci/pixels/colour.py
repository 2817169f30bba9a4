"""Colour, blur and sharpness. Work on 8-bit values; alpha is left alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress

import pyvips

from coslocal.ci.pixels.opening import plain
from coslocal.ci.pixels.picture import Image, Picture, as_rgb, eight_bits, errors, flat, has, options, without


def curve(picture: Picture, table: Sequence[int]) -> Picture:
    """Put each colour value (not alpha) through a table of 256 values."""

    def bend(frame: Image) -> Image:
        lut = pyvips.Image.new_from_memory(bytes(table), 256, 1, 1, "uchar")
        return _on_colour(frame, lambda colour: colour.maplut(lut))

    return picture.each(bend, streams=True)


def blur(picture: Picture, radius: int, sigma: float) -> Picture:
    """Gaussian blur with a mask of 2 * radius + 1."""
    weights = [math.exp(-(at * at) / (2 * sigma * sigma)) for at in range(-radius, radius + 1)]

    def soften(frame: Image) -> Image:
        mask = pyvips.Image.new_from_array([weights], scale=sum(weights))
        frame = eight_bits(frame)
        if not frame.hasalpha():
            return frame.convsep(mask, precision="float").rint().cast("uchar")
        return frame.premultiply().convsep(mask, precision="float").unpremultiply().rint().cast("uchar")

    return picture.each(soften)


def sharpen(picture: Picture, amount: float) -> Picture:
    """Unsharp mask of sigma 1: 1.0 adds the whole difference to the blurred picture."""

    def crispen(colour: Image) -> Image:
        return (colour * (1 + amount) - colour.gaussblur(1.0) * amount).rint().cast("uchar")

    return picture.each(lambda frame: _on_colour(frame, crispen))


def grayscale(picture: Picture) -> Picture:
    return picture.each(lambda frame: eight_bits(frame).colourspace("b-w"), streams=True)


def to_srgb(picture: Picture) -> Picture:
    """Through the embedded profile to sRGB; the profile is dropped."""

    def convert(frame: Image) -> Image:
        if not has(frame, "icc-profile-data"):
            return frame
        alpha = frame[frame.bands - 1] if frame.hasalpha() else None
        colour = frame[: frame.bands - 1] if alpha is not None else frame
        with suppress(pyvips.Error):  # a profile that does not fit its own picture: colours stay as they are
            colour = colour.icc_transform("srgb", embedded=True, intent="relative")
        return without(colour if alpha is None else colour.bandjoin(alpha), "icc-profile-data")

    return picture.each(convert, streams=True)


def mean(data: bytes, *, lenient: bool = False) -> tuple[int, int, int]:
    """The average colour of a file's first frame, 0..255 each; decodes at the smallest size the format offers."""
    with errors():
        image = pyvips.Image.thumbnail_buffer(
            data, 1, height=1, size="force", no_rotate=True, option_string=options(lenient)
        )
        return mean_of(Picture((plain(image),)))


def mean_of(picture: Picture) -> tuple[int, int, int]:
    with errors():
        opaque = as_rgb(eight_bits(flat(picture.frames[0], (255, 255, 255))))
        point = opaque.thumbnail_image(1, height=1, size="force")(0, 0)
    return (round(point[0]), round(point[1]), round(point[2]))


def _on_colour(frame: Image, change: Callable[[Image], Image]) -> Image:
    frame = eight_bits(frame)
    if not frame.hasalpha():
        return change(frame)
    last = frame.bands - 1
    return change(frame[:last]).bandjoin(frame[last]).copy(interpretation=frame.interpretation)
