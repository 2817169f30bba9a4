"""Scaling, windows, turns, mirrors, frames: exact sizes, whatever the rule's arithmetic asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyvips

from coslocal.ci.pixels.picture import Image, Picture, as_rgb, eight_bits, errors, flat, in_place, options, with_alpha


def resize(picture: Picture, width: int, height: int) -> Picture:
    """Scale to exactly width x height."""
    if (picture.width, picture.height) == (width, height):
        return picture
    origin = picture.origin
    smaller = width <= picture.width and height <= picture.height
    if origin and smaller:
        with errors():
            frame = pyvips.Image.thumbnail_source(
                in_place(origin.data), width, height=height, size="force", no_rotate=not origin.turned,
                option_string=options(origin.lenient),
            )  # fmt: skip
            frame._references.append(origin.data)
        return replace(picture, frames=(frame,), origin=None, streamed=True)
    return picture.each(lambda frame: _scale(frame, width, height))


def _scale(frame: Image, width: int, height: int) -> Image:
    if frame.format != "ushort":
        return frame.thumbnail_image(width, height=height, size="force", no_rotate=True)
    # thumbnailing would cut the values to 8 bits
    alpha = {"max_alpha": 65535}
    work = frame.premultiply(**alpha) if frame.hasalpha() else frame
    scaled = work.resize(width / frame.width, vscale=height / frame.height)
    return (scaled.unpremultiply(**alpha) if frame.hasalpha() else scaled).cast("ushort")


def extract(picture: Picture, left: int, top: int, width: int, height: int) -> Picture:
    """The window at (left, top); it must lie inside the picture."""
    if (left, top, width, height) == (0, 0, picture.width, picture.height):
        return picture
    return picture.each(lambda frame: frame.crop(left, top, width, height), streams=True)


def on_canvas(picture: Picture, width: int, height: int, left: int, top: int, rgb: tuple[int, int, int]) -> Picture:
    """The picture on a canvas of one colour; transparent parts show the canvas."""

    def place(frame: Image) -> Image:
        opaque = as_rgb(eight_bits(flat(frame, rgb)))
        return opaque.embed(left, top, width, height, extend="background", background=list(rgb))

    return picture.each(place, streams=True)


def turn(picture: Picture, quarters: int) -> Picture:
    """Turn clockwise by quarters of a circle."""
    angle = ("d0", "d90", "d180", "d270")[quarters % 4]
    return picture if angle == "d0" else picture.each(lambda frame: frame.rot(angle))


def on_nothing(picture: Picture, width: int, height: int, left: int, top: int) -> Picture:
    """The picture on a transparent canvas."""

    def place(frame: Image) -> Image:
        clear = [0, 0, 0, 0]
        return with_alpha(as_rgb(eight_bits(frame))).embed(
            left, top, width, height, extend="background", background=clear
        )

    return picture.each(place, streams=True)


def on_colour(picture: Picture, rgb: tuple[int, int, int]) -> Picture:
    """The picture with a colour behind its transparent parts."""
    return picture.each(lambda frame: flat(frame, rgb), streams=True)


def rotate(
    picture: Picture, degrees: float, width: int, height: int, rgb: tuple[int, int, int] | None = None
) -> Picture:
    """Turn clockwise by any angle on a canvas of width x height, centred; its corners are transparent without `rgb`."""
    ground = [0, 0, 0, 0] if rgb is None else [*rgb, 255]

    def spin(frame: Image) -> Image:
        deep = with_alpha(as_rgb(eight_bits(frame))).premultiply()
        spun = deep.rotate(degrees, background=ground).unpremultiply().cast("uchar")
        return spun.gravity("centre", width, height, extend="background", background=ground)

    return picture.each(spin)


def flip(picture: Picture, axis: str) -> Picture:
    """Mirror: `vertical` swaps top and bottom, `horizontal` left and right."""
    return picture.each(lambda frame: frame.flip(axis))


def auto_orient(picture: Picture) -> Picture:
    """Turn as EXIF Orientation says, and forget the orientation."""
    turned = picture.each(lambda frame: frame.autorot())
    return replace(turned, origin=replace(picture.origin, turned=True)) if picture.origin else turned


def attention(picture: Picture, width: int, height: int) -> tuple[int, int]:
    """The point that catches the eye: libvips's attention measure on the first frame."""
    with errors():
        _, found = picture.frames[0].smartcrop(
            width, height, interesting="attention", attention_x=True, attention_y=True
        )
    return int(found["attention_x"]), int(found["attention_y"])


def select(picture: Picture, indexes: Sequence[int]) -> Picture:
    """Only these frames; the time of a frame left out goes to the one before it."""
    if not picture.animated or tuple(indexes) == tuple(range(len(picture.frames))):
        return picture
    ends = [*indexes[1:], indexes[-1] + 1]
    delays = tuple(sum(picture.delays[start:end]) for start, end in zip(indexes, ends, strict=True))
    return Picture(tuple(picture.frames[at] for at in indexes), delays, picture.loop)
