"""Whole buckets: `derivo plan` of made-up inventories of growing size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import inventory, servers
from bench.setting import BUCKET, REGION, ROOT, SECRET_ID, SECRET_KEY, Setting
from bench.table import Goal, Row, Spread

_METHOD = (
    "`derivo plan --inventory` in a new process: a made-up inventory of sources with 3 derivatives each, CSV.gz of"
    " 250,000 sources a file, some missing, stale or foreign; its plan must tell just these; DuckDB limited to 512 MB"
)
_MILLION = 1_000_000


def rows(setting: Setting) -> Iterator[Row]:
    sizes = [_MILLION // 10] if setting.quick else [_MILLION // 10, _MILLION, 10 * _MILLION]
    with servers.coslocal(setting.folder) as server:
        for sources in sizes:
            folder = setting.folder / str(sources)
            facts = inventory.write(folder, sources)
            ran = _plan(folder, server.url)
            _check(ran.printed, facts)
            largest = sources == 10 * _MILLION
            name = f"plan of {sources:,} sources with 3 derivatives"
            yield _row(f"{name}, time", ran.seconds, "s", Goal(90, unit="s") if largest else None)
            yield _row(f"{name}, peak memory", ran.peak, "B", Goal(2**30, unit="B") if largest else None)


def _row(name: str, value: float, unit: str, goal: Goal | None) -> Row:
    return Row(name=name, method=_METHOD, goal=goal, runs=1, ours=Spread.of([value], unit))


@dataclass(frozen=True)
class _Ran:
    """A command that ran: wall seconds, the most resident bytes, what it printed."""

    seconds: float
    peak: int
    printed: str


def _plan(folder: Path, url: str) -> _Ran:
    place = str(folder / "manifest.json")
    arguments = ["plan", f"cos://{BUCKET}/", "--inventory", place, "--rules", str(folder / "rules"), "--json"]
    return _derivo(arguments, folder, url, good=(0, 1))


def _derivo(arguments: Sequence[str], folder: Path, url: str, good: Sequence[int]) -> _Ran:
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
    return _Ran(seconds, usage.ru_maxrss * 1024, output.read_text("utf-8"))


def _check(printed: str, facts: inventory.Facts) -> None:
    found = json.loads(printed)
    told = (found["sources"], *(found["classes"][kind] for kind in ("create", "stale-source", "unknown")))
    if told != (facts.sources, facts.create, facts.stale, facts.unknown):
        raise RuntimeError(f"the plan tells {told}, the inventory holds {facts}")
