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
    """A template, cut. `rest`: what surely stands between slashes, the last piece first, and `front` the same from the
    left, as far as it goes without folders. `folder`: what the text behind the front begins with, when that is the
    source's folder; None when it is not. `behind`: what stands behind the last folder, where that is plain to see."""

    rest: tuple[Piece, ...]
    front: tuple[Piece, ...]
    folder: str | None
    behind: Piece

    def one_source(self) -> bool:
        """Whether different sources surely have different keys.

        The number of slashes in the key tells how many the folder has, thus where the folder that comes first ends; and
        a name between slashes, with texts around it, tells the file's name, as do its stem and its extension.
        """
        alone = {piece.variables for piece in (self.behind, *self.rest, *self.front)}
        return self.folder is not None and ((NAME,) in alone or {(STEM,), (EXT,)} <= alone)

    def meet(self, other: Pieces) -> bool:
        """Whether the two may yield the same key."""
        if self.kind == other.kind and self.folder is not None and other.folder is not None:
            fronts = [*zip(self.front, other.front, strict=True)]
            if not _begins(self.folder, other.folder) or not all(a.meets(b) for a, b in fronts):
                return False
        return all(a.meets(b) for a, b in zip(self.rest, other.rest, strict=False))

    @property
    def kind(self) -> tuple[bool, ...] | None:
        """Templates of one kind can only meet where their `head`s do: which pieces of the front hold variables."""
        return None if self.folder is None else tuple(bool(piece.variables) for piece in self.front)

    @property
    def head(self) -> str:
        """The front with the folder behind it, every piece that holds a variable standing for the same."""
        return "/".join([*("\0" if piece.variables else piece.before for piece in self.front), self.folder or ""])


def _begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def cut(derivative: Derivative, source: str) -> Pieces:
    """The pieces of a derivative's template, for sources that begin with `source`."""
    atoms = _atoms(derivative)
    front, folder = _front(atoms, source[: source.rfind("/") + 1])
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
            return Pieces(tuple(pieces), front, folder, _piece(current if plain else []))
    return Pieces((*pieces, _piece(current)), front, folder, _piece([]))


def _front(atoms: list[Atom], folder: str) -> tuple[tuple[Piece, ...], str | None]:
    """The pieces before the first folder, and the text that begins it, with what stands between them; None when that
    is not plain."""
    pieces: list[Piece] = []
    current: list[Atom] = []  # from the left
    for is_variable, text in atoms:
        if is_variable and text not in _SLASHLESS:
            plain = text == DIR_SLASH and not any(v for v, _ in current)
            return tuple(pieces), "".join(t for _, t in current) + folder if plain else None
        *names, last = [text] if is_variable else text.split("/")
        for name in names:
            pieces.append(_piece([*current, (False, name)][::-1]))
            current = []
        current.append((is_variable, last))
    return (), None


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
