"""Images that no camera makes: written byte by byte, so that every lie in them is known."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16), RGBA: (8, 16)}
# Where each pass of Adam7 begins, and its steps: x, y, step x, step y.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


# -- PNG


def chunk(kind: bytes, data: bytes = b"", *, crc: int | None = None) -> bytes:
    right = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", right if crc is None else crc)


def ihdr(width: int, height: int, depth: int = 8, colour: int = RGB, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def samples(width: int, height: int, depth: int, colour: int) -> list[list[tuple[int, ...]]]:
    """A drawn picture: each pixel as its samples, 0 up to 2^depth - 1; a gradient with full alpha on the left."""
    top = (1 << depth) - 1
    rows = []
    for y in range(height):
        row = []
        for x in range(width):
            right, down = x * top // max(width - 1, 1), y * top // max(height - 1, 1)
            opaque = top if x < width // 2 else top // 2
            row.append(
                {
                    GRAY: (right,), RGB: (right, down, top - right), PALETTE: (right,), GRAY_ALPHA: (right, opaque),
                    RGBA: (right, down, top - right, opaque),
                }[colour]
            )  # fmt: skip
        rows.append(row)
    return rows


def _packed(row: list[tuple[int, ...]], depth: int) -> bytes:
    flat = [sample for pixel in row for sample in pixel]
    if depth == 16:
        return struct.pack(f">{len(flat)}H", *flat)
    bits = "".join(format(sample, f"0{depth}b") for sample in flat)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def _filtered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    """A scan line through one of the five filters."""
    out = bytearray([kind])
    for at, value in enumerate(row):
        left = row[at - step] if at >= step else 0
        up = above[at]
        corner = above[at - step] if at >= step else 0
        guess = left + up - corner
        nearest = min((abs(guess - one), place, one) for place, one in enumerate((left, up, corner)))[2]
        out.append((value - (0, left, up, (left + up) // 2, nearest)[kind]) & 255)
    return bytes(out)


def _lines(rows: list[list[tuple[int, ...]]], depth: int, colour: int, filters: Iterable[int]) -> bytes:
    step = max(1, CHANNELS[colour] * depth // 8)
    out, above = b"", b"\0" * len(_packed(rows[0], depth))
    for row, kind in zip(rows, filters, strict=False):
        packed = _packed(row, depth)
        out += _filtered(kind, packed, above, step)
        above = packed
    return out


def png(
    width: int = 32, height: int = 32, depth: int = 8, colour: int = RGB, *, interlace: int = 0, level: int = 6,
    filters: int | None = None, pieces: int = 1, extra: Iterable[bytes] = (),
) -> bytes:  # fmt: skip
    """A right PNG of `samples`. `filters` None: all five in turn; `pieces` IDAT chunks; `extra` chunks before."""
    rows = samples(width, height, depth, colour)
    kinds = [at % 5 if filters is None else filters for at in range(height)]
    raw = b""
    for x, y, step_x, step_y in _ADAM7 if interlace else ((0, 0, 1, 1),):
        seen = [row[x::step_x] for row in rows[y::step_y]]
        if seen and seen[0]:
            raw += _lines(seen, depth, colour, kinds)
    packed = zlib.compress(raw, level)
    size = -(-len(packed) // pieces)
    idat = b"".join(chunk(b"IDAT", packed[at : at + size]) for at in range(0, len(packed), size))
    plte = b""
    if colour == PALETTE:
        count = 1 << depth
        plte = chunk(b"PLTE", bytes(value for at in range(count) for value in (at * 255 // (count - 1), at % 256, 9)))
    return SIGNATURE + ihdr(width, height, depth, colour, interlace) + plte + b"".join(extra) + idat + chunk(b"IEND")


def flat_png(width: int, height: int) -> bytes:
    """One colour: small as a file, as large as it says when it is decoded."""
    packer = zlib.compressobj(1)
    line = bytes(width * 3 + 1)
    packed = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    return SIGNATURE + ihdr(width, height) + chunk(b"IDAT", packed) + chunk(b"IEND")


def chunks_of(data: bytes) -> list[tuple[int, int]]:
    """(begin, end) of each chunk of a PNG."""
    at, found = len(SIGNATURE), []
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big") + 12
        found.append((at, at + size))
        at += size
    return found


def deflate_bomb(megabytes: int) -> bytes:
    """So many megabytes of zeros, packed a thousandfold."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def metadata_bombs(megabytes: int = 1000) -> Mapping[str, bytes]:
    """Small PNGs whose text, profile or pixels unpack a thousandfold."""
    packed = deflate_bomb(megabytes)
    text = chunk(b"zTXt", b"Comment\0\0" + packed)
    return {
        "iCCP": png(extra=[chunk(b"iCCP", b"profile\0\0" + packed)]),
        "zTXt": png(extra=[text]),
        "iTXt": png(extra=[chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed)]),
        "XMP": png(extra=[chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)]),
        "many zTXt": png(extra=[text] * 20),
        "IDAT": SIGNATURE + ihdr(8, 8) + chunk(b"IDAT", packed) + chunk(b"IEND"),
    }


