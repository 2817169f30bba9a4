"""Every choice of every dialect switches something that a client can see: a probe a dialect, an expectation a choice.

A probe is given a World under one choice and returns what a client sees; the expectations of a dialect all differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coslocal.dialects import BY_NAME, GROUPS, TABLE

from .dialects import events, images, jobs, requests  # noqa: F401  (they register their probes)
from .dialects.probing import PROBES, World

MATRIX = [
    pytest.param(dialect.name, choice, id=f"{dialect.name}={choice}") for dialect in TABLE for choice in dialect.choices
]


@pytest.mark.parametrize(("name", "choice"), MATRIX)
def test_every_choice_switches_what_a_client_sees(cos: Any, tmp_path: Path, name: str, choice: str) -> None:
    see, expected = PROBES[name]
    assert see(World(cos, {name: choice}, tmp_path)) == expected[choice]


def test_every_dialect_has_a_probe_that_tells_its_choices_apart() -> None:
    assert set(PROBES) == set(BY_NAME)
    for name, (_, expected) in PROBES.items():
        assert set(expected) == set(BY_NAME[name].choices), name
        told = [repr(value) for value in expected.values()]
        assert len(told) == len(set(told)), name


def test_names_are_one_each_and_have_reasons_that_say_where() -> None:
    assert len(BY_NAME) == len(TABLE) == sum(len(group) for group in GROUPS.values())
    for dialect in TABLE:
        assert len(dialect.choices) == len(set(dialect.choices)) >= 2
        assert dialect.reason.startswith(("CI ", "COS ", "SCF ")), dialect.name
