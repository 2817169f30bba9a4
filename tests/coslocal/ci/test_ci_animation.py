"""Animations: every frame is processed, stills take the first one, nothing is enlarged (CI 4.6, 4.7)."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips

from coslocal.ci.inspect import inspect
from coslocal.ci.operations import frames
from coslocal.ci.types import ImageError
from derivo.ci.texts import encode

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
FIVE = [RED, GREEN, BLUE, (255, 255, 0), (0, 255, 255)]


@pytest.fixture(params=["gif", "webp"])
def kind(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def animation(draw: Any, kind: str) -> bytes:
    data: bytes = draw.animation(60, 40, FIVE, kind)
    return data


@pytest.mark.parametrize(
    ("rule", "size"),
    [
        ("imageMogr2/thumbnail/30x", (30, 20)),
        ("imageMogr2/rotate/90", (40, 60)),
        ("imageMogr2/flip/vertical", (60, 40)),
        ("imageMogr2/crop/20x20/gravity/center", (20, 20)),
        ("imageMogr2/thumbnail/30x30/pad/1", (30, 30)),
        ("imageView2/1/w/10/h/20", (10, 20)),
        ("imageMogr2/scrop/20x20", (20, 20)),
        ("imageMogr2/bright/0", (60, 40)),
    ],
)
def test_every_frame_is_processed(animation: bytes, run: Any, kind: str, rule: str, size: tuple[int, int]) -> None:
    seen = run(animation, rule)
    assert (seen.format, seen.frames, seen.size) == (kind, 5, size)
    for at, colour in enumerate(FIVE):
        assert seen.near(size[0] // 2, size[1] // 2, colour, 12, frame=at)
    assert seen.image.get("delay") == [100, 200, 300, 400, 500]
    assert seen.image.get("loop") == 3


@pytest.mark.parametrize("target", ["gif", "webp"])
def test_animations_change_format_with_their_motion(animation: bytes, run: Any, target: str) -> None:
    seen = run(animation, f"imageMogr2/format/{target}")
    assert (seen.format, seen.frames) == (target, 5)
    assert inspect(seen.rendered.data).frames == 5


@pytest.mark.parametrize("target", ["jpg", "png", "tiff", "avif", "bmp"])
def test_stills_take_the_first_frame(animation: bytes, run: Any, surroundings: Any, target: str) -> None:
    if target == "bmp":  # libvips does not read it back
        from coslocal.ci.render import render

        rendered = render(animation, "imageMogr2/format/bmp", surroundings())
        assert (rendered.width, rendered.height, rendered.frames) == (60, 40, 1)
        return
    seen = run(animation, f"imageMogr2/format/{target}")
    assert (seen.frames, seen.size) == (1, (60, 40))
    assert seen.near(30, 20, RED, 12)


@pytest.mark.parametrize("rule", ["imageMogr2/thumbnail/200x", "imageMogr2/thumbnail/!200p", "imageView2/3/w/200"])
def test_animations_are_not_enlarged(animation: bytes, run: Any, rule: str) -> None:
    seen = run(animation, rule)
    assert seen.size == (60, 40)
    assert "not enlarged" in seen.rendered.warnings[0]


@pytest.mark.parametrize(
    ("rule", "colours", "delays"),
    [
        ("imageMogr2/cgif/2", FIVE[:2], [100, 200]),
        ("imageMogr2/cgif/1", FIVE, [100, 200, 300, 400, 500]),  # 1 means 30
        ("imageMogr2/cgif/50", FIVE, [100, 200, 300, 400, 500]),
        ("imageMogr2/egif/2", FIVE[::2], [300, 700, 500]),
        ("imageMogr2/egif/1", FIVE, [100, 200, 300, 400, 500]),
        ("imageMogr2/egif/2/cgif/3", FIVE[:3], [100, 200, 300]),  # cgif wins
    ],
)
def test_frames_are_kept(
    animation: bytes, run: Any, rule: str, colours: list[tuple[int, int, int]], delays: list[int]
) -> None:
    seen = run(animation, rule)
    assert seen.frames == len(colours)
    assert all(seen.near(5, 5, colour, 12, frame=at) for at, colour in enumerate(colours))
    assert seen.image.get("delay") == delays


def test_cgif_1_keeps_30_of_more() -> None:
    assert list(frames.first(40, 1)) == list(range(30))


def colours_of(seen: Any, frame: int) -> int:
    """How many different colours a frame has."""
    raw = seen.image.crop(0, frame * seen.page, seen.image.width, seen.page)[0:3].write_to_memory()
    return len({raw[at : at + 3] for at in range(0, len(raw), 3)})


@pytest.mark.parametrize(("rule", "most"), [("cgif/2", 128), ("egif/1", 128), ("flip/vertical", 256)])
def test_cgif_and_egif_reduce_the_colours_of_a_gif(draw: Any, run: Any, rule: str, most: int) -> None:
    strip = pyvips.Image.arrayjoin([draw.noise(120, 90), draw.noise(120, 90).fliphor()], across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", 90)
    seen = run(draw.file(strip, "gif"), f"imageMogr2/{rule}")
    counts = [colours_of(seen, frame) for frame in range(seen.frames)]
    assert len(counts) == 2
    assert all(most // 2 < count <= most for count in counts)


@pytest.mark.parametrize(("number", "colour"), [(1, RED), (3, BLUE), (9, FIVE[-1])])
def test_one_frame_on_download(animation: bytes, run: Any, number: int, colour: tuple[int, int, int]) -> None:
    seen = run(animation, f"imageMogr2/frame/{number}", persistent=False)
    assert seen.frames == 1
    assert seen.near(30, 20, colour, 12)


def test_frame_is_refused_in_pic_operations(animation: bytes, run: Any) -> None:
    with pytest.raises(ImageError, match="download only"):
        run(animation, "imageMogr2/frame/1")


def test_a_text_lies_on_every_frame(animation: bytes, run: Any) -> None:
    seen = run(animation, f"watermark/2/text/{encode('永永')}/fontsize/24/fill/{encode('#FFFFFF')}/dissolve/100")
    page = seen.page
    for at in range(5):
        corner = seen.image.crop(20, at * page + 15, 40, 25)
        assert (corner[:3] > 150).bandand().max() == 255  # white ink, which no frame has elsewhere
        assert (seen.image.crop(0, at * page, 10, 10)[:3] > 150).bandand().max() == 0


def test_round_corners_are_not_for_gif(draw: Any, run: Any) -> None:
    with pytest.raises(ImageError, match="not offered for gif"):
        run(draw.animation(60, 40, FIVE), "imageMogr2/rradius/10")
