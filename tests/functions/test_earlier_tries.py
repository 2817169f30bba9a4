"""A retry does only what is missing where there is no manifest: a warm instance remembers what it made, and a failure
record tells it to every instance. Both are believed only where the bucket says the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coslocal.dialects import Dialects
from coslocal.http import Response
from coslocal.pytest_plugin import BUCKET, Cos
from derivo import failures
from derivo.earlier import Memory
from derivo.events import Source
from derivo.handle import Unfinished
from derivo.outcomes import Work

from .conftest import Function, Twisted, event_of, index_of, photo
from .test_retries import KEY, MANIFEST, SEVEN, operations, rules_sent

ON_FAILURE = "on_failure: /failures/\n"
RECORD = "failures/in/a.jpg.json"
ALL = [f"out/in/a.jpg.{n}.png" for n in range(7)]


def clean(cos: Cos) -> dict[str, bytes | None]:
    return {key: cos.get(key) for key in cos.keys()}  # noqa: SIM118


def throttle_second_request(cos: Cos) -> None:
    for _ in range(4):  # each strikes the second request that it meets, and is met by none that another struck
        cos.app.faults.add("error", code="SlowDown", operation="image_process", nth=2)


def fail_once(function: Function) -> dict[str, Any]:
    """The event of a source of which the first request was answered, and the second throttled until time was up."""
    event = event_of(function.upload(KEY, photo()))
    throttle_second_request(function.cos)
    with pytest.raises(Unfinished, match="2 derivatives of 1 sources"):
        function.run(event)
    function.clock.now += 60
    return event


def requests_of(function: Function, event: dict[str, Any]) -> dict[str, int]:
    since = len(list(function.cos.journal.entries()))
    function.run(event)
    return operations(function.cos, since)


@pytest.fixture
def warm(cos: Cos) -> Function:
    return Function(cos, index_of(SEVEN), memory=Memory())


@pytest.fixture
def recording(cos: Cos) -> Function:
    return Function(cos, index_of(ON_FAILURE + SEVEN))


# --- what an instance remembers


def test_a_warm_instance_makes_only_what_its_first_try_could_not(warm: Function) -> None:
    event = fail_once(warm)
    assert requests_of(warm, event) == {"head_object": 5 + 1, "image_process": 1}
    assert rules_sent(warm.cos)[-1] == 2
    assert [item["outcome"] for item in warm.lines[-1]["derivatives"]] == ["skipped(up_to_date)"] * 5 + ["written"] * 2
    made = clean(warm.cos)
    warm.memory = None
    warm.run(event)
    assert clean(warm.cos) == made


def test_sources_that_were_done_are_not_done_again_with_those_that_were_not(warm: Function) -> None:
    event = event_of(warm.upload("in/b.jpg", photo(90, 60)), warm.upload(KEY, photo()))
    for _ in range(4):
        warm.cos.app.faults.add("error", code="SlowDown", operation="image_process", nth=4)
    with pytest.raises(Unfinished, match="2 derivatives of 2 sources"):
        warm.run(event)
    assert requests_of(warm, event) == {"head_object": 7 + 1 + 5 + 1, "image_process": 1}


def test_an_event_that_is_done_is_forgotten(warm: Function) -> None:
    event = fail_once(warm)
    warm.run(event)
    assert requests_of(warm, event) == {"head_object": 1, "image_process": 2}


def test_where_the_event_does_not_tell_the_etag_the_source_is_looked_at_first(warm: Function) -> None:
    warm.cos.app.dialects = Dialects({"event-meta": "documented"})
    event = fail_once(warm)
    assert requests_of(warm, event) == {"head_object": 1 + 5 + 1, "image_process": 1}


def test_the_next_version_of_the_source_is_made_as_if_nothing_was_remembered(warm: Function) -> None:
    fail_once(warm)
    event = event_of(warm.upload(KEY, photo(80, 120)))
    assert requests_of(warm, event) == {"head_object": 1, "image_process": 2}


def test_a_source_that_was_overwritten_before_the_retry_is_made_anew(warm: Function) -> None:
    event = fail_once(warm)
    warm.cos.put(KEY, photo(80, 120))
    warm.run(event)
    assert rules_sent(warm.cos)[5:] == [2, 5, 2]
    made = clean(warm.cos)
    Function(warm.cos, warm.rule_sets).run(event_of(warm.upload(KEY, photo(80, 120))))
    assert clean(warm.cos) == made


def test_a_rule_that_changed_is_not_taken_for_what_was_made(warm: Function) -> None:
    event = fail_once(warm)
    warm.rule_sets = index_of(SEVEN.replace("thumbnail/9x", "thumbnail/8x"))
    warm.run(event)
    assert rules_sent(warm.cos)[-1] == 3
    assert warm.lines[-1]["derivatives"][0]["width"] == 8


@given(
    events=st.lists(st.tuples(st.lists(st.integers(0, 9), max_size=4), st.booleans()), max_size=12),
    most=st.integers(0, 19),
)
def test_a_memory_holds_the_latest_of_what_failed_and_no_more_than_it_may(
    events: list[tuple[list[int], bool]], most: int
) -> None:
    memory = Memory(most)
    wanted: dict[int, None] = {}
    for sources, fails in events:
        for number in sources:
            wanted.pop(number, None)
        try:
            with memory.event() as noted:
                for number in sources:
                    noted.note(_source(number), _work())
                if fails:
                    raise Unfinished
        except Unfinished:
            wanted.update(dict.fromkeys(sources))
        while 2 * len(wanted) > most:
            del wanted[next(iter(wanted))]
        with memory.event() as noted:
            assert [number for number in range(10) if noted.tell(_source(number))] == sorted(wanted)


def _source(number: int) -> Source:
    return Source(bucket=BUCKET, region="ap-guangzhou", key=f"in/{number}")


def _work() -> Work:
    """Of one derivative."""
    from derivo.outcomes import WRITTEN, Outcome
    from derivo.plan import Planned

    planned = Planned(rule_set="a", name="t", bucket=BUCKET, key="t", rule="", spec="0")
    return Work(outcomes=(Outcome(derivative=planned, status=WRITTEN, etag="e"),))


# --- what a record tells


def test_every_instance_makes_only_what_a_record_says_is_missing_and_clears_it_away(recording: Function) -> None:
    event = fail_once(recording)
    record = failures.parse(recording.cos.get(RECORD) or b"")
    assert record is not None
    assert record.made is not None
    assert [item.key for item in record.made.derivatives] == ALL[:5]
    assert requests_of(recording, event) == {
        "get_object": 2, "head_object": 5 + 1, "image_process": 1, "delete_object": 1
    }  # fmt: skip
    assert rules_sent(recording.cos)[-1] == 2
    assert sorted(recording.cos.keys()) == sorted([KEY, *ALL])


def test_an_instance_that_knows_of_the_failure_looks_however_soon_the_retry_comes(recording: Function) -> None:
    recording.memory = Memory()
    event = event_of(recording.upload(KEY, photo()))
    recording.cos.app.faults.add("error", code="SlowDown", operation="image_process", times=8)
    with pytest.raises(Unfinished, match="7 derivatives"):
        recording.run(event)
    recording.clock.now = 0.0
    assert recording.run(event).written == 7
    assert recording.cos.get(RECORD) is None


def test_a_fresh_event_costs_no_look_at_records(recording: Function) -> None:
    event = event_of(recording.upload(KEY, photo()))
    assert requests_of(recording, event) == {"head_object": 1, "image_process": 2}


def test_a_record_stays_while_something_fails(cos: Cos) -> None:
    function = Function(cos, index_of(ON_FAILURE + SEVEN + "  - {name: x, to: '/out/{path}.x.jpg', style: none}\n"))
    event = event_of(function.upload(KEY, photo()))
    for _ in range(2):
        function.run(event)
        function.clock.now += 60
        record = failures.parse(cos.get(RECORD) or b"")
        assert record is not None
        assert [failure.name for failure in record.failures] == ["x"]


def test_a_record_that_another_run_has_written_meanwhile_stays(recording: Function, twisted: Twisted) -> None:
    event = fail_once(recording)
    other = (recording.cos.get(RECORD) or b"").replace(b"invocation-1", b"invocation-2")

    def meanwhile(response: Response) -> Response:
        recording.cos.put(RECORD, other)
        return response

    twisted.twists = [meanwhile]
    recording.run(event)
    assert recording.cos.get(RECORD) == other


def test_a_timer_that_mends_clears_the_record_away(recording: Function) -> None:
    fail_once(recording)
    bell = {"Type": "Timer", "TriggerName": "t", "Time": "2030-01-01T00:00:00Z", "Message": f"cos://{BUCKET}/in/"}
    assert recording.run(bell).written == 2
    assert recording.cos.get(RECORD) is None


@pytest.mark.parametrize("what", ["a note", "another source's"])
def test_an_object_that_is_no_record_of_the_source_is_left_where_it_is(recording: Function, what: str) -> None:
    event = fail_once(recording)
    found = b"a note of somebody's"
    if what == "another source's":
        found = (recording.cos.get(RECORD) or b"").replace(b'"in/a.jpg"', b'"in/b.jpg"')
    recording.cos.put(RECORD, found)
    assert recording.run(event).written == 7
    assert recording.cos.get(RECORD) == found


LIES: dict[str, Any] = {
    "right": {},
    "etag": {"etag": "0" * 32},
    "size": {"size": 1},
    "spec": {"spec": "000000000000"},
    "key": {"key": "out/elsewhere.png"},
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(st.sampled_from(sorted(LIES)), min_size=7, max_size=7),
    source=st.sampled_from([{}, {}, {"etag": "0" * 32}, {"key": "in/other.jpg"}]),
    gone=st.sets(st.integers(0, 6), max_size=2),
)
def test_whatever_a_record_says_what_stands_in_the_end_is_right(
    recording: Function, told: list[str], source: dict[str, str], gone: set[int]
) -> None:
    cos = recording.cos
    event = event_of(recording.upload(KEY, photo()))
    throttle_second_request(cos)
    with pytest.raises(Unfinished):
        recording.run(event)
    record = json.loads(cos.get(RECORD) or b"")
    recording.run(event)
    right = clean(cos)
    recording.clock.now += 60
    for number in gone:
        cos.client().delete_object(Bucket=BUCKET, Key="/" + ALL[number])
    made = record["made"]
    made["derivatives"] = [item | LIES[lie] for item, lie in zip(made["derivatives"], told, strict=False)]
    made["source"] |= source
    cos.put(RECORD, json.dumps(record).encode())
    before = len(rules_sent(cos))
    recording.run(event)
    assert clean(cos) == {key: data for key, data in right.items() if key != RECORD}
    believed = 0 if source else sum(told[n] == "right" and n not in gone for n in range(5))
    assert sum(rules_sent(cos)[before:]) == 7 - believed


# --- what a manifest of a source that changed between two requests would tell


class _Cut(BaseException):
    """The platform ends the instance."""


def test_a_manifest_never_tells_of_two_versions_of_the_source(cos: Cos, twisted: Twisted) -> None:
    function = Function(cos, index_of(MANIFEST + SEVEN))
    first, second = photo(), photo(80, 120)
    size = max(len(first), len(second))
    first, second = (data.ljust(size, b"\0") for data in (first, second))  # so that only their ETags differ
    event = event_of(function.upload(KEY, first))

    def overwrite(response: Response) -> Response:
        cos.put(KEY, second)
        return response

    twisted.twists = [overwrite]
    answer = twisted.handle

    def cut(request: Any) -> Response:
        if request.method == "HEAD":
            raise _Cut
        return answer(request)

    twisted.handle = cut  # type: ignore[method-assign]
    with pytest.raises(_Cut):
        function.run(event)
    twisted.handle = answer  # type: ignore[method-assign]
    function.run(event_of(function.upload(KEY, second)))
    made = clean(cos)
    for key in (*ALL, "meta/in/a.jpg.json"):
        cos.client().delete_object(Bucket=BUCKET, Key="/" + key)
    function.run(event_of(function.upload(KEY, second)))
    assert clean(cos) == made
