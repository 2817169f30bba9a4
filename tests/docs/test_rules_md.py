"""Every example of docs/rules.md is run. Its commands are run by test_pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from derivo import globs, keys
from derivo.ci import compile_steps, formats, to_text
from derivo.ci.steptables import OUTPUT, STEPS
from derivo.loading import load_text
from derivo.rulesets import ERROR, WARNING, Loaded, render
from derivo_cli import linting
from tests.derivo_cli.schemas import accepts
from tools import pages

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
KEY = "a/b/tea pot.JPG"
VARIABLE = ("variable", "stands for", f"of `{KEY}")
BLOCKS = [(block["info"], block["text"]) for block in pages.BLOCK.finditer(PAGE)]
FILES = [(info.split()[1], text) for info, text in BLOCKS if info.endswith(".yml") and "serverless" not in info]
PARTS = [text for info, text in BLOCKS if info == "yaml part"]
WRONG = [(info.split()[2:], text) for info, text in BLOCKS if info.startswith("yaml wrong ")]


def rows(*heads: str) -> list[list[str]]:
    """The rows of all tables with these heads, without the marks of code."""
    found: list[list[str]] = []
    inside = False
    for line in PAGE.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().strip("`").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if inside and set(cells) != {"---"}:
            found.append(cells)
        inside = inside or cells == list(heads)
    return found


def errors(text: str) -> list[str]:
    _, faults = load_text(text, "r.yml")
    return [fault.code for fault in faults if fault.level == ERROR]


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    known = re.compile(r"console( exit-1)?|yaml (part|wrong( (RS|CI)\d{3})+|[a-z]+/[a-z]+\.yml|pre-commit|modeline)")
    assert [info for info, _ in BLOCKS if not known.fullmatch(info)] == []
    assert len(FILES) > 5
    assert len(PARTS) > 3


@pytest.mark.parametrize("text", PARTS)
def test_what_is_right_is_right(text: str) -> None:
    made, faults = load_text(text, "r.yml")
    assert made is not None, [render(fault) for fault in faults]
    assert [render(fault) for fault in faults if fault.level == WARNING and fault.code != "CI501"] == []
    assert accepts(yaml.safe_load(text))
    assert [render(fault) for fault in linting.lint(Loaded((made,)))] == []


@pytest.mark.parametrize(
    ("codes", "text"), WRONG, ids=lambda value: value if isinstance(value, str) else "-".join(value)
)
def test_what_is_wrong_is_wrong_as_it_says(codes: list[str], text: str) -> None:
    assert errors(text) == codes


def test_the_hook_that_is_named_is_there() -> None:
    (text,) = (text for info, text in BLOCKS if info == "yaml pre-commit")
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert {hook["id"] for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]} <= offered


def test_the_modeline_is_that_of_the_samples() -> None:
    (text,) = (text for info, text in BLOCKS if info == "yaml modeline")
    assert (ROOT / "rules" / "products.yml").read_text("utf-8").startswith(text)


@pytest.mark.parametrize(("name", "text"), FILES)
def test_the_schema_refuses_no_file_that_the_reader_takes(name: str, text: str) -> None:
    assert errors(text) or accepts(yaml.safe_load(text))


@pytest.mark.parametrize(("pattern", "key", "matches"), rows("pattern", "key", "matches"))
def test_patterns(pattern: str, key: str, matches: str) -> None:
    assert globs.parse(pattern).match(key) == {"yes": True, "no": False}[matches]


@pytest.mark.parametrize(("template", "source", "derivative"), rows("template", "source", "derivative"))
def test_templates(template: str, source: str, derivative: str) -> None:
    parsed = keys.parse(template)
    assert keys.expand(parsed, source_key=source, derivative="thumb", spec="0" * 12) == derivative
    assert keys.defect(derivative, source) is None


@pytest.mark.parametrize(("variable", "value"), [(row[0], row[2]) for row in rows(*VARIABLE)])
def test_variables(variable: str, value: str) -> None:
    made = keys.expand(keys.parse(f"/{variable}x"), source_key=KEY, derivative="thumb", spec="0" * 12)
    assert made == f"{value}x" or variable in ("{derivative}", "{spec}")


@pytest.mark.parametrize(("written", "size"), rows("written", "bytes"))
def test_sizes(written: str, size: str) -> None:
    rule = "derivatives: [{name: a, to: '/d/{path}', style: s}]"
    made, _ = load_text(f"max_size: {written}\n{rule}", "r.yml")
    assert made is not None
    assert made.max_size == int(size)


STEP_ROWS = rows("step", "rule")


@pytest.mark.parametrize(("step", "rule"), STEP_ROWS)
def test_steps(step: str, rule: str) -> None:
    compiled = compile_steps([yaml.safe_load(step)])
    assert compiled.problems == ()
    assert compiled.rule is not None
    assert to_text(compiled.rule) == rule


def test_there_is_an_example_of_every_step() -> None:
    shown: set[str] = {name for step, _ in STEP_ROWS for name in yaml.safe_load(step)}
    assert shown == {*STEPS, *OUTPUT}


def test_the_tables_are_there() -> None:
    assert len(rows("pattern", "key", "matches")) > 9
    assert len(rows("template", "source", "derivative")) > 9
    assert {row[0] for row in rows(*VARIABLE)} == {f"{{{v}}}" for v in keys.VARIABLES}


def test_the_suffixes_taken_by_default_are_those_listed() -> None:
    listed = PAGE.partition("Without `suffixes` ")[2].partition("`suffixes: any`")[0]
    assert tuple(re.findall(r"`(\.[a-z]+)`", listed)) == formats.SOURCE_SUFFIXES
