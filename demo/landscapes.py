"""Landscapes, painted from noise: mountains, an aurora, a harbour at night, and a sea that moves."""

from __future__ import annotations

import math
import random

import pyvips

from demo.paint import (
    blur,
    clamp,
    develop,
    draw,
    glow,
    gradient,
    grid,
    mix,
    noise,
    plain,
    reflect,
    rgb,
    shapes,
    shifted,
    skyline,
    smooth,
)


def mountains(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """Blue ranges behind one another in the morning haze, the sun on the left, pines in front of it."""
    x, y = grid(width, height)
    aspect = width / height
    image = gradient(y, [(0.0, "#3d6ea5"), (0.22, "#86abc9"), (0.42, "#f3c9a0"), (0.55, "#ffe3b8")])
    clouds = noise(width, height, height / 5, 11, stretch=5.0)
    image = mix(image, rgb("#fff0dc"), smooth(0.1, 0.8, clouds) * smooth(0.46, 0.05, y) * 0.75)
    sun = 0.27 * aspect
    image = clamp(image + glow(x, y, sun, 0.40, 0.30) * list(rgb("#4a3218")))
    image = mix(image, rgb("#fffdf0"), clamp(glow(x, y, sun, 0.40, 0.05) * 1.9))
    layers = (
        (0.50, 0.13, 0.80, "#b3b9c4", 21),
        (0.57, 0.15, 0.70, "#8a9fb5", 22),
        (0.66, 0.15, 0.60, "#5e8099", 29),
        (0.76, 0.13, 0.50, "#3a6078", 24),
        (0.88, 0.11, 0.42, "#1d4053", 25),
    )
    for base, amplitude, cell, color, seed in layers:
        peaks = skyline(width, height, height * cell, seed).abs() * -2.4 + 0.9
        depth = y - (peaks * -amplitude + base)
        folds = noise(width, height, height * cell / 3, seed + 40, octaves=6).abs()
        lit = folds - shifted(folds, max(1, height // 160), -height // 400)
        body = plain(width, height, color) * (lit * 1.3 - folds * 0.14 + 1.03)
        body = mix(body, rgb("#ffdcb4"), glow(x, y, sun, base - 0.1, 0.42) * 0.34)
        haze = smooth(0.0, 0.24, depth) * (0.80 if seed != 25 else 0.25)
        mist = noise(width, height, height / 3, seed + 80, octaves=4, stretch=4) * haze * 0.7
        body = mix(body, rgb("#eadccf"), clamp(haze + mist))
        image = mix(image, body, smooth(0.0, 1.6 / height + 0.0008, depth))
    return develop(draw(image, _pines(1000 * aspect)), grain=0.014, vignette=0.35, seed=5, enlarge=enlarge)


def _pines(wide: float) -> str:
    """Two groups of pines in the lower corners, the left one taller."""
    dice = random.Random(7)
    trees = []
    for _ in range(46):
        left = dice.random() < 0.62
        at = dice.betavariate(1.1, 2.6) * 0.46 * wide
        foot_x = at if left else wide - at * 0.7
        edge = 1 - at / (0.46 * wide)
        tall = (90 + 300 * edge**1.6) * dice.uniform(0.65, 1.1) * (1 if left else 0.62)
        trees.append((foot_x, 1020.0, tall))
    return "".join(_pine(dice, *tree) for tree in sorted(trees, key=lambda tree: -tree[2]))


def _pine(dice: random.Random, foot_x: float, foot_y: float, tall: float) -> str:
    half, steps = tall * 0.17, 13
    right, left = [], []
    for step in range(steps + 1):
        t = step / steps
        y = foot_y - tall + tall * t
        reach = half * (t**0.85) * dice.uniform(0.75, 1.15)
        right += [(foot_x + reach, y + tall * 0.045), (foot_x + reach * 0.45, y + tall * 0.03)]
        left += [(foot_x - reach * dice.uniform(0.85, 1.1), y + tall * 0.045), (foot_x - reach * 0.45, y + tall * 0.03)]
    points = [(foot_x, foot_y - tall * 1.04), *right, *reversed(left)]
    shade = dice.choice(("#0b2029", "#0d2630", "#102c36"))
    return f'<polygon fill="{shade}" points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}"/>'


def aurora(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """Curtains of green and violet over a snowy range and its lake, strongest on the left."""
    x, y = grid(width, height)
    aspect = width / height
    image = gradient(y, [(0.0, "#030817"), (0.35, "#0a1d38"), (0.62, "#15405a")])
    stars = pyvips.Image.gaussnoise(width, height, sigma=1, mean=0, seed=3).gaussblur(0.7)
    image = image + smooth(1.05, 1.6, stars) * 0.9
    for number, (level, hue, top) in enumerate(((0.52, "#38f59a", "#7a5cff"), (0.42, "#2fe0c0", "#c04dff"))):
        bend = skyline(width, height, height * 0.7, 60 + number, octaves=3) * 0.13 + level + (x / aspect - 0.4) * 0.12
        rise = bend - y
        rays = skyline(width, height, height * 0.06, 70 + number, octaves=4) * 0.45 + 0.75
        veil = (
            smooth(-0.015, 0.03, rise)
            * (clamp(rise) * -5.2).exp()
            * clamp(rays)
            * glow(x, y * 0, 0.36 * aspect, 0, aspect)
        )
        color = gradient(rise, [(0.02, hue), (0.34, top)])
        image = image + color * veil * (0.95 - number * 0.3)
    for base, amplitude, cell, color, seed in (
        (0.64, 0.13, 0.9, "#123247", 36),
        (0.68, 0.09, 0.6, "#0a2030", 31),
        (0.71, 0.05, 0.4, "#040d15", 33),
    ):
        depth = y - ((skyline(width, height, height * cell, seed).abs() * -2.2 + 0.8) * -amplitude + base)
        folds = noise(width, height, height * cell / 4, seed + 5).abs()
        lit = folds - shifted(folds, max(1, height // 200), height // 300)
        body = mix(plain(width, height, color), rgb("#2c7f83"), smooth(0.0, 0.16, depth) * (0.70 - base) * 6)
        image = mix(image, body * (lit * 1.2 + 1), smooth(0.0, 0.003, depth))
    image = reflect(image.copy_memory(), round(height * 0.70), 90, strength=height / 40)
    shore = smooth(0.698, 0.70, y) * (y - 0.7) * 0.9
    image = image * (shore * -1 + smooth(0.70, 0.701, y) * -0.18 + 1)
    return develop(image, grain=0.010, vignette=0.3, seed=6, enlarge=enlarge)


def harbour(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """A city at the blue hour: lit windows, a tower on the left, and all of it again in the water."""
    _, y = grid(width, height)
    aspect = width / height
    image = gradient(y, [(0.0, "#101b45"), (0.30, "#3a3f7d"), (0.50, "#c0697c"), (0.62, "#ffb36b")])
    clouds = noise(width, height, height / 4, 17, stretch=6.0)
    image = mix(image, rgb("#ff9d7e"), smooth(0.0, 0.8, clouds) * smooth(0.05, 0.45, y) * 0.55)
    image = mix(image, rgb("#1a2150"), smooth(0.1, 0.9, clouds * -1) * smooth(0.5, 0.1, y) * 0.6)
    towers, mask = shapes(width, height, _towers(1000 * aspect))
    image = mix(image, towers, mask)
    image = image + plain(width, height, "#2a1a14") * blur(mask, height / 60) * smooth(0.3, 0.62, y)
    image = reflect(image.copy_memory(), round(height * 0.63), 91, strength=height / 22)
    image = mix(image, rgb("#0c1638"), smooth(0.63, 1.0, y) * 0.62)
    return develop(draw(image, _junk(1000 * aspect)), grain=0.014, vignette=0.35, seed=8, enlarge=enlarge)


def _towers(wide: float) -> str:
    """Three rows of buildings that stand on the water line at 630; the windows of the front rows are lit."""
    dice = random.Random(4)
    parts = []
    for row, (color, low, high) in enumerate((("#5c4a78", 90, 250), ("#33305e", 80, 300), ("#15193c", 50, 210))):
        at = -20.0
        while at < wide:
            breadth, tall = dice.uniform(34, 84), dice.uniform(low, high)
            if row == 2 and 0.16 < at / wide < 0.30:
                tall *= 0.35
            parts.append(
                f'<rect x="{at:.0f}" y="{630 - tall:.0f}" '
                f'width="{breadth:.0f}" height="{tall + 2:.0f}" fill="{color}"/>'
            )
            parts += _windows(dice, at, breadth, tall) if row else []
            at += breadth * dice.uniform(0.8, 1.25)
    mast = 0.225 * wide
    parts.append(
        f'<g fill="#1b1d44"><path d="M{mast - 3} 120h6l5 130h-16z"/><circle cx="{mast}" cy="270" r="34"/>'
        f'<path d="M{mast - 15} 295h30l16 335h-62z"/><ellipse cx="{mast}" cy="470" rx="46" ry="26"/></g>'
        '<g fill="none" stroke="#ff5d7a" stroke-width="5">'
        f'<path d="M{mast - 33} 270h66"/><path d="M{mast - 44} 470h88"/></g>'
        f'<circle cx="{mast}" cy="118" r="6" fill="#ff3b3b"/>'
    )
    return "".join(parts)


def _windows(dice: random.Random, at: float, breadth: float, tall: float) -> list[str]:
    lit = ("#ffd98a", "#ffe9bd", "#ffc265", "#9fd4ff")
    return [
        f'<rect x="{at + wx:.0f}" y="{630 - tall + wy:.0f}" width="4" height="6" '
        f'fill="{dice.choice(lit)}" opacity="{dice.uniform(0.45, 1):.2f}"/>'
        for wx in range(6, int(breadth) - 6, 9)
        for wy in range(8, int(tall) - 6, 13)
        if dice.random() < 0.42
    ]


def _junk(wide: float) -> str:
    """A sailing junk on the right of the water, so that left and right differ below as well."""
    x, y = 0.70 * wide, 700
    sails = "".join(
        f'<path d="M{x + dx} {y - 22}q{-bulge} {-tall / 2} {lean} {-tall}q{bulge * 1.5} '
        f'{tall * 0.1} {span} {tall * 0.34}l{-lean * 0.4} {tall * 0.62}z" fill="{color}"/>'
        for dx, bulge, tall, lean, span, color in ((-70, 14, 120, 12, 58, "#b5343c"), (4, 18, 176, 16, 78, "#d04a3f"))
    )
    hull = f'<path d="M{x - 118} {y - 26}q24 44 70 48h96q44 -8 62 -62q-40 22 -92 22q-84 6 -136 -8z" fill="#1a0f1c"/>'
    lamp = f'<circle cx="{x + 96}" cy="{y - 40}" r="7" fill="#ffdf8a"/>'
    return sails + hull + lamp + f'<ellipse cx="{x + 10}" cy="{y + 30}" rx="130" ry="9" fill="#05081c" opacity=".55"/>'


def sea(width: int, height: int, turn: float) -> pyvips.Image:
    """One moment of a sea that returns after a `turn` of 1: a boat on the left rides the waves under a low moon."""
    wide, angle = 1000 * width / height, math.tau * turn
    parts = [
        '<defs><linearGradient id="s" x2="0" y2="1">'
        '<stop stop-color="#152a52"/><stop offset=".6" stop-color="#e2777b"/>'
        '<stop offset=".8" stop-color="#ffc37d"/></linearGradient></defs>',
        f'<rect width="{wide}" height="1000" fill="url(#s)"/>',
        f'<circle cx="{wide * 0.72}" cy="420" r="150" fill="#fff1cf" opacity=".25"/>',
        f'<circle cx="{wide * 0.72}" cy="420" r="104" fill="#fff6dd"/>',
        _birds(wide * (0.40 + 0.02 * math.sin(angle)), 250 + 14 * math.cos(angle), math.sin(angle * 2)),
    ]
    for row, color in enumerate(("#3b5f86", "#2d4f79", "#234068", "#193256", "#112544")):
        base, tall, shift = 620 + row * 74, 16 + row * 7, angle * (1 if row % 2 else -1) + row * 1.3
        if row == 3:
            parts.append(_boat(wide * 0.30, base - 42 + tall * 0.6 * math.sin(angle), 7 * math.cos(angle)))
        points = [
            (
                px,
                base
                - tall * math.sin(px / wide * math.tau * (3 - row * 0.25) + shift)
                - tall * 0.3 * math.sin(px / 61 + 2 * shift),
            )
            for px in range(0, int(wide) + 20, 14)
        ]
        line = " ".join(f"{px} {py:.1f}" for px, py in points)
        parts.append(f'<path d="M0 1000L{line}L{wide + 20} 1000z" fill="{color}"/>')
        parts.append(
            f'<path d="M{line}" fill="none" stroke="#ffd9a8" stroke-width="3" opacity="{0.55 - row * 0.08:.2f}"/>'
        )
    color, _ = shapes(width, height, "".join(parts))
    return (clamp(color) * 255).rint().cast("uchar").copy(interpretation="srgb")


def _boat(x: float, y: float, tilt: float) -> str:
    return (
        f'<g transform="translate({x:.1f} {y:.1f}) rotate({tilt:.2f})">'
        '<path d="M-150 0q30 66 90 70h130q66 -10 84 -92q-70 34 -304 22z" fill="#5a1f2e"/>'
        '<path d="M-6 -2V-330" stroke="#3a1420" stroke-width="9"/><path d="M4 -322q150 130 112 296H4z" fill="#f7ead2"/>'
        '<path d="M-16 -290q-110 130 -92 262h92z" fill="#e9542f"/></g>'
    )


def _birds(x: float, y: float, beat: float) -> str:
    lift = 13 * beat
    return "".join(
        f'<path d="M{x + dx - 34:.1f} {y + dy - lift:.1f}q20 -14 34 {8 + lift:.1f}q14 {-22 - lift:.1f} '
        f'34 {-8 - lift:.1f}" fill="none" stroke="#1d2748" stroke-width="6" stroke-linecap="round"/>'
        for dx, dy in ((0, 0), (96, 44), (-74, 66))
    )
