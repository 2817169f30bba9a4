"""A small paint box on libvips: noise, gradients, ridges, spheres, drawn shapes, labels.

Images here are float RGB in 0..1 (sRGB values, not linear light) until `develop` makes a photograph of them. Masks are
one float band in 0..1. Everything is deterministic: equal arguments give equal pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

import pyvips

FONT_FILE = str(files("cvttf_NotoSansCJK_Regular") / "NotoSansCJKtc-Regular.otf")
FONT = "Noto Sans CJK TC"

Color = tuple[float, float, float]


def rgb(text: str) -> Color:
    """`#rrggbb` as three floats in 0..1."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def plain(width: int, height: int, color: str) -> pyvips.Image:
    return pyvips.Image.black(width, height, bands=3) + list(rgb(color))


def grid(width: int, height: int) -> tuple[pyvips.Image, pyvips.Image]:
    """x and y of every pixel, in units of the picture's height: y runs 0..1, x runs 0..width/height."""
    xy = (pyvips.Image.xyz(width, height) + 0.5) / height
    return xy[0], xy[1]


def clamp(image: pyvips.Image) -> pyvips.Image:
    return image.clamp(min=0, max=1)


def smooth(low: float, high: float, value: pyvips.Image) -> pyvips.Image:
    """0 up to `low`, 1 from `high`, an S-curve between; low > high falls instead of rising."""
    t = clamp((value - low) / (high - low))
    return t * t * (t * -2 + 3)


def mix(under: pyvips.Image, over: pyvips.Image | Color, mask: pyvips.Image) -> pyvips.Image:
    """`over` laid on `under` as far as the mask says. Kept in memory: libvips would compute `under` anew for each of
    its two uses here, and so twice as often with every layer."""
    if not isinstance(over, pyvips.Image):
        over = pyvips.Image.black(under.width, under.height, bands=3) + list(over)
    return (under + (over - under) * mask).copy_memory()


def blur(mask: pyvips.Image, sigma: float) -> pyvips.Image:
    """Gaussian blur with long tails: libvips's default cuts them at 20 %, which shows as a seam once lit. A wide blur
    is done on a smaller copy, which looks the same and costs far less."""
    shrink = max(1, int(sigma / 4))
    if shrink == 1:
        return mask.gaussblur(max(0.5, sigma), min_ampl=0.02, precision="float")
    margin = shrink * 4
    wide = mask.embed(margin, margin, mask.width + 2 * margin, mask.height + 2 * margin, extend="copy")
    small = wide.shrink(shrink, shrink, ceil=True).gaussblur(sigma / shrink, min_ampl=0.02, precision="float")
    return small.resize(shrink, kernel="cubic").crop(margin, margin, mask.width, mask.height)


def glow(x: pyvips.Image, y: pyvips.Image, cx: float, cy: float, radius: float) -> pyvips.Image:
    """A soft round light: 1 in the middle, 0.37 at `radius`."""
    dx, dy = x - cx, y - cy
    return ((dx * dx + dy * dy) * (-1 / radius**2)).exp()


def gradient(value: pyvips.Image, stops: Sequence[tuple[float, str]]) -> pyvips.Image:
    """Colours along a one-band value; `stops` rise."""
    first, *rest = stops
    image = pyvips.Image.black(value.width, value.height, bands=3) + list(rgb(first[1]))
    at = first[0]
    for position, color in rest:
        image = mix(image, rgb(color), clamp((value - at) / (position - at)))
        at = position
    return image


def noise(width: int, height: int, cell: float, seed: int, *, octaves: int = 5, stretch: float = 1.0) -> pyvips.Image:
    """Fractal noise around 0, mostly within -1..1; `cell` pixels a bump, `stretch` times as wide as high."""
    inner = max(2, round(width / stretch))
    total, weight = pyvips.Image.black(inner, height), 1.0
    for octave in range(octaves):
        size = max(2, round(cell / 2**octave))
        total = total + pyvips.Image.perlin(inner, height, cell_size=size, seed=seed + octave) * weight
        weight /= 2
    if inner != width:
        total = total.resize(width / inner, vscale=1, kernel="linear").crop(0, 0, width, height)
    return total.copy_memory()


def shifted(image: pyvips.Image, left: int, up: int) -> pyvips.Image:
    """The picture moved by a few pixels, its edge repeated: the difference to the original is light from one side."""
    return image.embed(-left, -up, image.width, image.height, extend="copy")


