"""Finite automata over an alphabet too large to list, and the search for a shortest word.

A row says where a state goes: a default for every letter that is not named, and the exceptions. Automata that are too
large to write down stay lazy: `starts`, `moves` and `accepts` are asked only where the search arrives.
"""

from __future__ import annotations

import heapq
import operator
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from derivo_cli.proof.alphabet import Alphabet, width

Node = TypeVar("Node", bound=Hashable)
Row = tuple[tuple[int, ...], dict[int, tuple[int, ...]]]
Reach = dict[tuple[frozenset[int], bool], frozenset[int]]
Moves = tuple[Sequence[Node], Mapping[int, Sequence[Node]]]

BUDGET = 50_000  # states that one question may visit; a question that needs more is refused, not guessed


class TooComplex(Exception):
    """The question needs more than BUDGET states."""


class Lazy(Protocol[Node]):
    """An automaton that is computed where it is asked."""

    def starts(self) -> Iterable[Node]: ...

    def moves(self, node: Node) -> Moves[Node]: ...

    def accepts(self, node: Node) -> bool: ...


class Machine:
    """An automaton written down. Every state leads to an accepting one; several machines may share their rows."""

    def __init__(
        self, rows: list[Row], accepting: set[int], start: tuple[int, ...], reach: Reach | None = None
    ) -> None:
        self.rows = rows
        self.accepting = accepting
        self.start = start
        self._reach: Reach = {} if reach is None else reach

    def run(self, states: Iterable[int], text: str) -> frozenset[int]:
        """The states after `text`, whose characters must all be letters."""
        here = frozenset(states)
        for char in text:
            code = ord(char)
            there: set[int] = set()
            for state in here:
                default, exceptions = self.rows[state]
                there.update(exceptions.get(code, default))
            here = frozenset(there)
            if not here:
                break
        return here

    def reach(self, states: frozenset[int], *, slashes: bool) -> frozenset[int]:
        """Every state that some text leads to, without or with slashes in it."""
        found = self._reach.get((states, slashes))
        if found is None:
            seen = set(states)
            todo = list(states)
            while todo:
                default, exceptions = self.rows[todo.pop()]
                there = set(default)
                for code, targets in exceptions.items():
                    if slashes or code != _SLASH:
                        there.update(targets)
                todo.extend(there - seen)
                seen |= there
            found = self._reach[states, slashes] = frozenset(seen)
        return found

    def starts(self) -> Iterable[int]:
        return self.start

    def moves(self, node: int) -> Moves[int]:
        return self.rows[node]

    def accepts(self, node: int) -> bool:
        return node in self.accepting


_SLASH, _DOT = ord("/"), ord(".")


def word_machine(word: str) -> Machine:
    """The automaton of one word."""
    rows: list[Row] = [((), {ord(char): (at + 1,)}) for at, char in enumerate(word)]
    return Machine([*rows, ((), {})], {len(word)}, (0,))


Targets = list[Sequence[Any]]


def joint(rows: Sequence[Moves[Any]]) -> tuple[Targets | None, dict[int, Targets | None]]:
    """Where the rows go together: the targets in each row, by default and for the letters named; None is nowhere."""
    pinned = [exceptions for default, exceptions in rows if not default]
    letters: Iterable[int] = {code for _, exceptions in rows for code in exceptions}
    if pinned:
        fewest = min(pinned, key=len)
        letters = fewest
    named: dict[int, Targets | None] = {}
    for code in letters:
        targets = []
        for default, exceptions in rows:
            some = exceptions.get(code, default)
            if not some:
                break
            targets.append(some)
        else:
            named[code] = targets
            continue
        if not pinned:
            named[code] = None
    return None if pinned else [default for default, _ in rows], named


class Found(NamedTuple, Generic[Node]):
    """A shortest accepted word, and the nodes it passes: one more than it has characters."""

    word: str
    nodes: list[Node]


