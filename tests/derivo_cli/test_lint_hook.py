"""The pre-commit hook: what other repositories get when they name this one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.derivo_cli.running import Derivo

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RULES = "prefix: in/\nderivatives: [{name: t, to: '/out/{path}', rule: imageMogr2/rotate/90}]\n"


@pytest.fixture
def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def test_its_entry_is_a_command_that_lints_the_folder(hook: dict[str, Any], derivo: Derivo, tmp_path: Path) -> None:
    program, *arguments = hook["entry"].split()
    assert program in PROJECT["scripts"]
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text(RULES, "utf-8")
    assert derivo(*arguments).code == 0
    (tmp_path / "rules" / "a.yml").write_text(RULES.replace("/out", "/in"), "utf-8")
    assert derivo(*arguments).code == 1


def test_it_reads_the_whole_folder_whenever_a_rule_set_changes(hook: dict[str, Any]) -> None:
    assert hook["pass_filenames"] is False
    assert re.search(hook["files"], "rules/products.yml")
    assert re.search(hook["files"], "rules/shop/products.yaml")
    assert not re.search(hook["files"], "docs/rules.md")
    assert not re.search(hook["files"], "rules/schema.json")


def test_it_installs_what_the_command_line_needs(hook: dict[str, Any]) -> None:
    """pre-commit installs a repository without its extras, so the hook names them."""
    assert hook["language"] == "python"
    assert hook["additional_dependencies"] == PROJECT["optional-dependencies"]["cli"]
