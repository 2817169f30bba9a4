"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from coslocal.pytest_plugin import Server
from tests.derivo_cli.running import Derivo, runner
from tests.derivo_cli.shell import PNG, RULES, Shell


@pytest.fixture
def derivo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Derivo:
    """derivo, typed in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)


@pytest.fixture
def shell(coslocal_server: Server, tmp_path: Path) -> Shell:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "in.yml").write_text(RULES, "utf-8")
    (tmp_path / "a b.png").write_bytes(PNG)
    (tmp_path / "text.png").write_bytes(b"no picture")
    return Shell(coslocal_server, tmp_path)
