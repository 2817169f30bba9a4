"""Windows bitmaps, which libvips does not read by itself: uncompressed 1, 4, 8, 24 and 32 bits a pixel."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from coslocal.ci.pixels import Header, PixelError

_BITFIELDS = 3
_USUAL_MASKS = (0x00FF0000, 0x0000FF00, 0x000000FF)


class BmpError(PixelError):
    """The file is damaged, or of a kind that is not read (run-length coded, 16 bits a pixel)."""


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    upside_down: bool
    bits: int
    alpha: bool
    palette: bytes
    offset: int
    x_per_metre: int
    y_per_metre: int

    @property
    def stride(self) -> int:
        return (self.width * self.bits + 31) // 32 * 4


def probe(data: bytes) -> Header:
    """The header. Raises BmpError."""
    layout = _layout(data)
    return Header(
        width=layout.width,
        height=layout.height,
        frames=1,
        bit_depth=8,
        orientation=0,
        x_dpi=round(layout.x_per_metre * 0.0254),
        y_dpi=round(layout.y_per_metre * 0.0254),
        fields={},
    )


def decode(data: bytes) -> tuple[bytes, int, int, int]:
    """(8-bit pixels row by row, width, height, bands). Raises BmpError."""
    layout = _layout(data)
    if len(data) < layout.offset + layout.stride * layout.height:
        raise BmpError("its pixels are cut short")
    bands = 4 if layout.alpha else 3
    rows = []
    for at in range(layout.height):
        line = layout.height - 1 - at if layout.upside_down else at
        start = layout.offset + line * layout.stride
        rows.append(_row(layout, data[start : start + layout.stride], bands))
    return b"".join(rows), layout.width, layout.height, bands


def encode(rgb: bytes, width: int, height: int) -> bytes:
    """A bitmap of 24 bits a pixel from 8-bit RGB rows."""
    row, padding = width * 3, b"\0" * (-width * 3 % 4)
    lines = []
    for at in range(height - 1, -1, -1):
        line = bytearray(rgb[at * row : at * row + row])
        line[0::3], line[2::3] = line[2::3], line[0::3]
        lines.append(bytes(line) + padding)
    body = b"".join(lines)
    head = struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0) + body


def _layout(data: bytes) -> _Layout:
    if len(data) < 54:
        raise BmpError("its header is cut short")
    offset, size = struct.unpack_from("<II", data, 10)
    if size < 40:
        raise BmpError("its header is older than Windows 3")
    width, height, _, bits, kind, _, x, y, colours, _ = struct.unpack_from("<iiHHIIiiII", data, 18)
    if width < 1 or height == 0:
        raise BmpError(f"its size is {width}x{height}")
    masks = struct.unpack_from("<III", data, 54) if kind == _BITFIELDS and len(data) >= 66 else _USUAL_MASKS
    if kind not in (0, _BITFIELDS) or bits not in (1, 4, 8, 24, 32) or masks != _USUAL_MASKS:
        raise BmpError(f"compression {kind} with {bits} bits a pixel is not read here")
    entries = (colours or 1 << bits) if bits <= 8 else 0
    palette = data[14 + size : 14 + size + entries * 4]
    alpha = bits == 32 and kind == _BITFIELDS and size >= 56 and struct.unpack_from("<I", data, 66)[0] != 0
    return _Layout(width, abs(height), height > 0, bits, alpha, palette, offset, x, y)


def _row(layout: _Layout, line: bytes, bands: int) -> bytes:
    width, bits = layout.width, layout.bits
    out = bytearray(width * bands)
    if bits <= 8:
        reds, greens, blues = (layout.palette[at::4].ljust(256, b"\0")[:256] for at in (2, 1, 0))
        indexes = _indexes(line, bits, width)
        out[0::3], out[1::3], out[2::3] = indexes.translate(reds), indexes.translate(greens), indexes.translate(blues)
        return bytes(out)
    step = bits // 8
    for band, at in zip(range(bands), (2, 1, 0, 3), strict=False):
        out[band::bands] = line[at : width * step : step]
    return bytes(out)


def _indexes(line: bytes, bits: int, width: int) -> bytes:
    if bits == 8:
        return line[:width]
    parts = _parts(bits)
    return b"".join([parts[byte] for byte in line])[:width]


@lru_cache(maxsize=2)
def _parts(bits: int) -> list[bytes]:
    """For each byte the 2 or 8 indexes it holds."""
    mask = (1 << bits) - 1
    return [bytes(byte >> shift & mask for shift in range(8 - bits, -1, -bits)) for byte in range(256)]
