"""`derivo` as it is typed: in a process of its own, pointed at a coslocal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.setting import REGION, ROOT, SECRET_ID, SECRET_KEY


@dataclass(frozen=True)
class Ran:
    """A command that ran: wall seconds, the most resident bytes, what it printed."""

    seconds: float
    peak: int
    printed: str


def derivo(arguments: Sequence[str], folder: Path, url: str, good: Sequence[int]) -> Ran:
    """Run a command, its temporary files in the folder. Raises RuntimeError when its exit code is not good."""
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "TMPDIR": str(folder),
        "DERIVO_COS_SCHEME": "http",
        "DERIVO_COS_PROXY": url,
        "TENCENTCLOUD_SECRETID": SECRET_ID,
        "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
        "TENCENTCLOUD_REGION": REGION,
    }
    command = [sys.executable, "-c", "from derivo_cli.main import main; main()", *arguments]
    output = folder / "printed"
    started = time.perf_counter()
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=environ, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in good:
        raise RuntimeError(f"derivo {arguments[0]} ended with {code}")
    return Ran(seconds, usage.ru_maxrss * 1024, output.read_text("utf-8"))
