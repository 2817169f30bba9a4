"""Reads the `name/value` pairs of a stage by its table, and says what is wrong with each."""

from __future__ import annotations

from typing import Any

from derivo.ci import texts, values
from derivo.ci.tables import Family, Row, Table
from derivo.ci.values import BAD, Scan, Token


class Pairs:
    """The pairs in `tokens`: `values` by name in the order written; `at` is the first segment not read."""

    def __init__(self, scan: Scan, index: int, what: str, tokens: list[Token], table: Table) -> None:
        self.values: dict[str, Any] = {}
        self.at = 0
        self._scan = scan
        self._index = index
        self._what = what
        self._tokens = tokens
        self._table = table

    def read(self, *, nested: bool = False) -> Pairs:
        """Read all pairs; a nested reader stops at the first name that is not its own."""
        while self.at < len(self._tokens) and len(self._scan.problems) < values.MAX_PROBLEMS:
            name = self._tokens[self.at]
            row = self._table.get(name.text)
            if row is None and nested:
                break
            self.at += 1
            if row is None:
                self._unknown(name)
            else:
                self._pair(name, row)
        if BAD in self.values.values():
            self._scan.broken = True
        return self

    def fields(self) -> dict[str, Any]:
        """Field of the tree -> value."""
        return {self._table[name].field: value for name, value in self.values.items()}

    def _pair(self, name: Token, row: Row) -> None:
        value = row.bare if row.bare is not None else self._nested(name, row.nested) if row.nested else BAD
        if row.read is not None:
            value = self._value(name, row)
        end = self._tokens[self.at - 1].end
        if name.text in self.values:
            message = f"{self._what} has {name.text} twice; put the second into a stage of its own, after a |"
            self._scan.say("CI110", message, (name.start, end))
            return
        self.values[name.text] = value
        self._scan.spans[(self._index, name.text)] = (name.start, end)

    def _value(self, name: Token, row: Row) -> Any:
        value = self._tokens[self.at] if self.at < len(self._tokens) else None
        # The name of another operation is no value, save where any base64 may stand.
        other = value is not None and value.text in self._table and row.read is not values.text
        if value is None or not value.text or other:
            self._scan.say("CI105", f"{name.text} lacks its value", name)
            if value is not None and not value.text:
                self.at += 1
            return BAD
        self.at += 1
        return row.read(self._scan, name.text, value) if row.read else BAD

    def _nested(self, name: Token, family: Family) -> Any:
        pairs = Pairs(self._scan, self._index, name.text, self._tokens[self.at :], family.table).read(nested=True)
        self.at += pairs.at
        missing = [each for each in family.needs if each not in pairs.values]
        for each in missing:
            self._scan.say("CI114", f"{name.text} needs {each}", name)
        return BAD if missing or BAD in pairs.values.values() else family.make(**pairs.fields())

    def _unknown(self, name: Token) -> None:
        if not name.text:
            self._scan.say("CI111", "nothing stands between two slashes", name)
            return
        near = texts.nearest(name.text, self._table)
        before = self._tokens[self.at - 2].text if self.at > 1 else ""
        if before in self._table and self._table[before].bare is not None and near is None:
            self._scan.say("CI116", f"{before} takes no value, but {texts.quoted(name.text)} follows", name)
            return
        self._scan.say("CI104", f"{self._what} has no {texts.quoted(name.text)}", name, near)
        if self.at < len(self._tokens) and self._tokens[self.at].text not in self._table:
            self.at += 1  # most likely its value
