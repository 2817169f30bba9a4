"""A coslocal of the demo's own: a real child process on a free loopback port, and the real SDK pointed at it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qcloud_cos import CosConfig, CosS3Client

ROOT = Path(__file__).resolve().parent.parent
BUCKET, REGION = "demo-1250000000", "ap-guangzhou"
SECRET_ID, SECRET_KEY = "AKIDlocal", "SKlocal"
START_SECONDS = 60.0


class DemoError(Exception):
    """The demo cannot go on; the message is for the user."""


@dataclass(frozen=True, kw_only=True)
class Local:
    """The running coslocal: where it listens, and where the function's log lines go."""

    url: str
    log: Path
    dead_letters: Path
    rules: Path

    def client(self) -> Any:
        config = CosConfig(
            Region=REGION,
            SecretId=SECRET_ID,
            SecretKey=SECRET_KEY,
            Scheme="http",
            Proxies={"http": self.url},
            Timeout=60,
        )
        return CosS3Client(config)

    def environment(self) -> dict[str, str]:
        """What makes Derivo's own commands talk to this coslocal."""
        return {
            **os.environ,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            "TENCENTCLOUD_REGION": REGION,
            "DERIVO_COS_SCHEME": "http",
            "DERIVO_COS_PROXY": self.url,
        }

    def lines(self) -> list[dict[str, Any]]:
        """The function's log so far: its JSON lines, without the request id that coslocal puts in front."""
        if not self.log.exists():
            return []
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                record = json.loads(line.partition(" ")[2])
                if isinstance(record, dict):
                    found.append(record)
        return found

    def given_up(self) -> int:
        """How many events coslocal has given up after their retries."""
        return len(self.dead_letters.read_text(errors="replace").splitlines()) if self.dead_letters.exists() else 0


@contextlib.contextmanager
def running(
    folder: Path,
    rules: Path,
    prefixes: Sequence[str],
    policy: Path,
    package: Path | None = None,
    python: str = sys.executable,
) -> Iterator[Local]:
    """Start coslocal with one trigger a prefix, as serverless.yml has them, and stop it in the end. The function's keys
    are held to the policy. A package runs with the rule sets in it, and with the interpreter of its Python.

    Raises DemoError with what coslocal said when it does not come up.
    """
    ready, log, said = folder / "ready", folder / "function.log", folder / "coslocal.log"
    dead = folder / "dead-letters.jsonl"
    command = [
        sys.executable, "-m", "coslocal", "serve", "--port", "0", "--data", str(folder / "bucket"),
        "--bucket", BUCKET, "--region", REGION, "--credential", f"{SECRET_ID}:{SECRET_KEY}",
        "--function", str(package or ROOT / "functions" / "index.py"), "--python", python,
        "--policy", str(policy), "--timeout", "120", "--retry-interval", "1",
        "--dead-letters", str(dead), "--log", str(log), "--ready-file", str(ready),
        "--env", "DERIVO_COS_SCHEME=http", "--env", "DERIVO_COS_PROXY={url}",
    ]  # fmt: skip
    if package is None:
        command += ["--env", f"DERIVO_RULES={rules}"]
    for prefix in prefixes:
        command += ["--trigger", f"bucket={BUCKET},prefix={prefix}"]
    with said.open("wb") as output:
        child = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Local(url=_wait(child, ready, said), log=log, dead_letters=dead, rules=rules)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait(child: subprocess.Popen[bytes], ready: Path, said: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if ready.exists():
            return ready.read_text().strip()
        if child.poll() is not None:
            words = said.read_text(errors="replace").strip()
            raise DemoError(f"coslocal ended with {child.returncode}: {words or 'it said nothing'}")
        time.sleep(0.05)
    raise DemoError(f"coslocal was not ready after {START_SECONDS:.0f} s; see {said}")
