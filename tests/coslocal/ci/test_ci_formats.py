"""Every source format to every target, and what formats do to colours and transparency (CI 4.6)."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import pyvips

from coslocal.ci import bmp
from coslocal.ci.inspect import inspect
from coslocal.ci.render import render
from coslocal.ci.types import ImageError

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
SOURCES = ("jpeg", "png", "webp", "gif", "tiff", "avif", "bmp")
TARGETS = {"jpg": "jpeg", "yjpeg": "jpeg", "png": "png", "webp": "webp", "gif": "gif", "tiff": "tiff", "avif": "avif"}
NOT_WRITTEN = ("heif", "heic", "tpg", "psd", "astc", "apng", "svgc")


def encoded(draw: Any, format: str) -> bytes:
    image = draw.quadrants(64, 48)
    if format == "bmp":
        return bmp.encode(bytes(image.write_to_memory()), 64, 48)
    data: bytes = draw.file(image, format, **({"Q": 95} if format in ("jpeg", "webp", "avif") else {}))
    return data


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_matrix(draw: Any, run: Any, source: str, target: str) -> None:
    seen = run(encoded(draw, source), f"imageMogr2/thumbnail/32x/format/{target}")
    assert (seen.format, seen.size) == (TARGETS[target], (32, 24))
    for place, colour in zip([(6, 5), (25, 5), (6, 18), (25, 18)], (RED, GREEN, BLUE, YELLOW), strict=True):
        assert seen.near(*place, colour, 40)
    assert seen.rendered.content_type == f"image/{TARGETS[target]}"


@pytest.mark.parametrize("source", SOURCES)
def test_the_format_is_kept_when_none_is_asked_for(draw: Any, surroundings: Any, source: str) -> None:
    rendered = render(encoded(draw, source), "imageMogr2/thumbnail/32x", surroundings())
    assert inspect(rendered.data).format == rendered.format == source


@pytest.mark.parametrize("source", SOURCES)
def test_bitmaps_are_written(draw: Any, run: Any, surroundings: Any, source: str) -> None:
    rendered = render(encoded(draw, source), "imageMogr2/thumbnail/31x/format/bmp", surroundings())
    assert (rendered.content_type, rendered.width, rendered.height) == ("image/bmp", 31, 23)
    again = run(rendered.data, "imageMogr2/format/png")
    assert again.near(5, 5, RED, 40) and again.near(25, 18, YELLOW, 40)


@pytest.mark.parametrize("name", NOT_WRITTEN)
def test_what_cannot_be_written_is_said(draw: Any, run: Any, name: str) -> None:
    with pytest.raises(ImageError) as refused:
        run(encoded(draw, "jpeg"), f"imageMogr2/format/{name}", persistent=name != "astc")
    assert refused.value.code in ("InvalidImageFormat", "InvalidPicOperations")
    assert refused.value.status == 400


@pytest.mark.parametrize("target", ["png", "webp", "gif", "tiff", "avif"])
def test_transparency_is_kept(draw: Any, run: Any, target: str) -> None:
    hole = draw.plain(40, 20, 0, 0, 0, 0).insert(draw.plain(20, 20, 255, 0, 0, 255), 20, 0)
    seen = run(draw.file(hole, "png"), f"imageMogr2/format/{target}")
    assert seen.at(5, 10)[3] < 10
    assert seen.near(30, 10, RED, 30)


def test_transparency_is_white_in_jpeg(draw: Any, run: Any) -> None:
    hole = draw.plain(40, 20, 0, 0, 0, 0).insert(draw.plain(20, 20, 255, 0, 0, 255), 20, 0)
    seen = run(draw.file(hole, "png"), "imageMogr2/format/jpg")
    assert seen.near(5, 10, (255, 255, 255)) and seen.near(32, 10, RED)


@pytest.mark.parametrize("rule", ["imageMogr2/format/png", "imageMogr2/thumbnail/20x/format/png"])
def test_cmyk_becomes_srgb(draw: Any, run: Any, rule: str) -> None:
    source = draw.file(draw.plain(40, 20, 180, 60, 40).colourspace("cmyk"), "jpeg", Q=95)
    seen = run(source, rule)
    assert (seen.image.bands, seen.image.interpretation) == (3, "srgb")
    assert seen.near(5, 5, (180, 60, 40), 16)


@pytest.mark.parametrize("rule", ["imageMogr2/strip", "imageMogr2/format/gif", "imageMogr2/strip/thumbnail/20x"])
def test_a_wide_gamut_becomes_srgb_where_its_profile_is_lost(draw: Any, run: Any, rule: str) -> None:
    wide = draw.plain(40, 20, 180, 60, 40).icc_transform("p3", input_profile="srgb")
    seen = run(draw.file(wide, "png"), rule)
    assert not seen.image.get_typeof("icc-profile-data")
    assert seen.near(5, 5, (180, 60, 40), 6)


def test_a_profile_is_kept_with_its_pixels(draw: Any, run: Any) -> None:
    wide = draw.plain(40, 20, 180, 60, 40).icc_transform("p3", input_profile="srgb")
    seen = run(draw.file(wide, "png"), "imageMogr2/thumbnail/20x/format/webp")
    assert seen.image.get_typeof("icc-profile-data")
    assert seen.near(5, 5, tuple(round(value) for value in wide(5, 5)), 6)


def test_sixteen_bits_are_kept_in_png_and_cut_elsewhere(draw: Any, run: Any) -> None:
    deep = (draw.plain(40, 20, 180, 60, 40) * 257).cast("ushort").copy(interpretation="rgb16")
    source = draw.file(deep, "png")
    assert inspect(source).bit_depth == 16
    assert inspect(run(source, "imageMogr2/thumbnail/20x").rendered.data).bit_depth == 16
    for rule in ("format/jpg", "format/webp", "format/gif", "bright/0", "format/avif", "thumbnail/30x30/pad/1"):
        seen = run(source, f"imageMogr2/{rule}")
        assert inspect(seen.rendered.data).bit_depth == 8, rule
        x, y = seen.size[0] // 2, seen.size[1] // 2
        assert seen.near(x, y, (180, 60, 40), 10), rule


@pytest.mark.parametrize("rule", ["imageMogr2/thumbnail/20x", "imageMogr2/format/webp", "imageMogr2/rotate/20"])
def test_grey_pictures(draw: Any, run: Any, rule: str) -> None:
    seen = run(draw.file(draw.plain(40, 20, 77), "png"), rule)
    assert seen.near(seen.size[0] // 2, seen.size[1] // 2, (77, 77, 77), 4)


def test_interlace_makes_progressive_jpeg_and_nothing_else(draw: Any, run: Any) -> None:
    source = encoded(draw, "png")
    assert run(source, "imageMogr2/format/jpg/interlace/1").image.get("jpeg-multiscan") == 1
    assert run(source, "imageMogr2/format/jpg/interlace/0").image.get("jpeg-multiscan") == 0
    assert not run(source, "imageMogr2/interlace/1").image.get_typeof("interlaced")


def test_slim_is_smaller_or_the_original(draw: Any, run: Any) -> None:
    for format in ("jpeg", "png"):
        source = draw.file(draw.noise(120, 80), format, **({"Q": 95} if format == "jpeg" else {}))
        seen = run(source, "imageSlim")
        assert seen.format == format and len(seen.rendered.data) < len(source)
    slim = run(draw.file(draw.quadrants(), "png"), "imageSlim").rendered.data
    again = run(slim, "imageSlim").rendered
    assert again.data == slim and "the original is returned" in again.warnings[0]


@pytest.mark.parametrize("bits", [1, 4, 8, 24, 32])
@pytest.mark.parametrize("upside_down", [True, False])
def test_bitmaps_are_read(run: Any, bits: int, upside_down: bool) -> None:
    width, height = 9, 3
    palette = bytes((0, 0, 255, 0)) + bytes((0, 255, 0, 0))  # red, green: blue first
    lines = []
    for y in range(height):
        cells = [0 if y == 0 else 1] * width  # a red row above green ones
        if bits <= 8:
            text = "".join(format(cell, f"0{bits}b") for cell in cells)
            text += "0" * (-len(text) % 8)
            line = bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))
        else:
            line = b"".join(palette[cell * 4 : cell * 4 + bits // 8] for cell in cells)
        lines.append(line + b"\0" * (-len(line) % 4))
    body = b"".join(reversed(lines) if upside_down else lines)
    colours = palette if bits <= 8 else b""
    offset = 54 + len(colours)
    head = struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset)
    signed = height if upside_down else -height
    head += struct.pack("<IiiHHIIiiII", 40, width, signed, 1, bits, 0, len(body), 3937, 3937, 2 if colours else 0, 0)
    seen = run(head + colours + body, "imageMogr2/format/png")
    assert seen.size == (width, height)
    assert (seen.at(0, 0), seen.at(8, 0), seen.at(0, 2), seen.at(8, 2)) == (RED, RED, GREEN, GREEN)
    assert inspect(head + colours + body).horizontal_dpi == 100


def test_a_bitmap_is_written_as_others_read_it(draw: Any) -> None:
    image = draw.gradient(33, 7)
    data = bmp.encode(bytes(image.write_to_memory()), 33, 7)
    pixels, width, height, bands = bmp.decode(data)
    assert (width, height, bands) == (33, 7, 3)
    back = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
    assert (back - image).abs().max() == 0
    assert data[:2] == b"BM" and len(data) == int.from_bytes(data[2:6], "little")
