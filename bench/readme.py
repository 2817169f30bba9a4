"""README's figures: some rows of docs/benchmarks.md, and never any that are not there."""

from __future__ import annotations

import re
from pathlib import Path

from bench.setting import ROOT

README = ROOT / "README.md"
PAGE = ROOT / "docs" / "benchmarks.md"
# The beginnings of the names of rows, in README's order.
SHOWN = (
    "cold start", "warm event", "match among 100,000", "peak memory of Derivo, 30", "peak memory of the Pillow",
    "calls of COS per upload, 7", "bytes through", "events a second", "lint of", "plan of 10,000,000", "apply",
    "coslocal: PUT", "coslocal: GET", "coslocal imageMogr2", "coslocal: memory",
)  # fmt: skip
HEADS = ("what", "median", "against", "ratio", "goal")
_BLOCK = re.compile(r"(<!-- made: benchmarks -->\n).*?(<!-- end -->)", re.DOTALL)
_QUARTILES = re.compile(r" \([0-9][^()]*–[^()]*\)")


def refreshed(readme: str, page: str) -> str:
    """README with its figures taken from the page anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{_block(page)}\n{found[2]}", readme)


def _block(page: str) -> str:
    rows = [cells for cells in _table(page) if not cells[6].startswith(("not measured", "broke"))]
    shown = [cells for begin in SHOWN for cells in rows if cells[0].startswith(begin)]
    goals = (f"{goal}, {verdict}" if goal else "" for _, _, _, _, goal, _, verdict in shown)
    lines = [_plain((*cells[:4], goal)) for cells, goal in zip(shown, goals, strict=True)]
    written = page.partition("\n\n")[2].partition("\n\n")[0]
    return "\n".join([_line(HEADS), _line(["---"] * len(HEADS)), *lines, "", written, ""])


def _table(page: str) -> list[list[str]]:
    """The rows of the page's table, as its text has them."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def _plain(cells: tuple[str, ...]) -> str:
    """A line without the quartiles."""
    return _line([_QUARTILES.sub("", cell) for cell in cells])


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def refresh(readme: Path = README, page: Path = PAGE) -> None:
    text = readme.read_text("utf-8")
    readme.write_text(refreshed(text, page.read_text("utf-8")), "utf-8")
