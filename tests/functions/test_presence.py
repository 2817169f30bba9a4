"""Which objects stand: the same answer as asking for each, in fewer requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from derivo.cos import Listed, Page
from derivo.presence import present, seconds

KEYS = st.text("ab/é图", min_size=1, max_size=4)
PLACES = st.tuples(st.sampled_from(["one-1", "two-2"]), KEYS)


class Buckets:
    """Objects in two buckets, listed a page at a time; `asked` counts the requests."""

    def __init__(self, standing: set[tuple[str, str]], size: int) -> None:
        self._standing, self._size, self.asked = standing, size, 0

    def list_behind(self, bucket: str, key: str) -> Page:
        self.asked += 1
        keys = sorted(own for where, own in self._standing if where == bucket and own > key)
        objects = tuple(
            Listed(key=own, size=1, etag="", modified="2026-11-22T10:00:00.000Z") for own in keys[: self._size]
        )
        return Page(objects=objects, next=objects[-1].key if len(keys) > self._size else None)

    def look(self, bucket: str, key: str) -> int | None:
        self.asked += 1
        return seconds("2026-11-22T10:00:00Z") if (bucket, key) in self._standing else None


@given(standing=st.sets(PLACES, max_size=40), wanted=st.lists(PLACES, max_size=20), size=st.integers(1, 8))
def test_the_answer_is_that_of_asking_for_each(
    standing: set[tuple[str, str]], wanted: list[tuple[str, str]], size: int
) -> None:
    buckets = Buckets(standing, size)
    found = present(wanted, buckets.list_behind, buckets.look)
    assert set(found) == set(wanted) & standing
    assert set(found.values()) <= {seconds("2026-11-22T10:00:00.000Z")}
    assert buckets.asked <= 2 * len(set(wanted)) + len(standing) // max(1, size // 2) + 2


@given(count=st.integers(1, 400), size=st.integers(2, 50))
def test_neighbours_cost_a_request_a_page(count: int, size: int) -> None:
    every = {("one-1", f"out/{number:04}") for number in range(count)}
    buckets = Buckets(every, size)
    assert set(present(every, buckets.list_behind, buckets.look)) == every
    assert buckets.asked <= 2 + count // size


def test_a_time_that_is_none_is_0() -> None:
    assert [seconds(text) for text in ("", "soon", "2026-13-40T10:00:00Z")] == [0, 0, 0]
    assert seconds("1970-01-02T00:00:00.000Z") == 86_400
