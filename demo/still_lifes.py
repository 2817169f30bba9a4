"""Things photographed in a studio: a clay teapot, a vase, persimmons, a moon lamp; and the portrait of a panda.

Silhouettes are drawn as SVG and given roundness: a blurred silhouette is taken for a height, and lit from the left.
"""

from __future__ import annotations

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
    rgb,
    shapes,
    shifted,
    smooth,
    sphere,
)

LIGHT = (-0.52, -0.58, 0.63)


def shade(color: pyvips.Image, nx: pyvips.Image, ny: pyvips.Image, nz: pyvips.Image, gloss: float) -> pyvips.Image:
    """A surface under one big lamp from the upper left and a little light from the right."""
    key = clamp(nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2])
    fill = clamp(nx * 0.7 + ny * 0.2 + nz * 0.3) * 0.16
    half = clamp(nx * -0.29 + ny * -0.33 + nz * 0.90)
    return color * (key * 0.92 + fill + 0.16) + half**46 * gloss + half**9 * gloss * 0.12


def relief(under: pyvips.Image, body: str, *, bulge: float = 0.05, gloss: float = 0.4) -> pyvips.Image:
    """SVG laid on a picture as rounded things; `bulge` is how far the rounding reaches in, in picture heights."""
    color, mask = shapes(under.width, under.height, body)
    height = pyvips.Image.black(under.width, under.height)
    for part in (1.0, 0.45, 0.2):
        height = height + clamp(blur(mask, bulge * under.height * part / 2) * mask * 2 - mask) ** 0.5
    height = (height * (bulge * under.height * 0.55)).gaussblur(1.2).copy_memory()
    dx, dy = shifted(height, 1, 0) - shifted(height, -1, 0), shifted(height, 0, 1) - shifted(height, 0, -1)
    length = (dx * dx + dy * dy + 1) ** 0.5
    return mix(under, shade(color, dx / length * -1, dy / length * -1, length**-1, gloss), mask)


def shadow(under: pyvips.Image, body: str, soft: float, strength: float) -> pyvips.Image:
    """What the drawing keeps from the lamp; its edge is `soft` picture heights wide."""
    _, mask = shapes(under.width, under.height, body)
    return under * (blur(mask, soft * under.height) * -strength + 1)


def studio(width: int, height: int, wall: tuple[str, str], table: tuple[str, str], edge: float) -> pyvips.Image:
    """A wall with the lamp's light on its left, and a wooden table from `edge` downwards."""
    x, y = grid(width, height)
    aspect = width / height
    image = mix(plain(width, height, wall[1]), rgb(wall[0]), glow(x, y, 0.30 * aspect, 0.26, 0.75))
    grain = noise(width, height, height / 6, 51, octaves=6, stretch=9.0)
    wood = gradient(grain + (y - edge) * 0.3, [(-0.5, table[1]), (0.6, table[0])])
    wood = wood * (glow(x, y, 0.36 * aspect, edge + 0.1, 0.85) * 0.5 + 0.62)
    return mix(image, wood, smooth(edge, edge + 0.006, y)).copy_memory()


