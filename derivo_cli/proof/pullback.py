"""The sources whose derivative's key lies in a given language: the inverse image of an automaton under a template.

The source key is read once, from left to right, through the source's own automaton. Beside it runs one copy of the
target's automaton for each occurrence of a variable in the template: all copies of P read the folder, then all of S the
stem, then all of X the extension. A link holds the copies together: where one occurrence and the text behind it end,
the next must begin. When the next one is read earlier than its predecessor, its beginning is guessed and the guess is
checked when the predecessor ends. The result is an automaton again, so that a chain of templates is pulled back link by
link, from its last key to its first. It is exact for every template, repeated variables included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from derivo_cli.proof.alphabet import width
from derivo_cli.proof.automaton import Machine, Moves, Row, Targets, joint
from derivo_cli.proof.templates import EXTENSION, FOLDER, STEM_PART, Shape

_SLASH, _DOT = ord("/"), ord(".")

# What a part of the key may hold, as little automata. Nothing is asked of a folder.
_FOLDER_ROWS: list[Row] = [((0,), {})]
# Names: some character, and no slash.
_STEM_ROWS: list[Row] = [((1,), {_SLASH: ()})] * 2
# A stem without extension: 1 is whole, 2 ends in a dot (whole too), 3 would be a name with an extension.
_NAME_ROWS: list[Row] = [
    ((1,), {_SLASH: ()}),
    ((1,), {_SLASH: (), _DOT: (2,)}),
    ((3,), {_SLASH: (), _DOT: (2,)}),
    ((3,), {_SLASH: (), _DOT: (2,)}),
]
_EXTENSION_ROWS: list[Row] = [((1,), {_SLASH: (), _DOT: ()})] * 2


ANYTHING = Machine([((0,), {})], {0}, (0,))


def part_rows(part: int, has_extension: bool) -> tuple[list[Row], frozenset[int]]:
    """The automaton of what P, S or X may hold, starting at 0, and its accepting states."""
    if part == FOLDER:
        return _FOLDER_ROWS, frozenset({0})
    if part == EXTENSION:
        return _EXTENSION_ROWS, frozenset({1})
    return (_STEM_ROWS, frozenset({1})) if has_extension else (_NAME_ROWS, frozenset({1, 2}))


def forward(shape: Shape, target: Machine) -> list[frozenset[int]] | None:
    """States of `target` in which each occurrence may begin, and at last those where the key may end; more than there
    truly are, never fewer. None when no key of this shape gets through: a quick no."""
    here = target.run(target.start, shape.texts[0])
    begins = [here]
    for variable, text in zip(shape.variables, shape.texts[1:], strict=True):
        here = target.run(target.reach(here, slashes=variable == FOLDER), text)
        begins.append(here)
    return begins if here & target.accepting else None


class Place(NamedTuple):
    """How far the source key is read. `links[i]` belongs to the gap before occurrence i: a guessed beginning, or the
    end of the occurrence before it; None when nothing is open."""

    shape: int
    part: int
    state: int
    hold: int
    copies: tuple[int, ...]
    links: tuple[int | None, ...]


class PullBack:
    """The keys of a source automaton whose key by the template is in `target`.

    `sources` has an automaton of the sources for each shape, or None where a shape is not to be looked at.
    """

    def __init__(self, sources: Iterable[tuple[Shape, Machine]], target: Machine) -> None:
        self._target = target
        self._shapes: list[tuple[Shape, Machine, list[frozenset[int]]]] = []
        for shape, machine in sources:
            begins = forward(shape, target) if machine.start else None
            if begins is not None:
                self._shapes.append((shape, machine, begins))

    def starts(self) -> Iterator[Place]:
        for i, (shape, machine, _) in enumerate(self._shapes):
            for state in machine.start:
                yield from self._enter(i, shape.parts[0], state, (None,) * len(shape.texts))

    def moves(self, node: Place) -> Moves[Place]:
        shape, machine, _ = self._shapes[node.shape]
        row = machine.rows[node.state]
        holds, _ = part_rows(node.part, shape.has_extension)
        usual, named = joint([row, holds[node.hold], *(self._target.rows[copy] for copy in node.copies)])
        exceptions = {code: self._within(node, targets) for code, targets in named.items()}
        border = self._border(node)
        if border is not None:
            exceptions.setdefault(border, self._within(node, usual))
            exceptions[border] = [*exceptions[border], *self._leave(node, border)]
        return self._within(node, usual), exceptions

    def sizes(self, node: Place) -> tuple[int, int]:
        """Bytes of the source and of the derivative's key (its texts) before anything is read."""
        return 0, len("".join(self._shapes[node.shape][0].texts).encode())

    def growth(self, node: Place, code: int, target: Place) -> tuple[int, int]:
        """Bytes by which the two keys grow; the characters between the parts are among the template's texts."""
        return width(code), width(code) * len(node.copies) * (target.part == node.part)

    def _within(self, node: Place, targets: Targets | None) -> list[Place]:
        if targets is None:
            return []
        return [
            Place(node.shape, node.part, state, hold, tuple(copies), node.links)
            for state, hold, *copies in product(*targets)
        ]

    def _border(self, node: Place) -> int | None:
        shape = self._shapes[node.shape][0]
        if node.part == FOLDER:
            return _SLASH
        return _DOT if node.part == STEM_PART and shape.has_extension else None

    def _leave(self, node: Place, border: int) -> Iterator[Place]:
        """The node's part ends before the border character, and the next part begins behind it."""
        machine = self._shapes[node.shape][1]
        default, exceptions = machine.rows[node.state]
        after = exceptions.get(border, default)
        links = self._finish(node) if after else None
        if links is not None:
            for state in after:
                yield from self._enter(node.shape, node.part + 1, state, links)

    def accepts(self, node: Place) -> bool:
        shape, machine, _ = self._shapes[node.shape]
        return node.part == shape.parts[-1] and node.state in machine.accepting and self._finish(node) is not None

    def _enter(self, at: int, part: int, state: int, links: tuple[int | None, ...]) -> Iterator[Place]:
        """Begin a part: the occurrences of its variable begin where their predecessor ended, or at a guess."""
        shape, _, begins = self._shapes[at]
        mine = [i for i, variable in enumerate(shape.variables) if variable == part]
        choices: list[Iterable[int]] = []
        guessed = [i > 0 and shape.variables[i - 1] >= part for i in range(len(shape.variables))]
        for i in mine:
            link = links[i]
            if i == 0 or guessed[i] or link is None:
                choices.append(begins[i])
            else:
                choices.append(self._target.run((link,), shape.texts[i]))
        for copies in product(*choices):
            open_links = list(links)
            for i, copy in zip(mine, copies, strict=True):
                open_links[i] = copy if guessed[i] else None
            yield Place(at, part, state, 0, copies, tuple(open_links))

    def _finish(self, node: Place) -> tuple[int | None, ...] | None:
        """The links when the node's part ends here; None when it may not."""
        shape, _, _ = self._shapes[node.shape]
        if node.hold not in part_rows(node.part, shape.has_extension)[1]:
            return None
        links = list(node.links)
        mine = [i for i, variable in enumerate(shape.variables) if variable == node.part]
        for i, end in zip(mine, node.copies, strict=True):
            if i + 1 == len(shape.variables):
                if not self._target.run((end,), shape.texts[-1]) & self._target.accepting:
                    return None
            elif shape.variables[i + 1] > node.part:
                links[i + 1] = end
            elif links[i + 1] not in self._target.run((end,), shape.texts[i + 1]):
                return None
            else:
                links[i + 1] = None
        return tuple(links)
