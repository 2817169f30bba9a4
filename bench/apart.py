"""Each row in a process group of its own: what hangs, crashes or leaves processes behind costs only itself.

`python -m bench.apart NAME RESULTS [--quick]` measures one row and appends what it found to the file RESULTS, one JSON
object a line, as soon as it has it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench import rows
from bench.setting import ROOT, NotMeasured, Setting
from bench.table import Row

SECONDS = 400.0
"""What one row may take: several times what it takes on an idle machine."""
_COMMAND = (sys.executable, "-m", "bench.apart")
_GRACE = 5.0


def measured(name: str, *, quick: bool, seconds: float = SECONDS, command: Sequence[str] = _COMMAND) -> Iterator[Row]:
    """The rows of one module. One that breaks, or takes longer than `seconds`, ends in a row that says so."""
    with tempfile.TemporaryDirectory(prefix="derivo-bench-", ignore_cleanup_errors=True) as folder:
        results = Path(folder) / "results"
        results.touch()
        arguments = [*command, name, str(results), *(["--quick"] if quick else [])]
        # temporary files of a row that is killed go with the folder
        environment = {**os.environ, "TMPDIR": folder}
        process = subprocess.Popen(
            arguments, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=2, start_new_session=True
        )
        try:
            process.wait(seconds)
            ending = f"its process ended with {process.returncode}" if process.returncode else ""
        except subprocess.TimeoutExpired:
            ending = f"it took longer than {seconds:g} s"
        finally:
            _end(process)
        found = [msgspec.json.decode(line, type=Row) for line in results.read_bytes().splitlines()]
    yield from found
    if ending and not any(row.broken for row in found):
        yield Row(name=name, why_not=ending, broken=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of the group is left, whatever the row started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _measure(name: str, quick: bool, folder: Path) -> Iterator[Row]:
    try:
        yield from rows.ROWS[name](Setting(quick=quick, folder=folder))
    except NotMeasured as reason:
        yield Row(name=name, why_not=str(reason))
    except Exception as error:
        traceback.print_exc()
        first = (str(error).splitlines() or [""])[0][:150]
        yield Row(name=name, why_not=f"{type(error).__name__}: {first}", broken=True)


def main(name: str, results: str, *options: str) -> None:
    with tempfile.TemporaryDirectory(prefix="row-") as folder, Path(results).open("ab", buffering=0) as file:
        for row in _measure(name, "--quick" in options, Path(folder)):
            file.write(msgspec.json.encode(row) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
