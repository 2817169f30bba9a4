"""The keys that a template can yield, as an automaton that reads them from left to right.

The source's automaton is cut at two borders: the state in which the stem begins and the state in which it ends. Between
given borders folder, stem and extension are free of each other, so a template may hold them in any order, and leave
some out: a part that is written after its neighbour begins at the border that the neighbour has left, and a part that
comes first guesses its border, which its neighbour then has to meet.

That is exact as long as each part occurs once. A second occurrence is read as any text the part could be at all (of an
extension: any that some source has), so that the automaton yields more keys than there are: enough to prove that two
derivatives never meet, not that they do.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from derivo_cli.proof.alphabet import Alphabet
from derivo_cli.proof.automaton import (
    BUDGET,
    Machine,
    Moves,
    Row,
    Targets,
    TooComplex,
    Unlike,
    joint,
    living,
    shortest,
    trim,
)
from derivo_cli.proof.pullback import part_rows
from derivo_cli.proof.templates import EXTENSION, FOLDER, STEM_PART, Shape

_SLASH, _DOT = ord("/"), ord(".")


class PartWords:
    """What one part of a source key can be: texts from some states of the source's automaton to others."""

    def __init__(self, machine: Machine, shape: Shape, part: int, start: Iterable[int], ends: frozenset[int]) -> None:
        self._machine = machine
        self._rows, self._holds = part_rows(part, shape.has_extension)
        self._start = start
        self._ends = ends

    def starts(self) -> Iterator[tuple[int, int]]:
        return ((state, 0) for state in self._start)

    def moves(self, node: tuple[int, int]) -> Moves[tuple[int, int]]:
        usual, named = joint([self._machine.rows[node[0]], self._rows[node[1]]])
        exceptions = {code: list(product(*targets)) if targets else [] for code, targets in named.items()}
        return list(product(*usual)) if usual else [], exceptions

    def accepts(self, node: tuple[int, int]) -> bool:
        return node[0] in self._ends and node[1] in self._holds


_FREE_ROW: Row = ((-1,), {})


class Item(NamedTuple):
    """A character of the template, or an occurrence of a part; `free` where it is not the part's first."""

    code: int | None
    part: int = -1
    free: bool = False

    @property
    def own(self) -> bool:
        """Whether it writes a part of the source, for the first time."""
        return self.code is None and not self.free


class Spot(NamedTuple):
    """How far the template is written. `begin` and `end` are the stem's borders, None where unknown or done with."""

    shape: int
    at: int
    state: int
    hold: int
    begin: int | None
    end: int | None


class Sources:
    """A source automaton and a shape of source: where the stem can begin and end, and what a part that the template
    leaves out may be."""

    def __init__(self, shape: Shape, machine: Machine, alphabet: Alphabet) -> None:
        self.shape = shape
        self.machine = machine
        self.alphabet = alphabet
        self.items = _items(shape)
        self.written = set(shape.variables)
        self.missing = [part for part in shape.parts if part not in self.written]
        self._stem_ends: dict[int, frozenset[int]] = {}
        self._extends: dict[int, bool] = {}
        start = frozenset(machine.start)
        folders = machine.reach(start, slashes=True) if shape.has_folder else frozenset()
        self.stem_begins = frozenset(t for q in folders for t in self.after(q, _SLASH)) if shape.has_folder else start

    def after(self, state: int, code: int) -> tuple[int, ...]:
        """Where one character leads."""
        default, exceptions = self.machine.rows[state]
        return exceptions.get(code, default)

    def stem_ends(self, begin: int) -> frozenset[int]:
        """Where a stem that begins there can end, such that the rest of a source follows."""
        if begin not in self._stem_ends:
            reached = self.machine.reach(frozenset({begin}), slashes=False)
            self._stem_ends[begin] = frozenset(
                q for q in reached if self.ends_stem(q) and self.word(STEM_PART, begin, q) is not None
            )
        return self._stem_ends[begin]

    def ends_stem(self, state: int) -> bool:
        """Whether the rest of a source can follow a stem that ends there."""
        if not self.shape.has_extension:
            return state in self.machine.accepting
        if state not in self._extends:
            self._extends[state] = self.word(EXTENSION, None, state) is not None
        return self._extends[state]

    def word(self, part: int, begin: int | None, end: int | None, unlike: str | None = None) -> str | None:
        """A shortest text of the part between these borders of the stem, other than `unlike`."""
        start: Iterable[int] = self.machine.start
        ends = frozenset(self.machine.accepting)
        if part == FOLDER:
            reached = self.machine.reach(frozenset(start), slashes=True)
            ends = frozenset(q for q in reached if begin in self.after(q, _SLASH))
        elif part == STEM_PART:
            start, ends = [q for q in (begin,) if q is not None], frozenset(q for q in (end,) if q is not None)
        else:
            start = [] if end is None else self.after(end, _DOT)
        texts = PartWords(self.machine, self.shape, part, start, ends)
        if unlike is None:
            found = shortest(texts, self.alphabet)
            return None if found is None else found.word
        other = shortest(Unlike(texts, unlike), self.alphabet)
        return None if other is None else other.word


def _items(shape: Shape) -> list[Item]:
    items = [Item(ord(char)) for char in shape.texts[0]]
    for i, (part, text) in enumerate(zip(shape.variables, shape.texts[1:], strict=True)):
        items.append(Item(None, part, part in shape.variables[:i]))
        items += [Item(ord(char)) for char in text]
    return items


