import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.scf import queue as queue_module
from coslocal.scf.clock import ManualClock, SystemClock
from coslocal.scf.queue import AsyncQueue
from coslocal.scf.result import CODE_ERROR, OK, THROTTLED, Result
from coslocal.scf.schedule import Dead, Message, Policy

LONG = 30.0


def message(name: str, clock: ManualClock) -> Message:
    return Message(request_id=name, event="{}", subject=name, pushed=clock.now())


def drain(queue: AsyncQueue, clock: ManualClock) -> None:
    while queue.wait_quiet(LONG) and (due := queue.next_due()) is not None:
        clock.move_to(due)


@settings(max_examples=25, deadline=None)
@given(
    scripts=st.lists(st.lists(st.sampled_from([OK, CODE_ERROR, THROTTLED]), max_size=6), max_size=8),
    workers=st.integers(1, 4),
)
def test_over_threads_every_message_ends_in_one_success_or_one_dead_letter(
    scripts: list[list[int]], workers: int
) -> None:
    clock, ends, lock = ManualClock(), Counter[str](), threading.Lock()
    left = {str(number): list(script) for number, script in enumerate(scripts)}

    def run(taken: Message) -> Result:
        with lock:
            status = left[taken.request_id].pop(0) if left[taken.request_id] else OK
            if status == OK:
                ends[taken.request_id] += 1
            return Result(request_id=taken.request_id, status=status)

    def bury(dead: Dead) -> None:
        with lock:
            ends[dead.message.request_id] += 1

    queue = AsyncQueue(run, bury, clock=clock, policy=Policy(), workers=workers)
    for name in left:
        assert queue.push(message(name, clock))
    drain(queue, clock)
    assert ends == dict.fromkeys(left, 1)
    assert queue.close() == []


def test_a_retry_waits_for_the_clock_and_not_for_real_time() -> None:
    clock, runs = ManualClock(), list[float]()

    def run(taken: Message) -> Result:
        runs.append(clock.now())
        return Result(request_id=taken.request_id, status=CODE_ERROR)

    dead: list[Dead] = []
    queue = AsyncQueue(run, dead.append, clock=clock, policy=Policy(), workers=1)
    start = clock.now()
    queue.push(message("m", clock))
    assert queue.wait_quiet(LONG)
    clock.advance(59)
    assert queue.wait_quiet(LONG)
    assert runs == [start]
    clock.advance(1)
    assert queue.wait_quiet(LONG)
    clock.advance(60)
    assert queue.wait_empty(LONG)
    assert runs == [start, start + 60, start + 120]
    assert [item.message.request_id for item in dead] == ["m"]
    assert queue.close() == []


def test_the_systems_clock_brings_retries_by_itself() -> None:
    clock, statuses = SystemClock(), [CODE_ERROR, CODE_ERROR, OK]

    def run(taken: Message) -> Result:
        return Result(request_id=taken.request_id, status=statuses.pop(0))

    dead: list[Dead] = []
    queue = AsyncQueue(run, dead.append, clock=clock, policy=Policy(retry_interval=0.01), workers=2)
    queue.push(Message(request_id="m", event="{}", subject="m", pushed=clock.now()))
    assert queue.wait_empty(LONG)
    assert (statuses, dead) == ([], [])
    assert queue.close() == []


def test_a_fault_of_the_runner_itself_does_not_cost_the_message() -> None:
    clock, outcomes = ManualClock(), [RuntimeError("boom"), None]

    def run(taken: Message) -> Result:
        error = outcomes.pop(0)
        if error:
            raise error
        return Result(request_id=taken.request_id, status=OK)

    dead: list[Dead] = []
    queue = AsyncQueue(run, dead.append, clock=clock, policy=Policy(), workers=1)
    queue.push(message("m", clock))
    drain(queue, clock)
    assert (outcomes, dead) == ([], [])
    queue.close()


def test_what_is_not_handled_at_the_end_is_handed_over() -> None:
    clock = ManualClock()
    started, go_on = threading.Event(), threading.Event()

    def run(taken: Message) -> Result:
        started.set()
        go_on.wait(LONG)
        return Result(request_id=taken.request_id, status=CODE_ERROR)

    dead: list[Dead] = []
    queue = AsyncQueue(run, dead.append, clock=clock, policy=Policy(), workers=1)
    for name in "abc":
        queue.push(message(name, clock))
    assert started.wait(LONG)
    queue.pause(0)
    queue.push(message("late", clock))
    go_on.set()
    assert sorted(item.request_id for item in queue.close()) == ["a", "b", "c", "late"]
    assert dead == []


def test_a_full_queue_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "MOST_WAITING", 2)
    clock = ManualClock()
    queue = AsyncQueue(
        lambda taken: Result(request_id=taken.request_id, status=OK),
        lambda dead: None,
        clock=clock,
        policy=Policy(),
        workers=1,
    )
    queue.pause(0)
    assert [queue.push(message(name, clock)) for name in "abc"] == [True, True, False]
    assert len(queue.close()) == 2
