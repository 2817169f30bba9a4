"""Where the clients are installed: outside the project's own environment and outside git."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"
PACKAGES = (
    "cos-nodejs-sdk-v5-2@npm:cos-nodejs-sdk-v5@2.15.4", "cos-nodejs-sdk-v5@3.0.0", "cos-js-sdk-v5@1.10.1",
    "tencent-component-toolkit@2.27.6",
)  # fmt: skip


class NotHere(Exception):
    """A client cannot run on this machine, and that is no failure; the text says why."""


class Broken(Exception):
    """A client could not be installed."""


class Workshop:
    """Installs what is missing, once. `folder` holds everything but the virtual environment."""

    def __init__(self, project: Path = PROJECT) -> None:
        self.folder = project / ".conformance"
        self.venv = project / ".venv-conformance"
        self.modules = self.folder / "npm" / "node_modules"
        self.folder.mkdir(exist_ok=True)

    def room(self, name: str) -> Path:
        """An empty folder for one client's run."""
        room = self.folder / name
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        return room

    def python(self) -> Path:
        """The interpreter of an environment with what requirements.txt names."""
        python = self.venv / "bin" / "python"
        stamp = self.venv / ".installed"
        wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
        if not python.exists() or not stamp.exists() or stamp.read_text() != wanted:
            if not python.exists():
                _run([sys.executable, "-m", "venv", str(self.venv)])
            _run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)])
            stamp.write_text(wanted)
        return python

    def version_of(self, distribution: str) -> str:
        script = f"import importlib.metadata as m; print(m.version({distribution!r}))"
        return _run([str(self.python()), "-c", script]).strip()

    def npm(self) -> Path:
        """The node_modules folder with PACKAGES; Node.js comes from Debian when it is missing."""
        self.program("node", "nodejs")
        npm = self.program("npm", "npm")
        stamp = self.folder / "npm" / ".installed"
        wanted = " ".join(PACKAGES)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.parent.mkdir(exist_ok=True)
            (stamp.parent / "package.json").write_text('{"private": true}\n')
            _run([npm, "install", "--no-audit", "--no-fund", "--silent", *PACKAGES], stamp.parent)
            stamp.write_text(wanted)
        return self.modules

    def program(self, name: str, package: str) -> str:
        """The path of a program, installed from Debian when it is missing."""
        if shutil.which(name) is None:
            apt = shutil.which("apt-get")
            if apt is None:
                raise NotHere(f"no {name} on this machine, and no apt-get to install {package} with")
            sudo = [] if os.geteuid() == 0 else ["sudo"]
            _run([*sudo, apt, "update", "-qq"])
            quiet = ["env", "DEBIAN_FRONTEND=noninteractive", apt, "install", "-y", "-qq", "--no-install-recommends"]
            _run([*sudo, *quiet, package])
        found = shutil.which(name)
        if found is None:
            raise Broken(f"{package} was installed, and there is still no {name}")
        return found


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise Broken(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout
