"""Marks lie where they should, as strong as they should, in any script (CI 5)."""

from __future__ import annotations

from typing import Any

import pytest

from coslocal.ci import fonts, pixels
from coslocal.ci.types import ImageError
from derivo.ci.texts import encode

URL = "http://examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com/logo.png"
IMAGE = f"watermark/1/image/{encode(URL)}"
RED, GREY = (255, 0, 0), (128, 128, 128)
PLACES = {
    "northwest": (0, 0), "north": (1, 0), "northeast": (2, 0),
    "west": (0, 1), "center": (1, 1), "east": (2, 1),
    "southwest": (0, 2), "south": (1, 2), "southeast": (2, 2),
}  # fmt: skip


@pytest.fixture
def ground(draw: Any) -> bytes:
    data: bytes = draw.file(draw.plain(300, 150, *GREY), "png")
    return data


@pytest.fixture
def marks(draw: Any) -> dict[str, bytes]:
    return {URL: draw.file(draw.plain(40, 20, *RED), "png"), "logo.png": draw.file(draw.plain(40, 20, *RED), "png")}


def changed(seen: Any, colour: tuple[int, ...] = GREY) -> tuple[int, int, int, int]:
    """(left, top, width, height) of what differs from the ground."""
    left, top, width, height = (seen.image[:3] - list(colour)).abs().find_trim(threshold=4, background=[0])
    return int(left), int(top), int(width), int(height)


@pytest.mark.parametrize("gravity", PLACES)
def test_an_image_mark_lies_at_its_gravity(ground: bytes, run: Any, marks: Any, gravity: str) -> None:
    seen = run(ground, f"{IMAGE}/gravity/{gravity}/dissolve/100", marks=marks)
    column, row = PLACES[gravity]
    assert changed(seen) == ((0, 130, 260)[column], (0, 65, 130)[row], 40, 20)
    assert seen.near((20, 150, 280)[column], (10, 75, 140)[row], RED, 2)


def test_the_default_is_southeast_at_90_percent(ground: bytes, run: Any, marks: Any) -> None:
    seen = run(ground, IMAGE, marks=marks)
    assert changed(seen) == (260, 130, 40, 20)
    assert seen.near(280, 140, (242, 13, 13), 3)


def test_offsets_go_inward(ground: bytes, run: Any, marks: Any) -> None:
    assert changed(run(ground, f"{IMAGE}/dx/10/dy/5", marks=marks)) == (250, 125, 40, 20)
    assert changed(run(ground, f"{IMAGE}/gravity/northwest/dx/10/dy/5", marks=marks)) == (10, 5, 40, 20)


def test_image_key_names_an_object(ground: bytes, run: Any, marks: Any) -> None:
    assert changed(run(ground, f"watermark/1/image_key/{encode('logo.png')}", marks=marks)) == (260, 130, 40, 20)


@pytest.mark.parametrize(
    ("scaling", "size"),
    [("scatype/1/spcent/500", (150, 75)), ("scatype/2/spcent/200", (60, 30)), ("scatype/3/spcent/40", (60, 30))],
)
def test_a_mark_follows_the_size_of_the_picture(
    ground: bytes, run: Any, marks: Any, scaling: str, size: tuple[int, int]
) -> None:
    assert changed(run(ground, f"{IMAGE}/{scaling}", marks=marks))[2:] == size


def test_a_mark_that_is_too_large_is_cut_off_or_scaled(draw: Any, ground: bytes, run: Any) -> None:
    large = {URL: draw.file(draw.quadrants(600, 600), "png")}
    seen = run(ground, f"{IMAGE}/gravity/northwest/dissolve/100", marks=large)
    assert seen.size == (300, 150) and seen.near(150, 75, RED, 2)
    scaled = run(ground, f"{IMAGE}/gravity/center/blogo/1/dissolve/100", marks=large)
    assert changed(scaled) == (75, 0, 150, 150)


def test_tiles_cover_the_picture_with_gaps(ground: bytes, run: Any, marks: Any) -> None:
    seen = run(ground, f"{IMAGE}/batch/1/dissolve/100/spacing/50", marks=marks)
    for x in (20, 80, 140, 260):
        for y in (10, 40, 130):
            assert seen.near(x, y, RED, 2), (x, y)
    assert seen.near(50, 10, GREY, 2) and seen.near(20, 25, GREY, 2)


def test_turned_tiles_lean(ground: bytes, run: Any, marks: Any) -> None:
    seen = run(ground, f"{IMAGE}/batch/1/degree/90/dissolve/100/spacing/0", marks=marks)
    assert changed(seen) == (0, 0, 300, 150)
    upright = run(ground, f"{IMAGE}/batch/1/degree/45/dissolve/100/spacing/0", marks=marks)
    assert upright.near(0, 0, GREY, 4) and upright.near(21, 21, RED, 4)


def test_transparent_marks_let_the_ground_through(draw: Any, ground: bytes, run: Any) -> None:
    ring = draw.plain(40, 40, 0, 0, 255, 0).insert(draw.plain(20, 40, 0, 0, 255, 255), 20, 0)
    seen = run(ground, f"{IMAGE}/dissolve/100/gravity/northwest", marks={URL: draw.file(ring, "png")})
    assert seen.near(10, 20, GREY, 2) and seen.near(30, 20, (0, 0, 255), 2)


