"""What the project is measured against, in a virtual environment of its own: none of it is a dependency of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.setting import ROOT, NotMeasured

FOLDER = ROOT / ".venv-peers"
PACKAGES = ("moto[server]", "boto3", "Pillow", "cos-python-sdk-v5")
_SECONDS = 600
WITHOUT = "BENCH_WITHOUT_PEERS"
"""The environment's word that they cannot be had, and why: what is known need not be tried for every row."""


@dataclass(frozen=True)
class Peers:
    """`python` has moto, boto3, Pillow and the COS SDK; `packages` is where they lie."""

    python: Path
    packages: Path


@cache
def install(folder: Path = FOLDER, names: tuple[str, ...] = PACKAGES) -> Peers:
    """The peers' environment, made once. Raises NotMeasured when it cannot be made here."""
    if why := os.environ.get(WITHOUT):
        raise NotMeasured(why)
    python = folder / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    peers = Peers(python, folder / "lib" / version / "site-packages")
    mark = folder / ".ready"
    wanted = " ".join(names)
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted and peers.packages.is_dir():
        return peers
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *names])
    mark.write_text(wanted, encoding="utf-8")
    return peers


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMeasured(f"the peer cannot be installed: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
        raise NotMeasured(f"the peer cannot be installed: {errors[-1][:200]}")
