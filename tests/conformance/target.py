"""The coslocal under test: a process of its own, on a free port, in memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

APPID = "1250000000"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PATIENCE = 60.0


@dataclass(frozen=True)
class Target:
    """Where the clients are pointed at. Each client makes buckets of its own."""

    url: str
    secret_id: str = "AKIDlocal"
    secret_key: str = "SKlocal"
    region: str = "ap-guangzhou"

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    def host(self, bucket: str) -> str:
        return f"{bucket}.cos.{self.region}.myqcloud.com"

    def environment(self, **more: str) -> dict[str, str]:
        """This process's environment with coslocal as the only proxy."""
        kept = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
        return {**kept, "http_proxy": self.url, **more}


@contextlib.contextmanager
def serve(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Target]:
    """Start `coslocal serve`, wait until it is ready, end it afterwards. Its log is `folder`/coslocal.log."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "url"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "coslocal", "serve", "--port", "0", "--ready-file", str(ready)]
    with (folder / "coslocal.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield Target(_url(process, ready, folder), **(settings or {}))
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE)


def _url(process: subprocess.Popen[bytes], ready: Path, folder: Path) -> str:
    until = time.monotonic() + _PATIENCE
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"coslocal did not start:\n{(folder / 'coslocal.log').read_text()}")
        time.sleep(0.05)
    return ready.read_text().strip()


def alive(target: Target) -> bool:
    """Whether coslocal still answers."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{target.url}/_coslocal/health") as answer:
        return bool(answer.status == 200)