# -- headers that claim a size, with next to nothing behind them


def claims(width: int, height: int) -> Mapping[str, bytes]:
    """A file of each format that says it is so large."""
    tiny = zlib.compress(b"\0" * 100)
    return {
        "png": SIGNATURE + ihdr(width, height) + chunk(b"IDAT", tiny) + chunk(b"IEND"),
        "gif": gif(min(width, 65535), min(height, 65535), 1, (min(width, 65535), min(height, 65535))),
        "webp": webp_canvas(width, height),
        "tiff": tiff(width, height),
        "jpeg": jpeg(min(width, 65535), min(height, 65535)),
        "bmp": bmp(width, height),
        "avif": avif(width, height),
    }


def gif(width: int, height: int, frames: int, frame: tuple[int, int] = (1, 1)) -> bytes:
    """An animation on a canvas of that size, each frame a small one."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([255, 0, 0, 0, 0, 255])
    picture = b"\x21\xf9\x04\x08\x02\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0)
    return head + (picture + b"\x02\x02\x44\x01\x00") * frames + b"\x3b"


def webp_canvas(width: int, height: int, frames: int = 1) -> bytes:
    """The extended format with animation; each frame says it fills the canvas."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    vp8l = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + (0).to_bytes(4, "little") + b"\x88\x88\x08\0\0"
    frame = b"\0" * 6 + size + b"\x64\0\0\0" + vp8l
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    body += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff(width: int, height: int, *, tags: Mapping[int, tuple[int, int]] | None = None, following: int = 0) -> bytes:
    """One directory of LONGs; `tags` overrides (count, value) of some; `following` is where the next directory lies."""
    wanted = {
        256: (1, width), 257: (1, height), 258: (1, 8), 259: (1, 1), 262: (1, 1), 273: (1, 8), 277: (1, 1),
        278: (1, height), 279: (1, 1000), **(tags or {}),
    }  # fmt: skip
    entries = b"".join(
        struct.pack("<HHII", tag, 4, count, value & 0xFFFFFFFF) for tag, (count, value) in sorted(wanted.items())
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(wanted)) + entries + struct.pack("<I", following) + bytes(1000)


def jpeg(width: int, height: int) -> bytes:
    table = b"\xff\xdb\x00\x43\x00" + bytes([16] * 64)
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    codes = b"\xff\xc4\x00\x14\x00" + b"\x01" + bytes(15) + b"\x00" + b"\xff\xc4\x00\x14\x10" + b"\x01" + bytes(16)
    return b"\xff\xd8" + table + frame + codes + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + bytes(50) + b"\xff\xd9"


def bmp(width: int, height: int, bits: int = 24) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + head + bytes(100)


def avif(width: int, height: int) -> bytes:
    """A container that is right up to its picture, which is nonsense."""

    def box(kind: bytes, *content: bytes) -> bytes:
        body = b"".join(content)
        return struct.pack(">I", len(body) + 8) + kind + body

    config = box(b"av1C", b"\x81\x20\0\0")
    ispe = box(b"ispe", b"\0\0\0\0", struct.pack(">II", width, height))
    pixi = box(b"pixi", b"\0\0\0\0\x03\x08\x08\x08")
    ipma = box(b"ipma", b"\0\0\0\0\0\0\0\1\0\1\3\x01\x82\x83")
    properties = box(b"iprp", box(b"ipco", ispe, config, pixi), ipma)
    infe = box(b"infe", b"\2\0\0\0\0\1\0\0av01\0")
    iinf = box(b"iinf", b"\0\0\0\0\0\1", infe)
    pitm = box(b"pitm", b"\0\0\0\0\0\1")
    hdlr = box(b"hdlr", b"\0" * 8 + b"pict" + b"\0" * 13)
    iloc = box(b"iloc", b"\0\0\0\0\x44\0\0\1\0\1\0\0\0\1", struct.pack(">II", 300, 50))
    meta = box(b"meta", b"\0\0\0\0", hdlr, pitm, iloc, iinf, properties)
    return box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + meta + box(b"mdat", bytes(400))


SVG_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b']><svg xmlns="http://www.w3.org/2000/svg"><text>&m;</text></svg>'
)
