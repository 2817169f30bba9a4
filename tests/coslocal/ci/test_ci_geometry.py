"""The arithmetic of sizes and places, as tables (CI 3, 4.1-4.5) and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.ci.operations import crop, cut, gravity, rotate, smart_crop, thumbnail, view
from coslocal.ci.operations.marks import scale
from coslocal.ci.operations.numbers import around, inside, scaled
from derivo.ci.tree import Thumbnail

SIDE = st.integers(1, 50_000)
TARGET = st.integers(1, 10_000)


def form(name: str, width: int = 0, height: int = 0, amount: int = 0) -> Thumbnail:
    return Thumbnail(form=name, width=width, height=height, amount=amount)


@pytest.mark.parametrize(
    ("op", "size", "expected"),
    [
        (form("percent", amount=50), (1000, 500), (500, 250)),
        (form("percent", amount=33), (101, 50), (33, 17)),  # 33.33 and 16.5: half goes up
        (form("percent", amount=1), (20, 20), (1, 1)),
        (form("percent", amount=1000), (20, 10), (200, 100)),
        (form("percent", amount=0), (20, 10), (20, 10)),  # out of range: not processed
        (form("percent", amount=1001), (20, 10), (20, 10)),
        (form("percent-width", amount=50), (1000, 500), (500, 500)),
        (form("percent-height", amount=50), (1000, 500), (1000, 250)),
        (form("width", width=200), (1000, 500), (200, 100)),
        (form("width", width=2000), (1000, 500), (2000, 1000)),
        (form("width", width=20_000), (1000, 500), (10_000, 5000)),  # clamped
        (form("height", height=100), (1000, 500), (200, 100)),
        (form("height", height=3), (10_000, 1), (30_000, 3)),
        (form("fit", 400, 400), (1000, 500), (400, 200)),
        (form("fit", 400, 100), (1000, 500), (200, 100)),
        (form("fit", 2000, 2000), (1000, 500), (2000, 1000)),
        (form("shrink", 400, 400), (1000, 500), (400, 200)),
        (form("shrink", 2000, 2000), (1000, 500), (1000, 500)),
        (form("shrink", 2000, 100), (1000, 500), (200, 100)),
        (form("enlarge", 2000, 2000), (1000, 500), (2000, 1000)),
        (form("enlarge", 400, 400), (1000, 500), (1000, 500)),
        (form("enlarge", 2000, 100), (1000, 500), (1000, 500)),
        (form("cover", 400, 400), (1000, 500), (800, 400)),
        (form("cover", 400, 100), (1000, 500), (400, 200)),
        (form("force", 400, 400), (1000, 500), (400, 400)),
        (form("force", 12_000, 1), (1000, 500), (10_000, 1)),
        (form("area", amount=35_000), (1000, 500), (264, 132)),
        (form("area", amount=1), (1000, 500), (1, 1)),
        (form("area", amount=2_000_000), (1000, 500), (2000, 1000)),
        (form("fit", 10, 10), (3, 10_000), (1, 10)),  # never less than a pixel
    ],
)
def test_size_after_each_form_of_thumbnail(op: Thumbnail, size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert thumbnail.target(op, size) == expected


@pytest.mark.parametrize("op", [form("fit", 2000, 2000), form("area", amount=2_000_000)])
def test_the_dialect_may_forbid_enlarging(op: Thumbnail) -> None:
    assert thumbnail.target(op, (1000, 500), upscale=False) == (1000, 500)


@given(st.tuples(SIDE, SIDE), TARGET, TARGET)
def test_inside_never_exceeds_the_box_and_touches_it(size: tuple[int, int], width: int, height: int) -> None:
    found = inside(size, width, height)
    assert found[0] <= width and found[1] <= height
    assert found[0] == width or found[1] == height


@given(st.tuples(SIDE, SIDE), TARGET, TARGET)
def test_around_always_covers_the_box_and_touches_it(size: tuple[int, int], width: int, height: int) -> None:
    found = around(size, width, height)
    assert found[0] >= width and found[1] >= height
    assert found[0] == width or found[1] == height


@given(st.tuples(SIDE, SIDE), st.integers(1, 10**9))
def test_area_is_kept_unless_a_side_would_vanish(size: tuple[int, int], amount: int) -> None:
    width, height = thumbnail.target(form("area", amount=amount), size)
    assert width * height <= amount or 1 in (width, height)


@given(st.integers(1, 10_000), st.integers(1, 1000), st.integers(1, 1000))
def test_scaled_is_the_nearest_whole_number(length: int, up: int, down: int) -> None:
    found = scaled(length, up, down)
    assert found >= 1
    assert found == 1 or abs(found * down - length * up) * 2 <= down


@pytest.mark.parametrize(
    ("mode", "width", "height", "expected"),
    [
        (1, 500, 400, ((800, 400), (500, 400))),  # the vendor's own numbers, modes 1 to 3
        (2, 500, 400, ((500, 250), (500, 250))),
        (3, 500, 400, ((800, 400), (800, 400))),
        (1, 300, None, ((600, 300), (300, 300))),
        (1, None, 300, ((600, 300), (300, 300))),
        (2, 300, None, ((300, 150), (300, 150))),
        (2, None, 100, ((200, 100), (200, 100))),
        (3, 300, None, ((600, 300), (600, 300))),
        (4, 500, 400, ((800, 400), (800, 400))),
        (4, 900, 100, ((900, 450), (900, 450))),
        (5, 500, 400, ((800, 400), (500, 400))),
        (5, None, 100, ((200, 100), (100, 100))),
        (1, None, None, ((1000, 500), (1000, 500))),
    ],
)
def test_imageview2_on_1000x500(
    mode: int, width: int | None, height: int | None, expected: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    assert view.plan(mode, (1000, 500), width, height) == expected


def test_imageview2_modes_4_and_5_follow_the_long_edge() -> None:
    assert view.plan(4, (500, 1000), 500, 400) == ((400, 800), (400, 800))
    assert view.plan(5, (500, 1000), 500, 400) == ((400, 800), (400, 500))


@pytest.mark.parametrize("mode", [2, 4, 5])
def test_imageview2_enlarges_by_dialect(mode: int) -> None:
    assert view.plan(mode, (100, 50), 400, 400)[0] != (100, 50)
    assert view.plan(mode, (100, 50), 400, 400, upscale=False)[0] == (100, 50)


@given(st.tuples(SIDE, SIDE), TARGET, TARGET)
def test_imageview2_mode_1_is_exact(size: tuple[int, int], width: int, height: int) -> None:
    assert view.plan(1, size, width, height)[1] == (width, height)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("northwest", (7, 5)),
        ("north", (40, 5)),
        ("northeast", (73, 5)),
        ("west", (7, 20)),
        ("center", (40, 20)),
        ("east", (73, 20)),
        ("southwest", (7, 35)),
        ("south", (40, 35)),
        ("southeast", (73, 35)),
    ],
)
def test_offsets_go_inward_and_centred_axes_ignore_theirs(name: str, expected: tuple[int, int]) -> None:
    assert gravity.place((100, 60), (20, 20), name, dx=7, dy=5) == expected


@given(st.tuples(TARGET, TARGET), TARGET, TARGET, st.integers(-20_000, 20_000), st.integers(-20_000, 20_000))
def test_a_window_stays_inside(outer: tuple[int, int], width: int, height: int, dx: int, dy: int) -> None:
    box = min(width, outer[0]), min(height, outer[1])
    left, top = gravity.window(outer, box, gravity.place(outer, box, "northwest", dx, dy))
    assert 0 <= left <= outer[0] - box[0] and 0 <= top <= outer[1] - box[1]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((10, 10), (10, 10, 50, 30)),
        ((80, 10), (80, 10, 20, 30)),
        ((-20, -10), (0, 0, 30, 20)),
        ((100, 0), (100, 0, 0, 30)),
    ],
)
def test_cut_is_clipped_to_the_image(at: tuple[int, int], expected: tuple[int, int, int, int]) -> None:
    assert cut.window((100, 60), (50, 30), at) == expected


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(300, 400, (800, 400)), (500, 100, (500, 250)), (2000, 400, (1000, 500)), (300, None, (1000, 500))],
)
def test_crop_shrinks_to_cover_and_never_enlarges(
    width: int | None, height: int | None, expected: tuple[int, int]
) -> None:
    assert crop.cover((1000, 500), width, height) == expected


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(0, (100, 60)), (180, (100, 60)), (360, (100, 60)), (90, (60, 100)), (270, (60, 100)), (30, (117, 102))],
)
def test_the_canvas_grows_with_the_angle(degrees: int, expected: tuple[int, int]) -> None:
    assert rotate.canvas((100, 60), degrees) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"), [((50, 100), (250, 500)), ((1, 1), (500, 500)), ((4, 1), (1000, 250)), ((2, 1), (1000, 500))]
)
def test_rcrop_takes_the_largest_window_of_the_ratio(ratio: tuple[int, int], expected: tuple[int, int]) -> None:
    assert smart_crop.ratio_box((1000, 500), *ratio) == expected


@pytest.mark.parametrize(
    ("scatype", "spcent", "expected"),
    [(None, None, (60, 40)), (1, 300, (300, 200)), (2, 200, (150, 100)), (3, 12, (94, 63)), (1, 1, (1, 1))],
)
def test_a_mark_is_scaled_by_the_picture(scatype: int | None, spcent: int | None, expected: tuple[int, int]) -> None:
    assert scale((60, 40), (1000, 500), scatype, spcent) == expected
