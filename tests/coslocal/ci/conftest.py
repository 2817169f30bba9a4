"""Drawn sources whose every pixel is known, and results read back independently of the code under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pyvips

from coslocal.ci.render import render
from coslocal.ci.types import Rendered, Surroundings
from coslocal.dialects import Dialects

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


class Draw:
    """Pictures, and the files of them."""

    def plain(self, width: int, height: int, *colour: int) -> Any:
        image = (pyvips.Image.black(width, height, bands=len(colour)) + list(colour)).cast("uchar")
        return image.copy(interpretation="srgb" if len(colour) > 2 else "b-w")

    def quadrants(self, width: int = 100, height: int = 60) -> Any:
        """Red, green above; blue, yellow below."""
        tiles = [self.plain(width // 2, height // 2, *colour) for colour in (RED, GREEN, BLUE, YELLOW)]
        return pyvips.Image.arrayjoin(tiles, across=2).copy(interpretation="srgb")

    def gradient(self, width: int, height: int) -> Any:
        """Red grows to the right, green downwards."""
        place = pyvips.Image.xyz(width, height)
        bands = (place[0] * 255 / width).bandjoin([place[1] * 255 / height, place[0] * 0 + 60])
        return bands.cast("uchar").copy(interpretation="srgb")

    def noise(self, width: int, height: int) -> Any:
        bands = [pyvips.Image.gaussnoise(width, height, mean=mean, sigma=40, seed=mean) for mean in (90, 120, 150)]
        return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")

    def turned(self, image: Any, orientation: int) -> Any:
        image = image.copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
        return image

    def animation(self, width: int, height: int, colours: list[tuple[int, int, int]], format: str = "gif") -> bytes:
        frames = [self.plain(width, height, *colour) for colour in colours]
        strip = pyvips.Image.arrayjoin(frames, across=1).copy(interpretation="srgb")
        strip.set_type(pyvips.GValue.gint_type, "page-height", height)
        strip.set_type(pyvips.GValue.array_int_type, "delay", [100 * (at + 1) for at in range(len(frames))])
        strip.set_type(pyvips.GValue.gint_type, "loop", 3)
        return self.file(strip, format)

    def file(self, image: Any, format: str, **options: Any) -> bytes:
        suffix = {"jpeg": ".jpg", "tiff": ".tif"}.get(format, f".{format}")
        return bytes(image.write_to_buffer(suffix, **options))


@dataclass
class Seen:
    """A result, read back."""

    rendered: Rendered
    image: Any = field(init=False)

    def __post_init__(self) -> None:
        pages = {"n": -1} if self.rendered.format in ("gif", "webp") else {}
        self.image = pyvips.Image.new_from_buffer(self.rendered.data, "", **pages)

    @property
    def format(self) -> str:
        return {"heifload_buffer": "avif"}.get(self.image.get("vips-loader"), self.image.get("vips-loader")[:-11])

    @property
    def frames(self) -> int:
        return int(self.image.height // self.page)

    @property
    def page(self) -> int:
        return int(self.image.get_page_height())

    @property
    def size(self) -> tuple[int, int]:
        return self.image.width, self.page

    @property
    def orientation(self) -> int:
        return int(self.image.get("orientation")) if self.image.get_typeof("orientation") else 0

    def at(self, x: int, y: int, frame: int = 0) -> tuple[int, ...]:
        image = self.image
        if image.interpretation == "b-w":
            image = image.colourspace("srgb")
        return tuple(round(value) for value in image(x, y + frame * self.page))

    def near(self, x: int, y: int, colour: tuple[int, ...], tolerance: int = 24, frame: int = 0) -> bool:
        """Whether the pixel has the colour; where there is alpha it must be opaque."""
        seen = self.at(x, y, frame)
        opaque = len(seen) < 4 or seen[3] == 255
        return opaque and all(abs(one - other) <= tolerance for one, other in zip(seen, colour, strict=False))


Run = Callable[..., Seen]


@pytest.fixture(scope="session")
def draw() -> Draw:
    return Draw()


@pytest.fixture
def surroundings() -> Callable[..., Surroundings]:
    def make(
        marks: Mapping[str, bytes] | None = None,
        styles: Mapping[str, str] | None = None,
        persistent: bool = True,
        **dialects: str,
    ) -> Surroundings:
        chosen = {name.replace("_", "-"): value for name, value in dialects.items()}
        return Surroundings(
            style=(styles or {}).get, fetch=(marks or {}).__getitem__, persistent=persistent, dialects=Dialects(chosen)
        )

    return make


@pytest.fixture
def run(surroundings: Callable[..., Surroundings]) -> Run:
    """Render and read back: checks that what the result says of itself is true."""

    def do(data: bytes, rule: str, **settings: Any) -> Seen:
        rendered = render(data, rule, surroundings(**settings))
        seen = Seen(rendered)
        assert seen.size == (rendered.width, rendered.height)
        assert seen.format == rendered.format
        assert seen.frames == rendered.frames
        return seen

    return do
