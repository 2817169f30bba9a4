"""Glob patterns, many at once, as one deterministic automaton.

All patterns lie in a row of bits: bit i of a set means "about to match unit i" (a unit is a token, or one character of
a literal), and each pattern ends in a bit of its own that nothing leaves. A state of the automaton is such a set, and
whether a key is accepted is a question about the end bits.
"""

from __future__ import annotations

from typing import NamedTuple

from derivo.globs import Any, Class, Deep, Folders, Literal, Star, Token
from derivo_cli.proof.alphabet import Alphabet
from derivo_cli.proof.automaton import BUDGET, Row, TooComplex, living


class Folded(NamedTuple):
    """Literal text whose ASCII letters match in either case."""

    text: str


Pattern = tuple[Token | Folded, ...]


class Selection(NamedTuple):
    """Keys that match a pattern of every group and no barred one."""

    groups: tuple[tuple[Pattern, ...], ...]
    barred: tuple[Pattern, ...] = ()

    def patterns(self) -> list[Pattern]:
        return [*(pattern for group in self.groups for pattern in group), *self.barred]


class Wanted(NamedTuple):
    """Keys of `selection`, but for those that, in every case, one of the case's selections takes first."""

    selection: Selection
    cases: tuple[tuple[Selection, ...], ...] = ((),)


