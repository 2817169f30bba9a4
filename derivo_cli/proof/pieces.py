"""Templates that plainly cannot collide, seen without any automaton.

A key's folder is everything before its last slash, so texts and file names between literal slashes can be counted off
from the right. That settles most templates that people write: it only ever says yes when it is sure.
"""

from __future__ import annotations

from typing import NamedTuple

from derivo.keys import DERIVATIVE, DIR_SLASH, DOT_EXT, EXT, NAME, PATH, SPEC, STEM, Text
from derivo.rulesets import Derivative

Atom = tuple[bool, str]  # whether it is a variable; its name, or the text

_SLASHLESS = {NAME, STEM, EXT, DOT_EXT}


class Piece(NamedTuple):
    """What stands between two slashes: the text it begins and ends with, and the variables between."""

    before: str
    after: str
    variables: tuple[str, ...]

    def meets(self, other: Piece) -> bool:
        """Whether a text may be both."""
        if not self.variables and not other.variables:
            return self.before == other.before
        return (
            _begins(self.before, other.before)
            and _begins(self.after[::-1], other.after[::-1])
            and all(
                one.variables or (one.before.startswith(two.before) and one.before.endswith(two.after))
                for one, two in ((self, other), (other, self))
            )
        )


class Pieces(NamedTuple):
    """A template, cut. `rest`: what surely stands between slashes, the last piece first. `folder_first`: the first
    variable is the source's folder; `behind`: what stands behind the last folder, where that is plain to see."""

    rest: tuple[Piece, ...]
    folder_first: bool
    behind: Piece

    def one_source(self) -> bool:
        """Whether different sources surely have different keys.

        The number of slashes in the key tells how many the folder has, thus where the folder that comes first ends; and
        a name between slashes, with texts around it, tells the file's name.
        """
        return self.folder_first and any(piece.variables == (NAME,) for piece in (self.behind, *self.rest))

    def meet(self, other: Pieces) -> bool:
        """Whether the two may yield the same key."""
        return all(a.meets(b) for a, b in zip(self.rest, other.rest, strict=False))


def _begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def cut(derivative: Derivative) -> Pieces:
    """The pieces of a derivative's template."""
    atoms = _atoms(derivative)
    folder_first = next((text for is_variable, text in atoms if is_variable), "") == DIR_SLASH
    pieces: list[Piece] = []
    current: list[Atom] = []  # from the right
    while atoms:
        is_variable, text = atoms.pop()
        if not is_variable:
            first, *names = text.split("/")
            for name in names[::-1]:
                pieces.append(_piece([*current, (False, name)]))
                current = []
            current.append((False, first))
        elif text in _SLASHLESS:
            current.append((True, text))
        else:
            before = "".join("?" if v else t for v, t in atoms)
            if text == DIR_SLASH and (not before or before.endswith("/")):
                pieces.append(_piece(current))
            plain = text == DIR_SLASH and not any(v for v, _ in atoms)
            return Pieces(tuple(pieces), folder_first, _piece(current if plain else []))
    return Pieces((*pieces, _piece(current)), folder_first, _piece([]))


def _piece(atoms: list[Atom]) -> Piece:
    """The piece of atoms that were gathered from the right."""
    ordered = [atom for atom in atoms[::-1] if atom != (False, "")]
    variables = tuple(text for is_variable, text in ordered if is_variable)
    if not variables:
        whole = "".join(text for _, text in ordered)
        return Piece(whole, whole, ())
    at = [i for i, (is_variable, _) in enumerate(ordered) if is_variable]
    before = "".join(text for _, text in ordered[: at[0]])
    after = "".join(text for _, text in ordered[at[-1] + 1 :])
    if at[-1] - at[0] >= len(at):
        variables = (*variables, "")  # a text between them: no single variable
    return Piece(before, after, variables)


def _atoms(derivative: Derivative) -> list[Atom]:
    constants = {DERIVATIVE: derivative.name, SPEC: derivative.spec}
    atoms: list[Atom] = [] if derivative.to.absolute else [(True, DIR_SLASH)]
    for part in derivative.to.parts:
        if isinstance(part, Text):
            atoms.append((False, part.text))
        elif part.name in constants:
            atoms.append((False, constants[part.name]))
        elif part.name == PATH:
            atoms += [(True, DIR_SLASH), (True, NAME)]
        elif part.name == DOT_EXT and atoms[-1:] == [(True, STEM)]:
            atoms[-1] = True, NAME
        else:
            atoms.append((True, part.name))
    return atoms
