"""Facts found in a file's bytes (CI 1.5, 6)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from coslocal.ci import bmp
from coslocal.ci.inspect import exif_of, inspect
from coslocal.ci.sniff import sniff


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "gif", "tiff", "avif"])
def test_the_facts_of_each_format(draw: Any, format: str) -> None:
    data = draw.file(draw.plain(64, 48, 200, 100, 50), format)
    info = inspect(data)
    assert (info.format, info.width, info.height, info.frames) == (format, 64, 48, 1)
    assert (info.size, info.md5) == (len(data), hashlib.md5(data).hexdigest())
    red, green, blue = (int(info.ave[at : at + 2], 16) for at in (2, 4, 6))
    assert abs(red - 200) < 6 and abs(green - 100) < 6 and abs(blue - 50) < 6
    assert info.bit_depth == 8


def test_a_bitmap(draw: Any) -> None:
    info = inspect(bmp.encode(bytes(draw.plain(5, 3, 200, 100, 50).write_to_memory()), 5, 3))
    assert (info.format, info.width, info.height, info.ave) == ("bmp", 5, 3, "0xc86432")


def test_the_average_is_over_the_whole_picture(draw: Any) -> None:
    ave = inspect(draw.file(draw.quadrants(), "png")).ave
    assert all(abs(int(ave[at : at + 2], 16) - value) <= 3 for at, value in ((2, 128), (4, 128), (6, 64)))


def test_animations_count_their_frames(draw: Any) -> None:
    for format in ("gif", "webp"):
        info = inspect(draw.animation(20, 10, [(255, 0, 0), (0, 255, 0), (0, 0, 255)], format))
        assert (info.width, info.height, info.frames) == (20, 10, 3)


def test_resolution_in_dots_per_inch(draw: Any) -> None:
    image = draw.plain(8, 8, 1, 2, 3).copy(xres=300 / 25.4, yres=150 / 25.4)
    info = inspect(draw.file(image, "jpeg"))
    assert (info.horizontal_dpi, info.vertical_dpi) == (300, 150)
    assert inspect(draw.file(draw.plain(8, 8, 1, 2, 3), "png", keep="none")).horizontal_dpi == 0


def test_exif_as_readable_text(draw: Any) -> None:
    image = draw.turned(draw.plain(8, 8, 1, 2, 3), 6)
    image.set_type(__import__("pyvips").GValue.gstr_type, "exif-ifd0-Model", "Cam (R), 2")
    exif = inspect(draw.file(image, "jpeg")).exif
    assert exif["Model"] == "Cam (R), 2"
    assert exif["Orientation"] in ("6", "Right-top")
    assert exif["PixelXDimension"] == "8"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Canon (Canon, ASCII, 6 components, 6 bytes)", "Canon"),
        ("a (b) (a (b), ASCII, 6 components, 6 bytes)", "a (b)"),
        ("6 (Right-top, Short, 1 components, 2 bytes)", "Right-top"),
        ("1 (Internal error (unknown value 1), Short, 1 components, 2 bytes)", "1"),
        ("odd", "odd"),
    ],
)
def test_exif_values_as_libvips_gives_them(text: str, expected: str) -> None:
    assert exif_of({"exif-ifd0-Thing": text}) == {"Thing": expected}


def test_png_comments_in_latin_1_are_no_obstacle(draw: Any) -> None:
    import struct
    import zlib

    chunk = b"tEXt" + "Größe\0x".encode("latin-1")
    data = draw.file(draw.plain(8, 8, 1, 2, 3), "png")
    whole = data[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    assert inspect(whole).width == 8


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0\0\0\x20ftypavif", "avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "avif"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heif"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", ""),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"<?xml version='1.0'?><svg/>", "svg"),
        (b"\xef\xbb\xbf  <svg>", "svg"),
        (b"8BPS\0\1", "psd"),
        (b"", ""),
        (b"hello", ""),
    ],
)
def test_formats_are_told_by_their_bytes(data: bytes, expected: str) -> None:
    assert sniff(data) == expected
