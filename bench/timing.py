"""Taking turns: what is compared runs alternately, so that both meet the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], object], repeat: int = 1) -> float:
    """Seconds that one call takes, averaged over `repeat`."""
    started = time.perf_counter()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - started) / repeat


def in_turn(ours: Callable[[], T], theirs: Callable[[], T], runs: int, *, warm_up: int = 1) -> tuple[list[T], list[T]]:
    """What both measure in `runs` pairs, A B B A ..., after `warm_up` pairs that do not count."""
    mine: list[T] = []
    others: list[T] = []
    for turn in range(warm_up + runs):
        order = [(ours, mine), (theirs, others)]
        for measure, results in order if turn % 2 == 0 else reversed(order):
            results.append(measure())
    return mine[warm_up:], others[warm_up:]
