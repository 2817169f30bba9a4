"""The pages of docs/ are as the code is: tables, outputs, settings, codes, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derivo.rulekeys import DERIVATIVE_KEYS, RULE_SET_KEYS
from derivo.settings import SETTINGS
from derivo_cli import codes, main
from tools import pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("path", pages.PAGES, ids=lambda path: path.name)
def test_tables_and_outputs_are_fresh(path: Path) -> None:
    page = path.read_text("utf-8")
    assert page == pages.refreshed(page), "refresh it: python tools/pages.py"


def test_every_setting_is_named() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert [setting.name for setting in SETTINGS if f"`{setting.name}`" not in page] == []


def test_every_key_and_code_is_named() -> None:
    page = (ROOT / "docs" / "rules.md").read_text("utf-8")
    names = [*RULE_SET_KEYS, *DERIVATIVE_KEYS, *(row.code for row in codes.ALL)]
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_codes_are_one_each() -> None:
    assert len({row.code for row in codes.ALL}) == len(codes.ALL)


def test_the_codes_of_the_command_line_are_those_that_it_gives() -> None:
    sources = [path for path in (ROOT / "derivo_cli").rglob("*.py") if path.name != "codes.py"]
    given = {code for path in sources for code in re.findall(r'"((?:PF|EX)\d{3})"', path.read_text("utf-8"))}
    assert given == {row.code for row in (*codes.PROOFS, *codes.EXAMPLES)}


def test_every_command_of_lint_and_its_kin_is_told() -> None:
    page = (ROOT / "docs" / "rules.md").read_text("utf-8")
    told = set(re.findall(r"derivo ([a-z]+)", page))
    names = {command.callback.__name__ for command in main.app.registered_commands if command.callback is not None}
    assert {"lint", "explain", "schema"} <= told & names


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_inside_docs_lead_somewhere(path: Path) -> None:
    page = path.read_text("utf-8")
    prose = pages.BLOCK.sub("", page)
    heads = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif "://" not in target:
            assert (path.parent / target.partition("#")[0]).exists(), target
