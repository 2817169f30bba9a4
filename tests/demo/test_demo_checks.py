"""The checks pass what is right and name what is wrong."""

from collections.abc import Callable
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from demo.checks import Seen, look
from demo.expect import Expected, expected
from demo.landscapes import sea
from demo.pictures import Picture, picture

RULE = "imageMogr2/auto-orient/thumbnail/200x200>/format/webp"


@pytest.fixture(scope="module")
def scene() -> pyvips.Image:
    return sea(600, 400, 0.1).copy_memory()


@pytest.fixture(scope="module")
def source(scene: pyvips.Image) -> Picture:
    return picture("products/sea.jpg", scene.jpegsave_buffer(Q=92), "a test")


def promised(rule: str, of: Picture, kind: str = "jpeg") -> Expected:
    return expected(rule, format=kind, width=of.width, height=of.height, frames=of.frames)


def judged(image: pyvips.Image, of: Picture, rule: str = RULE, suffix: str = ".webp") -> Seen:
    return look(of, image.write_to_buffer(suffix), promised(rule, of))


def small(scene: pyvips.Image) -> Any:
    return scene.thumbnail_image(200, height=200)


def test_the_right_derivative_passes(scene: pyvips.Image, source: Picture) -> None:
    seen = judged(small(scene), source)
    assert seen == Seen(format="webp", width=200, height=133, frames=1)


def test_a_pixel_of_rounding_is_allowed_and_two_are_not(scene: pyvips.Image, source: Picture) -> None:
    assert not judged(small(scene).crop(0, 0, 200, 132), source).problems
    assert judged(small(scene).crop(0, 0, 198, 133), source).problems == ("is 198x133, should be 200x133",)


def test_a_wrong_format_is_seen_whatever_the_key_says(scene: pyvips.Image, source: Picture) -> None:
    assert judged(small(scene), source, suffix=".jpg").problems == ("is jpeg, should be webp",)


TURNS: dict[str, Callable[[Any], Any]] = {
    "upside down": lambda image: image.rot180(),
    "turned to the right": lambda image: image.rot90(),
    "turned to the left": lambda image: image.rot270(),
    "mirrored": lambda image: image.fliphor(),
    "mirrored, upside down": lambda image: image.flipver(),
    "mirrored and turned to the right": lambda image: image.fliphor().rot90(),
    "mirrored and turned to the left": lambda image: image.fliphor().rot270(),
}


@pytest.mark.parametrize("name", TURNS)
def test_every_wrong_orientation_is_named(name: str, scene: pyvips.Image, source: Picture) -> None:
    turned = TURNS[name](scene).thumbnail_image(200, height=133, size="force")
    assert judged(turned, source).problems == (f"is {name}",)


def test_an_exif_turn_left_to_the_browser_is_wrong(scene: pyvips.Image, source: Picture) -> None:
    pending = small(scene).copy()
    pending.set_type(pyvips.GValue.gint_type, "orientation", 6)
    assert judged(pending, source).problems == ("waits for an EXIF turn (orientation 6)",)


def test_inverted_colours_and_another_picture_are_wrong(scene: pyvips.Image, source: Picture) -> None:
    for other in (small(scene).invert(), small(scene) * 0 + 255):
        (problem,) = judged(other.cast("uchar").copy(interpretation="srgb"), source).problems
        assert problem.startswith("does not look like its source")


def test_lost_transparency_is_wrong(scene: pyvips.Image) -> None:
    mask = (pyvips.Image.xyz(600, 400)[0] > 300).cast("uchar")
    clear = scene.bandjoin(mask)
    source = picture("avatars/half.png", clear.pngsave_buffer(), "a test")
    assert not judged(small(clear), source).problems
    assert judged(small(clear).flatten(), source).problems == ("has lost its transparency",)


def test_lost_frames_are_wrong() -> None:
    strip = pyvips.Image.arrayjoin([sea(120, 80, turn / 3) for turn in range(3)], across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", 80)
    source = picture("articles/sea.gif", strip.gifsave_buffer(), "a test")
    rule = "imageMogr2/format/webp"
    moving = look(source, strip.webpsave_buffer(), promised(rule, source, "gif"))
    assert (moving.frames, moving.problems) == (3, ())
    still = look(source, sea(120, 80, 0).webpsave_buffer(), promised(rule, source, "gif"))
    assert still.problems == ("has 1 frames, should have 3",)


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_image_are_a_finding_and_no_crash(data: bytes) -> None:
    none = Picture(key="products/x.jpg", data=b"", note="", width=10, height=10)
    assert look(none, data, Expected(format="webp", width=10, height=10, frames=1)).problems


def test_a_truncated_derivative_is_wrong(scene: pyvips.Image, source: Picture) -> None:
    cut = scene.jpegsave_buffer()[:4000]
    (problem,) = look(source, cut, promised("imageMogr2/strip", source)).problems
    assert problem.startswith("cannot be opened")
