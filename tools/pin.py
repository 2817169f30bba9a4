#!/usr/bin/env python
"""Write the digests in requirements.txt anew: those of the files that pip takes of each version, for each Python.

Look at the difference before it is committed: from then on no other file than these is ever taken.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from pathlib import Path

from derivo_cli.exits import Stop
from derivo_cli.packaging import distributions
from derivo_cli.packaging.building import CLOUD
from derivo_cli.packaging.fetching import fetch
from derivo_cli.packaging.requirements import normalized

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
PYTHONS = (*CLOUD, "3.11", "3.12", "3.13")
"""The cloud's, and those that may run the tests, which run a package with their own."""
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==[^\s\\]+(?P<hashes>(?: \\\n    --hash=\S+)*)$", re.MULTILINE)


def main() -> int:
    """0, or 1 with the reason on standard error."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    try:
        digests = _digests(_PIN.sub(lambda pin: pin[0].removesuffix(pin["hashes"]), text))
    except Stop as error:
        sys.stderr.write(f"pin: {error}\n")
        return 1
    REQUIREMENTS.write_text(_PIN.sub(lambda pin: _pinned(pin, digests), text), encoding="utf-8")
    return 0


def _digests(unpinned: str) -> dict[str, list[str]]:
    """Name -> SHA-256 of each file that some Python takes."""
    found: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        for python in PYTHONS:
            folder = Path(name) / python
            folder.mkdir()
            (Path(name) / "unpinned.txt").write_text(unpinned, encoding="utf-8")
            for file in fetch(Path(name) / "unpinned.txt", folder, python, pinned=False):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                found.setdefault(distributions.read(file).name, set()).add(digest)
    return {name: sorted(digests) for name, digests in found.items()}


def _pinned(pin: re.Match[str], digests: dict[str, list[str]]) -> str:
    hashes = "".join(f" \\\n    --hash=sha256:{digest}" for digest in digests[normalized(pin["name"])])
    return pin[0].removesuffix(pin["hashes"]) + hashes


if __name__ == "__main__":
    sys.exit(main())
