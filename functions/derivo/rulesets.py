"""YAML -> RuleSet, with file:line:column errors. Every fault of a file is reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Optional, Union

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


def load(paths: Union[str, Path, Iterable[Union[str, Path]]]) -> Loaded:
    """The rule sets of a folder (every .yml and .yaml in it and its sub-folders, hidden ones left out, sorted by path),
    of a file, or of several of these.

    A place that cannot be read is a fault too; nothing is raised.
    """
    from derivo.rulefile import read_file  # YAML is imported only where a file is read

    rule_sets: dict[str, RuleSet] = {}
    faults: list[Fault] = []
    for path in _files([paths] if isinstance(paths, (str, Path)) else paths):
        made, found = read_file(path)
        faults += found
        if made is not None and made.name in rule_sets:
            message = f"a second rule set `{made.name}`; the first is {rule_sets[made.name].where.file}"
            faults.append(Fault(code="RS114", level=ERROR, message=message, where=made.where, mend="rename the file"))
        elif made is not None:
            rule_sets[made.name] = made
    return Loaded(tuple(rule_sets.values()), tuple(faults))


def load_text(content: Union[str, bytes], file: str) -> tuple[Optional[RuleSet], tuple[Fault, ...]]:
    """The rule set in a file's content, and the faults in it; None when one of these is an error.

    The rule set's name is the stem of `file`.
    """
    from derivo.rulefile import read_content

    return read_content(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"), file)


def _files(paths: Iterable[Union[str, Path]]) -> list[Path]:
    found = [file for path in map(Path, paths) for file in (_inside(path) if path.is_dir() else [path])]
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder  # reading it will say why
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _inside(entry)
        elif entry.suffix in (".yml", ".yaml"):
            yield entry


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
