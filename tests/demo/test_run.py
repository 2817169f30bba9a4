"""A short form of the demo, on a real coslocal: what is right passes, what is wrong is named and fails the run."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
import pyvips
from rich.console import Console

from demo.landscapes import sea
from demo.local import DemoError
from demo.pictures import PUT, Picture, picture
from demo.run import clear, report, run
from derivo.loading import load
from derivo.matching import RuleSetIndex

RULES = Path(__file__).resolve().parents[2] / "rules"


def sideways() -> bytes:
    stored = sea(300, 200, 0.3).rot270().copy()
    stored.set_type(pyvips.GValue.gint_type, "orientation", 6)
    return bytes(stored.jpegsave_buffer(Q=92))


def test_three_sources_one_of_them_broken(tmp_path: Path) -> None:
    pictures = [
        picture("products/新品/茶 50%+1.jpg", sideways(), "stored sideways"),
        picture("avatars/put.jpg", sideways(), "derived at upload", PUT),
        Picture(key="avatars/broken.png", data=b"a text file", note="no image", width=100, height=100),
    ]
    said = io.StringIO()
    console = Console(file=said, width=160)
    results = run(pictures, RuleSetIndex(load(str(RULES)).rule_sets), tmp_path, console)
    assert report(results, tmp_path, console) == 4
    good, put, broken = results
    assert [derived.problems for derived in (*good.derivatives, *put.derivatives)] == [()] * 11
    assert (good.calls, put.skipped) == (2, 4)
    assert all(derived.problem.startswith("missing: failed(permanent, ") for derived in broken.derivatives)
    lines = said.getvalue().splitlines()
    assert lines[-1] == "demo: 3 sources, 11 derivatives written, 4 skipped, 4 failed"
    assert sum(line.startswith("WRONG  derived/avatars/broken.png.") for line in lines) == 4


def test_a_path_that_is_no_image_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("dear diary")
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--image", str(tmp_path / "notes.jpg"), "--out", str(tmp_path / "out")],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"demo: {tmp_path / 'notes.jpg'} is no image that can be read")
    assert done.stderr.count("\n") == 1


def test_a_folder_of_yours_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(DemoError):
        clear(tmp_path)
    assert (tmp_path / "precious.txt").exists()
    fresh = tmp_path / "new"
    clear(fresh)
    (fresh / "old.html").touch()
    clear(fresh)
    assert not (fresh / "old.html").exists()
