"""What a rule should make of a picture, against the figures of the reference (CI 3, 4.1, 4.2) and by laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.expect import Box, Unpredictable, expected


def size(rule: str, width: int = 1000, height: int = 500, frames: int = 1) -> tuple[int, int]:
    return expected(rule, format="jpeg", width=width, height=height, frames=frames).size


@pytest.mark.parametrize(
    ("geometry", "result"),
    [
        ("!50p", (500, 250)),
        ("200x", (200, 100)),
        ("x100", (200, 100)),
        ("500x400", (500, 250)),
        ("500x400>", (500, 250)),
        ("2000x2000>", (1000, 500)),
        ("2000x2000<", (2000, 1000)),
        ("500x400<", (1000, 500)),
        ("!500x400r", (800, 400)),
        ("500x400!", (500, 400)),
        ("125000@", (500, 250)),
    ],
)
def test_thumbnails(geometry: str, result: tuple[int, int]) -> None:
    assert size(f"imageMogr2/auto-orient/thumbnail/{geometry}/strip") == result


def test_cover_shows_the_middle() -> None:
    seen = expected(
        "imageMogr2/thumbnail/!400x400r|imageMogr2/crop/400x400/gravity/center/format/webp",
        format="jpeg",
        width=1000,
        height=500,
    )
    assert seen.size == (400, 400)
    assert seen.format == "webp"
    assert seen.view == Box(0.25, 0.0, 0.75, 1.0)


def test_the_format_stays_unless_it_is_told() -> None:
    assert expected("imageMogr2/strip", format="png", width=9, height=9).format == "png"
    assert expected("imageMogr2/format/jpg", format="png", width=9, height=9).format == "jpeg"


def test_animations_stay_in_animated_formats_and_are_not_enlarged() -> None:
    moving = expected("imageMogr2/thumbnail/900x/format/webp", format="gif", width=300, height=200, frames=12)
    assert (moving.size, moving.frames) == ((300, 200), 12)
    assert expected("imageMogr2/format/jpg", format="gif", width=300, height=200, frames=12).frames == 1


@pytest.mark.parametrize("rule", ["style/small", "imageMogr2/rotate/33", "imageMogr2/nonsense/1", ""])
def test_what_it_does_not_know_it_does_not_guess(rule: str) -> None:
    with pytest.raises(Unpredictable):
        size(rule)


SIDES = st.integers(1, 9000)


@given(width=SIDES, height=SIDES, wide=SIDES, high=SIDES)
def test_shrink_stays_inside_both_the_box_and_the_source(width: int, height: int, wide: int, high: int) -> None:
    across, down = size(f"imageMogr2/thumbnail/{wide}x{high}>", width, height)
    assert 1 <= across <= min(width, wide)
    assert 1 <= down <= min(height, high)


@given(width=SIDES, height=SIDES, wide=SIDES, high=SIDES)
def test_cover_is_exactly_the_size(width: int, height: int, wide: int, high: int) -> None:
    rule = f"imageMogr2/thumbnail/!{wide}x{high}r|imageMogr2/crop/{wide}x{high}/gravity/center"
    seen = expected(rule, format="jpeg", width=width, height=height)
    assert seen.size == (wide, high)
    assert 0 <= seen.view.left <= seen.view.right <= 1
