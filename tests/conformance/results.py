"""What a client's run gives: one result for each check."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable
from typing import NamedTuple
from xml.etree import ElementTree


class Result(NamedTuple):
    """`error` is empty when the check held, else what was seen instead, on a few lines."""

    check: str
    error: str = ""


def attempt(check: str, action: Callable[[], object]) -> Result:
    """Run one check; whatever it raises is its error."""
    try:
        action()
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return Result(check, f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno}: {frame.line})")
    return Result(check)


def title(function: Callable[..., object]) -> str:
    """`check_a_key_is_text` reads `a key is text`."""
    return function.__name__.removeprefix("check_").replace("_", " ")


def checks_of(namespaces: Iterable[object]) -> list[Callable[..., None]]:
    """The functions called check_* of modules, in the order in which they are written."""
    return [value for space in namespaces for name, value in vars(space).items() if name.startswith("check_")]


def from_lines(text: str) -> list[Result]:
    """The results among the lines that a script printed: `{"check": "...", "error": "..."}` each."""
    found = []
    for line in text.splitlines():
        if line.startswith('{"check"'):
            entry = json.loads(line)
            found.append(Result(entry["check"], entry.get("error") or ""))
    return found


def from_junit(document: str) -> list[Result]:
    """One result for each test of a JUnit report; a test that was left out counts as an error."""
    found = []
    for case in ElementTree.fromstring(document).iter("testcase"):
        troubles = [element for element in case if element.tag in ("failure", "error", "skipped")]
        errors = [f"{element.tag}: {element.get('message') or element.text or ''}" for element in troubles]
        found.append(Result(f"{case.get('classname')}.{case.get('name')}", "\n".join(errors)))
    return found
