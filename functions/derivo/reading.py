"""Reading YAML nodes into plain values, with a fault for each that is of another kind than wanted."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping as Map
from typing import Any, Callable, Optional, TypeVar

from derivo.ci import texts
from derivo.rulekeys import SIZE_PATTERN
from derivo.rulesets import ERROR, Fault, Where
from derivo.yamlmarks import Mapping, Scalar, Sequence, Yaml

CODES: Map[str, str] = {
    "RS101": "the file is over 256 KiB",
    "RS102": "the file is not UTF-8",
    "RS103": "a control character",
    "RS104": "a tab in the indentation",
    "RS105": "the file is not YAML",
    "RS106": "nested deeper than 20",
    "RS107": "an anchor or alias",
    "RS108": "a tag",
    "RS109": "more than one document in a file",
    "RS110": "no rule set in the file",
    "RS111": "a merge key",
    "RS112": "a key that stands there twice",
    "RS113": "the file cannot be read",
    "RS114": "two files with the same name",
    "RS115": "too many faults; the rest is not shown",
    "RS201": "a value of the wrong kind",
    "RS202": "an unknown key",
    "RS203": "a key that is missing",
    "RS204": "YAML takes the value for something else than text",
    "RS205": "not a size",
    "RS206": "an empty list",
    "RS207": "not the name of a derivative",
    "RS208": "two derivatives with the same name",
    "RS209": "not exactly one of rule, style and steps",
    "RS210": "not the name of a bucket",
    "RS211": "min_size is over max_size",
    "RS301": "a faulty key template",
    "RS302": "a faulty glob pattern",
    "RS303": "a faulty suffix",
    "RS304": "a prefix or pattern with a leading slash",
    "RS305": "a faulty key in an example",
    "RS306": "not the name of a style",
    "RS307": "a key that no derivative can have",
    "RS308": "a manifest's key with a variable of one derivative",
    "RS309": "not a folder",
}
"""Code -> what it stands for. Codes of processing rules begin with CI and are passed through."""

FAULTS = 100  # errors of one file; a file with more is not a rule set at all

SHOWN = 300  # characters of a source line

_SIZE = re.compile(SIZE_PATTERN)
_UNITS = {"": 1, "b": 1}
_UNITS.update({f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)})
_UNITS.update({f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)})

_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")

_KINDS = {
    "bool": "a truth value",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
    "merge": "a merge",
    "value": "a default",
}

_TRUTHS = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "1": "true",
    "no": "false",
    "off": "false",
    "n": "false",
    "0": "false",
}

T = TypeVar("T")
Read = Callable[[Yaml], Optional[T]]


def cut(line: str, column: int) -> str:
    """A long line is shown from its beginning, or not at all when the place lies further on."""
    return line[:SHOWN] if column <= SHOWN else ""


class TooMany(Exception):
    """Enough faults were found."""


class Reader:
    """Reads the nodes of one file. A method returns None for what it could not read, after saying why in `faults`."""

    def __init__(self, file: str, shown: list[str]) -> None:
        self.file = file
        self.shown = shown
        self.faults: list[Fault] = []
        self.errors = 0

    # --- faults -----------------------------------------------------------------------------------------------------

    def say(self, code: str, node: Yaml, message: str, mend: Optional[str] = None) -> None:
        self.say_at(code, node.line, node.column, node.length if isinstance(node, Scalar) else 1, message, mend)

    def say_inside(self, code: str, node: Scalar, start: int, message: str, mend: Optional[str] = None) -> None:
        """A fault at a character of a scalar's value; at its beginning where the value is not written as it is."""
        if node.inner is None:
            self.say_at(code, node.line, node.column, 1, message, mend)
        else:
            self.say_at(code, node.line, node.inner + start, 1, message, mend)

    def say_at(
        self, code: str, line: int, column: int, length: int, message: str, mend: Optional[str], level: str = ERROR
    ) -> None:
        self.errors += level == ERROR
        if self.errors > FAULTS:
            code, message, mend = "RS115", f"more than {FAULTS} faults; the rest is not shown", None
        self.faults.append(
            Fault(
                code=code,
                level=level,
                message=message,
                where=Where(self.file, line, column),
                mend=mend,
                source_line=cut(self.shown[line - 1], column) if line <= len(self.shown) else "",
                caret_length=length,
            )
        )
        if code == "RS115":
            raise TooMany

    def where(self, node: Yaml) -> Where:
        inner = node.inner if isinstance(node, Scalar) else None
        return Where(self.file, node.line, inner or node.column)

    # --- kinds of nodes ---------------------------------------------------------------------------------------------

    def pairs(self, node: Yaml, what: str) -> Optional[dict[str, tuple[Scalar, Yaml]]]:
        """The pairs of a mapping whose keys are texts, each once."""
        if not isinstance(node, Mapping):
            self.say("RS201", node, f"{what} is a mapping (`key: value` lines)")
            return None
        found: dict[str, tuple[Scalar, Yaml]] = {}
        for key, value in node.pairs:
            if isinstance(key, Scalar) and key.kind == "merge":
                self.say("RS111", key, "merge keys are not part of the rule language", "write the keys out")
                continue
            name = self.text(key, "a key")
            if name is None:
                continue
            if name in found:
                self.say("RS112", key, f"`{name}` stands here twice; it was line {found[name][0].line}")
                continue
            found[name] = key, value
        return found

    def known(self, node: Yaml, what: str, names: Collection[str]) -> Optional[dict[str, Yaml]]:
        """The values of a mapping by name; unknown names are faults."""
        found = self.pairs(node, what)
        if found is None:
            return None
        for name, (key, _) in found.items():
            if name not in names:
                self.say("RS202", key, f"unknown key {texts.quoted(name)} in {what}", nearest(name, names))
        return {name: value for name, (_, value) in found.items() if name in names}

    def text(self, node: Yaml, what: str) -> Optional[str]:
        if not isinstance(node, Scalar):
            self.say("RS201", node, f"{what} is a text", "put quotes around a text that begins with `{` or `[`")
            return None
        if node.kind == "str":
            return node.value
        if not node.value:
            self.say("RS204", node, f"{what} is empty", 'an empty text is written ""')
        else:
            shown = texts.quoted(node.value)[1:-1]
            message = f"{what} is a text, but YAML takes `{shown}` for {_KINDS.get(node.kind, node.kind)}"
            self.say("RS204", node, message, f'put quotes around it: "{shown}"')
        return None

    def truth(self, node: Yaml, what: str) -> Optional[bool]:
        if isinstance(node, Scalar) and node.kind == "bool" and node.value.lower() in ("true", "false"):
            return node.value.lower() == "true"
        mend = None
        if isinstance(node, Scalar) and node.value.lower() in _TRUTHS:
            mend = f"write {_TRUTHS[node.value.lower()]}"
        self.say("RS201", node, f"{what} is true or false", mend)
        return None

    def size(self, node: Yaml, what: str) -> Optional[int]:
        if isinstance(node, Scalar) and (node.kind in ("int", "str")):
            found = _SIZE.fullmatch(node.value)
            if found:
                return int(found[1]) * _UNITS[(found[3] or "").lower()]
        message = f"{what} is a whole number of bytes, or one with a unit"
        self.say("RS205", node, message, "e.g. 10485760, 10MB (million bytes) or 10MiB (1024 x 1024 bytes)")
        return None

    def listed(self, node: Yaml, what: str, read: Read[T]) -> tuple[T, ...]:
        """The items that could be read."""
        if not isinstance(node, Sequence):
            self.say("RS201", node, f"{what} is a list", "write [a, b], or a line with `- ` for each")
            return ()
        made = (read(item) for item in node.items)
        return tuple(item for item in made if item is not None)

    def plain(self, node: Yaml) -> Any:
        """The node as dict, list, text, decimal number, true, false or None.

        What only YAML takes for something else (`no`, `0x1F`, `2026-11-22`) is the text that stands there.
        """
        if isinstance(node, Mapping):
            return {name: self.plain(value) for name, (_, value) in (self.pairs(node, "this") or {}).items()}
        if isinstance(node, Sequence):
            return [self.plain(item) for item in node.items]
        if node.kind in ("int", "float") and _DECIMAL.fullmatch(node.value):
            return float(node.value) if "." in node.value else int(node.value)
        if node.kind == "bool" and node.value.lower() in ("true", "false"):
            return node.value.lower() == "true"
        return None if node.kind == "null" else node.value


def nearest(name: str, names: Collection[str]) -> str:
    """The mend for an unknown name."""
    near = texts.nearest(name, names)
    return f"did you mean `{near}`?" if near else "known: " + ", ".join(names)
