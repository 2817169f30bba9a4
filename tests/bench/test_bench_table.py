"""The framework of the bench: what it makes of figures. Nothing here says how long anything takes."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench import apart, peers, readme, rows
from bench.__main__ import command
from bench.setting import ROOT, NotMeasured
from bench.table import (
    BROKEN,
    HEADINGS,
    MET,
    MISSED,
    NO_GOAL,
    NOT_MEASURED,
    Goal,
    Row,
    Spread,
    as_markdown,
    cells,
    compared,
)
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


def rows_of(script: str, folder: Path, *, seconds: float = 60.0) -> list[Row]:
    """What is measured by a row that does this, in a process of its own as always."""
    file = folder / "row.py"
    file.write_text(
        "import sys\nfrom bench import apart, rows\nfrom bench.setting import NotMeasured\n"
        "from bench.table import Row, Spread\n"
        f"def measure(setting):\n    yield Row(name='first half', ours=Spread.of([1.0], 's'), runs=1)\n    {script}\n"
        "rows.ROWS = {'row': measure}\napart.main(*sys.argv[1:])\n",
        "utf-8",
    )
    return list(apart.measured("row", quick=True, seconds=seconds, command=[sys.executable, "-P", str(file)]))


@pytest.mark.parametrize(
    ("script", "verdict", "why"),
    [
        ("raise NotMeasured('no peer here')", NOT_MEASURED, "no peer here"),
        ("raise ValueError('a bug')", BROKEN, "ValueError: a bug"),
        ("import os; os._exit(7)", BROKEN, "its process ended with 7"),
    ],
)
def test_a_row_that_ends_early_keeps_what_it_has_and_says_why(
    script: str, verdict: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "functions")]))
    first, last = rows_of(script, tmp_path)
    assert (first.name, first.verdict) == ("first half", NO_GOAL)
    assert (last.verdict, last.why_not) == (verdict, why)


def test_a_row_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "functions")]))
    note = tmp_path / "child"
    script = (
        "import subprocess, pathlib; child = subprocess.Popen(['sleep', '600']);"
        f" pathlib.Path({str(note)!r}).write_text(str(child.pid)); child.wait()"
    )
    rows = rows_of(script, tmp_path, seconds=5.0)
    assert [row.why_not for row in rows] == ["", "it took longer than 5 s"]
    status = Path("/proc", note.read_text("utf-8"), "stat")
    assert not status.exists() or status.read_text("utf-8").rpartition(")")[2].split()[0] == "Z"


def test_a_broken_row_is_named_on_the_page_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        "sound": [compared("sound", [1.0], [1.0], unit="s", method="m", against="a", goal=Goal(2))],
        "bad": [Row(name="bad", why_not="ValueError: a bug", broken=True)],
    }
    monkeypatch.setattr(rows, "ROWS", made)
    monkeypatch.setattr(apart, "measured", lambda name, *, quick: made[name])
    monkeypatch.setattr(peers, "install", lambda: None)
    page = tmp_path / "page.md"
    assert run("--quick", "--out", str(page)) == 1
    text = page.read_text("utf-8")
    assert all(part in text for part in ("| sound | 1 s |", "Broken in this run: bad (ValueError: a bug)."))
    assert "python -m bench --quick" in text
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in text


def test_peers_that_cannot_be_had_are_not_tried_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(peers.WITHOUT, "no network")
    with pytest.raises(NotMeasured, match="no network"):
        peers.install(tmp_path / "venv", ("anything",))
    assert not (tmp_path / "venv").exists()


def test_readme_takes_its_figures_from_the_page() -> None:
    text = readme.README.read_text("utf-8")
    page = readme.PAGE.read_text("utf-8")
    assert text == readme.refreshed(text, page), "refresh it: python -c 'from bench import readme; readme.refresh()'"


def test_every_figure_in_readmes_section_stands_on_the_page() -> None:
    section = readme.README.read_text("utf-8").partition("\n## Measured\n")[2].partition("\n## ")[0]
    page = readme.PAGE.read_text("utf-8")
    figures = set(re.findall(r"[0-9][0-9.,]*(?:x| (?:ms|µs|s|MB|kB|B|/s))\b", section))
    assert figures
    assert [figure for figure in figures if figure not in page] == []


def test_readme_shows_the_rows_that_were_measured_without_their_quartiles() -> None:
    made = [
        compared("cold start: a|b", [1.0, 1.2, 1.4], [1.0, 1.0, 1.0], unit="s", method="m", against="a", goal=Goal(2)),
        Row(name="coslocal: PUT of 100 kB", why_not="no network"),
        Row(name="not shown", ours=Spread.of([1.0], "s"), runs=1),
    ]
    page = as_markdown(made, date="2026-11-22", machine="Machine: one.", command="make bench")
    shown = readme.refreshed("a\n<!-- made: benchmarks -->\nold\n<!-- end -->\nb", page)
    assert "| cold start: a\\|b | 1.2 s | a: 1 s | 1.2x | ≤ 2x, met |" in shown
    assert "2026-11-22" in shown
    assert not any(text in shown for text in ("old\n", "PUT", "not shown"))
