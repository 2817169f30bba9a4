"""How fast: slots in time are never more than the rate allows, and concurrency finds what a service can do. Time is
simulated, answer by answer."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo_cli.reconcile.pace import Concurrency, Rate
from tests.functions.conftest import TestClock


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0.5, 200))
def test_no_second_has_more_than_the_rate_and_its_slack(pauses: list[float], rate: float) -> None:
    clock = TestClock()
    slots = Rate(clock, rate)
    taken = []
    for pause in pauses:
        clock.now += pause
        slots.wait()
        taken.append(clock.now)
    for first, start in enumerate(taken):
        within = sum(1 for when in taken[first:] if when < start + 1)
        assert within <= rate * (1 + Rate.SLACK_SECONDS) + 2


@given(st.lists(st.integers(1, 20), min_size=2, max_size=20), st.floats(1, 50))
def test_many_slots_at_once_are_paid_for_before_the_next(wanted: list[int], rate: float) -> None:
    clock = TestClock()
    slots = Rate(clock, rate)
    for count in wanted:
        slots.wait(count)
    assert clock.now == pytest.approx(sum(wanted[:-1]) / rate, rel=0.01)


def reached(
    seconds_at: Callable[[int, float], float],
    *,
    rate: float,
    until: float = 120.0,
    refuse_above: int = 999,
) -> tuple[float, Concurrency]:
    """Answers a second over the last half of so many seconds; `seconds_at(in flight, time)` is how long one takes."""
    concurrency, busy, now, slot = Concurrency(64), 0, 0.0, 0.0
    ends: list[tuple[float, float, bool, bool]] = []
    answers = 0
    while now < until:
        while busy < concurrency.limit:
            start = max(now, slot)
            slot = max(slot, now - Rate.SLACK_SECONDS) + 1 / rate
            busy += 1
            heapq.heappush(ends, (start + seconds_at(busy, start), start, start > now, busy > refuse_above))
        now, began, waited, refused = heapq.heappop(ends)
        busy -= 1
        if refused:
            concurrency.throttled(began, now)
        else:
            concurrency.answered(began, now, waited=waited)
            answers += now >= until / 2
    return answers / (until / 2), concurrency


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("rate", [20.0, 50.0, 90.0])
def test_the_rate_is_reached_however_long_an_answer_takes(seconds: float, rate: float) -> None:
    chance = random.Random(1)
    speed, _ = reached(lambda busy, at: seconds * chance.uniform(0.5, 1.5), rate=rate)
    assert speed >= 0.95 * rate


def test_sources_that_take_ten_times_as_long_do_not_lower_the_rate() -> None:
    chance = random.Random(2)
    speed, _ = reached(lambda busy, at: (0.05 if at < 40 else 0.5) * chance.uniform(0.5, 1.5), rate=90)
    assert speed >= 0.95 * 90


@pytest.mark.parametrize("able", [4, 10, 25])
def test_a_service_that_gets_no_faster_is_not_asked_for_ever_more_at_once(able: int) -> None:
    chance = random.Random(3)
    speed, concurrency = reached(
        lambda busy, at: 0.2 * max(1.0, busy / able) * chance.uniform(0.9, 1.1), rate=1000, until=200
    )
    assert speed >= 0.8 * able / 0.2
    assert concurrency.limit <= 4 * able


def test_refusals_hold_it_where_they_begin() -> None:
    speed, concurrency = reached(lambda busy, at: 0.1, rate=1000, refuse_above=20)
    assert speed >= 0.4 * 20 / 0.1
    assert concurrency.limit <= 40