def test_animated_marks_are_refused(draw: Any, ground: bytes, run: Any) -> None:
    moving = {URL: draw.animation(10, 10, [RED, (0, 255, 0)])}
    with pytest.raises(ImageError, match="animation"):
        run(ground, IMAGE, marks=moving)


def test_a_mark_that_is_no_image_is_named(ground: bytes, run: Any) -> None:
    with pytest.raises(ImageError, match=r"logo\.png: The object is not an image"):
        run(ground, IMAGE, marks={URL: b"hello"})


def text(words: str, more: str = "") -> str:
    return f"watermark/2/text/{encode(words)}{more}"


WHITE = f"/fill/{encode('#FFFFFF')}/dissolve/100"


def test_a_text_lies_in_the_lower_right_in_its_colour(ground: bytes, run: Any) -> None:
    seen = run(ground, text("Derivo", f"/fontsize/30{WHITE}"))
    left, top, width, height = changed(seen)
    assert left + width == 300 and top + height == 150
    assert 60 < width < 120 and 20 < height < 40
    assert max(seen.at(x, y)[0] for x in range(left, 300) for y in range(top, 150)) > 245
    assert seen.near(10, 10, GREY, 1)


def test_the_default_text_is_dark_grey_13_points(ground: bytes, run: Any) -> None:
    seen = run(ground, text("HHH"))
    assert 8 <= changed(seen)[3] <= 12
    darkest = min(seen.at(x, y)[0] for x in range(260, 300) for y in range(135, 150))
    assert 0x3D <= darkest <= 0x50


def test_chinese_is_drawn_as_chinese(ground: bytes, run: Any) -> None:
    drawn = {words: run(ground, text(words, f"/fontsize/40{WHITE}")) for words in ("腾讯", "云图", "永久")}
    assert all(not seen.rendered.warnings for seen in drawn.values())
    pictures = [seen.image for seen in drawn.values()]
    assert all((one - other).abs().max() > 100 for one in pictures for other in pictures if one is not other)


@pytest.mark.parametrize("words", ["水印", "워터마크", "すかし", "Знак", "σήμα", "naïve"])
def test_each_glyph_of_many_scripts_has_its_own_shape(words: str) -> None:
    assert fonts.warnings(words, None) == []
    shapes = {
        pixels.mask_bytes(pixels.text_mask(letter, fonts.describe(None, 40), fonts.font_file())) for letter in words
    }
    assert len(shapes) == len(set(words))


def test_a_glyph_that_no_font_has_is_told(ground: bytes, run: Any) -> None:
    seen = run(ground, text("ok \u0378"))
    assert seen.rendered.warnings == ("no font on this machine has a glyph for \u0378 (U+0378)",)


def test_a_font_that_is_not_here_is_told(ground: bytes, run: Any) -> None:
    seen = run(ground, text("ok", f"/font/{encode('simkai楷体.ttf')}"))
    assert not seen.rendered.warnings or "drawn with Noto Sans CJK" in seen.rendered.warnings[0]


def test_markup_is_text(ground: bytes, run: Any) -> None:
    plain = run(ground, text("<b>&amp;</b>", f"/fontsize/30{WHITE}"))
    assert changed(plain)[2] > 120  # all twelve characters are drawn


def test_a_newline_is_kept(ground: bytes, run: Any) -> None:
    one, two = (changed(run(ground, text(words, f"/fontsize/20{WHITE}"))) for words in ("H H", "H\nH"))
    assert two[3] > 1.8 * one[3] and two[2] < one[2]


def test_a_shadow_lies_below_and_to_the_right(ground: bytes, run: Any) -> None:
    seen = run(ground, text("H", f"/fontsize/60{WHITE}/shadow/100/gravity/center"))
    without = run(ground, text("H", f"/fontsize/60{WHITE}/gravity/center"))
    assert changed(seen)[2] > changed(without)[2]
    assert min(seen.at(x, 75)[0] for x in range(100, 200)) < 20


def test_tiled_text_is_everywhere_and_dissolve_weakens_it(ground: bytes, run: Any) -> None:
    strong = run(ground, text("Derivo", f"/batch/1/degree/30{WHITE}"))
    for left in range(0, 300, 100):
        for top in range(0, 150, 75):
            assert strong.image.crop(left, top, 100, 75).deviate() > 5
    weak = run(ground, text("Derivo", f"/batch/1/degree/30/fill/{encode('#FFFFFF')}/dissolve/20"))
    assert weak.image.deviate() < strong.image.deviate() / 2


def test_a_text_without_ink_is_refused(ground: bytes, run: Any) -> None:
    with pytest.raises(ImageError, match="nothing to draw"):
        run(ground, text("  "))


def test_an_enormous_text_is_refused_before_it_is_drawn(ground: bytes, run: Any) -> None:
    with pytest.raises(ImageError):
        run(ground, text("a" * 500, "/fontsize/9000"))


def test_marks_keep_transparency_of_the_ground(draw: Any, run: Any, marks: Any) -> None:
    seen = run(draw.file(draw.plain(300, 150, 1, 2, 3, 0), "png"), f"{IMAGE}/dissolve/100", marks=marks)
    assert seen.at(10, 10)[3] == 0 and seen.at(280, 140) == (255, 0, 0, 255)
