"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.derivo_cli.running import Derivo, runner


@pytest.fixture
def derivo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Derivo:
    """derivo, typed in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)
