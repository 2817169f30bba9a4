"""EXIF orientation: kept as it is unless auto-orient asks for it to be applied (CI 4.5)."""

from __future__ import annotations

from typing import Any

import pytest

from coslocal.ci.inspect import inspect

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)

# What is seen when a file of red, green / blue, yellow is turned as its orientation says.
UPRIGHT = {
    1: (RED, GREEN, BLUE, YELLOW),
    2: (GREEN, RED, YELLOW, BLUE),
    3: (YELLOW, BLUE, GREEN, RED),
    4: (BLUE, YELLOW, RED, GREEN),
    5: (RED, BLUE, GREEN, YELLOW),
    6: (BLUE, RED, YELLOW, GREEN),
    7: (YELLOW, GREEN, BLUE, RED),
    8: (GREEN, YELLOW, RED, BLUE),
}


def source(draw: Any, orientation: int) -> bytes:
    data: bytes = draw.file(draw.turned(draw.quadrants(120, 80), orientation), "jpeg", Q=95)
    return data


def looks(seen: Any, colours: tuple[tuple[int, int, int], ...]) -> bool:
    width, height = seen.size
    places = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return all(seen.near(x, y, colour, 40) for (x, y), colour in zip(places, colours, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rule", ["imageMogr2/auto-orient", "imageMogr2/thumbnail/!50p/auto-orient"])
def test_auto_orient_turns_the_pixels_and_forgets_the_tag(draw: Any, run: Any, orientation: int, rule: str) -> None:
    seen = run(source(draw, orientation), rule)
    width, height = (120, 80) if "thumbnail" not in rule else (60, 40)
    assert seen.size == ((width, height) if orientation < 5 else (height, width))
    assert seen.orientation in (0, 1)
    assert looks(seen, UPRIGHT[orientation])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["jpg", "webp", "png", "tiff"])
def test_without_auto_orient_the_tag_is_kept_and_pixels_stay(
    draw: Any, run: Any, orientation: int, format: str
) -> None:
    seen = run(source(draw, orientation), f"imageMogr2/thumbnail/60x/format/{format}")
    assert seen.size == (60, 40)
    assert seen.orientation == orientation
    assert looks(seen, UPRIGHT[1])


def test_strip_drops_the_tag_without_turning(draw: Any, run: Any) -> None:
    seen = run(source(draw, 6), "imageMogr2/strip")
    assert seen.size == (120, 80)
    assert seen.orientation == 0
    assert not [name for name in seen.image.get_fields() if name.startswith(("exif", "icc", "xmp"))]


def test_thumbnail_and_auto_orient_use_the_upright_sides(draw: Any, run: Any) -> None:
    assert run(source(draw, 6), "imageMogr2/auto-orient/thumbnail/40x").size == (40, 60)
    assert run(source(draw, 6), "imageMogr2/thumbnail/40x|imageMogr2/auto-orient").size == (27, 40)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_inspect_reports_stored_pixels_and_the_tag(draw: Any, orientation: int) -> None:
    info = inspect(source(draw, orientation))
    assert (info.width, info.height, info.orientation) == (120, 80, orientation)


def test_files_without_exif_have_orientation_0_and_get_none(draw: Any, run: Any) -> None:
    bare = draw.file(draw.quadrants(), "jpeg", keep="none")
    assert inspect(bare).orientation == 0
    assert inspect(run(bare, "imageMogr2/thumbnail/50x").rendered.data).exif == {}