class OutputKeys:
    """The keys of one derivative."""

    def __init__(self, sources: Iterable[tuple[Shape, Machine]], alphabet: Alphabet) -> None:
        self.sources = [Sources(shape, machine, alphabet) for shape, machine in sources if machine.start]
        self.exact = all(sources.shape.once for sources in self.sources)

    def starts(self) -> Iterator[Spot]:
        return filter(self._living.__contains__, self._all_starts())

    def _all_starts(self) -> Iterator[Spot]:
        for i, sources in enumerate(self.sources):
            yield from self._enter(i, 0, None if sources.shape.has_folder else sources.machine.start[0], None)

    def at(self, spot: Spot) -> Sources:
        """The sources of the spot's shape."""
        return self.sources[spot.shape]

    def item(self, spot: Spot) -> Item:
        """What the spot is about to write."""
        return self.sources[spot.shape].items[spot.at]

    def moves(self, node: Spot) -> Moves[Spot]:
        return self._living[node]

    @functools.cached_property
    def _living(self) -> dict[Spot, Moves[Spot]]:
        """All spots from which the template can be written to its end. Raises TooComplex."""
        found: dict[Spot, Moves[Spot]] = {}
        todo = list(self._all_starts())
        while todo:
            node = todo.pop()
            if node not in found:
                usual, named = found[node] = self._find_moves(node)
                todo += [*usual, *(spot for spots in named.values() for spot in spots)]
                if len(found) > BUDGET:
                    raise TooComplex
        alive = living(found, filter(self.accepts, found))
        return {node: trim(moves, alive) for node, moves in found.items() if node in alive}

    def _find_moves(self, node: Spot) -> Moves[Spot]:
        if self.accepts(node):
            return [], {}
        sources, item = self.sources[node.shape], self.item(node)
        if item.code is not None:
            return [], {item.code: list(self._enter(node.shape, node.at + 1, node.begin, node.end))}
        holds, _ = part_rows(item.part, sources.shape.has_extension)
        own = _FREE_ROW if node.state < 0 else sources.machine.rows[node.state]
        usual, named = joint([own, holds[node.hold]])
        return self._go(node, usual), {code: self._go(node, targets) for code, targets in named.items()}

    def _go(self, node: Spot, targets: Targets | None) -> list[Spot]:
        """One character further within a part."""
        there = product(*targets) if targets else ()
        return [spot for state, hold in there for spot in self._settle(node._replace(state=state, hold=hold))]

    def accepts(self, node: Spot) -> bool:
        return node.at == len(self.sources[node.shape].items)

    def _enter(self, shape: int, at: int, begin: int | None, end: int | None) -> Iterator[Spot]:
        """Begin an item, where its borders allow it."""
        sources = self.sources[shape]
        if at == len(sources.items):
            yield from self._close(shape, begin, end)
            return
        later = {item.part for item in sources.items[at:] if not item.free}
        if not sources.missing and not later & {FOLDER, STEM_PART}:
            begin = None
        if not sources.missing and not later & {STEM_PART, EXTENSION}:
            end = None
        item = sources.items[at]
        spot = Spot(shape, at, -1, 0, begin, end)
        if item.code is not None:
            yield spot
        elif item.free and item.part != EXTENSION:
            yield from self._settle(spot)
        elif item.part == FOLDER:
            yield from self._settle(spot._replace(state=sources.machine.start[0]))
        elif item.part == STEM_PART:
            for state in sources.stem_begins if begin is None else (begin,):
                yield from self._settle(spot._replace(state=state, begin=state))
        else:
            everywhere = {q for b in sources.stem_begins for q in sources.stem_ends(b)}
            ends = everywhere if item.free or end is None else {end}
            for border in ends:
                for state in sources.after(border, _DOT):
                    yield from self._settle(spot._replace(state=state, end=end if item.free else border))

    def _settle(self, spot: Spot) -> Iterator[Spot]:
        """The spot itself, and those behind its part where the part may end."""
        yield spot
        sources, item = self.sources[spot.shape], self.item(spot)
        if spot.hold not in part_rows(item.part, sources.shape.has_extension)[1]:
            return
        if item.free:
            if spot.state < 0 or spot.state in sources.machine.accepting:
                yield from self._enter(spot.shape, spot.at + 1, spot.begin, spot.end)
        elif item.part == FOLDER:
            for border in sources.after(spot.state, _SLASH):
                if spot.begin in (None, border):
                    yield from self._enter(spot.shape, spot.at + 1, border, spot.end)
        elif item.part == STEM_PART:
            if spot.end in (None, spot.state) and sources.ends_stem(spot.state):
                yield from self._enter(spot.shape, spot.at + 1, spot.begin, spot.state)
        elif spot.state in sources.machine.accepting:
            yield from self._enter(spot.shape, spot.at + 1, spot.begin, spot.end)

    def _close(self, shape: int, begin: int | None, end: int | None) -> Iterator[Spot]:
        """The template is written: find the borders of what it leaves out."""
        sources = self.sources[shape]
        at = len(sources.items)
        if STEM_PART not in sources.missing:
            yield Spot(shape, at, -1, 0, begin if sources.missing else None, end if sources.missing else None)
            return
        for first in sources.stem_begins if begin is None else (begin,):
            ends = sources.stem_ends(first)
            for last in ends if end is None else ends & {end}:
                yield Spot(shape, at, -1, 0, first, last)
