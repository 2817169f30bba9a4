"""Odd, lying and damaged images: the documented error or the right picture, and a server that goes on."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.app import Coslocal
from coslocal.http import Headers, Request
from coslocal.pytest_plugin import BUCKET, SECRET_ID, SECRET_KEY, new_app
from coslocal.signature import sign
from coslocal.storage.types import StoredObject
from tests.coslocal import hostile
from tests.coslocal.hostile import GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, chunk, ihdr, png

HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"
# CI 9.1: what a bad image may be refused with.
REFUSALS = {"InvalidImageFormat", "InvalidImageSource", "ImageTooLarge", "ImageResolutionExceed"}
SAME = "imageMogr2/format/png"
SMALLER = "imageMogr2/thumbnail/10x10/format/jpg"


class Asking:
    """Downloads with a rule, of bytes that are put into the store beforehand."""

    def __init__(self, app: Coslocal) -> None:
        self.app = app

    def store(self, data: bytes, key: str = "a") -> None:
        blob = self.app.store.take_in(io.BytesIO(data))
        item = StoredObject(
            bucket=BUCKET, key=key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=0.0
        )
        self.app.save(item)

    def get(self, rule: str, key: str = "a") -> "tuple[int, bytes]":
        path, headers = f"/{key}", {"Host": HOST}
        signature = sign("GET", path, access_key=SECRET_ID, secret=SECRET_KEY, start=0, end=10**11, headers=headers)
        pairs = [*headers.items(), ("Authorization", signature)]
        answer = self.app.handle(Request("GET", f"{path}?{rule}", Headers(pairs), length=None))
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        return answer.status, body

    def code(self, data: bytes, rule: str) -> str:
        """ "" when the bytes give a picture, else the documented code; anything else fails the test."""
        self.store(data)
        status, body = self.get(rule)
        if status == 200:
            return ""
        found = body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
        assert (status, found in REFUSALS) == (400, True), (status, body[:500])
        return found

    def pixels(self, data: bytes) -> Any:
        self.store(data)
        status, body = self.get(SAME)
        assert status == 200, body
        return pyvips.Image.new_from_buffer(body, "")


@pytest.fixture(scope="module")
def asking() -> Iterator[Asking]:
    app = new_app()
    given_one = Asking(app)
    given_one.get("imageInfo")
    yield given_one
    app.store.close()


@pytest.fixture
def unharmed(asking: Asking) -> Iterator[Asking]:
    """No process dies of what the test does, and what was stored before is there after it."""
    asking.store(b"precious", "precious")
    asking.code(png(), "imageInfo")
    before = asking.app.images.processes()
    yield asking
    assert asking.app.images.processes() == before
    item = asking.app.store.get(BUCKET, "precious")
    assert item is not None and b"".join(asking.app.store.read(item.blob)) == b"precious"


# -- right, however odd

KINDS = [
    (colour, depth, interlace) for colour, depths in hostile.DEPTHS.items() for depth in depths for interlace in (0, 1)
]


def _eight(colour: int, depth: int, pixel: "tuple[int, ...]") -> "tuple[int, ...]":
    """What a pixel of samples looks like in 8 bits, RGBA."""
    top = (1 << depth) - 1
    if colour == PALETTE:
        count = (1 << depth) - 1
        return (pixel[0] * 255 // count, pixel[0] % 256, 9, 255)
    levels = [sample * 255 // top if depth < 16 else sample >> 8 for sample in pixel]
    gray = colour in (GRAY, GRAY_ALPHA)
    rgb = levels[:1] * 3 if gray else levels[:3]
    return (*rgb, levels[-1] if colour in (GRAY_ALPHA, RGBA) else 255)


def _seen(image: Any) -> "list[tuple[int, ...]]":
    """Its pixels in 8 bits, RGBA, row by row."""
    if image.format == "ushort":
        image = (image >> 8).cast("uchar")
    bands, raw = image.bands, image.write_to_memory()
    found = []
    for at in range(0, len(raw), bands):
        *colour, alpha = (*raw[at : at + bands], 255) if bands in (1, 3) else raw[at : at + bands]
        found.append((*(colour * 3 if len(colour) == 1 else colour), alpha))
    return found


@pytest.mark.parametrize(("colour", "depth", "interlace"), KINDS)
@pytest.mark.parametrize(("width", "height"), [(17, 18), (1, 1), (7, 3)])
def test_every_kind_of_png(unharmed: Asking, colour: int, depth: int, interlace: int, width: int, height: int) -> None:
    image = unharmed.pixels(png(width, height, depth, colour, interlace=interlace))
    rows = hostile.samples(width, height, depth, colour)
    assert (image.width, image.height) == (width, height)
    wanted = [_eight(colour, depth, pixel) for row in rows for pixel in row]
    for one, other in zip(wanted, _seen(image), strict=True):
        assert max(abs(here - there) for here, there in zip(one, other, strict=True)) <= 1, (one, other)


@pytest.mark.parametrize("filters", [0, 1, 2, 3, 4, None])
@pytest.mark.parametrize("level", [0, 9])
@pytest.mark.parametrize("pieces", [1, 10_000])
def test_filters_levels_and_pieces_make_no_difference(unharmed: Asking, filters: Any, level: int, pieces: int) -> None:
    image = unharmed.pixels(png(filters=filters, level=level, pieces=pieces))
    assert image.write_to_memory() == unharmed.pixels(png()).write_to_memory()


TEXT = chunk(b"tEXt", b"Comment\0" + "é \xff".encode("latin-1"))
EXTRAS = {
    "gamma": chunk(b"gAMA", struct.pack(">I", 35_000)),
    "gamma of nothing": chunk(b"gAMA", struct.pack(">I", 0)),
    "chromaticities": chunk(b"cHRM", struct.pack(">8I", *range(1, 9))),
    "background": chunk(b"bKGD", struct.pack(">3H", 1, 2, 3)),
    "size": chunk(b"pHYs", struct.pack(">IIB", 4000, 1, 1)),
    "no size": chunk(b"pHYs", struct.pack(">IIB", 0, 0, 0)),
    "time": chunk(b"tIME", struct.pack(">H5B", 2026, 13, 40, 25, 61, 61)),
    "text": TEXT,
    "packed text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"text")),
    "text that is not packed right": chunk(b"zTXt", b"Comment\0\0nonsense"),
    "international text": chunk(b"iTXt", "题\0\0\0zh\0\0\0文".encode()),
    "a thousand texts": TEXT * 1000,
    "unknown": chunk(b"abCd", b"x" * 1000),
    "unknown and critical": chunk(b"ABCD", b"x"),
    "nonsense exif": chunk(b"eXIf", b"II*\0" + b"\xff" * 50),
    "exif in a circle": chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"),
    "nonsense profile": chunk(b"iCCP", b"name\0\0" + zlib.compress(b"not a profile")),
    "transparency": chunk(b"tRNS", struct.pack(">3H", 0, 0, 255)),
    "no time at all": chunk(b"tIME", b""),
    "animation": chunk(b"acTL", struct.pack(">II", 1_000_000, 0)),
}


@pytest.mark.parametrize("name", EXTRAS)
@pytest.mark.parametrize("rule", [SAME, SMALLER, "imageInfo", "exif", "imageAve", "ci-process=ImageAIGCMetadata"])
def test_what_may_stand_beside_the_pixels(unharmed: Asking, name: str, rule: str) -> None:
    unharmed.code(png(extra=[EXTRAS[name]]), rule)
    if rule == "exif" and unharmed.code(png(extra=[EXTRAS[name]]), rule) == "":
        json.loads(unharmed.get(rule)[1])


# -- broken

GOOD = png(16, 16, extra=[TEXT])
HEAD, END = hostile.SIGNATURE, chunk(b"IEND")
IDAT = chunk(b"IDAT", zlib.compress(bytes(16 * 49)))
BROKEN = {
    "an empty file": b"",
    "a signature alone": HEAD,
    "a signature of another system": HEAD.replace(b"\r\n", b"\n") + GOOD[8:],
    "no pixels": HEAD + ihdr(16, 16) + END,
    "no header": HEAD + IDAT + END,
    "pixels of nothing": HEAD + ihdr(16, 16) + chunk(b"IDAT") + END,
    "pixels that are not packed": HEAD + ihdr(16, 16) + chunk(b"IDAT", b"nonsense") + END,
    "too few pixels": HEAD + ihdr(16, 16) + chunk(b"IDAT", zlib.compress(bytes(16))) + END,
    "no width": HEAD + ihdr(0, 16) + IDAT + END,
    "no height": HEAD + ihdr(16, 0) + IDAT + END,
    "more than 2^31": HEAD + ihdr(0x80000000, 16) + IDAT + END,
    "depth 0": HEAD + ihdr(16, 16, 0) + IDAT + END,
    "depth 3": HEAD + ihdr(16, 16, 3) + IDAT + END,
    "depth 99": HEAD + ihdr(16, 16, 99) + IDAT + END,
    "depth 4 of colours": HEAD + ihdr(16, 16, 4, RGB) + IDAT + END,
    "colour 1": HEAD + ihdr(16, 16, 8, 1) + IDAT + END,
    "colour 9": HEAD + ihdr(16, 16, 8, 9) + IDAT + END,
    "interlace 2": HEAD + ihdr(16, 16, 8, RGB, 2) + IDAT + END,
    "no palette": HEAD + ihdr(16, 16, 8, PALETTE) + IDAT + END,
    "a filter that is none": HEAD + ihdr(16, 16) + chunk(b"IDAT", zlib.compress(b"\x09" + bytes(16 * 49 - 1))) + END,
    "a header too short": HEAD + chunk(b"IHDR", b"\0\0\0\1") + IDAT + END,
    "a chunk of 2 GB": HEAD + ihdr(16, 16) + b"\x7f\xff\xff\xffIDAT" + IDAT,
    "two headers": HEAD + ihdr(16, 16) + ihdr(8, 8) + IDAT + END,
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("rule", [SAME, SMALLER, "imageAve"])
def test_broken_pngs_are_refused(unharmed: Asking, name: str, rule: str) -> None:
    assert unharmed.code(BROKEN[name], rule) in {"InvalidImageFormat", "InvalidImageSource", "ImageResolutionExceed"}


def test_a_wrong_check_sum_of_any_chunk(unharmed: Asking) -> None:
    for begin, end in hostile.chunks_of(GOOD):
        spoilt = GOOD[: end - 4] + bytes(byte ^ 255 for byte in GOOD[end - 4 : end]) + GOOD[end:]
        critical = GOOD[begin + 4 : begin + 8] in (b"IHDR", b"IDAT")
        assert bool(unharmed.code(spoilt, SAME)) == critical, GOOD[begin + 4 : begin + 8]


def test_a_png_cut_anywhere(unharmed: Asking) -> None:
    whole = unharmed.pixels(GOOD).write_to_memory()
    end_of_pixels = hostile.chunks_of(GOOD)[-2][1]
    for end in [*range(0, len(GOOD), 9), *(end for _, end in hostile.chunks_of(GOOD))]:
        code = unharmed.code(GOOD[:end], SAME)
        assert code or end >= end_of_pixels - 16, end
        if not code:
            assert unharmed.pixels(GOOD[:end]).write_to_memory() == whole


# -- lying


@pytest.mark.parametrize(
    "size", [(50_000, 50_000), (65_535, 65_535), (16_383, 16_383), (300_000, 20_000), (2**24, 2**24)]
)
@pytest.mark.parametrize("rule", ["imageInfo", SMALLER, SAME, "imageAve", "imageMogr2/rotate/45/format/webp"])
def test_headers_that_claim_too_much(unharmed: Asking, size: "tuple[int, int]", rule: str) -> None:
    for name, data in hostile.claims(*size).items():
        assert unharmed.code(data, rule) in {"ImageResolutionExceed", "InvalidImageSource"}, name


@pytest.mark.parametrize("rule", ["imageInfo", SMALLER, SAME])
def test_animations_that_claim_too_much(unharmed: Asking, rule: str) -> None:
    for name, data in {
        "gif of 301 frames": hostile.gif(10, 10, 301, (10, 10)),
        "gif of 100,000 frames": hostile.gif(10, 10, 100_000, (10, 10)),
        "gif of 300 huge frames": hostile.gif(16_000, 15_000, 300, (16_000, 15_000)),
        "webp of 301 frames": hostile.webp_canvas(10, 10, 301),
        "webp of 50,000 frames": hostile.webp_canvas(10, 10, 50_000),
        "webp of 300 huge frames": hostile.webp_canvas(16_000, 15_000, 300),
    }.items():
        assert unharmed.code(data, rule) == "ImageResolutionExceed", name


@cache
def bombs() -> "dict[str, bytes]":
    return dict(hostile.metadata_bombs(100))


@pytest.mark.parametrize("name", ["iCCP", "zTXt", "iTXt", "XMP", "many zTXt", "IDAT"])
@pytest.mark.parametrize("rule", ["exif", SMALLER])
def test_metadata_that_unpacks_a_thousandfold(unharmed: Asking, name: str, rule: str) -> None:
    unharmed.code(bombs()[name], rule)


@pytest.mark.parametrize(
    "data",
    [
        hostile.tiff(10, 10, following=8),
        hostile.tiff(10, 10, tags={278: (1, 2**32 - 1)}),
        hostile.tiff(10, 10, tags={258: (2**31, 8)}),
        hostile.tiff(10, 10, tags={277: (1, 60_000)}),
        hostile.tiff(10, 10, tags={273: (2**31 - 1, 8), 279: (2**31 - 1, 8)}),
        hostile.tiff(10, 10, tags={322: (1, 2**31 - 16), 323: (1, 2**31 - 16), 324: (1, 8), 325: (1, 100)}),
        hostile.tiff(10, 10, tags={330: (100_000, 8)}),
        hostile.tiff(10, 10, tags={34675: (2**31 - 1, 8)}),
        b"II*\0\x08\0\0\0" + struct.pack("<H", 65_535) + bytes(65_535 * 12),
        b"MM\0*\xff\xff\xff\xff",
    ],
)
@pytest.mark.parametrize("rule", ["imageInfo", "exif", SMALLER])
def test_tiffs_that_lead_astray(unharmed: Asking, data: bytes, rule: str) -> None:
    unharmed.code(data, rule)


@pytest.mark.parametrize(
    "data",
    [
        hostile.SVG_BOMB, b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"%PDF-1.4\n", b"P6 60000 60000 255\n", b"#?RADIANCE\n", b"v/1\x01", b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        b"\xff\x0a\xff\xff", b"SIMPLE  =                    T", b"gimp xcf v011", b"8BPS\0\1", b"\x1f\x8b\x08",
    ],
)  # fmt: skip
def test_formats_that_are_not_offered_reach_no_decoder(unharmed: Asking, data: bytes) -> None:
    for rule in ("imageInfo", SMALLER):
        assert unharmed.code(data + bytes(100), rule) == "InvalidImageFormat"


# -- damaged by chance


@cache
def files() -> "dict[str, bytes]":
    place = pyvips.Image.xyz(40, 30)
    picture = (place[0] * 6).bandjoin([place[1] * 8, place[0] + place[1]]).cast("uchar").copy(interpretation="srgb")
    strip = pyvips.Image.arrayjoin([picture, picture.invert(), picture.rot180()], across=1)
    strip.set_type(pyvips.GValue.gint_type, "page-height", 30)
    made = {name: picture.write_to_buffer(f".{name}") for name in ("jpg", "png", "webp", "gif", "tif", "avif")}
    made |= {f"moving {name}": strip.write_to_buffer(f".{name}") for name in ("gif", "webp")}
    made["packed tif"] = picture.write_to_buffer(".tif", compression="deflate", tile=True)
    made["progressive jpg"] = picture.write_to_buffer(".jpg", interlace=True)
    return {**made, "bmp": hostile.bmp(4, 4) + bytes(100)}


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_flipped_bytes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files())), label="format")
    body = bytearray(files()[name])
    for _ in range(data.draw(st.integers(1, 6), label="flips")):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)) | st.just(len(body)), label="length")
    rule = data.draw(st.sampled_from([SMALLER, SAME, "imageInfo", "exif", "imageAve"]))
    _flipped().code(bytes(body[:cut]), rule)


@cache
def _flipped() -> Asking:
    return Asking(new_app())
