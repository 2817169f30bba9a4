"""derivo package: what is deployed, and nothing else: functions/, rules/ and the pinned packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from derivo_cli import rules
from derivo_cli.exits import DONE, FINDINGS, Stop

# SCF 2.5: the base system is of CentOS 7's generation, glibc 2.17
_PLATFORM = "manylinux2014_x86_64"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "ruff.toml", "py.typed", "schema.json", ".*")


def run(root: Path, rules_folder: Path, target: Path, *, python: str, console: Console) -> int:
    """Build `target` (a folder) and `target`.zip from the checkout at `root`. Rules with an error are refused."""
    functions, requirements = root / "functions", root / "requirements.txt"
    for needed in (functions, requirements):
        if not needed.exists():
            raise Stop(f"{needed} is not there; run this in Derivo's own folder, or give --root")
    rules.index(rules_folder)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(functions, target, ignore=_LEFT_OUT)
    shutil.copytree(rules_folder, target / "rules", ignore=_LEFT_OUT)
    _install(requirements, target, python)
    archive = target.with_name(target.name + ".zip")
    size = _zip(target, archive)
    console.print(Text(f"{target}: {size / 1e6:.1f} MB; {archive}: {archive.stat().st_size / 1e6:.1f} MB"))
    return DONE


def _install(requirements: Path, target: Path, python: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--platform", _PLATFORM, "--python-version", python, "--implementation", "cp"]
    command += ["--target", str(target), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(f"the packages for Python {python} could not be fetched:\n{done.stderr.strip()}", FINDINGS)
    # crcmod comes as source only, so pip has built its extension for this machine; its Python part serves as well,
    # since nothing on our paths computes a CRC
    for built in target.glob("crcmod/*.so"):
        built.unlink()
    for entry in ("bin", *[path.name for path in target.glob("*.dist-info")]):
        shutil.rmtree(target / entry, ignore_errors=True)


def _zip(folder: Path, archive: Path) -> int:
    total = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target.write(path, path.relative_to(folder))
                total += path.stat().st_size
    return total
