"""`python -m bench [ROW ...] [--quick]`: measure, print one table, write docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bench import apart, machine, peers, readme, rows
from bench.readme import PAGE
from bench.setting import NotMeasured
from bench.table import BROKEN, MISSED, Row, as_markdown, on_terminal

FOUND, USAGE, INTERRUPTED = 1, 2, 130
_console = Console(stderr=True, highlight=False)


def command(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ROW]...", help="Rows to measure; all of them.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer runs: under two minutes, for a first look.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where the page goes.", show_default="docs/benchmarks.md, for a whole run")
    ] = None,
) -> None:
    """Measure what this project says of itself. Exit 0 also when goals are missed; 1 when a row broke."""
    unknown = [name for name in names or () if name not in rows.ROWS]
    if unknown:
        _console.print(Text(f"bench: there is no row {', '.join(unknown)}; there are {', '.join(rows.ROWS)}"))
        raise typer.Exit(USAGE)
    _prepare()
    measured = [row for name in names or rows.ROWS for row in _measured(name, quick)]
    console = Console(width=None if sys.stdout.isatty() else 170, highlight=False)
    console.print(on_terminal(measured))
    missed = [row.name for row in measured if row.verdict == MISSED]
    broken = [row.name for row in measured if row.verdict == BROKEN]
    console.print(Text(f"goals missed: {'; '.join(missed) or 'none'}"))
    page = out or (None if quick or names else PAGE)
    if page is not None:
        page.write_text(_page(measured, quick, names), encoding="utf-8")
        console.print(Text(f"written to {page}"))
    if page == PAGE:
        readme.refresh()
    if broken:
        console.print(Text(f"rows that broke: {'; '.join(broken)}"))
        raise typer.Exit(FOUND)


def _prepare() -> None:
    """Make the peers' environment outside of any row's time; where it cannot be made, every row knows why."""
    try:
        peers.install()
    except NotMeasured as reason:
        os.environ[peers.WITHOUT] = str(reason)
        _console.print(Text(f"bench: {reason}"))


def _measured(name: str, quick: bool) -> Iterator[Row]:
    started = time.monotonic()
    _console.print(Text(f"bench: {name} ..."))
    yield from apart.measured(name, quick=quick)
    _console.print(Text(f"bench: {name} took {time.monotonic() - started:.0f} s"))


def _page(measured: list[Row], quick: bool, names: list[str] | None) -> str:
    words = ["python -m bench", *(names or []), *(["--quick"] if quick else [])]
    return as_markdown(
        measured,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=machine.describe(),
        command="make bench" if len(words) == 1 else " ".join(words),
    )


def main() -> None:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(command)
    try:
        app()
    except KeyboardInterrupt:
        _console.print("bench: interrupted")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
