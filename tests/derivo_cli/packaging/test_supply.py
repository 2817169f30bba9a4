"""Pins, licences and advisories: read from what packages and services say, never guessed."""

from __future__ import annotations

import importlib.util
from email.message import Message
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo_cli.packaging import licences
from derivo_cli.packaging.requirements import Pin, normalized, read
from tests.derivo_cli.packaging.built import ROOT


def tool(name: str) -> ModuleType:
    """A script of tools/, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def metadata(*lines: tuple[str, str]) -> Message:
    made = Message()
    for name, value in lines:
        made[name] = value
    return made


@pytest.mark.parametrize(
    ("lines", "expression"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "BSD")], "MIT OR Apache-2.0"),
        ([("License", "Apache 2.0")], "Apache-2.0"),
        ([("License", "mit")], "MIT"),
        ([("License", "see the file"), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        ([("Classifier", "Topic :: Licences :: MIT License")], licences.UNKNOWN),
        ([("License", "GPL-3.0")], licences.UNKNOWN),
        ([], licences.UNKNOWN),
    ],
)
def test_the_licence_is_what_the_metadata_says(lines: list[tuple[str, str]], expression: str) -> None:
    assert licences.licence(metadata(*lines)) == expression


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True), ("MIT AND BSD-3-Clause", True), ("GPL-3.0-only OR MIT", True), ("GPL-3.0-only AND MIT", False),
        ("AGPL-3.0-only", False), (licences.UNKNOWN, False), ("(MIT)", False), ("", False),
    ],
)  # fmt: skip
def test_a_licence_is_allowed_when_some_choice_of_it_is(expression: str, allowed: bool) -> None:
    assert licences.is_allowed(expression) is allowed


def test_pins_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    one, other = "a" * 64, "b" * 64
    file = tmp_path / "requirements.txt"
    file.write_text(
        f"# a comment\n--only-binary :all:\n--no-binary crcmod\n\nZope.Thing_x==1.0 \\\n  --hash=sha256:{one} \\\n"
        f"  --hash=sha256:{other}  # why\nabc==2.0 --hash=sha256:{one}\n"
    )
    assert read(file) == (Pin("abc", "2.0", (one,)), Pin("zope-thing-x", "1.0", (one, other)))


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True))
def test_names_are_compared_as_pypi_does(name: str) -> None:
    assert normalized(normalized(name)) == normalized(name) == normalized(name.upper().replace("-", "_"))


CLEAN = {"name": "six", "version": "1.17.0", "vulns": []}
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited: idna (3.20)"}
BROKEN = {"name": "requests", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}]}


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ([CLEAN], 0, ""),
        ([CLEAN, BROKEN, SKIPPED], 1, "requests 2.0: PYSEC-1, mended in 2.1, 3.0\n"),
        ([CLEAN, SKIPPED], 75, "the service of advisories was not reached: nothing is known of idna\n"),
        ([], 75, "the service of advisories was not reached"),
    ],
)
def test_silence_of_the_service_is_no_all_clear(
    answers: list[dict[str, Any]], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool("supply").judged(answers) == code
    assert capsys.readouterr().out.startswith(said)


def test_what_is_deployed_is_of_allowed_licences(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("supply").licences() == 0, capsys.readouterr().out
