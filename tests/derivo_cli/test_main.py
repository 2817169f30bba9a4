"""The command line itself: what every command does alike, and the exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from derivo import __version__
from derivo_cli import linting, main
from tests.derivo_cli.running import Derivo

COMMANDS = [command.callback.__name__ for command in main.app.registered_commands if command.callback is not None]


def test_the_version(derivo: Derivo) -> None:
    assert derivo("--version") == (0, f"derivo {__version__}\n", "")


def test_without_arguments_the_commands_are_listed(derivo: Derivo) -> None:
    done = derivo()
    listed = done.out + done.err
    assert done.code == 2
    assert all(f"  {name} " in listed for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_what_it_takes(derivo: Derivo, name: str) -> None:
    done = derivo(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: derivo {name} ")
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [("frobnicate",), ("lint", "--nope"), ("lint", "a", "b"), ("explain",), ("put",)])
def test_what_is_not_understood_is_a_usage_error(derivo: Derivo, arguments: tuple[str, ...]) -> None:
    done = derivo(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    assert "Usage: derivo" in done.err


def test_a_bug_is_3_with_a_report_that_names_versions_and_frames(
    derivo: Derivo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of cheese")

    (tmp_path / "rules").mkdir()
    monkeypatch.setattr(linting, "lint", broken)
    monkeypatch.setenv("TENCENTCLOUD_SECRETKEY", "do-not-show-me")
    done = derivo("lint")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("derivo: this is a bug in derivo; please report it with the lines below\n")
    assert f"derivo {__version__}, SDK " in done.err
    assert "RuntimeError: out of cheese" in done.err
    assert "do-not-show-me" not in done.err


def test_an_interruption_is_130_and_says_so(derivo: Derivo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "rules").mkdir()
    monkeypatch.setattr(linting, "lint", interrupted)
    done = derivo("lint")
    assert done == (130, "", "derivo: interrupted\n")


def test_a_setting_that_is_malformed_is_named(derivo: Derivo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    monkeypatch.setenv("DERIVO_COS_SCHEME", "ftp")
    done = derivo("put", "a.jpg", "cos://photos-1250000000/a.jpg")
    assert done.code == 2
    assert done.err == "derivo: DERIVO_COS_SCHEME='ftp': expected http or https\n"


def test_a_reader_that_goes_away_is_no_bug(tmp_path: Path) -> None:
    """`derivo schema | head -1` ends quietly."""
    shell = f"'{sys.executable}' -c 'from derivo_cli.main import main; main()' schema | head -c 1"
    done = subprocess.run(
        ["bash", "-c", shell],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("{", "")
