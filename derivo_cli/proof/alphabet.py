"""The finite alphabet of one proof.

Rule sets mention few characters. All the others behave alike in every automaton of the proof, so one of them speaks
for all: each mentioned character is a letter of its own, and each stretch between the ends of the globs' ranges is one
more. A letter is the code point of its representative: the one that takes the fewest bytes and is the most readable.
"""

from __future__ import annotations

import itertools
import string
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence

_READABLE = [ord(c) for c in string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_"]
_RANK = {code: rank for rank, code in enumerate(_READABLE)}
_SURROGATES = range(0xD800, 0xE000)
_LAST = 0x10FFFF


def width(code: int) -> int:
    """Bytes that the character takes in UTF-8."""
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


class Alphabet:
    """`singles`: every character that an automaton or template names; `ranges`: inclusive ends of classes."""

    def __init__(self, singles: Iterable[int], ranges: Iterable[tuple[int, int]] = ()) -> None:
        self.singles = frozenset(code for code in singles if code not in _SURROGATES)
        cuts = {0, 0x80, 0x800, _SURROGATES.start, _SURROGATES.stop, 0x10000, _LAST + 1}
        for low, high in ranges:
            cuts |= {low, high + 1}
        edges = sorted(cuts)
        letters = set(self.singles)
        for low, end in itertools.pairwise(edges):
            spokesman = self._spokesman(low, end)
            if spokesman is not None:
                letters.add(spokesman)
        self.sorted: Sequence[int] = sorted(letters)
        self.order: Sequence[int] = sorted(letters, key=_preference)

    def _spokesman(self, low: int, end: int) -> int | None:
        if low in _SURROGATES:
            return None
        for code in _READABLE:
            if low <= code < end and code not in self.singles:
                return code
        printable = (
            code for code in range(low, min(end, low + 1000)) if code not in self.singles and chr(code).isprintable()
        )
        return next(printable, next((c for c in range(low, end) if c not in self.singles), None))

    def within(self, low: int, high: int) -> Iterator[int]:
        """The letters of a range whose ends were announced."""
        at = bisect_left(self.sorted, low)
        while at < len(self.sorted) and self.sorted[at] <= high:
            yield self.sorted[at]
            at += 1

    def other(self, *mentioned: Container[int]) -> int | None:
        """The best letter that is in none of `mentioned`."""
        for code in self.order:
            if not any(code in some for some in mentioned):
                return code
        return None


def _preference(code: int) -> tuple[bool, int, int, int]:
    return not chr(code).isprintable(), width(code), _RANK.get(code, len(_RANK)), code
