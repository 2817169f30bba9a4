"""Any schedule of faults, duplicates, reordering and overwrites ends in the bucket of one clean run; and the simulator
that says so finds what is broken on purpose."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.dialects import TABLE
from derivo import derive, follow
from tests.chaos import simulation, worlds
from tests.chaos.chaos import check, explain
from tests.chaos.runs import GOES_WRONG
from tests.chaos.schedule import FILEIDS, MENDS, draw
from tests.chaos.shrinking import least

SCHEDULES = 200


def test_two_hundred_schedules_end_in_the_clean_bucket(capsys: pytest.CaptureFixture[str]) -> None:
    tally = check(range(SCHEDULES))
    with capsys.disabled():
        sys.stdout.write(f"\n{tally.line()}\n")
    assert not tally.failing, "\n".join(tally.failures())
    assert tally.schedules == SCHEDULES
    assert [kind for kind in GOES_WRONG if not tally.counts[kind]] == []


def test_schedules_are_of_every_dialect_and_every_shape() -> None:
    schedules = [draw(seed) for seed in range(10_000)]
    drawn = {(dialect.name, schedule.dialects.get(dialect.name, dialect.default))
             for schedule in schedules for dialect in TABLE}  # fmt: skip
    assert {(dialect.name, choice) for dialect in TABLE for choice in dialect.choices} == drawn
    assert {schedule.shape for schedule in schedules} == {shape.name for shape in worlds.SHAPES}
    assert {schedule.versioned for schedule in schedules} == {True, False}
    assert {schedule.fileids for schedule in schedules} == {*FILEIDS}
    assert {schedule.mends for schedule in schedules} == {*MENDS}
    kinds = {"put", "image", "parts", "append", "delete", "copy"}
    assert {step.kind for schedule in schedules for step in schedule.steps} == kinds


def test_a_seed_gives_the_same_run_again() -> None:
    seed = next(seed for seed in range(100) if draw(seed).wildness > 0.5)
    first, second = simulation.run(draw(seed)), simulation.run(draw(seed))
    assert first.trace == second.trace
    assert first.mischief.drawn == second.mischief.drawn
    assert first.mischief.drawn


def _looks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive._Run, "is_current", lambda self: True)


def _deletes_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow._Following, "look", lambda self, bucket, key: None)


@pytest.mark.parametrize("fault", [_looks_away, _deletes_unasked])
def test_what_is_broken_on_purpose_is_found_and_made_small(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    seed = next(seed for seed in range(1000) if "delete" in draw(seed).shape and check([seed]).failing)
    told: list[str] = []
    assert explain(seed, told.append) == 1
    text = "".join(told)
    assert f"seed {seed}: rule sets" in text
    steps = re.findall(r"s  op\d+: (?:put|image|parts|append|delete|copy) ", text)
    assert 1 <= len(steps) <= 3


@given(items=st.lists(st.integers(0, 30), unique=True), needed=st.sets(st.integers(0, 30), max_size=4))
def test_what_is_left_of_a_failure_is_only_what_it_needs(items: list[int], needed: set[int]) -> None:
    items = sorted({*items, *needed})
    assert set(least(items, lambda kept: needed <= set(kept))) == needed


def test_what_is_told_to_the_log_is_told_after_a_schedule_as_before() -> None:
    logger = logging.getLogger("coslocal.ci")
    before = logger.getEffectiveLevel()
    check([0])
    assert logger.getEffectiveLevel() == before


def test_a_seed_is_replayed_with_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    assert explain(1, told.append) == 0
    assert "nothing lost, nothing extra, no byte differs" in told[-1]
