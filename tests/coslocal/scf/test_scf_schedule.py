from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.scf.result import CODE_ERROR, EXITED, OK, SYSTEM_ERROR, THROTTLED, TIMEOUT, Result
from coslocal.scf.schedule import Dead, Message, Policy, Schedule

START = 1_000_000.0


def message(name: str = "m", pushed: float = START) -> Message:
    return Message(request_id=name, event="{}", subject=name, pushed=pushed)


def result(status: int) -> Result:
    return Result(request_id="m", status=status)


def attempts(policy: Policy, statuses: list[int]) -> tuple[list[float], Dead | None]:
    """When one message is tried (seconds after its push), when each attempt ends as told and the last one repeats."""
    schedule, now, tried = Schedule(policy), START, []
    schedule.push(message())
    while (due := schedule.next_due()) is not None:
        now = due
        taken = schedule.take(now)
        if isinstance(taken, Dead):
            return tried, taken
        assert taken is not None
        tried.append(now - START)
        dead = schedule.settle(taken, result(statuses[min(len(tried), len(statuses)) - 1]), now)
        if dead:
            return tried, dead
    return tried, None


@pytest.mark.parametrize("status", [CODE_ERROR, TIMEOUT, EXITED, 434, 437])
def test_an_execution_error_is_tried_again_twice_a_minute_apart(status: int) -> None:
    tried, dead = attempts(Policy(), [status])
    assert tried == [0, 60, 120]
    assert dead is not None
    assert dead.result.status == status


def test_a_success_ends_the_attempts() -> None:
    assert attempts(Policy(), [CODE_ERROR, OK]) == ([0, 60], None)


@pytest.mark.parametrize("status", [THROTTLED, SYSTEM_ERROR, 429])
def test_a_fault_of_the_platform_is_tried_every_minute_for_six_hours(status: int) -> None:
    tried, dead = attempts(Policy(), [status])
    assert tried == [60 * minute for minute in range(361)]
    assert dead is not None


def test_being_throttled_costs_none_of_the_retries() -> None:
    tried, dead = attempts(Policy(), [THROTTLED] * 10 + [CODE_ERROR])
    assert len(tried) == 10 + 3
    assert dead is not None
    assert dead.message.failures == 3


def test_a_message_that_grew_too_old_while_it_waited_is_given_up_unrun() -> None:
    schedule = Schedule(Policy(max_age=10))
    schedule.push(message())
    taken = schedule.take(START + 11)
    assert isinstance(taken, Dead)
    assert taken.result.status == THROTTLED


def test_messages_due_at_once_leave_in_the_order_they_came() -> None:
    schedule = Schedule(Policy())
    for name in "abc":
        schedule.push(message(name))
    taken = [schedule.take(START) for _ in range(4)]
    assert [item.request_id for item in taken if isinstance(item, Message)] == ["a", "b", "c"]
    assert taken[3] is None


@given(pushed=st.integers(1, 5), taken=st.integers(0, 5), ends=st.lists(st.sampled_from([OK, CODE_ERROR]), min_size=5))
def test_what_is_forgotten_waits_no_more_and_is_not_tried_again(pushed: int, taken: int, ends: list[int]) -> None:
    kept: dict[str, Message] = {}

    class Keeper:
        def keep(self, item: Message, due: float) -> None:
            kept[item.request_id] = item

        def drop(self, item: Message) -> None:
            del kept[item.request_id]

    schedule = Schedule(Policy(), Keeper())
    for number in range(pushed):
        schedule.push(message(str(number)))
    running = [item for _ in range(taken) if isinstance(item := schedule.take(START), Message)]
    schedule.forget_all()
    assert (schedule.waiting, schedule.running) == (0, len(running))
    for item, status in zip(running, ends, strict=False):
        assert schedule.settle(item, result(status), START) is None
    assert (schedule.waiting, schedule.running, kept) == (0, 0, {})
    schedule.push(message("0"))
    again = schedule.take(START)
    assert isinstance(again, Message)
    schedule.give_back(again)
    assert schedule.waiting == 1


@pytest.mark.parametrize("fields", [{"retries": -1}, {"retry_interval": 0}, {"throttle_interval": -1}, {"max_age": 0}])
def test_a_policy_without_sense_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="retries"):
        Policy(**fields)  # type: ignore[arg-type]


@dataclass
class Seen:
    attempts: int = 0
    failures: int = 0
    ends: list[str] = field(default_factory=list)


policies = st.builds(
    Policy,
    retries=st.integers(0, 4),
    retry_interval=st.floats(0.5, 100),
    throttle_interval=st.floats(0.5, 100),
    max_age=st.floats(1, 500),
)
statuses = st.sampled_from([OK, CODE_ERROR, TIMEOUT, THROTTLED, SYSTEM_ERROR])


@settings(deadline=None)
@given(
    policy=policies,
    pushes=st.lists(st.floats(0, 300), min_size=1, max_size=6),
    workers=st.integers(1, 3),
    data=st.data(),
)
def test_every_message_ends_once_within_its_attempts_and_its_age(
    policy: Policy, pushes: list[float], workers: int, data: st.DataObject
) -> None:
    """Random failures and run times: one success or one dead letter for each; nothing lost or doubled."""
    schedule, now = Schedule(policy), START
    seen = {str(number): Seen() for number in range(len(pushes))}
    arrivals = sorted((START + at, str(number)) for number, at in enumerate(pushes))
    running: list[tuple[float, Message]] = []
    while arrivals or running or schedule.waiting:
        due = schedule.next_due()
        times = [at for at, _ in arrivals[:1]] + [at for at, _ in running]
        if due is not None and len(running) < workers:
            times.append(due)
        now = max(now, min(times))
        while arrivals and arrivals[0][0] <= now:
            at, name = arrivals.pop(0)
            schedule.push(message(name, at))
        for item in [item for item in running if item[0] <= now]:
            running.remove(item)
            status = data.draw(statuses)
            own = seen[item[1].request_id]
            own.failures += status in (CODE_ERROR, TIMEOUT)
            dead = schedule.settle(item[1], result(status), now)
            if status == OK:
                own.ends.append("success")
            if dead:
                own.ends.append("dead")
        while len(running) < workers and (taken := schedule.take(now)) is not None:
            if isinstance(taken, Dead):
                seen[taken.message.request_id].ends.append("dead")
                continue
            assert now - taken.pushed <= policy.max_age
            seen[taken.request_id].attempts += 1
            running.append((now + data.draw(st.floats(0, 50)), taken))
        assert schedule.running == len(running)
    for own in seen.values():
        assert len(own.ends) == 1
        assert own.failures <= policy.retries + 1
        shortest = min(policy.retry_interval, policy.throttle_interval)
        assert own.attempts <= policy.max_age / shortest + 2
