"""The packages' files, through pip, which holds each against its pinned digest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from derivo_cli.exits import FINDINGS, Stop

# SCF 2.5: the base system is of CentOS 7's generation, glibc 2.17
PLATFORM = "manylinux2014_x86_64"

# What pip says, and what to do about it; the first that is found counts.
_MENDS = (
    (
        "DO NOT MATCH THE HASHES",
        "a file is not the one that is pinned. If you changed a version or the Python, run python tools/pin.py;"
        " otherwise do not use it: somebody may have tampered with it",
    ),
    ("Retrying (", "the package registry cannot be reached: check the network, the proxy, or pip's index-url"),
    (
        "No matching distribution",
        f"there is no wheel of that version for this Python on {PLATFORM}: pin a version that has one",
    ),
)


def fetch(requirements: Path, folder: Path, python: str, *, pinned: bool = True) -> list[Path]:
    """Download what the file names, for that Python on the cloud's system whatever machine this is; files, by name.

    Where it is `pinned`, every file has to have a digest there. Nothing is built: of a source distribution pip asks for
    name and version only. Raises Stop with what to do.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--retries", "2", "--dest", str(folder), *(["--require-hashes"] if pinned else [])]
    command += ["--platform", PLATFORM, "--python-version", python, "--implementation", "cp"]
    done = subprocess.run(
        [*command, "--requirement", str(requirements)], capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip()
        mend = next((mend for sign, mend in _MENDS if sign in said), "")
        lines = [line for line in said.splitlines() if not line.startswith("WARNING:")] or [said]
        raise Stop(
            "\n".join([f"no packages for Python {python}:", *lines, *([f"mend: {mend}"] if mend else [])]), FINDINGS
        )
    return sorted(path for path in folder.iterdir() if path.is_file())