def teapot(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """A teapot of red clay whose spout points left, with one cup beside it."""
    image = studio(width, height, ("#d9cfbd", "#7d7264"), ("#a9784e", "#5b3921"), 0.66)
    x, y = grid(width, height)
    aspect = width / height
    clay, dark = "#9c4a2f", "#8a3d26"
    cx = 500 * aspect + 40
    image = shadow(image, f'<ellipse cx="{cx + 70}" cy="806" rx="360" ry="44"/>', 0.022, 0.75)
    image = shadow(image, f'<ellipse cx="{cx - 440}" cy="842" rx="110" ry="24"/>', 0.014, 0.7)
    handle = (
        f'<path d="M{cx + 205} 430c190 -130 300 60 190 200c-50 66 -120 96 -190 '
        f'92" fill="none" stroke="{dark}" stroke-width="46" stroke-linecap="round"/>'
    )
    image = relief(image, handle, bulge=0.03, gloss=0.35)
    spout = (
        f'<path d="M{cx - 190} 700c-110 -26 -150 -110 -178 -208c-12 -42 -30 -66 '
        f'-62 -82l44 -30c60 18 92 52 110 104c24 66 60 100 110 96z" fill="{clay}"/>'
    )
    image = relief(image, spout, bulge=0.045, gloss=0.4)
    body, nx, ny, nz = sphere(x, y, cx / 1000, 0.60, 0.285, 0.76)
    speck = noise(width, height, height / 90, 77, octaves=2)
    surface = plain(width, height, clay) * (speck * 0.05 + noise(width, height, height / 5, 78) * 0.06 + 1)
    image = mix(image, shade(surface, nx, ny, nz, 0.42), body)
    image = relief(
        image, f'<path d="M{cx - 170} 790q170 34 340 0l-14 24q-156 26 -312 0z" fill="{dark}"/>', bulge=0.012, gloss=0.2
    )
    image = shadow(image, f'<ellipse cx="{cx}" cy="420" rx="176" ry="20"/>', 0.008, 0.45)
    lid = f'<path d="M{cx - 168} 412q20 -92 168 -98q148 6 168 98q-168 36 -336 0z" fill="{clay}"/>'
    image = relief(image, lid, bulge=0.05, gloss=0.4)
    image = relief(image, f'<ellipse cx="{cx}" cy="288" rx="46" ry="36" fill="{dark}"/>', bulge=0.045, gloss=0.6)
    cup = f'<path d="M{cx - 540} 742h190q-4 92 -62 102h-66q-58 -10 -62 -102z" fill="{clay}"/>'
    image = relief(image, cup, bulge=0.05, gloss=0.4)
    image = draw(
        image,
        f'<ellipse cx="{cx - 445}" cy="742" rx="95" ry="20" fill="#5d2717"/>'
        f'<ellipse cx="{cx - 445}" cy="746" rx="80" ry="13" fill="#b5792c"/>',
    )
    steam = noise(width, height, height / 7, 80, octaves=4) * glow(x, y, (cx - 430) / 1000, 0.60, 0.13)
    return develop(image + clamp(steam) * 0.30, grain=0.010, vignette=0.4, seed=12, enlarge=enlarge)


def vase(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """A celadon vase with a branch of plum blossom that leans to the left. Upright: taller than wide."""
    image = studio(width, height, ("#e7ddd2", "#8d8f96"), ("#71564a", "#38261f"), 0.80)
    wide = 1000 * width / height
    cx = wide * 0.56
    image = shadow(image, f'<ellipse cx="{cx + 50}" cy="908" rx="170" ry="24"/>', 0.016, 0.8)
    image = shadow(
        image, f'<path d="M{cx + 150} 780q40 -330 -20 -560" stroke="#000" stroke-width="26" fill="none"/>', 0.03, 0.22
    )
    branch = (
        '<g fill="none" stroke="#4a3328" stroke-linecap="round">'
        f'<path d="M{cx} 520q-20 -120 -90 -190q-70 -70 -96 -190" stroke-width="13"/>'
        f'<path d="M{cx - 66} 360q70 -70 84 -170" stroke-width="8"/>'
        f'<path d="M{cx - 140} 276q-66 -22 -104 -70" stroke-width="7"/></g>'
    )
    image = relief(image, branch, bulge=0.008, gloss=0.1)
    blossoms = (
        (-186, 138, 34), (-150, 230, 28), (-244, 204, 31), (-214, 250, 22), (-96, 316, 30), (-60, 372, 22),
        (18, 188, 33), (6, 250, 25), (-22, 306, 21), (-170, 300, 17), (40, 150, 15), (-270, 172, 14),
    )  # fmt: skip
    image = relief(image, "".join(_blossom(cx + dx, y, size) for dx, y, size in blossoms), bulge=0.012, gloss=0.05)
    pot = (
        f'<path d="M{cx - 52} 500q8 60 -26 92q-92 70 -78 178q10 100 84 140h144q74 '
        '-40 84 -140q14 -108 -78 -178q-34 -32 -26 -92z" fill="#8fbfa8"/>'
    )
    image = relief(image, pot, bulge=0.13, gloss=0.75)
    crackle = noise(width, height, height / 40, 81, octaves=3).abs()
    _, mask = shapes(width, height, pot)
    image = mix(image, rgb("#4f7f6c"), smooth(0.018, 0.0, crackle) * mask * 0.35)
    rim = (
        f'<ellipse cx="{cx}" cy="500" rx="52" ry="12" fill="#2f5245"/>'
        f'<ellipse cx="{cx}" cy="500" rx="52" ry="12" fill="none" stroke="#c9e6d6" stroke-width="5"/>'
    )
    return develop(draw(image, rim), grain=0.010, vignette=0.35, seed=13, enlarge=enlarge)


def _blossom(x: float, y: float, size: float) -> str:
    petals = "".join(
        f'<ellipse cx="{x}" cy="{y - size * 0.55}" rx="{size * 0.42}" '
        f'ry="{size * 0.52}" fill="#f3a3b5" transform="rotate({turn} {x} {y})"/>'
        for turn in range(0, 360, 72)
    )
    return petals + f'<circle cx="{x}" cy="{y}" r="{size * 0.24}" fill="#ffe08a"/>'


def persimmons(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """Three persimmons on a dark table, the two big ones on the left."""
    image = studio(width, height, ("#5f7f78", "#1d3234"), ("#4a3a35", "#1e1614"), 0.60)
    x, y = grid(width, height)
    unit = width / height
    patches, pores = (
        noise(width, height, height / 5, 31, octaves=4) * 0.3,
        noise(width, height, height / 160, 41, octaves=2),
    )
    for cx, cy, radius in ((0.46 * unit, 0.55, 0.185), (0.27 * unit, 0.645, 0.225), (0.70 * unit, 0.70, 0.150)):
        px, py, pr = cx * 1000, cy * 1000, radius * 1000
        image = shadow(
            image,
            f'<ellipse cx="{px + pr * 0.35}" cy="{py + pr * 0.74}" rx="{pr * 1.05}" ry="{pr * 0.26}"/>',
            0.02,
            0.85,
        )
        mask, nx, ny, nz = sphere(x, y, cx, cy, radius, 0.84)
        skin = gradient(ny + patches, [(-0.9, "#f29a2e"), (0.3, "#e8641b"), (1.0, "#b23a12")])
        image = mix(image, shade(skin * (pores * 0.05 + 1.08), nx, ny, nz, 0.6), mask)
        image = shadow(image, _calyx(px, py - pr * 0.66, pr * 1.06, "#000"), 0.010, 0.4)
        image = relief(image, _calyx(px, py - pr * 0.70, pr, "#7c8f4e"), bulge=0.014, gloss=0.12)
    leaf = f'<path d="M{0.44 * unit * 1000} 872q90 -96 236 -60q-70 110 -236 60z" fill="#6d8a3c"/>'
    image = shadow(image, leaf, 0.014, 0.6)
    return develop(relief(image, leaf, bulge=0.02, gloss=0.3), grain=0.010, vignette=0.45, seed=14, enlarge=enlarge)


def _calyx(x: float, y: float, radius: float, color: str) -> str:
    leaves = "".join(
        f'<path d="M{x} {y}q{sx * radius * 0.20} {-radius * 0.12 + sy} '
        f"{sx * radius * 0.50} {sy * 1.6}q{-sx * radius * 0.26} {radius * 0.10} "
        f'{-sx * radius * 0.50} {-sy * 1.6 + radius * 0.03}z" fill="{color}"/>'
        for sx, sy in ((-1, radius * 0.05), (1, radius * 0.05), (-0.8, -radius * 0.07), (0.8, -radius * 0.07))
    )
    return (
        leaves
        + f'<ellipse cx="{x}" cy="{y - radius * 0.03}" rx="{radius * 0.09}" ry="{radius * 0.07}" fill="{color}"/>'
    )


def moon_lamp(width: int, height: int, enlarge: int = 1) -> pyvips.Image:
    """A lamp in the shape of the moon in a dark room, a pile of books on its right."""
    x, y = grid(width, height)
    unit = width / height
    cx, cy, radius = 0.40 * unit, 0.46, 0.295
    image = mix(plain(width, height, "#0b1020"), rgb("#7a4f2c"), glow(x, y, cx, cy, 0.62) * 0.85)
    grain = noise(width, height, height / 6, 52, octaves=6, stretch=9.0)
    wood = gradient(grain, [(-0.6, "#1a0f0a"), (0.6, "#5a3a22")]) * (glow(x, y, cx, 0.84, 0.50) * 1.7 + 0.12)
    image = mix(image, wood, smooth(0.80, 0.806, y)).copy_memory()
    px = cx * 1000
    stand = (
        f'<path d="M{px - 150} 872l74 -150h26l-58 150zM{px + 150} 872l-74 -150h-26l58 150z" fill="#6b4426"/>'
        f'<path d="M{px - 128} 742q128 60 256 0v22q-128 58 -256 0z" fill="#7d5230"/>'
    )
    image = relief(shadow(image, f'<ellipse cx="{px + 20}" cy="872" rx="220" ry="20"/>', 0.02, 0.7), stand, bulge=0.014)
    image = relief(image, _books(0.72 * unit * 1000), bulge=0.02, gloss=0.15)
    mask, nx, _ny, nz = sphere(x, y, cx, cy, radius)
    seas = smooth(-0.05, 0.55, noise(width, height, height / 4, 61, octaves=6))
    craters = pyvips.Image.worley(width, height, cell_size=max(8, height // 12), seed=9) / (height / 12)
    rims = clamp(smooth(0.16, 0.24, craters) * smooth(0.34, 0.26, craters)) * 0.10 - smooth(0.22, 0.05, craters) * 0.10
    face = gradient(
        seas * -0.55 + rims + nz * 0.45 + nx * -0.06 + 0.45, [(0.0, "#9a6a35"), (0.5, "#f0c480"), (1.0, "#fff6df")]
    )
    image = mix(image, face, mask)
    return develop(
        image + glow(x, y, cx, cy, 0.36) * list(rgb("#241808")), grain=0.014, vignette=0.35, seed=15, enlarge=enlarge
    )


def _books(x: float) -> str:
    rows = (
        (0, 820, 330, 52, "#7b2d34"),
        (22, 772, 290, 48, "#d8c59a"),
        (-8, 716, 310, 56, "#2f5d62"),
        (30, 676, 240, 40, "#b9783a"),
    )
    return "".join(
        f'<rect x="{x - 150 + dx}" y="{top}" width="{wide}" height="{tall - 3}" rx="7" fill="{color}"/>'
        for dx, top, wide, tall, color in rows
    )


def panda(size: int) -> pyvips.Image:
    """A panda with a bamboo leaf on its left, cut out: four bands, square, transparent around it."""
    body = (
        '<path d="M150 1000q20 -230 350 -240q330 10 350 240z" fill="#26262c"/>'
        '<path d="M330 800q170 60 340 0l-20 110q-150 70 -300 0z" fill="#d6453d"/>'
        '<circle cx="238" cy="246" r="120" fill="#26262c"/><circle cx="762" cy="246" r="120" fill="#26262c"/>'
    )
    face = (
        '<ellipse cx="352" cy="476" rx="92" ry="114" fill="#2a2a31" transform="rotate(32 352 476)"/>'
        '<ellipse cx="648" cy="476" rx="92" ry="114" fill="#2a2a31" transform="rotate(-32 648 476)"/>'
        '<ellipse cx="500" cy="606" rx="56" ry="38" fill="#2a2a31"/>'
    )
    eyes = "".join(
        f'<circle cx="{x}" cy="466" r="40" fill="#fff"/><circle cx="{x - 8}" cy="468" '
        f'r="29" fill="#1a1412"/><circle cx="{x - 18}" cy="456" r="10" fill="#fff"/>'
        for x in (366, 634)
    )
    mouth = (
        '<path d="M500 640v30M500 672q-44 44 -92 10M500 672q44 44 92 10" '
        'fill="none" stroke="#2a2a31" stroke-width="12" stroke-linecap="round"/>'
    )
    bamboo = (
        '<path d="M418 700L96 626" stroke="#5f9a3f" stroke-width="22" stroke-linecap="round"/>'
        '<path d="M170 640q-110 -110 -160 -30q40 60 160 30zM230 652q-40 -150 -120 '
        '-122q-6 80 120 122zM200 656q-120 30 -120 110q80 10 120 -110z" fill="#78b84a"/>'
    )
    head = '<ellipse cx="500" cy="490" rx="372" ry="330"/>'
    image = relief(plain(size, size, "#26262c"), body, bulge=0.10, gloss=0.12)
    x, y = grid(size, size)
    mask, nx, ny, nz = sphere(x, y, 0.5, 0.49, 0.372, 0.887)
    image = mix(image, shade(plain(size, size, "#fdfaf3"), nx * 0.8, ny * 0.8, nz * 0.7 + 0.3, 0.05), mask)
    for part, bulge, gloss in ((face, 0.05, 0.2), (bamboo, 0.02, 0.2)):
        image = relief(image, part, bulge=bulge, gloss=gloss)
    image = draw(image, eyes + mouth)
    fur = noise(size, size, size / 60, 91, octaves=3) * 0.05 + 1
    _, mask = shapes(size, size, body + head + bamboo)
    return develop(image * fur, grain=0, vignette=0).bandjoin((mask * 255).cast("uchar"))
