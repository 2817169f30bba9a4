"""What each operation does to pixels, on drawn pictures (CI 4)."""

from __future__ import annotations

import math
from typing import Any

import pytest
import pyvips

from coslocal.ci.types import ImageError
from derivo.ci.texts import encode

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
WHITE = (255, 255, 255)


@pytest.fixture
def quadrants(draw: Any) -> bytes:
    return draw.file(draw.quadrants(100, 60), "png")


def corners(seen: Any, inset: int = 4) -> list[tuple[int, ...]]:
    """The colours near the four corners: top left, top right, bottom left, bottom right."""
    width, height = seen.size
    across, down = (inset, width - 1 - inset), (inset, height - 1 - inset)
    return [seen.at(x, y)[:3] for y in down for x in across]


@pytest.mark.parametrize(
    ("rule", "size"),
    [
        ("imageMogr2/thumbnail/!50p", (50, 30)),
        ("imageMogr2/thumbnail/!200p", (200, 120)),
        ("imageMogr2/thumbnail/!50px", (50, 60)),
        ("imageMogr2/thumbnail/!x50p", (100, 30)),
        ("imageMogr2/thumbnail/40x", (40, 24)),
        ("imageMogr2/thumbnail/x30", (50, 30)),
        ("imageMogr2/thumbnail/40x40", (40, 24)),
        ("imageMogr2/thumbnail/40x40>", (40, 24)),
        ("imageMogr2/thumbnail/200x200<", (200, 120)),
        ("imageMogr2/thumbnail/!40x40r", (67, 40)),
        ("imageMogr2/thumbnail/40x40!", (40, 40)),
        ("imageMogr2/thumbnail/1500@", (50, 30)),
        ("imageMogr2/flip/vertical", (100, 60)),
        ("imageView2/3/w/40/h/40", (67, 40)),
        ("imageMogr2/blur/3x1", (100, 60)),
    ],
)
def test_scaling_keeps_every_quadrant_in_its_place(
    quadrants: bytes, run: Any, rule: str, size: tuple[int, int]
) -> None:
    seen = run(quadrants, rule)
    assert seen.size == size
    expected = [BLUE, YELLOW, RED, GREEN] if "flip" in rule else [RED, GREEN, BLUE, YELLOW]
    assert corners(seen) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("imageMogr2/rotate/90", [BLUE, RED, YELLOW, GREEN]),
        ("imageMogr2/rotate/180", [YELLOW, BLUE, GREEN, RED]),
        ("imageMogr2/rotate/270", [GREEN, YELLOW, RED, BLUE]),
        ("imageMogr2/rotate/360", [RED, GREEN, BLUE, YELLOW]),
        ("imageMogr2/flip/vertical", [BLUE, YELLOW, RED, GREEN]),
        ("imageMogr2/flip/horizontal", [GREEN, RED, YELLOW, BLUE]),
        ("imageMogr2/rotate/90|imageMogr2/flip/horizontal", [RED, BLUE, GREEN, YELLOW]),
    ],
)
def test_turns_and_mirrors(quadrants: bytes, run: Any, rule: str, expected: list[tuple[int, ...]]) -> None:
    seen = run(quadrants, rule)
    assert corners(seen) == expected
    assert seen.size == ((60, 100) if "rotate/90" in rule or "rotate/270" in rule else (100, 60))


