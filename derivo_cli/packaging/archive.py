"""Files -> a zip whose bytes depend on nothing but them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_UNIX = 3


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """In the order of names, of one date and mode; stored, because what deflate makes differs by its version."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as opened:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            opened.writestr(entry, files[name])