def skyline(width: int, height: int, cell: float, seed: int, *, octaves: int = 7) -> pyvips.Image:
    """Noise that varies along x only: the profile of hills, spread over the whole height."""
    line = noise(width, 8, cell, seed, octaves=octaves).crop(0, 4, width, 1)
    return line.zoom(1, height)


def sphere(
    x: pyvips.Image, y: pyvips.Image, cx: float, cy: float, radius: float, flat: float = 1.0
) -> tuple[pyvips.Image, pyvips.Image, pyvips.Image, pyvips.Image]:
    """A ball seen from the front: its mask and the normal's x, y, z. `flat` < 1 squeezes it from above."""
    nx, ny = (x - cx) / radius, (y - cy) / (radius * flat)
    square = nx * nx + ny * ny
    nz = clamp(square * -1 + 1) ** 0.5
    pixel = 1.5 / (x.height * radius)
    return smooth(1.0 + pixel, 1.0 - pixel, square), nx, ny, nz


def shapes(width: int, height: int, body: str) -> tuple[pyvips.Image, pyvips.Image]:
    """SVG drawn on nothing, as colour and mask; the drawing is 1000 units high whatever the picture's size."""
    wide = 1000 * width / height
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {wide} 1000">{body}</svg>'
    )
    drawn = pyvips.Image.svgload_buffer(text.encode()).copy_memory()
    return drawn[0:3] / 255.0, drawn[3] / 255.0


def draw(under: pyvips.Image, body: str) -> pyvips.Image:
    """SVG drawn on a picture."""
    color, mask = shapes(under.width, under.height, body)
    return mix(under, color, mask)


def reflect(image: pyvips.Image, horizon: int, seed: int, *, strength: float = 18.0) -> pyvips.Image:
    """The part above `horizon` mirrored into everything below it, with ripples that grow towards the viewer."""
    width, below = image.width, image.height - horizon
    mirrored = image.crop(0, max(0, horizon - below), width, min(horizon, below)).flipver()
    index = pyvips.Image.xyz(width, below)
    depth = (index[1] + 1) / below
    ripple = noise(width, below, below / 14, seed, octaves=3, stretch=7.0) * depth * strength
    across = (index[0] + ripple).clamp(min=0, max=width - 1)
    where = across.bandjoin(clamp(index[1] / mirrored.height + ripple * 0.6 / below) * (mirrored.height - 1))
    water = mirrored.mapim(where, interpolate=pyvips.Interpolate.new("bilinear"), extend="copy")
    return image.insert(water.crop(0, 0, width, below), 0, horizon)


def develop(
    image: pyvips.Image, *, grain: float = 0.012, vignette: float = 0.25, seed: int = 1, enlarge: int = 1
) -> pyvips.Image:
    """A photograph: darker corners, enlarged to as many times its sides, grain, 8-bit sRGB."""
    x, y = grid(image.width, image.height)
    aspect = image.width / image.height
    dx, dy = (x - aspect / 2) / aspect, y - 0.5
    image = (image * ((dx * dx + dy * dy) * -510 * vignette + 255)).rint().cast("uchar")
    if enlarge > 1:
        image = image.resize(enlarge, kernel="cubic")
    if grain:
        speckle = pyvips.Image.gaussnoise(
            image.width // enlarge, image.height // enlarge, sigma=grain * 255, mean=0.5, seed=seed
        )
        image = (image + speckle.copy_memory().replicate(enlarge, enlarge)).cast("uchar")
    return image.copy(interpretation="srgb").copy_memory()


def lettering(text: str, size: int) -> pyvips.Image:
    """The mask of a line of text, `size` pixels high as its font says."""
    # libvips reads Pango markup, so a key with `&` or `<` has to be quoted
    return pyvips.Image.text(escape(text), font=f"{FONT} 12", fontfile=FONT_FILE, dpi=6 * size) / 255.0


def caption(image: pyvips.Image, text: str) -> pyvips.Image:
    """Words in the lower left corner of an 8-bit picture, with a thin soft shadow: they show which way is up."""
    size = max(6, image.height // 34)
    mask = lettering(text, size)
    margin = image.height // 24
    mask = pyvips.Image.black(mask.width + 8, mask.height + 8).insert(mask, 4, 4)
    x, y = margin, image.height - margin - mask.height
    patch = image.crop(x, y, mask.width, mask.height)
    patch = mix(patch, (0.0, 0.0, 0.0), clamp(blur(mask, size / 10)) * 0.55)
    patch = mix(patch, (255.0, 255.0, 255.0), mask * 0.92)
    return image.insert(patch.cast("uchar").copy(interpretation="srgb"), x, y)
