"""Byte code for the target's Python, where an interpreter of that version is at hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from derivo_cli.exits import FINDINGS, Stop

CODE_ROOT = "/var/user/"
"""Where the cloud unpacks a function (SCF 2.5): tracebacks name files as they lie there, wherever this was built."""

_ASK = "import sys; print(sys.implementation.name, *sys.version_info[:3])"

# Runs in that interpreter. Unchecked: the folder is never written to, so nothing is compared at import.
_COMPILE = """
import py_compile, sys
for path in sys.argv[2:]:
    py_compile.compile(
        sys.argv[1] + "/" + path,
        dfile={root!r} + path,
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


@dataclass(frozen=True)
class Interpreter:
    """CPython of the version that was asked for."""

    path: Path
    version: str


def interpreter(python: str) -> Interpreter | None:
    """A CPython of that version, such as 3.10: this one, or on PATH, or pyenv's, newest first; None where none is."""
    for path in _candidates(python):
        try:
            done = subprocess.run(
                [path, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        name, _, version = done.stdout.strip().partition(" ")
        if done.returncode == 0 and name == "cpython" and version.split()[:2] == python.split("."):
            return Interpreter(path, ".".join(version.split()))
    return None


def _candidates(python: str) -> Iterator[Path]:
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == python:
        yield Path(sys.executable)
    on_path = shutil.which(f"python{python}")
    if on_path is not None:
        yield Path(on_path)
    installed = (Path.home() / ".pyenv" / "versions").glob(f"{python}.*/bin/python{python}")
    yield from sorted(installed, key=lambda path: [int(part) for part in path.parts[-3].split(".") if part.isdigit()])[
        ::-1
    ]


def compile_all(folder: Path, paths: list[str], by: Interpreter) -> None:
    """Write byte code beside those sources. The same sources give the same bytes, in whatever folder they lie.

    Raises Stop for a source that is not of that Python.
    """
    done = subprocess.run(
        [by.path, "-S", "-s", "-B", "-c", _COMPILE.format(root=CODE_ROOT), str(folder.resolve()), *paths],
        # sets of constants come in the order of their hashes
        env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Stop(f"Python {by.version} cannot compile the function:\n{done.stderr.strip()}", FINDINGS)