class PatternAutomaton:
    """The automaton of one Wanted. It grows as it is asked for starts; its rows lead only to states that can accept."""

    def __init__(self, alphabet: Alphabet, wanted: Wanted) -> None:
        self.rows: list[Row] = []
        self.accepting: set[int] = set()
        self._ids: dict[int, int | None] = {}
        self._alphabet = alphabet
        self._ends: dict[Pattern, int] = {}
        self._sure: dict[Pattern, int] = {}  # the last unit of a pattern that ends in `**`
        self._spans: dict[Pattern, int] = {}
        self._lay_out(wanted)
        self._wanted = wanted

    def _lay_out(self, wanted: Wanted) -> None:
        units: list[Token | Folded | None] = []
        starts = 0
        for selection in [wanted.selection, *(s for case in wanted.cases for s in case)]:
            for pattern in selection.patterns():
                if pattern in self._ends:
                    continue
                start = len(units)
                starts |= 1 << start
                for token in pattern:
                    units += _units(token)
                self._ends[pattern] = 1 << len(units)
                if pattern and pattern[-1] == Deep():
                    self._sure[pattern] = 1 << len(units) - 1
                units.append(None)
                self._spans[pattern] = (1 << len(units)) - (1 << start)
        self._rolling = sum(1 << i for i, unit in enumerate(units) if isinstance(unit, (Star, Deep)))
        self._passable = sum(1 << i for i, unit in enumerate(units) if isinstance(unit, (Star, Deep, Folders)))
        self._deep = sum(1 << i for i, unit in enumerate(units) if isinstance(unit, (Deep, Folders)))
        # One bit more, which nothing leaves: the key is barred, whatever follows.
        self._dead = 1 << len(units)
        self._deep |= self._dead
        self._advance_other = 0
        self._advance: dict[int, int] = {ord("/"): 0}
        for i, unit in enumerate(units):
            self._learn(unit, 1 << i)
        self._forget(wanted)
        self._start = self._simplify(self._pass_over(starts))

    def _forget(self, wanted: Wanted) -> None:
        """Find what need not be remembered: all else once a barred pattern is sure to match, whatever follows; and the
        other patterns of a group once one of them is."""
        elsewhere = sum({self._spans[p] for case in wanted.cases for other in case for p in other.patterns()})
        selection = wanted.selection
        self._lost = sum({self._sure[p] for p in selection.barred if p in self._sure})
        self._settled: list[tuple[int, int]] = []
        for group in selection.groups:
            others = sum({self._spans[p] for other in selection.groups if other != group for p in other})
            shared = elsewhere | others | sum({self._spans[p] for p in selection.barred})
            mine = sum({self._spans[p] for p in group})
            for pattern in group:
                if pattern in self._sure:
                    self._settled.append((self._sure[pattern], mine & ~shared & ~self._spans[pattern]))

    def _simplify(self, bits: int) -> int:
        if bits & self._lost:
            return self._dead
        for sure, others in self._settled:
            if bits & sure:
                bits &= ~others
        return bits

    def _learn(self, unit: Token | Folded | None, bit: int) -> None:
        """Enter which letters complete the unit."""
        named: set[int] = set()
        if isinstance(unit, Literal):
            named = {ord(unit.text)}
        elif isinstance(unit, Folded):
            named = {ord(c) for c in ((unit.text.lower(), unit.text.upper()) if unit.text.isascii() else unit.text)}
        elif isinstance(unit, Folders):
            named = {ord("/")}
        elif isinstance(unit, Class):
            named = {code for low, high in unit.ranges for code in self._alphabet.within(low, high)}
        for code in named | {ord("/")}:
            self._advance.setdefault(code, self._advance_other)
        if isinstance(unit, Any) or (isinstance(unit, Class) and unit.negated):
            self._advance_other |= bit
            for code in self._advance:
                if code != ord("/") and code not in named:
                    self._advance[code] |= bit
        else:
            for code in named:
                if code != ord("/") or not isinstance(unit, Class):
                    self._advance[code] |= bit

    def _pass_over(self, bits: int) -> int:
        while True:
            wider = bits | (bits & self._passable) << 1
            if wider == bits:
                return bits
            bits = wider

    def _step(self, bits: int, advance: int, stay: int) -> int:
        stayed = bits & stay
        # A `**/` is passed over only on arrival: once it has taken a character it must end in a slash.
        return self._simplify(self._pass_over((bits & advance) << 1 | (stayed & self._rolling) << 1) | stayed)

    def _accepts(self, bits: int) -> bool:
        return (
            bits != self._dead
            and self._selects(self._wanted.selection, bits)
            and any(not any(self._selects(other, bits) for other in case) for case in self._wanted.cases)
        )

    def _selects(self, selection: Selection, bits: int) -> bool:
        return all(any(bits & self._ends[pattern] for pattern in group) for group in selection.groups) and not any(
            bits & self._ends[pattern] for pattern in selection.barred
        )

    def start_after(self, text: str) -> int | None:
        """The state after `text`, None when no key that begins so is accepted."""
        bits = self._start
        for char in text:
            bits = self._step(bits, *self._masks(ord(char)))
        if bits not in self._ids:
            self._explore(bits)
        return self._ids[bits]

    def _masks(self, code: int) -> tuple[int, int]:
        stay = self._deep if code == ord("/") else self._rolling | self._deep
        return self._advance.get(code, self._advance_other), stay

    def _explore(self, start: int) -> None:
        raw: dict[int, tuple[int, dict[int, int]]] = {}
        todo = [start]
        masks = [(code, *self._masks(code)) for code in self._advance]
        while todo:
            bits = todo.pop()
            if bits in raw or bits in self._ids:
                continue
            default = self._step(bits, self._advance_other, self._rolling | self._deep)
            named = {code: self._step(bits, advance, stay) for code, advance, stay in masks}
            named = {code: target for code, target in named.items() if target != default}
            raw[bits] = default, named
            todo += [default, *named.values()]
            if len(raw) + len(self._ids) > BUDGET:
                raise TooComplex
        self._keep(raw)

    def _keep(self, raw: dict[int, tuple[int, dict[int, int]]]) -> None:
        known = {bits for bits, state in self._ids.items() if state is not None}
        accepting = {bits for bits in raw if self._accepts(bits)}
        edges: dict[int, Row] = {b: ((d,), {c: (t,) for c, t in named.items()}) for b, (d, named) in raw.items()}
        alive = living(edges, accepting | known)
        for bits in raw:
            self._ids[bits] = len(self.rows) if bits in alive else None
            if bits in alive:
                self.rows.append(((), {}))
        for bits, (default, named) in raw.items():
            state = self._ids[bits]
            if state is None:
                continue
            target = self._ids[default]
            usual = () if target is None else (target,)
            row = {code: self._targets(bits) for code, bits in named.items()}
            self.rows[state] = usual, {code: there for code, there in row.items() if there != usual}
            if bits in accepting:
                self.accepting.add(state)

    def _targets(self, bits: int) -> tuple[int, ...]:
        state = self._ids[bits]
        return () if state is None else (state,)


def _units(token: Token | Folded) -> list[Token | Folded]:
    if isinstance(token, Literal):
        return [Literal(char) for char in token.text]
    return [Folded(char) for char in token.text] if isinstance(token, Folded) else [token]
