"""CRC-64 as COS computes it (COS 5): ECMA-182 reflected, all ones before and after; and the CRC of a concatenation."""

from __future__ import annotations

import fastcrc

_POLYNOMIAL = 0xC96C5795D7870F42  # 0x42F0E1EBA9EA3693 with its bits reversed
_ONE = 1 << 63  # x^0 in the reflected representation


def crc64(data: bytes, crc: int = 0) -> int:
    """The CRC of `data`, or of what `crc` stands for followed by `data`."""
    return fastcrc.crc64.xz(data, crc)


def _multiply(left: int, right: int) -> int:
    """The product of two polynomials modulo the CRC's, both reflected."""
    product = 0
    while left:
        if left & _ONE:
            product ^= right
        left = (left << 1) & 0xFFFFFFFFFFFFFFFF
        right = (right >> 1) ^ (_POLYNOMIAL if right & 1 else 0)
    return product


def _powers() -> list[int]:
    """x^(8 * 2^n): what shifts a CRC over 2^n bytes."""
    power = _ONE >> 8
    table = []
    for _ in range(64):
        table.append(power)
        power = _multiply(power, power)
    return table


_SHIFTS = _powers()


def combine(first: int, second: int, second_length: int) -> int:
    """The CRC of A+B from the CRCs of A and B and the length of B in bytes, without reading them again."""
    n = 0
    while second_length:
        if second_length & 1:
            first = _multiply(_SHIFTS[n], first)
        second_length >>= 1
        n += 1
    return first ^ second
