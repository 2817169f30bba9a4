"""python -m tests.chaos [--schedules N] [--first SEED] [--processes P] | --seed SEED [--no-shrink]"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.chaos import Tally, check, explain

CHUNK = 50


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, help="replay one seed, shrink it when it fails, and show what happens")
    parser.add_argument("--no-shrink", action="store_true")
    options = parser.parse_args()
    if options.seed is not None:
        return explain(options.seed, sys.stdout.write, shrinks=not options.no_shrink)
    total = Tally()
    for tally in _tallies(options.first, options.schedules, options.processes):
        total = total.plus(tally)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{total.schedules} schedules, {len(total.failing)} fail ")
        _print(tally.failures())
    _print(total.report())
    return 1 if total.failing else 0


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _tallies(first: int, schedules: int, processes: int) -> Iterator[Tally]:
    chunks = [range(at, min(at + CHUNK, first + schedules)) for at in range(first, first + schedules, CHUNK)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(check, chunks)


if __name__ == "__main__":
    sys.exit(main())
