"""`python -m bench [ROW ...] [--quick]`: measure, print one table, write docs/benchmarks.md."""

from __future__ import annotations

import datetime
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bench import machine, rows
from bench.setting import ROOT, NotMeasured, Setting
from bench.table import MISSED, Row, as_markdown, on_terminal

DONE, BROKEN, USAGE, INTERRUPTED = 0, 1, 2, 130
PAGE = ROOT / "docs" / "benchmarks.md"
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
    broken: list[str] = []
    measured = [row for name in names or rows.ROWS for row in _measured(name, quick, broken)]
    console = Console(width=None if sys.stdout.isatty() else 170, highlight=False)
    console.print(on_terminal(measured))
    missed = [row.name for row in measured if row.verdict == MISSED]
    console.print(Text(f"goals missed: {'; '.join(missed) or 'none'}"))
    if broken:
        console.print(Text(f"rows that broke: {', '.join(broken)}; nothing is written"))
        raise typer.Exit(BROKEN)
    page = out or (None if quick or names else PAGE)
    if page is not None:
        page.write_text(_page(measured, quick, names), encoding="utf-8")
        console.print(Text(f"written to {page}"))


def _measured(name: str, quick: bool, broken: list[str]) -> Iterator[Row]:
    """The rows of one module; what keeps one from being measured costs only itself."""
    started = time.monotonic()
    _console.print(Text(f"bench: {name} ..."))
    try:
        with tempfile.TemporaryDirectory(prefix="derivo-bench-") as folder:
            yield from rows.ROWS[name](Setting(quick=quick, folder=Path(folder)))
    except NotMeasured as reason:
        yield Row(name=name, why_not=str(reason))
    except Exception as error:
        broken.append(name)
        _console.print(Text("".join(traceback.format_exception(error))))
        first = (str(error).splitlines() or [""])[0][:150]
        yield Row(name=name, why_not=f"it broke: {type(error).__name__}: {first}")
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
