"""Two derivatives at once: do two sources share a key?

Both outputs are read along one and the same key. For one template on both sides the two sources differ exactly when
some character is written by different places of the template, or when a part that the template leaves out may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from derivo_cli.proof.alphabet import width
from derivo_cli.proof.automaton import Found, Machine, Moves, Targets, joint
from derivo_cli.proof.outputs import OutputKeys, Sources, Spot
from derivo_cli.proof.templates import EXTENSION, FOLDER, STEM_PART


class Meeting(NamedTuple):
    """Both outputs' spots, the state of what a key may be at all, and whether the sources are known to differ."""

    one: Spot
    two: Spot
    key: int
    differ: bool


class Meetings:
    """The keys that both outputs yield. `distinct`: only those for which the sources can differ, which asks that both
    have the same template."""

    def __init__(self, one: OutputKeys, two: OutputKeys, writable: Machine, *, distinct: bool) -> None:
        self._one = one
        self._two = two
        self._writable = writable
        self._distinct = distinct

    def starts(self) -> Iterator[Meeting]:
        others = list(self._two.starts())
        for spot in self._one.starts():
            for other in others:
                same = self._one.at(spot).shape.parts == self._two.at(other).shape.parts
                yield Meeting(spot, other, self._writable.start[0], not same)

    def moves(self, node: Meeting) -> Moves[Meeting]:
        differ = node.differ or node.one.at != node.two.at
        rows = [self._one.moves(node.one), self._two.moves(node.two), self._writable.rows[node.key]]
        usual, named = joint(rows)
        return _meet(usual, differ), {code: _meet(targets, differ) for code, targets in named.items()}

    def accepts(self, node: Meeting) -> bool:
        return (
            node.key in self._writable.accepting
            and self._one.accepts(node.one)
            and self._two.accepts(node.two)
            and (not self._distinct or node.differ or bool(self._apart(node)))
        )

    def sizes(self, node: Meeting) -> tuple[int, int, int]:
        """Bytes of the key and of both sources before anything is read. What a template leaves out is not counted."""
        return 0, len(self._one.at(node.one).shape.parts) - 1, len(self._two.at(node.two).shape.parts) - 1

    def growth(self, node: Meeting, code: int, target: Meeting) -> tuple[int, int, int]:
        """Bytes by which the key and both sources grow."""
        size = width(code)
        return size, size * self._one.item(node.one).own, size * self._two.item(node.two).own

    def keys(self, found: Found[Meeting]) -> tuple[str, str]:
        """The two source keys of a meeting. Exact when no variable stands twice in the templates."""
        last = found.nodes[-1]
        missing = self._apart(last) if self._distinct and not last.differ else {}
        one, two = _missing(self._one.at(last.one), last.one), _missing(self._two.at(last.two), last.two)
        for part, (first, second) in missing.items():
            one[part], two[part] = first, second
        for char, node in zip(found.word, found.nodes, strict=False):
            for outputs, spot, parts in ((self._one, node.one, one), (self._two, node.two, two)):
                item = outputs.item(spot)
                if item.own:
                    parts[item.part] = parts.get(item.part, "") + char
        return _key(self._one.at(last.one), one), _key(self._two.at(last.two), two)

    def _apart(self, node: Meeting) -> dict[int, tuple[str, str]]:
        """Two different texts for one part that the template leaves out; empty when all such parts are certain."""
        one, two = self._one.at(node.one), self._two.at(node.two)
        for part in one.missing:
            first = one.word(part, node.one.begin, node.one.end)
            second = two.word(part, node.two.begin, node.two.end, unlike=first)
            if second is None:
                second = first
                first = one.word(part, node.one.begin, node.one.end, unlike=second)
            if first is not None and second is not None:
                return {part: (first, second)}
        return {}


def _meet(targets: Targets | None, differ: bool) -> list[Meeting]:
    return [Meeting(one, two, key, differ) for one, two, key in product(*targets)] if targets else []


def _missing(sources: Sources, spot: Spot) -> dict[int, str]:
    return {part: sources.word(part, spot.begin, spot.end) or "" for part in sources.missing}


def _key(sources: Sources, parts: dict[int, str]) -> str:
    folder = parts.get(FOLDER, "") + "/" if sources.shape.has_folder else ""
    extension = "." + parts.get(EXTENSION, "") if sources.shape.has_extension else ""
    return folder + parts[STEM_PART] + extension
