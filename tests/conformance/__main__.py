"""python -m tests.conformance [CLIENT ...]: real clients against a coslocal of their own, and a table."""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.conformance.clients import CLIENTS
from tests.conformance.results import Result
from tests.conformance.target import Target, alive, serve
from tests.conformance.workshop import Broken, NotHere, Workshop

_WIDTH = 110


class Row(NamedTuple):
    """One client's line of the table; `remark` stands where it did not run."""

    name: str
    version: str
    results: list[Result]
    seconds: float
    remark: str = ""

    @property
    def failed(self) -> int:
        return sum(bool(result.error) for result in self.results)


def run(client: ModuleType, workshop: Workshop, target: Target) -> Row:
    begun = time.monotonic()
    try:
        version = client.prepare(workshop)
    except NotHere as reason:
        return Row(client.NAME, "", [], 0.0, f"not on this machine: {reason}")
    except Broken as error:
        return Row(client.NAME, "", [Result("is installed", str(error))], time.monotonic() - begun)
    begun = time.monotonic()
    try:
        results = client.run(workshop, target)
    except Exception as error:
        results = [Result("is run to its end", f"{type(error).__name__}: {error}")]
    if not alive(target):
        results.append(Result("coslocal still answers", "it does not"))
    return Row(client.NAME, version, results, time.monotonic() - begun)


def table(rows: list[Row]) -> Table:
    drawn = Table("client", "version", "checks", "passed", "failed", "seconds")
    for column in drawn.columns[2:]:
        column.justify = "right"
    for row in rows:
        counts = [str(n) for n in (len(row.results), len(row.results) - row.failed, row.failed)]
        cells = [row.name, row.version, *counts, f"{row.seconds:.1f}"]
        drawn.add_row(*([row.name, row.remark] if row.remark else cells), style="red" if row.failed else "")
    return drawn


def main(names: list[str]) -> int:
    out = Console(highlight=False, width=_WIDTH)
    unknown = [name for name in names if name not in CLIENTS]
    if unknown:
        out.print(f"conformance: there is no client {unknown[0]}; choose from {', '.join(CLIENTS)}")
        return 2
    workshop = Workshop()
    rows = []
    with serve(workshop.folder) as target:
        for name in names or CLIENTS:
            out.print(f"conformance: {CLIENTS[name].NAME} ...")
            rows.append(run(CLIENTS[name], workshop, target))
            for result in rows[-1].results:
                if result.error:
                    out.print(f"  FAILED {result.check}\n    {result.error[:2000]}", markup=False)
    bugs = (workshop.folder / "coslocal.log").read_text(errors="replace").count("bug in")
    rows.append(Row("coslocal's own log", "", [Result("no bug is logged", f"{bugs} of them" if bugs else "")], 0.0))
    out.print(table(rows))
    checks, failed = sum(len(row.results) for row in rows), sum(row.failed for row in rows)
    out.print(f"conformance: {checks} checks, {checks - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
