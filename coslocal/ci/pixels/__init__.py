"""The one room that knows libvips: a small set of pixel primitives on an opaque Picture.

A Picture is never changed; each primitive gives a new one and works on every frame. Decoding is lazy: opening reads the
header only, and a picture that was not touched yet and is made smaller decodes at the smaller size (shrink-on-load).
Lengths are pixels, angles degrees clockwise. Whatever libvips refuses is raised as PixelError with one line of text.
"""

from coslocal.ci.pixels.colour import blur, curve, grayscale, mean, mean_of, sharpen, to_srgb
from coslocal.ci.pixels.geometry import (
    attention,
    auto_orient,
    extract,
    flip,
    on_canvas,
    on_colour,
    on_nothing,
    resize,
    rotate,
    select,
    turn,
)
from coslocal.ci.pixels.marks import (
    blank,
    fade,
    mark_of,
    mask_bytes,
    overlay,
    paint,
    rounded,
    text_mask,
    tile,
)
from coslocal.ci.pixels.opening import from_rgb, load, probe, to_rgb
from coslocal.ci.pixels.picture import (
    ANIMATED,
    READABLE,
    Header,
    Picture,
    PixelError,
    close_other_loaders,
    settled,
)
from coslocal.ci.pixels.saving import Saving, encode

__all__ = [
    "ANIMATED", "READABLE", "Header", "Picture", "PixelError", "Saving", "attention", "auto_orient", "blank",
    "blur", "close_other_loaders", "curve", "encode", "extract", "fade", "flip", "from_rgb", "grayscale", "load",
    "mark_of", "mask_bytes", "mean", "mean_of", "on_canvas", "on_colour", "on_nothing", "overlay", "paint", "probe",
    "resize", "rotate", "rounded", "select", "settled", "sharpen", "text_mask", "tile", "to_rgb", "to_srgb",
    "turn",
]  # fmt: skip
