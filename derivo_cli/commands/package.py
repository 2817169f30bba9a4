"""derivo package: what is deployed, and nothing else, in one zip that the same input gives again byte for byte."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivo_cli.exits import DONE
from derivo_cli.packaging.building import CLOUD, Package, build


def run(root: Path, rules_folder: Path, path: Path, *, python: str, console: Console) -> int:
    """Build the zip and tell what is in it. When it cannot be built: Stop, and an earlier zip stays as it was."""
    package = build(root, rules_folder, path, python=python)
    console.print(_table(package))
    for line in _told(package):
        console.print(Text(line))
    return DONE


def _table(package: Package) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True)
    table.add_column("part", footer="together")
    counts, sizes = zip(*package.parts.values(), strict=True)
    table.add_column("files", justify="right", footer=f"{sum(counts):,}")
    table.add_column("bytes", justify="right", footer=f"{sum(sizes):,}")
    for name, (count, size) in package.parts.items():
        table.add_row(Text(name), f"{count:,}", f"{size:,}")
    return table


def _told(package: Package) -> list[str]:
    if package.byte_code:
        code = f"byte code by CPython {package.byte_code}: the same bytes wherever that version builds the same input"
    else:
        code = (
            f"no byte code, as there is no CPython {package.python} here: the same bytes on any machine, and every cold"
            " start compiles the sources first, for twice the time (docs/benchmarks.md); install that Python for"
            " a faster one"
        )
    if package.python not in CLOUD:
        code += f"\nthe platform does not run Python {package.python}: this package is for trying it out with coslocal"
    rule_sets = f"{package.rule_sets} rule set{'' if package.rule_sets == 1 else 's'}"
    return [
        f"{package.path}: {package.size:,} bytes, {rule_sets}, Python {package.python}",
        code,
        f"SHA-256 {package.sha256}",
    ]
