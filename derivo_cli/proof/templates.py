"""Key templates as the proofs read them.

A source key is a folder, a stem and an extension: `P/S.X`, where S and X hold no slash and X no dot. The slash with P,
and the dot with X, may be missing; which of them are there is the key's shape. For one shape every template is a plain
row of texts and of the variables P, S and X.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from derivo.keys import DERIVATIVE, DIR, DIR_SLASH, DOT_EXT, EXT, NAME, PATH, SPEC, STEM, Text
from derivo.rulesets import Derivative

FOLDER, STEM_PART, EXTENSION = range(3)  # P, S and X, in the order in which a source key holds them


@dataclass(frozen=True)
class Shape:
    """The template for sources of one shape: `texts[0] variables[0] texts[1] ... texts[-1]`.

    `hollow`: it makes an empty name by itself, so only a source that has an empty name of its own gives a usable key.
    """

    has_folder: bool
    has_extension: bool
    texts: tuple[str, ...]
    variables: tuple[int, ...]
    hollow: bool

    @property
    def parts(self) -> tuple[int, ...]:
        """The variables that a source of this shape has."""
        return (FOLDER,) * self.has_folder + (STEM_PART,) + (EXTENSION,) * self.has_extension

    @property
    def once(self) -> bool:
        """No variable occurs twice."""
        return len(set(self.variables)) == len(self.variables)

    @property
    def ordered(self) -> bool:
        """The variables stand in the order of the source key, each once."""
        return all(a < b for a, b in itertools.pairwise(self.variables))


def shapes(derivative: Derivative, prefix: str = "") -> Iterator[Shape]:
    """The template of a derivative for each shape that sources below `prefix` may have."""
    for has_folder in (True, False)[: 1 if "/" in prefix else 2]:
        for has_extension in (True, False):
            yield _shape(derivative, has_folder, has_extension)


def _shape(derivative: Derivative, has_folder: bool, has_extension: bool) -> Shape:
    texts = [""]
    variables: list[int] = []
    for atom in _atoms(derivative, has_folder, has_extension):
        if isinstance(atom, str):
            texts[-1] += atom
        else:
            variables.append(atom)
            texts.append("")
    hollow = "" in "x".join(texts).split("/")
    return Shape(has_folder, has_extension, tuple(texts), tuple(variables), hollow)


def _atoms(derivative: Derivative, has_folder: bool, has_extension: bool) -> Iterator[str | int]:
    folder: list[str | int] = [FOLDER, "/"] if has_folder else []
    dot: list[str | int] = [".", EXTENSION] if has_extension else []
    values: dict[str, list[str | int]] = {
        PATH: [*folder, STEM_PART, *dot],
        DIR: folder[:1],
        DIR_SLASH: folder,
        NAME: [STEM_PART, *dot],
        STEM: [STEM_PART],
        EXT: dot[1:],
        DOT_EXT: dot,
        DERIVATIVE: [derivative.name],
        SPEC: [derivative.spec],
    }
    if not derivative.to.absolute:
        yield from folder
    for part in derivative.to.parts:
        if isinstance(part, Text):
            yield part.text
        else:
            yield from values[part.name]
