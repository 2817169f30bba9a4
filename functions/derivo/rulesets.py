"""YAML -> RuleSet, with file:line:column errors. Every fault of a file is reported at once."""

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


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """One rule set. `suffixes` None means all keys; they are lower case and compared with ASCII letter case ignored.
    Sizes are bytes, inclusive. `bucket` None: every bucket that triggers."""

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
    derivatives: tuple[Derivative, ...]
    examples: tuple[Example, ...] = ()
    where: Where


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One finding about a rule set file. `level` is error or warning; `caret_length` characters are underlined."""

    code: str
    level: str
    message: str
    where: Where
    mend: Optional[str] = None
    source_line: str = ""
    caret_length: int = 1


class Loaded(msgspec.Struct, frozen=True):
    """Rule sets of a folder, and every fault found in it. A file with an error gives no rule set."""

    rule_sets: tuple[RuleSet, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def errors(self) -> tuple[Fault, ...]:
        return tuple(f for f in self.faults if f.level == "error")
