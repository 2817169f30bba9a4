"""derivo as it is typed, in this process: arguments in, exit code and both streams out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from derivo_cli import main


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Derivo = Callable[..., Done]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Derivo:
    """derivo, on a terminal of 80 columns, in the current folder."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["derivo", *map(str, arguments)])
        capsys.readouterr()
        try:
            main.main()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0
        else:
            code = 0
        return Done(code, *capsys.readouterr())

    return run