def test_a_free_rotation_is_clockwise_and_transparent_outside(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/rotate/30")
    assert seen.size == (117, 102)
    assert all(seen.at(x, y)[3] == 0 for x in (1, 115) for y in (1, 100))
    # the middle of the red quadrant lies at (-25, -15) from the centre; turned by 30 degrees clockwise:
    turn = math.radians(30)
    x, y = -25 * math.cos(turn) + 15 * math.sin(turn), -25 * math.sin(turn) - 15 * math.cos(turn)
    assert seen.near(round(58 + x), round(51 + y), RED)


def test_a_free_rotation_is_white_outside_in_jpeg(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/rotate/30/format/jpg/quality/95")
    assert seen.near(2, 2, WHITE) and seen.near(114, 99, WHITE)


@pytest.mark.parametrize(
    ("rule", "size", "expected"),
    [
        ("imageMogr2/cut/50x30x50x30", (50, 30), [YELLOW] * 4),
        ("imageMogr2/cut/50x30", (50, 30), [RED] * 4),
        ("imageMogr2/cut/50x30/gravity/northeast", (50, 30), [GREEN] * 4),
        ("imageMogr2/cut/20x10x10x5/gravity/southwest", (20, 10), [BLUE] * 4),
        ("imageMogr2/cut/50x30/gravity/center", (50, 30), [RED, GREEN, BLUE, YELLOW]),
        ("imageMogr2/cut/80x80x60x40", (40, 20), [YELLOW] * 4),  # clipped
        ("imageMogr2/crop/30x60/gravity/east", (30, 60), [GREEN, GREEN, YELLOW, YELLOW]),
        ("imageMogr2/crop/50x", (50, 60), [RED, RED, BLUE, BLUE]),
        ("imageMogr2/crop/x30", (100, 30), [RED, GREEN, RED, GREEN]),
        ("imageMogr2/crop/20x30", (20, 30), [RED, RED, BLUE, BLUE]),  # scaled to 50x30, then the left of it
        ("imageMogr2/crop/30x30/gravity/center", (30, 30), [RED, GREEN, BLUE, YELLOW]),
        ("imageMogr2/crop/500x500", (100, 60), [RED, GREEN, BLUE, YELLOW]),
        ("imageView2/1/w/30/h/60", (30, 60), [RED, GREEN, BLUE, YELLOW]),
        ("imageView2/5/w/60/h/30", (60, 30), [RED, GREEN, BLUE, YELLOW]),
        ("imageMogr2/rcrop/1x1", (60, 60), [RED, GREEN, BLUE, YELLOW]),
        ("imageMogr2/rcrop/1x2/gravity/west", (30, 60), [RED, RED, BLUE, BLUE]),
    ],
)
def test_windows(quadrants: bytes, run: Any, rule: str, size: tuple[int, int], expected: list[tuple[int, ...]]) -> None:
    seen = run(quadrants, rule)
    assert seen.size == size
    assert corners(seen) == expected


def test_crop_as_a_pure_window_by_dialect(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/crop/30x30", crop="window")
    assert seen.size == (30, 30)
    assert corners(seen) == [RED] * 4


def test_a_cut_outside_the_image_is_refused(quadrants: bytes, run: Any) -> None:
    with pytest.raises(ImageError, match="outside the image"):
        run(quadrants, "imageMogr2/cut/10x10x100x0")


def test_scrop_is_exact_and_finds_what_stands_out(draw: Any, run: Any) -> None:
    ground = draw.plain(400, 100, 128, 128, 128).insert(draw.noise(60, 60), 320, 20)
    seen = run(draw.file(ground, "png"), "imageMogr2/scrop/100x100")
    assert seen.size == (100, 100)
    assert seen.image.deviate() > 20
    assert "approximation" in seen.rendered.warnings[0]
    assert run(draw.file(ground, "png"), "imageMogr2/scrop/60x200").size == (60, 200)


@pytest.mark.parametrize("colour", ["#00FF00", None])
def test_pad_centres_on_the_colour(quadrants: bytes, run: Any, colour: str | None) -> None:
    rule = "imageMogr2/thumbnail/80x80/pad/1" + (f"/color/{encode(colour)}" if colour else "")
    seen = run(quadrants, rule)
    ground = (0, 255, 0) if colour else WHITE
    assert seen.size == (80, 80)
    assert seen.near(40, 5, ground) and seen.near(40, 74, ground)
    assert seen.near(5, 20, RED) and seen.near(74, 60, YELLOW)


def test_the_default_pad_colour_is_a_dialect(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/thumbnail/80x80/pad/1", pad_colour="#3D3D3D")
    assert seen.near(40, 5, (0x3D, 0x3D, 0x3D))


def test_pad_without_a_canvas_changes_nothing(quadrants: bytes, run: Any) -> None:
    assert run(quadrants, "imageMogr2/thumbnail/50x/pad/1").size == (50, 30)
    assert run(quadrants, "imageMogr2/thumbnail/80x80/pad/0").size == (80, 48)


def test_the_inscribed_circle(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/iradius/20")
    assert seen.size == (40, 40)
    assert seen.at(0, 0)[3] == 0 and seen.at(39, 39)[3] == 0
    assert seen.near(19, 3, RED) and seen.near(36, 21, YELLOW)
    flat = run(quadrants, "imageMogr2/iradius/20/format/jpg/quality/100")
    assert flat.near(0, 0, WHITE)


def test_rounded_corners(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/rradius/20")
    assert seen.size == (100, 60)
    assert seen.at(0, 0)[3] == 0 and seen.at(99, 59)[3] == 0
    assert seen.near(50, 0, GREEN) and seen.near(0, 29, RED) and seen.near(20, 20, RED)
    edge = seen.at(6, 5)[3]
    assert 0 <= edge <= 255 and any(0 < seen.at(x, 5)[3] < 255 for x in range(12))  # smooth


@pytest.mark.parametrize("rule", ["imageMogr2/iradius/31", "imageMogr2/rradius/31"])
def test_a_radius_that_does_not_fit_is_refused(quadrants: bytes, run: Any, rule: str) -> None:
    with pytest.raises(ImageError) as refused:
        run(quadrants, rule)
    assert (refused.value.code, refused.value.number) == ("InvalidPicOperations", -60998)


def test_bright_and_contrast(draw: Any, run: Any) -> None:
    source = draw.file(draw.plain(20, 20, 100, 150, 200), "png")
    assert run(source, "imageMogr2/bright/20").at(5, 5) == (151, 201, 251)
    assert run(source, "imageMogr2/bright/-100").at(5, 5) == (0, 0, 0)
    assert run(source, "imageMogr2/contrast/0").at(5, 5) == (100, 150, 200)
    low, middle, high = run(source, "imageMogr2/contrast/40").at(5, 5)
    assert low < 100 and middle > 150 and high > 200
    assert run(source, "imageMogr2/contrast/-100").at(5, 5) == (128, 128, 128)


def test_blur_smooths_an_edge_and_keeps_the_mean(draw: Any, run: Any) -> None:
    edge = draw.plain(40, 40, 0, 0, 0).insert(draw.plain(20, 40, 255, 255, 255), 20, 0)
    seen = run(draw.file(edge, "png"), "imageMogr2/blur/10x4")
    values = [seen.at(x, 20)[0] for x in range(40)]
    assert values == sorted(values) and 60 < values[18] < 128 < values[21] < 200
    assert abs(seen.image.avg() - 127.5) < 2


def test_sharpen_steepens_an_edge(draw: Any, run: Any) -> None:
    edge = draw.plain(40, 40, 100, 100, 100).insert(draw.plain(20, 40, 150, 150, 150), 20, 0)
    seen = run(draw.file(edge, "png"), "imageMogr2/sharpen/70")
    assert seen.at(19, 20)[0] < 100 and seen.at(20, 20)[0] > 150
    assert seen.at(2, 20)[0] == 100


def test_grayscale(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/grayscale/1")
    assert all(len(set(colour)) == 1 for colour in corners(seen))
    assert len({colour[0] for colour in corners(seen)}) == 4  # red, green, blue, yellow are not equally bright
    assert corners(run(quadrants, "imageMogr2/grayscale/0")) == [RED, GREEN, BLUE, YELLOW]


def test_filters_leave_transparency_alone(draw: Any, run: Any) -> None:
    source = draw.file(draw.plain(30, 30, 100, 150, 200, 128), "png")
    for rule in ("bright/20", "contrast/20", "sharpen/70", "blur/3x2", "grayscale/1", "flip/vertical", "thumbnail/20x"):
        assert run(source, f"imageMogr2/{rule}").at(10, 10)[-1] == 128, rule


def test_transparent_edges_do_not_bleed_colour(draw: Any, run: Any) -> None:
    hole = draw.plain(40, 40, 0, 255, 0, 0).insert(draw.plain(20, 40, 255, 0, 0, 255), 20, 0)
    for rule in ("thumbnail/10x10", "blur/5x3", "rotate/45"):
        seen = run(draw.file(hole, "png"), f"imageMogr2/{rule}")
        width, height = seen.size
        for x in range(width):
            red, green, _, alpha = seen.at(x, height // 2)
            assert alpha < 10 or (red > 240 and green < 15), (rule, x)


def test_a_segment_runs_in_the_fixed_order_or_in_that_of_the_text(quadrants: bytes, run: Any) -> None:
    rule = "imageMogr2/rotate/90/thumbnail/30x"
    assert run(quadrants, rule).size == (18, 30)  # thumbnail first: 30x18, then turned
    assert run(quadrants, rule, segment_order="textual").size == (30, 50)


def test_stages_run_left_to_right(quadrants: bytes, run: Any) -> None:
    seen = run(quadrants, "imageMogr2/cut/50x30|imageView2/2/w/20|imageMogr2/rotate/90")
    assert seen.size == (12, 20)
    assert corners(seen) == [RED] * 4


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("size", ["150x100!", "149x37!", "299x199!"])
def test_shrinking_on_load_gives_the_pixels_of_a_full_decode(draw: Any, run: Any, format: str, size: str) -> None:
    picture = draw.gradient(300, 200)
    data = draw.file(picture, format, **({"Q": 95} if format != "png" else {}))
    seen = run(data, f"imageMogr2/thumbnail/{size}/format/png")
    width, height = seen.size
    plain = pyvips.Image.new_from_buffer(data, "").thumbnail_image(width, height=height, size="force")
    error = (plain - seen.image) ** 2
    assert 10 * math.log10(255 * 255 / max(error.avg(), 1e-9)) > 40


LATER = (
    "rotate/90",
    "rotate/33",
    "flip/vertical",
    "scrop/100x100",
    "sharpen/70",
    "blur/5x3",
    "rradius/30",
    "crop/90x90",
)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_any_operation_may_follow_a_thumbnail(draw: Any, run: Any, later: str, format: str) -> None:
    source = draw.file(draw.gradient(2400, 1600), format)
    seen = run(source, f"imageMogr2/thumbnail/1500x|imageMogr2/{later}/format/png")
    settled = run(source, "imageMogr2/thumbnail/1500x/format/png").rendered.data
    direct = run(settled, f"imageMogr2/{later}/format/png")
    assert seen.size == direct.size
    assert (seen.image - direct.image).abs().max() <= 1
