"""Whole buckets: `derivo plan` of made-up inventories of growing size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bench import inventory, servers
from bench.command import Ran, derivo
from bench.setting import BUCKET, NotMeasured, Setting
from bench.table import Goal, Row, Spread
from derivo_cli.reconcile.store import MEMORY

_METHOD = (
    "`derivo plan --inventory` in a new process: a made-up inventory of sources with 3 derivatives each, CSV.gz of"
    f" 250,000 sources a file, some missing, stale or foreign; its plan must tell just these; DuckDB may take {MEMORY}"
)
_MILLION = 1_000_000


def rows(setting: Setting) -> Iterator[Row]:
    """The curve up to a million sources."""
    for sources in [_MILLION // 10] if setting.quick else [_MILLION // 10, _MILLION]:
        yield from _measured(setting, sources)


def ten_million(setting: Setting) -> Iterator[Row]:
    """Its end, with the goals: a row of its own, since the inventory alone takes a minute to make up."""
    if setting.quick:
        raise NotMeasured("it takes minutes: `make bench-10m`")
    yield from _measured(setting, 10 * _MILLION, Goal(90, unit="s"), Goal(2**30, unit="B"))


def _measured(setting: Setting, sources: int, time: Goal | None = None, memory: Goal | None = None) -> Iterator[Row]:
    folder = setting.folder / str(sources)
    facts = inventory.write(folder, sources)
    with servers.coslocal(setting.folder) as server:
        ran = _plan(folder, server.url)
    _check(ran.printed, facts)
    name = f"plan of {sources:,} sources with 3 derivatives"
    yield _row(f"{name}, time", ran.seconds, "s", time)
    yield _row(f"{name}, peak memory", ran.peak, "B", memory)


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
