"""requirements.txt: what goes into a package, pinned by version and digest. pip reads the same file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from derivo_cli.exits import USAGE, Stop

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})*)")
_OPTION = re.compile(r"--(?:only-binary|no-binary)[ =]\S+")


@dataclass(frozen=True)
class Pin:
    """One package: the name as PyPI compares names, the version, and the SHA-256 of every file that may be used."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read(path: Path) -> tuple[Pin, ...]:
    """The pins of a file, by name. Raises Stop for a line that leaves anything open."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path}: {error.strerror or error}") from None
    return tuple(sorted(_pins(path, text), key=lambda pin: pin.name))


def _pins(path: Path, text: str) -> Iterator[Pin]:
    for number, line in _logical_lines(text):
        if _OPTION.fullmatch(line):
            continue
        found = _PIN.fullmatch(line)
        if found is None:
            raise Stop(f"{path}:{number}: {line[:80]!r} is no NAME==VERSION --hash=sha256:..., which pins it", USAGE)
        hashes = tuple(part.removeprefix("--hash=sha256:") for part in found["hashes"].split())
        if not hashes:
            mend = "run python tools/pin.py, which writes the digests"
            raise Stop(f"{path}:{number}: {found['name']} has no --hash=sha256:...; {mend}", USAGE)
        yield Pin(normalized(found["name"]), found["version"], hashes)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of its first line, text) of each line that is neither empty nor comment, continuations joined."""
    gathered, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        first = first or number
        gathered = f"{gathered} {bare.removesuffix(chr(92)).strip()}".strip()
        if bare.endswith("\\"):
            continue
        if gathered:
            yield first, gathered
        gathered, first = "", 0
    if gathered:
        yield first, gathered


def normalized(name: str) -> str:
    """A package's name as PyPI compares names: lower case, runs of `-`, `_` and `.` one hyphen."""
    return re.sub(r"[-_.]+", "-", name).lower()
