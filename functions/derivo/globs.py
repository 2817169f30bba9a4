"""Glob patterns over whole object keys, Unicode-exact.

`?` one character but `/` · `*` any run without `/` · `**` any run · `**/` at the start of a segment: zero or more whole
folders · `[abc]`, `[a-z]`, `[!a-z]` one character of (or not of) the class, never `/`. There is no escape character:
`[*]` is a literal star. Everything else stands for itself, case-sensitively, by code point.
"""

from __future__ import annotations

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


class Glob(msgspec.Struct, frozen=True):
    text: str
    tokens: tuple[Token, ...]


class GlobError(ValueError):
    """`offset` is the character in the pattern."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset
