"""Rule sets and what can be wrong with them, as values: a RuleSet, a Fault with its place, and its text. Pure.

loading.py reads them from files.
"""

from __future__ import annotations

from typing import Optional

import msgspec

from derivo.ci.tree import Rule
from derivo.globs import Glob
from derivo.keys import KeyTemplate


class Where(msgspec.Struct, frozen=True):
    """A place in a rule set's file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Derivative(msgspec.Struct, frozen=True, kw_only=True):
    """A derivative that a rule set asks for. `rule` is a tree whichever way it was written (rule, style, steps)."""

    name: str
    to: KeyTemplate
    rule: Rule
    spec: str
    bucket: Optional[str] = None
    keep_original_on_error: bool = False
    where: Where
    rule_where: Where


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A unit test of a rule set: the keys of the derivatives expected of a source key."""

    key: str
    expected: tuple[str, ...]
    where: Where


KEEP = "keep"
DELETE = "delete"


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """One rule set. `suffixes` None means all keys; they are lower case and compared with ASCII letter case ignored.
    Sizes are bytes, inclusive. `bucket` None: every bucket that triggers. `immutable`: sources are never overwritten,
    so nobody need look whether one was."""

    name: str
    prefix: str = ""
    suffixes: Optional[tuple[str, ...]] = None
    include: tuple[Glob, ...] = ()
    exclude: tuple[Glob, ...] = ()
    min_size: Optional[int] = None
    max_size: Optional[int] = None
    bucket: Optional[str] = None
    final: bool = False
    chained: bool = False
    immutable: bool = False
    manifest: Optional[KeyTemplate] = None
    on_remove: str = KEEP
    on_failure: Optional[str] = None
    derivatives: tuple[Derivative, ...]
    examples: tuple[Example, ...] = ()
    where: Where


ERROR = "error"
WARNING = "warning"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One finding about a rule set file. `level` is error or warning; `caret_length` characters are underlined; `notes`
    are lines that prove it (a witness, a difference)."""

    code: str
    level: str
    message: str
    where: Where
    mend: Optional[str] = None
    source_line: str = ""
    caret_length: int = 1
    notes: tuple[str, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """Rule sets of a folder, and every fault found in it. A file with an error gives no rule set."""

    rule_sets: tuple[RuleSet, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def errors(self) -> tuple[Fault, ...]:
        return tuple(f for f in self.faults if f.level == ERROR)


COLUMNS = 74
"""Of a source line no more is shown, so that the caret stays under its place on a terminal of 80 columns."""


def render(fault: Fault) -> str:
    """The fault as text: place, level, code and message; the line with a caret under it; the mend.

    Of a long line the part around the caret is shown. Nothing that the file holds can drive the terminal.
    """
    out = [_printable(f"{fault.where}: {fault.level} {fault.code}: {fault.message}")]
    if fault.source_line:
        at = fault.where.column - 1
        start, end = _window(fault.source_line, at, at + fault.caret_length)
        before = "\u2026" * (start > 0) + fault.source_line[start:at]
        under = fault.source_line[at : min(at + fault.caret_length, end)]
        shown = before + fault.source_line[at:end] + "\u2026" * (end < len(fault.source_line))
        out.append("    " + _printable(shown))
        out.append("    " + " " * _width(before) + "^" * max(_width(under), 1))
    out += ["  " + _printable(note) for note in fault.notes]
    if fault.mend:
        out.append("  mend: " + _printable(fault.mend))
    return "\n".join(out)


def _window(line: str, first: int, last: int) -> tuple[int, int]:
    """The part of a line to show, so that the characters from `first` to `last` are in it as far as they can be."""
    start, end = 0, len(line)
    while _width(line[start:end]) > COLUMNS and end > min(last + 20, len(line)):
        end -= 1
    while _width(line[start:end]) > COLUMNS and start < first:
        start += 1
    while _width(line[start:end]) > COLUMNS:
        end -= 1
    return start, end


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " if char == "\t" else "\ufffd" for char in text)


def _width(text: str) -> int:
    """Columns on a terminal: most scripts of East Asia take two a character."""
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
