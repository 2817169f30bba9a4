"""The quality a JPEG was saved with, from its quantisation tables (CI 4.8: the method is undocumented; IJG match)."""

from __future__ import annotations

from functools import lru_cache

# The luminance table of the JPEG standard (Annex K), in zigzag order as DQT stores it: quality 50 of the IJG scale.
_LUMINANCE = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_SCALE = range(100, 0, -1)
_START_OF_SCAN, _END, _TABLES = 0xDA, 0xD9, 0xDB


def estimate_quality(data: bytes) -> int:
    """1..100: the IJG quality whose luminance table is nearest to the file's own; 100 when it has none."""
    table = luminance_table(data)
    if table is None:
        return 100
    # nearly every encoder uses the scale as it is: then one look replaces a hundred distances
    exact = next((quality for quality in _SCALE if _scaled(quality) == table), None)
    return exact or min(_SCALE, key=lambda quality: _distance(table, _scaled(quality)))


def luminance_table(data: bytes) -> tuple[int, ...] | None:
    """Quantisation table 0 in zigzag order, or None when the file holds none before its first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (_START_OF_SCAN, _END):
            return None
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            return None
        if marker == _TABLES:
            found = _table_zero(data[at + 4 : at + 2 + length])
            if found:
                return found
        at += 2 + length
    return None


def _table_zero(segment: bytes) -> tuple[int, ...] | None:
    at = 0
    while at < len(segment):
        wide, number = segment[at] >> 4, segment[at] & 15
        size = 128 if wide else 64
        values = segment[at + 1 : at + 1 + size]
        if len(values) < size:
            return None
        if number == 0:
            return tuple(values) if not wide else tuple(values[i] << 8 | values[i + 1] for i in range(0, 128, 2))
        at += 1 + size
    return None


@lru_cache(maxsize=100)
def _scaled(quality: int) -> tuple[int, ...]:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(255, max(1, (value * scale + 50) // 100)) for value in _LUMINANCE)


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))
