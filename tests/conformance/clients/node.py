"""The vendor's SDK for Node.js, versions 2 and 3: node/calls.js over its main calls."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conformance.results import Result, from_lines
from tests.conformance.sdk.images import picture
from tests.conformance.target import APPID, Target
from tests.conformance.workshop import HERE, Workshop

_SCRIPT = HERE / "node" / "calls.js"
_PATIENCE = 600


class Node:
    """One version of the SDK; `package` is its name in node_modules."""

    def __init__(self, package: str) -> None:
        self.NAME = "Node.js SDK"
        self._package = package

    def prepare(self, workshop: Workshop) -> str:
        return version(workshop.npm() / self._package)

    def run(self, workshop: Workshop, target: Target) -> list[Result]:
        room = workshop.room(self._package)
        (room / "picture.png").write_bytes(picture())
        environment = target.environment(
            MODULE=str(workshop.modules / self._package), URL_OF_COSLOCAL=target.url, SECRET_ID=target.secret_id,
            SECRET_KEY=target.secret_key, BUCKET=f"{self._package}-{APPID}", REGION=target.region,
            ROOM=str(room), PICTURE=str(room / "picture.png"),
        )  # fmt: skip
        del environment["http_proxy"]  # the script itself says how coslocal is reached
        return lines_of([workshop.program("node", "nodejs"), str(_SCRIPT)], room, environment)


def version(package: Path) -> str:
    return str(json.loads((package / "package.json").read_text())["version"])


def lines_of(command: list[str], room: Path, environment: dict[str, str]) -> list[Result]:
    """The results that a script prints; what it says besides is an error when it does not end well."""
    try:
        done = subprocess.run(
            command, cwd=room, env=environment, check=False, capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired as late:
        return [*from_lines((late.stdout or b"").decode()), Result("the script ends", f"not within {_PATIENCE} s")]
    results = from_lines(done.stdout)
    if done.returncode or not results:
        results.append(Result("the script ends well", f"{done.returncode}: {(done.stdout + done.stderr)[-2000:]}"))
    return results
