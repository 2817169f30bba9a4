"""The demo's function runs under what `derivo policy` prints, and not under less."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.pictures import PUT, picture
from demo.results import Result
from demo.run import rights, run
from derivo.loading import load
from derivo.matching import RuleSetIndex
from tests.demo.test_run import RULES, sideways


@pytest.fixture(scope="module")
def index() -> RuleSetIndex:
    return RuleSetIndex(load(str(RULES)).rule_sets)


def demo(index: RuleSetIndex, out: Path, role: dict[str, Any]) -> list[Result]:
    pictures = [
        picture("products/a 50%.png", sideways(), "asks how fileids are read"),
        picture("avatars/put.jpg", sideways(), "derived at upload", PUT),
    ]
    return run(pictures, index, out, Console(file=io.StringIO()), role=role)


def test_under_the_least_rights_all_is_made(index: RuleSetIndex, tmp_path: Path) -> None:
    made = demo(index, tmp_path, rights(index))
    assert [result.failed for result in made] == [0, 0]
    assert made[1].skipped == 4


@pytest.mark.parametrize("at", [1])
def test_without_any_statement_something_is_missing(index: RuleSetIndex, tmp_path: Path, at: int) -> None:
    role = copy.deepcopy(rights(index))
    allowing = [each for each in role["statement"] if each["effect"] == "allow"]
    assert len(allowing) == 3
    role["statement"].remove(allowing[at])
    made = demo(index, tmp_path, role)
    assert made[0].failed > 0
