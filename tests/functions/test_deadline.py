"""The deadline: no call is begun that could not end in time, and no pause eats the last call."""

from hypothesis import given
from hypothesis import strategies as st

from derivo.clock import LEAST_CALL_SECONDS, Deadline


class TickingClock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


SECONDS = st.floats(0, 900)


@given(budget=SECONDS, passed=SECONDS, longest=st.floats(1, 60))
def test_a_call_never_reaches_past_the_end(budget: float, passed: float, longest: float) -> None:
    clock = TickingClock()
    deadline = Deadline(clock, budget, longest_call=longest)
    clock.now += passed
    timeout = deadline.call_timeout()
    if timeout is None:
        assert budget - passed < LEAST_CALL_SECONDS + 1
    else:
        assert LEAST_CALL_SECONDS <= timeout <= longest
        assert clock.now + timeout < 100.0 + budget


@given(budget=SECONDS, attempt=st.integers(0, 30))
def test_after_a_pause_there_is_time_for_a_call(budget: float, attempt: int) -> None:
    clock = TickingClock()
    deadline = Deadline(clock, budget)
    before = clock.now
    if deadline.back_off(attempt):
        assert deadline.call_timeout() is not None
    else:
        assert clock.now == before
