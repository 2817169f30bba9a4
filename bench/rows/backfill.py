"""Whole buckets: `derivo plan` of made-up inventories of growing size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bench import inventory, servers
from bench.command import Ran, derivo
from bench.setting import BUCKET, Setting
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


def _plan(folder: Path, url: str) -> Ran:
    place = str(folder / "manifest.json")
    arguments = ["plan", f"cos://{BUCKET}/", "--inventory", place, "--rules", str(folder / "rules"), "--json"]
    return derivo(arguments, folder, url, good=(0, 1))


def _check(printed: str, facts: inventory.Facts) -> None:
    found = json.loads(printed)
    told = (found["sources"], *(found["classes"][kind] for kind in ("create", "stale-source", "unknown")))
    if told != (facts.sources, facts.create, facts.stale, facts.unknown):
        raise RuntimeError(f"the plan tells {told}, the inventory holds {facts}")
