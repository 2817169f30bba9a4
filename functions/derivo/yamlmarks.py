"""YAML text -> nodes that know their place. The part of YAML that configuration needs, bounded, and nothing else.

Nodes are built straight from the parser's events, without recursion, and no object is ever constructed from a tag. Not
part of the language: anchors and aliases, tags, several documents, nesting deeper than 20. Lines and columns count
from 1, in characters.
"""

from __future__ import annotations

import re
from typing import Any, Optional, Union

import msgspec
import yaml

FILE_BYTES = 256 * 1024
DEPTH = 20

# libyaml ends a line at each of these, so the lines shown have to as well.
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[^\t\r\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTES_MEND = "a value with one of `{ } [ ] * & ! | > % @ #` or `: ` in it may need quotes around it"

# The parser in C where PyYAML was built with it, as its wheels are.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFault(ValueError):
    """The file is not of the language. `line` and `column` count from 1."""

    def __init__(self, code: str, message: str, line: int = 1, column: int = 1, mend: Optional[str] = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.mend = mend


class Scalar(msgspec.Struct, frozen=True):
    """`kind` is what YAML 1.1 takes the value for: str, bool, int, float, null, timestamp, merge, value.

    `inner` is the column of the value's first character when the value stands in the file as it is, on one line, so
    that offsets in it are offsets in the file; else None.
    """

    value: str
    kind: str
    line: int
    column: int
    length: int
    inner: Optional[int]


class Sequence(msgspec.Struct, frozen=True):
    items: list[Any]
    line: int
    column: int


class Mapping(msgspec.Struct, frozen=True):
    """`pairs` in the order of the file; a key may be any node and may occur twice."""

    pairs: list[tuple[Any, Any]]
    line: int
    column: int


Yaml = Union[Scalar, Sequence, Mapping]


def decode(content: bytes) -> str:
    """The text of a file. Raises YamlFault for more than 256 KiB, and for bytes that are not UTF-8."""
    if len(content) > FILE_BYTES:
        raise YamlFault("RS101", f"the file has {len(content)} bytes, more than {FILE_BYTES}", mend="split it up")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode("utf-8", "replace").lstrip("\ufeff"))
        message = f"byte 0x{error.object[error.start]:02X} is not UTF-8"
        raise YamlFault("RS102", message, line, column, "save the file as UTF-8") from None


def lines(text: str) -> list[str]:
    return _LINE_END.split(text)


def compose(text: str) -> Optional[Yaml]:
    """The document's root, or None when there is none. Raises YamlFault."""
    odd = _UNPRINTABLE.search(text)
    if odd:
        message = f"character U+{ord(odd[0]):04X} may not stand in a YAML file"
        raise YamlFault("RS103", message, *_place(text[: odd.start()]))
    loader = _Loader(text)
    try:
        return _Composer(text, loader).root()
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(text, error) from None
    finally:
        loader.dispose()


def _place(before: str) -> tuple[int, int]:
    above = lines(before)
    return len(above), len(above[-1]) + 1


def _syntax_fault(text: str, error: yaml.MarkedYAMLError) -> YamlFault:
    above = lines(text)
    mark = error.problem_mark or error.context_mark
    # The mark of a file that ends too early lies behind its last line.
    line = min(mark.line, len(above) - 1) if mark else 0
    shown = above[line]
    indent = len(shown) - len(shown.lstrip(" \t"))
    tab = shown.find("\t", 0, indent)
    if tab >= 0:
        return YamlFault("RS104", "a tab in the indentation", line + 1, tab + 1, "indent with spaces")
    column = min(mark.column, len(shown)) if mark else 0
    what = ": ".join(part for part in (error.context, error.problem) if part)
    return YamlFault("RS105", f"not YAML: {what}", line + 1, column + 1, _QUOTES_MEND)


class _Composer:
    """Builds the tree of one document from events; `open` holds the collections that are not closed yet."""

    def __init__(self, text: str, loader: Any) -> None:
        self.text = text
        self.loader = loader
        self.open: list[Union[Sequence, Mapping]] = []
        self.keys: list[Any] = []
        self.documents = 0
        self.found: Optional[Yaml] = None

    def root(self) -> Optional[Yaml]:
        while self.loader.check_event():
            self._take(self.loader.get_event())
        return self.found

    def _take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise YamlFault("RS109", "a second document: one file is one rule set", line, column)
        elif isinstance(event, yaml.AliasEvent):
            mend = "write the value out; a pattern that begins with `*` needs quotes"
            raise YamlFault("RS107", f"`*{event.anchor}` is an alias, and rule sets have none", line, column, mend)
        elif isinstance(event, yaml.NodeEvent):
            self._refuse_decoration(event, line, column)
            self._node(event, line, column)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self.open.pop()
            self.keys.pop()

    def _refuse_decoration(self, event: Any, line: int, column: int) -> None:
        if event.anchor is not None:
            mend = "take it out; a value that begins with `&` needs quotes"
            raise YamlFault("RS107", f"`&{event.anchor}` is an anchor, and rule sets have none", line, column, mend)
        if event.tag is not None:
            mend = "take it out; a value that begins with `!` needs quotes"
            raise YamlFault("RS108", "a tag (`!...`), and rule sets have none", line, column, mend)

    def _node(self, event: Any, line: int, column: int) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event, line, column))
            return
        if len(self.open) == DEPTH:
            raise YamlFault("RS106", f"nested deeper than {DEPTH}", line, column)
        made: Union[Sequence, Mapping]
        made = Sequence([], line, column) if isinstance(event, yaml.SequenceStartEvent) else Mapping([], line, column)
        self._add(made)
        self.open.append(made)
        self.keys.append(None)

    def _add(self, node: Yaml) -> None:
        holder = self.open[-1] if self.open else None
        if holder is None:
            self.found = node
        elif isinstance(holder, Sequence):
            holder.items.append(node)
        elif self.keys[-1] is None:
            self.keys[-1] = node
        else:
            holder.pairs.append((self.keys[-1], node))
            self.keys[-1] = None

    def _scalar(self, event: Any, line: int, column: int) -> Scalar:
        written = self.text[event.start_mark.index : event.end_mark.index]
        inner = None
        if written == event.value:
            inner = column
        elif event.style in ("'", '"') and written[1:-1] == event.value:
            inner = column + 1
        kind = "str"
        if not event.style:
            kind = self.loader.resolve(yaml.ScalarNode, event.value, (True, False)).rpartition(":")[2]
        same_line = event.start_mark.line == event.end_mark.line
        length = len(written) if same_line else 1
        return Scalar(event.value, kind, line, column, max(length, 1), inner if same_line else None)
