"""Self-healing: whatever events were lost, slices of a timer's sweep bring the bucket to what the rules say; they may
be killed anywhere, run at once, and meet any trouble."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.http import Request, Response
from coslocal.mount import mount
from coslocal.pytest_plugin import BUCKET, REGION, SECRET_ID, SECRET_KEY, Cos, new_app
from derivo import sweep
from derivo.breaker import Budget
from derivo.cos import Cos as Client
from derivo.cos import Page, Processed
from derivo.events import Source
from derivo.plan import plan
from derivo.settings import Settings

from .conftest import Function, index_of, photo
from .test_convergence import Interrupted

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
RULES = """
prefix: in/
derivatives:
  - {name: a, to: '/out/{path}.a.png', rule: imageMogr2/thumbnail/20x}
  - {name: b, to: '/far/{stem}/b.png', rule: imageMogr2/thumbnail/10x}
"""
PLACE = f"cos://{BUCKET}/"
CURSOR = ".derivo/sweep.json"
KEYS = [f"in/{n % 3}/{n}.png" for n in range(8)]


class Slow(Client):
    """COS that lists few keys at a time, as it may, and takes its time to process."""

    def __init__(self, sweeper: Sweeper) -> None:
        super().__init__(Settings(scheme="http", secret_id=SECRET_ID, secret_key=SECRET_KEY))
        self._sweeper = sweeper

    def list_page(self, **asked: Any) -> Page:
        page, size = super().list_page(**asked), self._sweeper.page
        if len(page.objects) <= size:
            return page
        return Page(objects=page.objects[:size], next=page.objects[size - 1].key)

    def process(self, **asked: Any) -> Processed:
        self._sweeper.clock.sleep(self._sweeper.seconds)
        return super().process(**asked)


@dataclass
class Sweeper(Function):
    """The deployed function with a timer, which fires every minute."""

    page: int = 3
    seconds: float = 0.0
    time: int = 1_800_000_000

    @property
    def client(self) -> Client:
        return Slow(self)

    def ring(self, message: str = PLACE) -> dict[str, Any]:
        """The timer fires; what the slice logged."""
        self.time += 60
        when = datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.run({"Type": "Timer", "TriggerName": "sweep", "Time": when, "Message": message})
        return self.lines[-1]

    def round(self, most: int = 40) -> dict[str, Any]:
        """Rings until a round is done."""
        for _ in range(most):
            line = self.ring()
            if line["complete"]:
                return line
        raise AssertionError(f"no round is done after {most} slices: {line}")

    def put(self, *keys: str) -> None:
        for key in keys:
            self.cos.put(key, PNG)

    def delete(self, *keys: str) -> None:
        for key in keys:
            self.cos.client().delete_object(Bucket=BUCKET, Key="/" + key)

    def made_of(self, *keys: str) -> set[str]:
        """The derivatives that these sources should have."""
        plans = (plan(Source(bucket=BUCKET, region=REGION, key=key), self.rule_sets) for key in keys)
        return {planned.key for made in plans for planned in made.derivatives}

    def calls(self) -> int:
        return self.cos.journal.count("image_process")


@pytest.fixture
def sweeper(cos: Cos) -> Sweeper:
    return Sweeper(cos, index_of(RULES))


def test_what_no_event_came_for_is_made(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    line = sweeper.round()
    assert set(sweeper.cos.keys()) == {*KEYS, *sweeper.made_of(*KEYS), CURSOR}
    assert (line["msg"], line["level"], line["sources"], line["due"], line["written"]) == ("swept", "info", 8, 8, 16)
    assert sweeper.calls() == 8


def test_only_what_is_missing_or_older_is_made(sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [sweeper.cos.app.clock()]
    monkeypatch.setattr(sweeper.cos.app, "clock", lambda: now[0])
    sweeper.put(*KEYS)
    sweeper.round()
    before = sweeper.calls()
    now[0] += 60
    sweeper.delete(f"out/{KEYS[1]}.a.png")
    sweeper.put(KEYS[2])
    sweeper.time += 86_400
    line = sweeper.round()
    assert (line["due"], line["written"]) == (2, 3)
    asked = sweeper.cos.journal.entries("image_process")[before:]
    assert {(entry.key, entry.rules) for entry in asked} == {(KEYS[1], 1), (KEYS[2], 2)}


def test_a_round_with_nothing_to_do_costs_a_listing_for_each_thousand_keys(sweeper: Sweeper) -> None:
    keys = [f"in/{number:03}.png" for number in range(300)]
    sweeper.page = 1000
    sweeper.put(*keys, *sweeper.made_of(*keys))
    line = sweeper.round()
    # a page of sources; a HEAD and a page for the derivatives
    assert (line["sources"], line["due"], line["requests"]) == (300, 0, 3)
    assert sweeper.calls() == 0


def test_strangers_among_the_outputs_are_passed_by(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS, *(f"out/in/1/{number:04}" for number in range(40)), *(f"zoo/{number}" for number in range(20)))
    strangers = set(sweeper.cos.keys())
    sweeper.round()
    assert set(sweeper.cos.keys()) == strangers | sweeper.made_of(*KEYS) | {CURSOR}
    sweeper.time += 86_400
    assert sweeper.round()["due"] == 0


def test_the_next_round_waits_for_its_time(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    sweeper.round()
    sweeper.delete(*sweeper.made_of(*KEYS))
    line = sweeper.ring()
    assert (line["resting"], line["requests"], sweeper.calls()) == (True, 0, 8)
    sweeper.time += 86_400
    assert sweeper.round()["round"] == 2
    assert sweeper.calls() == 16


@pytest.mark.parametrize("time", ["", "soon", "1969-12-31T00:00:00Z", None, 5])
def test_a_timer_that_tells_no_time_is_heeded(sweeper: Sweeper, time: Any) -> None:
    sweeper.put(*KEYS[:2])
    sweeper.page = 1000
    for rounds in (1, 2):
        sweeper.run({"Type": "Timer", "TriggerName": "sweep", "Time": time, "Message": PLACE})
        assert (sweeper.lines[-1]["round"], sweeper.lines[-1]["complete"]) == (rounds, True)
    assert sweeper.calls() == 2


def test_a_slice_ends_in_time_and_the_next_goes_on(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    sweeper.seconds = 20
    line = sweeper.ring()
    assert (line["stopped"], line["level"], line["complete"]) == ("Deadline", "info", False)
    assert 0 < line["due"] < 8
    assert sweeper.round()["level"] == "info"
    assert sweeper.calls() == 8


def test_a_budget_ends_a_slice_too(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    sweeper.budget = Budget(sweeper.clock, 3)
    line = sweeper.ring()
    assert (line["stopped"], line["level"], sweeper.calls()) == ("BudgetExceeded", "info", 3)
    sweeper.budget = None
    sweeper.round()
    assert sweeper.calls() == 8


def test_what_fails_for_good_is_told_and_does_not_hold_up_the_rest(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    sweeper.cos.put("in/0/broken.png", b"no picture")
    line = sweeper.round()
    assert (line["level"], line["failed"], line["written"]) == ("error", 2, 16)


def test_a_source_that_always_fails_for_a_passing_reason_is_passed_over_after_some_tries(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    sweeper.cos.faults.add("error", code="InternalError", operation="image_process", prefix=KEYS[3])
    lines = [sweeper.ring() for _ in range(sweep.MOST_TRIES)]
    assert [line["stopped"] for line in lines] == [f"InternalError at {KEYS[3]}"] * 2 + [None] or lines[-1]["complete"]
    assert lines[-1]["passed_over"] == 1
    assert set(sweeper.cos.keys()) == {*KEYS, CURSOR, *sweeper.made_of(*(key for key in KEYS if key != KEYS[3]))}
    sweeper.cos.faults.clear()
    sweeper.time += 86_400
    sweeper.round()
    assert sweeper.made_of(*KEYS) <= set(sweeper.cos.keys())


def test_a_bucket_that_may_not_be_listed_is_told(sweeper: Sweeper) -> None:
    sweeper.cos.faults.add("error", code="AccessDenied", operation="list_objects")
    line = sweeper.ring()
    assert (line["level"], line["complete"]) == ("error", False)
    assert line["stopped"].startswith("AccessDenied")


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 5000, b'{"sweep":1,"derivo":"x","bucket":"b-1","prefix":""}'])
def test_a_cursor_that_is_none_begins_a_round(sweeper: Sweeper, data: bytes) -> None:
    sweeper.put(*KEYS)
    sweeper.cos.put(CURSOR, data)
    sweeper.round()
    assert sweeper.made_of(*KEYS) <= set(sweeper.cos.keys())


def test_a_message_names_the_place(cos: Cos, sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    line = sweeper.ring(PLACE + "in/1/")
    assert (line["prefix"], line["sources"]) == ("in/1/", 3)
    cursors = [item.key for item in cos.app.store.scan(BUCKET, prefix=".derivo/")]
    assert cursors == [sweep.cursor_key("in/1/")] != [CURSOR]
    assert sweeper.ring("")["msg"] == "nothing_to_sweep"
    assert sweeper.ring("photos")["msg"] == "nothing_to_sweep"


def test_a_rule_set_may_name_the_bucket_instead(cos: Cos) -> None:
    sweeper = Sweeper(cos, index_of(f"bucket: {BUCKET}\n" + RULES))
    sweeper.put(*KEYS)
    assert sweeper.ring("")["sources"] == 8


def test_manifests_that_are_missing_are_written(cos: Cos) -> None:
    sweeper = Sweeper(cos, index_of("manifest: '/meta/{path}.json'\n" + RULES))
    sweeper.put(*KEYS)
    sweeper.round()
    sweeper.delete(f"meta/{KEYS[0]}.json", f"out/{KEYS[1]}.a.png")
    sweeper.time += 86_400
    assert sweeper.round()["due"] == 2
    told = json.loads(sweeper.cos.get(f"meta/{KEYS[1]}.json") or b"")
    assert len(told["derivatives"]) == 2
    assert sweeper.cos.get(f"meta/{KEYS[0]}.json")


@pytest.mark.parametrize("again", [True, False])
def test_a_manifest_of_an_earlier_source_is_written_anew(
    cos: Cos, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [cos.app.clock()]
    monkeypatch.setattr(cos.app, "clock", lambda: now[0])
    sweeper = Sweeper(cos, index_of("manifest: '/meta/{path}.json'\n" + RULES))
    sweeper.put(KEYS[0])
    sweeper.round()
    now[0] += 60
    cos.put(KEYS[0], PNG if again else photo(60, 40, ".png"))
    # an uploader made the derivatives, and broke off before the manifest
    sweeper.put(*sweeper.made_of(KEYS[0]))
    sweeper.time += 86_400
    assert sweeper.round()["due"] == (0 if again else 1)
    told, standing = json.loads(cos.get(f"meta/{KEYS[0]}.json") or b""), cos.app.store.get(BUCKET, KEYS[0])
    assert standing is not None
    assert told["source"]["etag"] == standing.etag


def test_nothing_of_our_own_is_a_source(cos: Cos) -> None:
    sweeper = Sweeper(cos, index_of("derivatives:\n  - {name: a, to: '/.derivo/x/{path}', rule: imageMogr2/strip}\n"))
    sweeper.put("in.png")
    sweeper.round()
    sweeper.time += 86_400
    assert sweeper.round()["sources"] == 1


# --- killed anywhere


class Killing:
    """coslocal, which kills the process that sends its n-th request, before or after it is carried out."""

    def __init__(self, cos: Any, deaths: Sequence[int]) -> None:
        self._app, self._deaths = cos, list(deaths)
        self._left = self._deaths.pop(0) if self._deaths else -1

    def handle(self, request: Request) -> Response:
        if self._left < 0:
            return self._app.handle(request)
        self._left -= 1
        if self._left < 0:
            late = self._deaths.pop(0) % 2 if self._deaths else 0
            self._left = self._deaths.pop(0) if self._deaths else -1
            if late:
                self._app.handle(request)
            raise Interrupted
        return self._app.handle(request)


NAMES = st.text("ab/.é", min_size=1, max_size=4).map(lambda name: f"in/{name}x.png")


@settings(max_examples=40, deadline=None)
@given(
    keys=st.lists(NAMES, max_size=7, unique=True),
    strangers=st.lists(NAMES.map(lambda key: f"out/{key}"), max_size=4),
    lost=st.data(),
    deaths=st.lists(st.integers(0, 25), max_size=9),
    page=st.integers(1, 4),
    two=st.booleans(),
)
def test_whatever_was_lost_and_wherever_it_is_killed_the_bucket_ends_clean(
    keys: list[str], strangers: list[str], lost: st.DataObject, deaths: list[int], page: int, two: bool
) -> None:
    app = new_app()
    with pytest.MonkeyPatch.context() as patch:
        mounted = mount(app, patch)
        index = index_of(RULES.replace("{stem}/b", "{path}/b"))
        sweeper = Sweeper(Cos(app, mounted), index, page=page)
        wanted = sweeper.made_of(*keys)
        sweeper.put(*keys, *strangers)
        standing = lost.draw(st.sets(st.sampled_from(sorted(wanted)))) if wanted else set()
        sweeper.put(*standing)
        mounted.app = Killing(app, deaths)  # type: ignore[assignment]
        for _ in range(len(deaths) + 2):
            try:
                sweeper.ring()
                if two:
                    sweeper.ring()
            except Interrupted:
                continue
        mounted.app = app
        sweeper.sweep_hours = 0
        if not any(line.get("complete") for line in sweeper.lines):
            sweeper.round()
        assert set(sweeper.cos.keys()) - {CURSOR} == {*keys, *strangers, *wanted}
        remade = [line["key"] for line in sweeper.lines if line["msg"] == "derived"]
        assert set(remade) <= set(keys)
    app.store.close()


def test_two_timers_at_once_do_each_others_work_twice_at_most(sweeper: Sweeper) -> None:
    sweeper.put(*KEYS)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(sweeper.round), pool.submit(sweeper.round)]:
            assert done.result()["complete"]
    assert set(sweeper.cos.keys()) == {*KEYS, *sweeper.made_of(*KEYS), CURSOR}
    assert sweeper.calls() <= 2 * len(KEYS)
