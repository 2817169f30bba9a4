"""What a measurement is, and the two ways it is shown: a table on the terminal and a page of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

MET, MISSED, NO_GOAL, NOT_MEASURED, BROKEN = "met", "missed", "-", "not measured", "broke"


@dataclass(frozen=True)
class Spread:
    """The median of some runs, and the quartiles around it. `unit`: s, B, /s, x (a ratio), or a word to print."""

    median: float
    low: float
    high: float
    unit: str

    @staticmethod
    def of(values: Sequence[float], unit: str) -> Spread:
        """Raises ValueError without values."""
        if not values:
            raise ValueError("no runs")
        low, median, high = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else list(values) * 3
        )
        return Spread(median, low, high, unit)

    def __str__(self) -> str:
        scale, unit = _scale(self.median, self.unit)
        median, low, high = (_digits(value / scale) for value in (self.median, self.low, self.high))
        joint = "" if unit in ("x", "") else " "
        spread = "" if low == median == high else f" ({low}–{high})"
        return f"{median}{joint}{unit}{spread}"


def _scale(value: float, unit: str) -> tuple[float, str]:
    steps = {
        "s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs")),
        "B": ((1e6, "MB"), (1e3, "kB"), (1, "B")),
    }.get(unit, ((1, unit),))
    return next(((scale, name) for scale, name in steps if value >= scale), steps[-1])


def _digits(value: float) -> str:
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Goal:
    """What the median has to reach: of the ratio where there is one, else of the value itself."""

    limit: float
    sense: Literal["at most", "at least"] = "at most"
    unit: str = "x"

    def met_by(self, measured: float) -> bool:
        return measured <= self.limit if self.sense == "at most" else measured >= self.limit

    def __str__(self) -> str:
        sign = "≤" if self.sense == "at most" else "≥"
        return f"{sign} {Spread(self.limit, self.limit, self.limit, self.unit)}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement. `ours` against `theirs`, whose `ratio` was taken run by run; `why_not` where there is none,
    `broken` when that is a fault of the bench and not of the place."""

    name: str
    method: str = ""
    against: str = ""
    goal: Goal | None = None
    runs: int = 0
    ours: Spread | None = None
    theirs: Spread | None = None
    ratio: Spread | None = None
    why_not: str = ""
    broken: bool = False

    @property
    def verdict(self) -> str:
        judged = self.ratio or self.ours
        if self.broken:
            return BROKEN
        if self.why_not or judged is None:
            return NOT_MEASURED
        if self.goal is None:
            return NO_GOAL
        return MET if self.goal.met_by(judged.median) else MISSED


def compared(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    unit: str,
    method: str,
    against: str,
    goal: Goal | None = None,
) -> Row:
    """A row of two series measured in turn. The ratio is that of each pair: what slows the machine slows both."""
    ratio = Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)], "x")
    return Row(
        name=name, method=method, against=against, goal=goal, runs=len(ours),
        ours=Spread.of(ours, unit), theirs=Spread.of(theirs, unit), ratio=ratio,
    )  # fmt: skip


HEADINGS = ("what", "median (quartiles)", "against", "ratio", "goal", "runs", "verdict")
_STYLES = {MET: "green", MISSED: "bold red", NOT_MEASURED: "yellow", BROKEN: "bold red"}


def cells(row: Row) -> tuple[str, ...]:
    """One text for each of HEADINGS."""
    against = f"{row.against}: {row.theirs}" if row.theirs else row.against
    return (
        row.name,
        str(row.ours or ""),
        against,
        str(row.ratio or ""),
        str(row.goal or ""),
        str(row.runs or ""),
        row.verdict + (f": {row.why_not}" if row.why_not else ""),
    )


def on_terminal(rows: Iterable[Row]) -> Table:
    table = Table(*HEADINGS, header_style="bold", show_lines=True)
    for row in rows:
        *texts, verdict = cells(row)
        table.add_row(*map(Text, texts), Text(verdict, style=_STYLES.get(row.verdict, "")))
    return table


def as_markdown(rows: Sequence[Row], *, date: str, machine: str, command: str) -> str:
    """The whole page: the table, the goals that are missed by name, and how each row was measured."""
    missed = [row.name for row in rows if row.verdict == MISSED]
    missing, broken = (
        [f"{row.name} ({row.why_not})" for row in rows if row.verdict == verdict] for verdict in (NOT_MEASURED, BROKEN)
    )
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}` on {date}. {machine}",
        "",
        "The median of the runs, in brackets the quartiles around it. What is compared ran in turn, A B B A, and the",
        "ratio is that of each pair, since a machine is slow or fast for both alike. Compare ratios, not times.",
        "",
        f"Goals missed: {'; '.join(missed) or 'none'}.",
        *([f"Not measured: {'; '.join(missing)}."] if missing else []),
        *([f"Broken in this run: {'; '.join(broken)}."] if broken else []),
        "",
        _line(HEADINGS),
        _line(["---"] * len(HEADINGS)),
        *(_line(cells(row)) for row in rows),
        "",
        "## How each row was measured",
        "",
        *(f"- **{'; '.join(names)}**: {method}" for method, names in _by_method(rows).items()),
    ]
    return "\n".join(lines) + "\n"


def _by_method(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Method -> names of the rows measured by it, in the order of the table."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.method:
            found.setdefault(row.method, []).append(row.name)
    return found


def _line(texts: Iterable[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in texts) + " |"
