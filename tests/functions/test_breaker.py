"""The loop breaker: our own outputs are no sources, every verdict has a witness that holds, a runaway is stopped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo.breaker import Breaker, Budget
from derivo.events import Source
from derivo.handle import Unfinished
from derivo.plan import plan

from .conftest import Function, TestClock, event_of, index_of, photo

BUCKET = "photos-1250000000"


def source(key: str) -> Source:
    return Source(bucket=BUCKET, region="ap-guangzhou", key=key)


def looping(template: str, more: str = "") -> str:
    return f"prefix: in/\n{more}derivatives: [{{name: t, to: '{template}', rule: imageMogr2/thumbnail/20x}}]\n"


TEMPLATES = [
    "/in/out/{path}",
    "/in/{dir}/{stem}.t.{ext}",
    "/in/{name}.jpg",
    "/in/{stem}.small.jpg",
    "small/{name}",
    "{stem}.t.{ext}",
    "/in/by/{ext}/{dir}/{stem}.webp",
    "/in/{stem}/{stem}.png",
]
NAMES = st.text(st.characters(exclude_characters="/.", exclude_categories=["Cs"]), min_size=1, max_size=8)


@pytest.mark.parametrize("template", TEMPLATES)
@given(folder=st.sampled_from(["", "a/", "新 品/b/"]), name=NAMES, extension=st.sampled_from([".jpg", ".PNG", ".webp"]))
def test_what_a_rule_set_writes_is_no_source(template: str, folder: str, name: str, extension: str) -> None:
    index = index_of(looping(template))
    made = plan(source(f"in/{folder}{name}{extension}"), index)
    for planned in made.derivatives:
        said = Breaker(index).trips(source(planned.key))
        if said is None:
            # nothing would process it either
            assert not index.matching(source(planned.key))
        else:
            witness = said.partition(" of ")[2]
            assert planned.key in [item.key for item in plan(source(witness), index).derivatives]


@given(key=st.text(max_size=30))
def test_a_key_that_nothing_writes_is_a_source(key: str) -> None:
    index = index_of(looping("/in/thumbs/{path}.webp"))
    said = Breaker(index).trips(source("in/" + key))
    if said is not None:
        assert key.startswith("thumbs/in/")


def test_a_chained_rule_set_takes_them(function: Function) -> None:
    index = index_of(looping("/in/out/{name}"), looping("/done/{path}", "chained: true\n").replace("in/", "in/out/", 1))
    assert Breaker(index).trips(source("in/out/a.jpg")) is None


def test_an_event_for_our_own_output_is_logged_and_not_processed(function: Function) -> None:
    function.rule_sets = index_of(looping("/in/thumbs/{path}.jpg"))
    first = function.run(event_of(function.upload("in/a.jpg", photo())))
    again = function.run(event_of(function.upload("in/thumbs/in/a.jpg.jpg", photo())))
    assert (first.written, again.written, again.unusable) == (1, 0, 1)
    assert function.lines[-1]["reason"] == "own_output"
    assert function.lines[-1]["detail"] == "set0/t of in/a.jpg"
    assert function.cos.journal.count("image_process") == 1


def test_the_budget_trips_and_fills_again() -> None:
    clock = TestClock()
    budget = Budget(clock, 3)
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]
    clock.now += 60
    assert budget.spend()
    assert all(Budget(clock, 0).spend() for _ in range(10_000))


def test_a_runaway_is_raised(function: Function) -> None:
    records = [function.upload(f"in/{n}.jpg", photo()) for n in range(4)]
    function.budget = Budget(function.clock, 2)
    with pytest.raises(Unfinished, match="BudgetExceeded"):
        function.run(event_of(*records))
    assert function.cos.journal.count("image_process") == 2
