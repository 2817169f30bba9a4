"""Packages, built once a run for each Python that is asked for."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

from derivo_cli.packaging.building import CLOUD, Package, build
from derivo_cli.packaging.bytecode import interpreter

ROOT = Path(__file__).resolve().parents[3]
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
"""The Python that runs the tests; requirements.txt pins files for it too."""
AT_HAND = [HERE, *(python for python in CLOUD if interpreter(python) is not None)]
"""Those that a package can be run with on this machine."""

SIX = "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"
RULE = "derivatives: [{name: t, to: '%s', rule: imageMogr2/auto-orient/thumbnail/20x20>/strip}]\n"


@cache
def package(python: str) -> Package:
    """Ours, with our own rule sets."""
    folder = Path(tempfile.mkdtemp(prefix="derivo-tests-package-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build(ROOT, ROOT / "rules", folder / "function.zip", python=python)
