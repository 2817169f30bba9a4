"""Glob patterns over whole object keys, Unicode-exact.

`?` one character but `/` · `*` any run without `/` · `**` any run · `**/` at the start of a segment: zero or more whole
folders · `[abc]`, `[a-z]`, `[!a-z]` one character of (or not of) the class, never `/`. There is no escape character:
`[*]` is a literal star. Everything else stands for itself, case-sensitively, by code point.
"""

from __future__ import annotations

import functools
from typing import Union

import msgspec


class Literal(msgspec.Struct, frozen=True, tag=True):
    text: str


class Any(msgspec.Struct, frozen=True, tag=True):
    """`?`"""


class Star(msgspec.Struct, frozen=True, tag=True):
    """`*`"""


class Deep(msgspec.Struct, frozen=True, tag=True):
    """`**`"""


class Folders(msgspec.Struct, frozen=True, tag=True):
    """`**/` at the start of a segment: empty, or any text that ends in `/`."""


class Class(msgspec.Struct, frozen=True, tag=True):
    """`ranges` are inclusive code point pairs; `/` never matches, negated or not."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


Token = Union[Literal, Any, Star, Deep, Folders, Class]


class Glob(msgspec.Struct, frozen=True, cache_hash=True):
    text: str
    tokens: tuple[Token, ...]

    def match(self, key: str) -> bool:
        """True when the whole of `key` matches. Takes time linear in the key, whatever the pattern."""
        return _matcher(self).run(key)


class GlobError(ValueError):
    """`offset` is the character in the pattern."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


LENGTH = 1024  # characters in a pattern; a key has 850 bytes at most


def parse(text: str) -> Glob:
    """The pattern's tokens, neighbouring literal characters joined. Raises GlobError."""
    if not text:
        raise GlobError("an empty pattern matches no key", 0)
    if len(text) > LENGTH:
        raise GlobError(f"the pattern has {len(text)} characters; {LENGTH} are enough for any key", LENGTH)
    tokens: list[Token] = []
    literal = ""
    at = 0
    while at < len(text):
        token, following = _token(text, at)
        if isinstance(token, Literal):
            literal += token.text
        else:
            if literal:
                tokens.append(Literal(literal))
                literal = ""
            tokens.append(token)
        at = following
    if literal:
        tokens.append(Literal(literal))
    return Glob(text, tuple(tokens))


def _token(text: str, at: int) -> tuple[Token, int]:
    char = text[at]
    if char == "?":
        return Any(), at + 1
    if char == "[":
        return _class(text, at)
    if char != "*":
        return Literal(char), at + 1
    if not text.startswith("**", at):
        return Star(), at + 1
    if text.startswith("***", at):
        raise GlobError("three stars in a row: `*` stays within a folder, `**` crosses folders", at)
    if text.startswith("**/", at) and (at == 0 or text[at - 1] == "/"):
        return Folders(), at + 3
    return Deep(), at + 2


def _class(text: str, start: int) -> tuple[Class, int]:
    negated = text.startswith("!", start + 1)
    at = start + 2 if negated else start + 1
    end = text.find("]", at)
    if end < 0:
        raise GlobError("the class `[` is not closed by `]`; a literal bracket is `[[]`", start)
    if end == at:
        raise GlobError("the class is empty", start)
    ranges = []
    while at < end:
        low = high = text[at]
        width = 1
        if at + 2 < end and text[at + 1] == "-":
            high = text[at + 2]
            width = 3
        if high < low:
            raise GlobError(f"the range {low}-{high} runs backwards", at)
        if low == high == "/" and not negated:
            raise GlobError("a class never matches `/`: write it outside the class", at)
        ranges.append((ord(low), ord(high)))
        at += width
    return Class(tuple(ranges), negated), end + 1


_ALPHABET = 1024  # characters remembered for each pattern, so that hostile keys cannot fill the memory


class _Matcher:
    """The pattern as a row of positions, all tried at once: bit i of a set means "about to match unit i".

    A unit is one token, or one character of a literal. On a character a set either advances (the unit took it and is
    done) or stays (a star took it and goes on). Stars may also be passed over without taking anything.
    """

    def __init__(self, glob: Glob) -> None:
        self.units: list[Token] = []
        for token in glob.tokens:
            self.units += [Literal(char) for char in token.text] if isinstance(token, Literal) else [token]
        self.rolling = self._bits(Star, Deep)
        # A `**/` may be passed over only on arrival: once it has taken a character it must end in a slash.
        self.passable = self._bits(Star, Deep, Folders)
        self.start = self._pass_over(1)
        self.end = 1 << len(self.units)
        self.moves: dict[str, tuple[int, int]] = {}

    def run(self, key: str) -> bool:
        moves, rolling, here = self.moves, self.rolling, self.start
        for char in key:
            advancing, staying = moves.get(char) or self._move(char)
            stayed = here & staying
            here = self._pass_over((here & advancing) << 1 | stayed & rolling) | stayed
            if not here:
                return False
        return bool(here & self.end)

    def _bits(self, *kinds: type) -> int:
        return sum(1 << i for i, unit in enumerate(self.units) if isinstance(unit, kinds))

    def _pass_over(self, here: int) -> int:
        while True:
            wider = here | (here & self.passable) << 1
            if wider == here:
                return here
            here = wider

    def _move(self, char: str) -> tuple[int, int]:
        advancing = staying = 0
        for i, unit in enumerate(self.units):
            advancing |= _takes(unit, char) << i
            staying |= (isinstance(unit, (Deep, Folders)) or (isinstance(unit, Star) and char != "/")) << i
        if len(self.moves) >= _ALPHABET:
            self.moves.clear()
        self.moves[char] = advancing, staying
        return advancing, staying


def _takes(unit: Token, char: str) -> bool:
    """Whether `char` completes the unit."""
    if isinstance(unit, Literal):
        return char == unit.text
    if isinstance(unit, Folders):
        return char == "/"
    if char == "/":
        return False
    if isinstance(unit, Class):
        return any(low <= ord(char) <= high for low, high in unit.ranges) != unit.negated
    return isinstance(unit, Any)


@functools.lru_cache(maxsize=4096)
def _matcher(glob: Glob) -> _Matcher:
    return _Matcher(glob)
