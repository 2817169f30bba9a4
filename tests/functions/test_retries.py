"""A retry does only what is missing: within an invocation always, over invocations where a manifest proves what stands.
Counted are coslocal's requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coslocal.dialects import Dialects
from coslocal.http import Response
from coslocal.pytest_plugin import BUCKET, Cos
from derivo.handle import Unfinished
from derivo.outcomes import CODES, NUMBERS, is_retryable

from .conftest import THUMB_AND_CARD, Function, Twisted, event_of, index_of, photo

KEY = "in/a.jpg"
MANIFEST = "manifest: /meta/{path}.json\n"
SEVEN = "prefix: in/\nderivatives:\n" + "".join(
    f"  - {{name: d{n}, to: '/out/{{path}}.{n}.png', rule: imageMogr2/thumbnail/{9 + n}x/format/png}}\n"
    for n in range(7)
)
BAD = "  - {name: bad%d, to: '/out/{path}.bad%d.jpg', style: not-there}\n"


def rules_sent(cos: Cos) -> list[int]:
    return [exchange.rules for exchange in cos.journal.entries("image_process")]


def operations(cos: Cos, since: int = 0) -> dict[str, int]:
    """How often each operation was asked for after the first `since` requests."""
    made = [exchange.operation for exchange in cos.journal.entries()][since:]
    return {name: made.count(name) for name in sorted(set(made))}


def told(function: Function) -> list[str]:
    data = function.cos.get("meta/in/a.jpg.json")
    assert data is not None
    return [item["key"] for item in json.loads(data)["derivatives"]]


# --- within an invocation


@pytest.mark.parametrize("how", ["omit", "unlisted"])
@pytest.mark.parametrize("rule", [1, 3, 5])
def test_only_what_an_answer_left_out_is_asked_for_again(cos: Cos, rule: int, how: str) -> None:
    function = Function(cos, index_of(SEVEN))
    cos.app.faults.add("partial", rule=rule, how=how, times=1)
    assert function.run(event_of(function.upload(KEY, photo()))).written == 7
    assert rules_sent(cos) == [5, 1, 2]


@pytest.mark.parametrize("bad", [1, 2])
def test_rules_that_ci_leaves_out_are_tried_alone_and_given_up(cos: Cos, bad: int) -> None:
    cos.app.dialects = Dialects({"partial-failure": "omit"})
    function = Function(cos, index_of(THUMB_AND_CARD + "".join(BAD % (n, n) for n in range(bad))))
    summary = function.run(event_of(function.upload(KEY, photo())))
    assert (summary.written, summary.failed, summary.retryable) == (2, bad, [])
    assert rules_sent(cos) == ([3, 1, 1, 1] if bad == 1 else [4, 2] + [1] * 8)
    outcomes = function.outcomes()
    assert [outcomes[f"out/in/a.jpg.bad{n}.jpg"] for n in range(bad)] == ["failed(permanent, NotMade)"] * bad


def test_where_time_is_short_they_are_left_to_the_platform(cos: Cos) -> None:
    cos.app.dialects = Dialects({"partial-failure": "omit"})
    function = Function(cos, index_of(THUMB_AND_CARD + BAD % (0, 0)), budget_ms=1_600)
    with pytest.raises(Unfinished, match=r"bad0\.jpg: MissingFromAnswer"):
        function.run(event_of(function.upload(KEY, photo())))


@pytest.mark.parametrize("partial", ["refuse", "omit", "refuse-late"])
@pytest.mark.parametrize("status", ["http-status", "ok-with-error"])
@pytest.mark.parametrize("code", ["name", "number"])
def test_one_bad_rule_is_permanent_however_it_is_told(cos: Cos, partial: str, status: str, code: str) -> None:
    cos.app.dialects = Dialects({"partial-failure": partial, "error-status": status, "error-code": code})
    function = Function(cos, index_of(THUMB_AND_CARD + BAD % (0, 0)))
    summary = function.run(event_of(function.upload(KEY, photo()), function.upload("in/text.jpg", b"no picture")))
    assert (summary.written, summary.failed, summary.retryable) == (2, 4, [])
    codes = ("NotMade", "InvalidPicOperations", "InvalidImageFormat")
    assert set(function.outcomes().values()) - {"written"} <= {f"failed(permanent, {code})" for code in codes}


def under_200(code: str) -> Any:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    return lambda response: Response(200, [("Content-Type", "application/xml"), ("x-cos-request-id", "REQ")], body)


@pytest.mark.parametrize("code", ["-60949", "-901", "SlowDown", "-12345", "NeverHeardOf"])
def test_an_error_under_200_that_may_pass_is_tried_again(function: Function, twisted: Twisted, code: str) -> None:
    record = function.upload(KEY, photo())
    twisted.twists = [under_200(code)]
    assert function.run(event_of(record)).written == 2
    assert rules_sent(function.cos) == [2, 2]
    twisted.twists = [under_200(code)] * 4
    with pytest.raises(Unfinished, match=NUMBERS.get(code, code)):
        function.run(event_of(record))


def test_one_result_that_is_too_large_costs_only_itself(function: Function, twisted: Twisted) -> None:
    record = function.upload(KEY, photo())
    twisted.twists = [under_200("-60996"), under_200("ImageTooLarge")]
    assert function.run(event_of(record)).written == 1
    assert rules_sent(function.cos) == [2, 1, 1]
    assert function.outcomes()["out/in/a.jpg.thumb.webp"] == "failed(permanent, ImageTooLarge)"


def test_numbers_stand_for_codes_of_the_table() -> None:
    assert set(NUMBERS.values()) <= set(CODES)
    assert [is_retryable("?", status) for status in (0, 200, 301, 400, 404, 408, 429, 500, 503)] == [
        True, True, False, False, False, True, True, True, True,
    ]  # fmt: skip


# --- over invocations


def test_without_a_manifest_a_repeat_costs_what_the_first_time_did(function: Function) -> None:
    event = event_of(function.upload(KEY, photo()))
    function.run(event)
    first = len(list(function.cos.journal.entries()))
    function.run(event)
    assert operations(function.cos, first) == {"head_object": 1, "image_process": 1}


def test_a_manifest_costs_nothing_when_there_is_none_yet(cos: Cos) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    record = function.upload(KEY, photo())
    since = len(list(cos.journal.entries()))
    function.run(event_of(record))
    assert operations(cos, since) == {"get_object": 1, "head_object": 1, "image_process": 1, "put_object": 1}


def test_what_a_manifest_proves_to_stand_is_looked_at_and_not_made_again(cos: Cos) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    event = event_of(function.upload(KEY, photo()))
    function.run(event)
    since = len(list(cos.journal.entries()))
    assert function.run(event).skipped == 3
    assert operations(cos, since) == {"get_object": 1, "head_object": 3}
    assert set(function.outcomes().values()) == {"skipped(up_to_date)", "skipped(unchanged)"}


def test_a_retry_makes_what_the_first_try_could_not_and_the_manifest_tells_of_all(cos: Cos) -> None:
    function = Function(cos, index_of(MANIFEST + SEVEN))
    event = event_of(function.upload(KEY, photo()))
    for _ in range(4):  # each strikes the second request that it meets, and is met by none that another struck
        cos.app.faults.add("error", code="SlowDown", operation="image_process", nth=2)
    with pytest.raises(Unfinished, match="2 derivatives of 1 sources"):
        function.run(event)
    assert told(function) == [f"out/in/a.jpg.{n}.png" for n in range(5)]
    function.run(event)
    assert rules_sent(cos) == [5, 2, 2, 2, 2, 2]
    assert told(function) == [f"out/in/a.jpg.{n}.png" for n in range(7)]
    assert [item["outcome"] for item in function.lines[-1]["derivatives"]] == (
        ["skipped(up_to_date)"] * 5 + ["written"] * 3
    )
    clean = cos.get("meta/in/a.jpg.json")
    cos.client().delete_object(Bucket=BUCKET, Key="/meta/in/a.jpg.json")
    function.run(event)
    assert cos.get("meta/in/a.jpg.json") == clean


@pytest.mark.parametrize("change", ["deleted", "replaced"])
def test_a_derivative_that_does_not_stand_as_it_was_made_is_made_again(cos: Cos, change: str) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    event = event_of(function.upload(KEY, photo()))
    function.run(event)
    clean = {key: cos.get(key) for key in cos.keys()}  # noqa: SIM118
    cos.client().delete_object(Bucket=BUCKET, Key="/out/in/a.jpg.card.png")
    if change == "replaced":
        cos.put("out/in/a.jpg.card.png", b"somebody else's")
    function.run(event)
    assert rules_sent(cos) == [2, 1]
    assert {key: cos.get(key) for key in cos.keys()} == clean  # noqa: SIM118


def test_a_rule_that_changed_is_carried_out_alone(cos: Cos) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    event = event_of(function.upload(KEY, photo()))
    function.run(event)
    function.rule_sets = index_of(MANIFEST + THUMB_AND_CARD.replace("64x64", "50x50"))
    function.run(event)
    assert rules_sent(cos) == [2, 1]
    assert function.lines[-1]["derivatives"][0]["width"] == 50
    assert len(told(function)) == 2


def test_what_was_proved_is_made_again_when_the_source_is_overwritten_meanwhile(cos: Cos, twisted: Twisted) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    event = event_of(function.upload(KEY, photo(120, 80)))
    function.run(event)
    cos.client().delete_object(Bucket=BUCKET, Key="/out/in/a.jpg.card.png")

    def overwrite(response: Response) -> Response:
        cos.put(KEY, photo(80, 120))
        return response

    twisted.twists = [overwrite]
    function.run(event)
    assert rules_sent(cos) == [2, 1, 2]
    assert function.lines[-1]["derivatives"][0]["height"] == 64
    found = json.loads(cos.get("meta/in/a.jpg.json") or b"")
    assert (found["source"]["width"], found["source"]["height"]) == (80, 120)


def test_an_event_that_does_not_tell_the_etag_proves_nothing(cos: Cos) -> None:
    cos.app.dialects = Dialects({"event-meta": "documented"})
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    event = event_of(function.upload(KEY, photo()))
    function.run(event)
    function.run(event)
    assert rules_sent(cos) == [2, 2]