def words(lazy: Lazy[Node], alphabet: Alphabet, budget: int = BUDGET) -> Iterator[Found[Node]]:
    """Accepted words, one for each accepting node, the shorter and more natural first. Raises TooComplex."""
    came: dict[Node, tuple[Node, int] | None] = {}
    queue: list[tuple[int, int, Node, tuple[Node, int] | None]] = []
    for node in lazy.starts():
        heapq.heappush(queue, (0, len(queue), node, None))
        if len(queue) > budget:
            raise TooComplex
    count = len(queue)
    while queue:
        cost, _, node, parent = heapq.heappop(queue)
        if node in came:
            continue
        came[node] = parent
        if max(len(came), count // 10) >= budget:
            raise TooComplex
        if lazy.accepts(node):
            yield _trace(came, node)
        default, exceptions = lazy.moves(node)
        if default:
            code = alphabet.other(exceptions)
            if code is not None:
                exceptions = {code: default, **exceptions}
        for code, targets in exceptions.items():
            for target in targets:
                if target not in came:
                    count += 1
                    heapq.heappush(queue, (cost + _cost(parent, code), count, target, (node, code)))


def _cost(parent: tuple[Node, int] | None, code: int) -> int:
    """Characters cost their bytes; a slash or a dot that begins a name costs more, as in no key that people write."""
    rough = code in (_SLASH, _DOT) and (parent is None or parent[1] == _SLASH)
    return 10 * width(code) + (0 if chr(code).islower() else 30 if rough or not chr(code).isprintable() else 1)


def _trace(came: dict[Node, tuple[Node, int] | None], node: Node) -> Found[Node]:
    nodes = [node]
    codes = []
    step = came[node]
    while step is not None:
        nodes.append(step[0])
        codes.append(step[1])
        step = came[step[0]]
    return Found("".join(map(chr, reversed(codes))), nodes[::-1])


def shortest(lazy: Lazy[Node], alphabet: Alphabet, budget: int = BUDGET) -> Found[Node] | None:
    """A shortest accepted word, None when there is none. Raises TooComplex."""
    return next(words(lazy, alphabet, budget), None)


class Sized(Lazy[Node], Protocol[Node]):
    """An automaton whose words stand for several keys at once."""

    def sizes(self, node: Node) -> tuple[int, ...]:
        """Bytes that each key has before anything is read from this starting node."""
        ...

    def growth(self, node: Node, code: int, target: Node) -> tuple[int, ...]:
        """Bytes that each key grows by on this move."""
        ...


def shortest_within(lazy: Sized[Node], alphabet: Alphabet, limit: int, budget: int = BUDGET) -> Found[Node] | None:
    """An accepted word all of whose keys stay within `limit` bytes, None when there is none. Raises TooComplex.

    A node is visited again when it is reached with a size that no earlier visit was below in every key.
    """
    kept: dict[Node, list[tuple[int, ...]]] = {}
    queue = [(sum(lazy.sizes(node)), n, Found("", [node]), lazy.sizes(node)) for n, node in enumerate(lazy.starts())]
    heapq.heapify(queue)
    count = len(queue)
    while queue:
        _, _, found, sizes = heapq.heappop(queue)
        node = found.nodes[-1]
        earlier = kept.setdefault(node, [])
        if max(sizes) > limit or any(all(map(operator.le, some, sizes)) for some in earlier):
            continue
        earlier.append(sizes)
        if count > budget:
            raise TooComplex
        if lazy.accepts(node):
            return found
        default, exceptions = lazy.moves(node)
        other = alphabet.other(exceptions)
        for code, targets in [*exceptions.items(), *([(other, default)] if other is not None else [])]:
            for target in targets:
                grown = tuple(map(operator.add, sizes, lazy.growth(node, code, target)))
                count += 1
                further = Found(found.word + chr(code), [*found.nodes, target])
                heapq.heappush(queue, (sum(grown), count, further, grown))
    return None


class Unlike(Generic[Node]):
    """The words of another automaton but one."""

    def __init__(self, lazy: Lazy[Node], word: str) -> None:
        self._lazy = lazy
        self._word = word

    def starts(self) -> Iterator[tuple[Node, int]]:
        return ((node, 0) for node in self._lazy.starts())

    def moves(self, node: tuple[Node, int]) -> Moves[tuple[Node, int]]:
        """The number is how much of the word was read, -1 when something else was."""
        default, exceptions = self._lazy.moves(node[0])
        usual = [(target, -1) for target in default]
        named = {code: [(target, -1) for target in targets] for code, targets in exceptions.items()}
        if 0 <= node[1] < len(self._word):
            code = ord(self._word[node[1]])
            named[code] = [(target, node[1] + 1) for target, _ in named.get(code, usual)]
        return usual, named

    def accepts(self, node: tuple[Node, int]) -> bool:
        return self._lazy.accepts(node[0]) and node[1] != len(self._word)


def build(lazy: Lazy[Node], budget: int = BUDGET) -> Machine:
    """The automaton written down, without the states that lead nowhere. Raises TooComplex."""
    ids: dict[Node, int] = {}
    todo: list[Node] = []

    def number(node: Node) -> int:
        if node not in ids:
            ids[node] = len(ids)
            todo.append(node)
            if len(ids) > budget:
                raise TooComplex
        return ids[node]

    start = tuple(number(node) for node in lazy.starts())
    raw: dict[int, Row] = {}
    accepting: set[int] = set()
    while todo:
        node = todo.pop()
        state = ids[node]
        if lazy.accepts(node):
            accepting.add(state)
        default, exceptions = lazy.moves(node)
        named = {code: tuple({number(n) for n in nodes}) for code, nodes in exceptions.items()}
        raw[state] = tuple({number(n) for n in default}), named
    alive = living(raw, accepting)
    rows = [trim(raw[state], alive) for state in range(len(ids))]
    return Machine(rows, accepting, tuple(state for state in start if state in alive))


def living(moves: Mapping[Node, Moves[Node]], alive: Iterable[Node]) -> set[Node]:
    """The nodes from which one of `alive` is reached."""
    sources: dict[Node, list[Node]] = {}
    for node, (default, exceptions) in moves.items():
        for target in {*default, *(t for targets in exceptions.values() for t in targets)}:
            sources.setdefault(target, []).append(node)
    found = set(alive)
    todo = list(found)
    while todo:
        fresh = [node for node in sources.get(todo.pop(), ()) if node not in found]
        found.update(fresh)
        todo.extend(fresh)
    return found


def trim(moves: Moves[Node], alive: Container[Node]) -> tuple[tuple[Node, ...], dict[int, tuple[Node, ...]]]:
    """The moves that lead to nodes of `alive`."""
    default = tuple(node for node in moves[0] if node in alive)
    exceptions = {}
    for code, targets in moves[1].items():
        kept = tuple(node for node in targets if node in alive)
        if kept or default:
            exceptions[code] = kept
    return default, exceptions
