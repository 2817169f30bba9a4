"""A checkout that is packaged in a moment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.derivo_cli.packaging.built import ROOT, RULE, SIX


@pytest.fixture
def small_checkout(tmp_path: Path) -> Path:
    """A folder like Derivo's own, with one small requirement and one rule set."""
    shutil.copytree(ROOT / "functions", tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", tmp_path / "LICENSE")
    (tmp_path / "requirements.txt").write_text(SIX, "utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "in.yml").write_text("prefix: in/\n" + RULE % "/out/{path}", "utf-8")
    return tmp_path
