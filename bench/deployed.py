"""Functions as they are deployed: Derivo's own package, a peer's folder with byte code, and a new process to run it."""

from __future__ import annotations

import atexit
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from bench.peers import Peers
from bench.setting import BUCKET, REGION, ROOT, SECRET_ID, SECRET_KEY, NotMeasured
from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.scf.event import envelope, record
from coslocal.scf.function import Account, Function
from derivo import compiled
from derivo.loading import load
from derivo_cli.exits import Stop
from derivo_cli.packaging.building import build

FIRST_EVENT = ROOT / "bench" / "workers" / "first_event.py"
ACCOUNT = Account(secret_id=SECRET_ID, secret_key=SECRET_KEY, session_token="", region=REGION)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A function's folder and where its packages lie; `proxy` is the COS it talks to."""

    name: str
    root: Path
    packages: Path
    proxy: str

    def function(
        self, python: str = sys.executable, variables: Mapping[str, str] | None = None, instances: int = 1
    ) -> Function:
        """As coslocal's SCF deploys it, with memory to spare: what it needs is a row of its own."""
        prefix = "DERIVO_COS" if self.name == "derivo" else "COS"
        given = {f"{prefix}_SCHEME": "http", f"{prefix}_PROXY": self.proxy, **(variables or {})}
        return Function(
            name=self.name, root=self.root, python=python, variables=given, timeout=120, memory_size=1024,
            instances=instances,
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """As in the cloud, with the packages behind the code: there they lie beside it."""
        return {**self.function().environment(ACCOUNT), "PYTHONPATH": f"{self.root}:{self.packages}"}

    def run(self, arguments: Sequence[str]) -> str:
        """A new process, without the site's own start-up code, which the cloud's interpreter does not have either.

        Raises RuntimeError with what it said when it fails.
        """
        command = [sys.executable, "-S", "-B", *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{self.name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def first_event(self, event: Path) -> int:
        """Import the handler in a new process and let it handle one event; the peak of its memory in bytes."""
        said = self.run([str(FIRST_EVENT), str(event)]).splitlines()
        answer = json.loads(said[-1])
        if not answer["ok"]:
            raise RuntimeError(f"{self.name} did not handle the event: {' '.join(said)[:500]}")
        return int(answer["peak"])


def derivo(folder: Path, proxy: str, rules: Path | None = None) -> Deployed:
    """What `derivo package` builds for this Python, with our rule sets or those given."""
    root = folder / "derivo"
    with zipfile.ZipFile(_package()) as package:
        package.extractall(root)
    if rules is not None:
        (root / compiled.FILE).write_bytes(compiled.encode(load(rules).rule_sets, "bench"))
    return Deployed(name="derivo", root=root, packages=root, proxy=proxy)


def sources_only(folder: Path, function: Deployed) -> Deployed:
    """The same package without its byte code, as it is built where no interpreter of the target is at hand."""
    root = folder / "derivo-sources"
    shutil.copytree(function.root, root, ignore=shutil.ignore_patterns("__pycache__"))
    return replace(function, root=root, packages=root)


@cache
def _package() -> Path:
    """Built once a run. Raises NotMeasured where it cannot be, as without a package registry."""
    folder = Path(tempfile.mkdtemp(prefix="derivo-bench-package-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        return build(ROOT, ROOT / "rules", folder / "function.zip", python=version).path
    except Stop as error:
        raise NotMeasured(f"the package cannot be built: {error}") from None


def pillow(folder: Path, proxy: str, peers: Peers) -> Deployed:
    """The handler that a user would write instead."""
    root = folder / "pillow"
    shutil.copytree(ROOT / "bench" / "peers" / "pillow_handler", root, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(root, quiet=2)
    return Deployed(name="pillow", root=root, packages=peers.packages, proxy=proxy)


def event_for(key: str, size: int) -> dict[str, Any]:
    """The event of an upload of `size` bytes to the bench's bucket."""
    event = ObjectEvent(
        name="cos:ObjectCreated:Put", bucket=BUCKET, region=REGION, key=key, size=size,
        etag="9f3c5d6e7a8b9c0d1e2f3a4b5c6d7e8f", time=1_760_000_000, request_id="NjRjZGY=",
        meta={"Content-Type": "image/jpeg"},
    )  # fmt: skip
    return envelope(record(event, target="default.derivo.$DEFAULT", dialects=Dialects()))


def write_event(folder: Path, key: str, size: int) -> Path:
    path = folder / f"event-{size}.json"
    path.write_text(json.dumps(event_for(key, size)), encoding="utf-8")
    return path


def worker_environment(proxy: str) -> dict[str, str]:
    """For a worker in this project's own environment that talks to `proxy` as the function does."""
    return {
        **os.environ,
        "DERIVO_COS_SCHEME": "http",
        "DERIVO_COS_PROXY": proxy,
        "TENCENTCLOUD_SECRETID": SECRET_ID,
        "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
        "TENCENTCLOUD_REGION": REGION,
        "DERIVO_MAX_REQUESTS_PER_MINUTE": "0",  # the budget against runaways is no subject here
    }
