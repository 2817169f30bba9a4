"""The framework of the bench: what it makes of figures. Nothing here says how long anything takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench import peers, rows
from bench.__main__ import command
from bench.setting import NotMeasured, Setting
from bench.table import HEADINGS, MET, MISSED, NO_GOAL, Goal, Row, Spread, as_markdown, cells, compared
from bench.timing import in_turn

POSITIVE = st.floats(min_value=1e-6, max_value=1e9)


@given(st.lists(POSITIVE, min_size=1))
def test_the_median_lies_between_the_quartiles_and_those_among_the_runs(values: list[float]) -> None:
    found = Spread.of(values, "s")
    slack = 1e-9 * max(values)
    assert min(values) - slack <= found.low <= found.median + slack
    assert found.median - slack <= found.high <= max(values) + slack


@pytest.mark.parametrize(
    ("spread", "text"),
    [
        (Spread(0.00123, 0.0012, 0.00125, "s"), "1.23 ms (1.2–1.25)"),
        (Spread(12.5e-6, 12e-6, 13e-6, "s"), "12.5 µs (12–13)"),
        (Spread(2.5e6, 2.5e6, 2.5e6, "B"), "2.5 MB"),
        (Spread(3, 3, 3, "calls"), "3 calls"),
        (Spread(1.5, 1.25, 2, "x"), "1.5x (1.25–2)"),
        (Spread(12345, 12000, 13000, "/s"), "12,345 /s (12,000–13,000)"),
    ],
)
def test_a_figure_is_shown_in_a_unit_that_fits(spread: Spread, text: str) -> None:
    assert str(spread) == text


def test_a_ratio_is_that_of_the_pairs() -> None:
    row = compared("r", [2.0, 20.0, 6.0], [1.0, 10.0, 2.0], unit="s", method="m", against="a", goal=Goal(2))
    assert row.ratio is not None
    assert row.ratio.median == 2.0
    assert row.verdict == MET


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [(Goal(1.9), MISSED), (Goal(2), MET), (Goal(2, "at least"), MET), (Goal(2.1, "at least"), MISSED), (None, NO_GOAL)],
)
def test_the_verdict_is_the_goals(goal: Goal | None, verdict: str) -> None:
    assert compared("r", [4.0], [2.0], unit="s", method="", against="", goal=goal).verdict == verdict


def test_without_a_peer_the_value_itself_is_judged() -> None:
    row = Row(name="r", goal=Goal(10, unit="s"), runs=1, ours=Spread.of([11.0], "s"))
    assert row.verdict == MISSED


def test_the_page_names_what_is_missed_and_what_was_not_measured() -> None:
    made = [
        compared("fast enough", [1.0], [1.0], unit="s", method="by | hand", against="a", goal=Goal(2)),
        compared("too slow", [3.0], [1.0], unit="s", method="by hand", against="a", goal=Goal(2)),
        Row(name="no peer", why_not="the peer cannot be installed: no network"),
    ]
    page = as_markdown(made, date="2026-11-22", machine="Machine: one.", command="make bench")
    assert "Goals missed: too slow." in page
    assert "Not measured: no peer (the peer cannot be installed: no network)." in page
    assert "2026-11-22. Machine: one." in page
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_every_row_has_a_cell_under_each_heading() -> None:
    assert len(cells(Row(name="r"))) == len(HEADINGS)


def test_turns_alternate_and_the_first_pair_does_not_count() -> None:
    said: list[str] = []
    ours, theirs = in_turn(lambda: said.append("A") or len(said), lambda: said.append("B") or len(said), 3)
    assert "".join(said) == "ABBAABBA"
    assert (ours, theirs) == ([4, 5, 8], [3, 6, 7])


def test_a_peer_that_cannot_be_installed_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotMeasured, match="the peer cannot be installed"):
        peers.install(tmp_path / "file" / "venv", ("nothing",))


def run(*arguments: str) -> int:
    """The command's exit code."""
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments).exit_code


def test_an_unknown_row_is_refused() -> None:
    assert run("lnit") == 2


def half_measured(error: Exception) -> Callable[[Setting], Iterator[Row]]:
    def measure(setting: Setting) -> Iterator[Row]:
        assert setting.folder.is_dir()
        yield Row(name="first half", ours=Spread.of([1.0], "s"), runs=1)
        raise error

    return measure


def test_a_row_without_its_peer_says_so_and_costs_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rows, "ROWS", {"peerless": half_measured(NotMeasured("no peer here"))})
    page = tmp_path / "page.md"
    assert run("--quick", "--out", str(page)) == 0
    text = page.read_text("utf-8")
    assert all(
        part in text for part in ("| first half | 1 s |", "not measured: no peer here", "python -m bench --quick")
    )
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in text


def test_a_row_that_breaks_leaves_no_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rows, "ROWS", {"broken": half_measured(ValueError("a bug"))})
    page = tmp_path / "page.md"
    assert run("--out", str(page)) == 1
    assert not page.exists()
