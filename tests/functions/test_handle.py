"""One invocation on coslocal, with the real SDK: every derivative ends in one outcome, and only what may end better is
raised."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import requests

from coslocal.dialects import Dialects
from coslocal.http import Response
from coslocal.pytest_plugin import SECRET_KEY, Cos
from coslocal.storage.types import Bucket
from derivo.handle import Unfinished

from .conftest import Function, Twisted, event_of, index_of, photo

HARD_KEYS = [
    "in/新品 2026/茶壶 50%+1.jpg",
    "in/a%20b.jpg",
    "in/a+b&c=d?.jpg",
    "in//double.jpg",
    "in/😀~!'()*;.jpg",
    "in/é.JPG",
]


def test_every_derivative_is_written_and_logged(function: Function) -> None:
    summary = function.run(event_of(function.upload("in/a.jpg", photo())))
    assert (summary.sources, summary.written, summary.failed) == (1, 2, 0)
    assert function.outcomes() == {"out/in/a.jpg.thumb.webp": "written", "out/in/a.jpg.card.png": "written"}
    assert function.cos.get(
        "out/in/a.jpg.thumb.webp",
    ).startswith(b"RIFF")  # type: ignore[union-attr]
    (line,) = function.lines
    assert (line["bucket"], line["key"], line["width"], line["height"]) == (function.cos.bucket, "in/a.jpg", 120, 80)
    assert (line["calls"], line["heads"], line["written"], line["invocation"]) == (1, 1, 2, "invocation-1")


@pytest.mark.parametrize("derivatives", [1, 4, 5, 6, 10, 11])
def test_n_derivatives_cost_n_fifths_calls_one_head_and_no_image_byte(cos: Cos, derivatives: int) -> None:
    names = [
        f"  - {{name: d{n}, to: '/out/{{path}}.{n}.jpg', rule: imageMogr2/thumbnail/{20 + n}x}}"
        for n in range(derivatives)
    ]
    function = Function(cos, index_of("prefix: in/\nderivatives:\n" + "\n".join(names)))
    record = function.upload("in/a.jpg", photo())
    before = cos.journal.count()
    summary = function.run(event_of(record))
    assert summary.written == derivatives
    assert cos.journal.count("image_process") == -(-derivatives // 5)
    assert cos.journal.count("head_object") == 1
    assert cos.journal.count() - before == -(-derivatives // 5) + 1
    assert all(exchange.bytes_in == 0 for exchange in cos.journal.entries("image_process"))


@pytest.mark.parametrize("encoding", ["raw", "percent-encoded"])
@pytest.mark.parametrize("region", ["full", "short-only"])
@pytest.mark.parametrize("key", HARD_KEYS)
def test_any_key_under_any_dialect_of_events(cos: Cos, key: str, encoding: str, region: str) -> None:
    cos.app.dialects = Dialects({"event-key": encoding, "event-region": region})
    function = Function(
        cos,
        index_of(
            "prefix: in/\nderivatives: [{name: t, to: '/out/{path}.webp', rule: imageMogr2/thumbnail/20x/format/webp}]"
        ),
    )
    function.run(event_of(function.upload(key, photo())))
    assert cos.keys() == sorted([key, f"out/{key}.webp"], key=str.encode)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("text.jpg", b"this is no picture", "InvalidImageFormat"),
        ("cut.jpg", photo(400, 400)[:900], "InvalidImageSource"),
    ],
)
def test_a_bad_source_fails_for_good_and_alone(function: Function, name: str, data: bytes, code: str) -> None:
    records = [function.upload(f"in/{name}", data), function.upload("in/good.jpg", photo())]
    summary = function.run(event_of(*records))
    assert (summary.written, summary.failed) == (2, 2)
    outcomes = function.outcomes()
    assert outcomes[f"out/in/{name}.thumb.webp"] == f"failed(permanent, {code})"
    assert outcomes["out/in/good.jpg.thumb.webp"] == "written"


def test_an_empty_object_and_a_folder_are_skipped_with_their_reason(function: Function) -> None:
    records = [
        function.upload("in/empty.jpg", b""),
        function.upload("in/folder/", b""),
        function.upload("in/a.jpg", photo()),
    ]
    summary = function.run(event_of(*records))
    assert (summary.unusable, summary.written) == (2, 2)
    assert [line.get("reason") for line in function.lines] == ["empty_object", "folder_marker", None]


def test_a_source_that_is_gone_is_skipped(function: Function) -> None:
    record = function.upload("in/a.jpg", photo())
    function.cos.client().delete_object(Bucket=function.cos.bucket, Key="in/a.jpg")
    summary = function.run(event_of(record))
    assert (summary.skipped, summary.failed) == (2, 0)
    assert set(function.outcomes().values()) == {"skipped(source_gone)"}


def test_a_bucket_that_does_not_exist_is_reported(function: Function) -> None:
    record = function.upload("in/a.jpg", photo())
    record["cos"]["cosBucket"]["name"] = "elsewhere"
    record["cos"]["cosObject"]["key"] = "/1250000000/elsewhere/in/a.jpg"
    summary = function.run(event_of(record))
    assert set(function.outcomes().values()) == {"failed(permanent, NoSuchBucket)"}
    assert summary.failed == 2
    assert function.cos.journal.count("image_process") == 1


@pytest.mark.parametrize(
    "event", [None, [], "hello", {}, {"Records": "x"}, {"Type": "Timer", "Time": "2026"}, {"Records": [{"s3": {}}]}]
)
def test_what_is_no_cos_event_is_logged_and_acknowledged(function: Function, event: Any) -> None:
    summary = function.run(event)
    assert summary.sources == 0
    assert summary.unusable == 1
    assert function.lines[0]["level"] == "error"


def test_a_source_that_no_rule_set_wants_costs_nothing(function: Function) -> None:
    record = function.upload("elsewhere/a.jpg", photo())
    before = function.cos.journal.count()
    assert function.run(event_of(record)).written == 0
    assert function.lines[0]["msg"] == "no_rule_set_matches"
    assert function.cos.journal.count() == before


def test_one_rule_that_ci_cannot_do_costs_only_itself(cos: Cos) -> None:
    function = Function(
        cos,
        index_of(
            "prefix: in/\nderivatives:\n"
            "  - {name: good, to: '/out/{path}.png', rule: imageMogr2/thumbnail/20x/format/png}\n"
            "  - {name: brand, to: '/out/{path}.brand.jpg', style: not-there}\n"
            "  - {name: small, to: '/out/{path}.jpg', rule: imageMogr2/thumbnail/10x/format/jpg}\n"
        ),
    )
    summary = function.run(event_of(function.upload("in/a.jpg", photo())))
    assert (summary.written, summary.failed) == (2, 1)
    assert function.outcomes()["out/in/a.jpg.brand.jpg"].startswith("failed(permanent, ")


def answer(status: int, body: bytes) -> Any:
    return lambda response: Response(status, [("Content-Type", "application/xml"), ("x-cos-request-id", "REQ")], body)


ERROR = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>m</Message></Error>"

ODD_ANSWERS = {
    "empty": answer(200, b""),
    "html": answer(200, b"<html><body>Hello<br></body></html>"),
    "other xml": answer(200, b"<a/>"),
    "text only": answer(200, b"<UploadResult>what</UploadResult>"),
    "no results": answer(
        200, b"<UploadResult><OriginalInfo><Key>a</Key></OriginalInfo><ProcessResults/></UploadResult>"
    ),
    "other keys": answer(
        200, b"<UploadResult><ProcessResults><Object><Key>x</Key></Object></ProcessResults></UploadResult>"
    ),
    "slow down under 200": answer(200, ERROR % b"SlowDown"),
    "throttled": answer(503, ERROR % b"SlowDown"),
    "html error": answer(502, b"<html>Bad gateway"),
    "empty error": answer(500, b""),
    "too many": answer(429, ERROR % b"TooManyRequests"),
}


# What these name, or leave out, they will again: CI has an opinion of the rule, or of its key.
FOR_GOOD = {"no results": "NotMade", "other keys": "WrongKey"}


@pytest.mark.parametrize("name", sorted(ODD_ANSWERS.keys() - FOR_GOOD))
def test_an_odd_answer_is_never_taken_for_success(function: Function, twisted: Twisted, name: str) -> None:
    record = function.upload("in/a.jpg", photo())
    twisted.twists = [ODD_ANSWERS[name]] * 99
    with pytest.raises(Unfinished, match="2 derivatives of 1 sources"):
        function.run(event_of(record))
    assert all(outcome.startswith("failed(retryable") for outcome in function.outcomes().values())


@pytest.mark.parametrize("name", FOR_GOOD)
def test_a_derivative_that_ci_never_names_is_given_up_after_it_was_asked_for_alone(
    function: Function, twisted: Twisted, name: str
) -> None:
    record = function.upload("in/a.jpg", photo())
    twisted.twists = [ODD_ANSWERS[name]] * 99
    assert function.run(event_of(record)).failed == 2
    assert set(function.outcomes().values()) == {f"failed(permanent, {FOR_GOOD[name]})"}
    assert [exchange.rules for exchange in function.cos.journal.entries("image_process")] == [2, 2] + [1] * 8
    assert {item.get("instead") for item in function.lines[0]["derivatives"]} == {"x" if name == "other keys" else None}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_after_one_odd_answer_the_next_try_finishes(function: Function, twisted: Twisted, name: str) -> None:
    record = function.upload("in/a.jpg", photo())
    twisted.twists = [ODD_ANSWERS[name]]
    if name == "html error":  # by a gateway: COS itself may be at work still
        with pytest.raises(Unfinished, match="all is made"):
            function.run(event_of(record))
    else:
        assert function.run(event_of(record)).written == 2
    assert (function.lines[0]["written"], function.lines[0]["calls"]) == (2, 2)


def test_only_the_derivative_that_is_missing_is_asked_for_again(function: Function, twisted: Twisted) -> None:
    def without_the_last(response: Response) -> Response:
        assert isinstance(response.body, bytes)
        start, end = response.body.rindex(b"<Object>"), response.body.rindex(b"</Object>") + len(b"</Object>")
        return Response(200, response.headers, response.body[:start] + response.body[end:])

    record = function.upload("in/a.jpg", photo())
    twisted.twists = [without_the_last]
    assert function.run(event_of(record)).written == 2
    assert [exchange.rules for exchange in function.cos.journal.entries("image_process")] == [2, 1]


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_broken_connection_is_tried_again(function: Function, after_effect: bool) -> None:
    record = function.upload("in/a.jpg", photo())
    function.cos.mounted.fail(ConnectionResetError("gone"), after_effect=after_effect)
    with pytest.raises(Unfinished, match="all is made, but calls for 1 of 1 sources got no answer"):
        function.run(event_of(record))
    assert (function.lines[0]["written"], function.lines[0]["unheard"]) == (2, 1)


def test_a_line_that_stays_broken_is_raised_after_the_other_sources_were_done(function: Function) -> None:
    records = [function.upload("in/a.jpg", photo()), function.upload("in/b.jpg", photo())]
    function.cos.mounted.fail(ConnectionResetError("gone"), times=4)
    with pytest.raises(Unfinished, match=r"in/a\.jpg.*NetworkError"):
        function.run(event_of(*records))
    outcomes = function.outcomes()
    assert outcomes["out/in/a.jpg.thumb.webp"] == "failed(retryable, NetworkError)"
    assert outcomes["out/in/b.jpg.thumb.webp"] == "written"


def test_no_call_is_begun_that_cannot_end_in_time(function: Function) -> None:
    record = function.upload("in/a.jpg", photo())
    function.budget_ms = 1_000
    with pytest.raises(Unfinished, match="Deadline"):
        function.run(event_of(record))
    assert function.cos.journal.count("image_process") == 0


def test_running_twice_leaves_the_same_bucket(function: Function) -> None:
    event = event_of(function.upload("in/a.jpg", photo()))
    function.run(event)
    first = contents(function.cos)
    function.run(event)
    assert contents(function.cos) == first


def contents(cos: Cos) -> dict[str, bytes | None]:
    return {item.key: cos.get(item.key) for item in cos.app.store.scan(cos.bucket)}


def test_one_request_may_write_the_same_key_into_two_buckets(cos: Cos) -> None:
    cos.app.store.create_bucket(Bucket(name="mirror-1250000000", region=cos.region, created=0.0))
    function = Function(
        cos,
        index_of(
            "prefix: in/\nderivatives:\n"
            "  - {name: here, to: '/out/{path}.png', rule: imageMogr2/thumbnail/20x/format/png}\n"
            "  - {name: there, to: '/out/{path}.png', bucket: mirror-1250000000,"
            "     rule: imageMogr2/thumbnail/10x/format/png}\n"
        ),
    )
    assert function.run(event_of(function.upload("in/a.jpg", photo()))).written == 2
    details = {item["bucket"]: item["width"] for item in function.lines[0]["derivatives"]}
    assert details == {cos.bucket: 20, "mirror-1250000000": 10}
    assert cos.journal.count("image_process") == 1


def test_nothing_secret_is_logged_at_any_level(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    record = function.upload("in/a.jpg", photo())
    function.cos.mounted.fail(requests.ConnectionError("gone"))
    with pytest.raises(Unfinished):
        function.run(event_of(record))
    logged = caplog.text + json.dumps(function.lines)
    assert "q-signature" not in logged
    assert "Authorization" not in logged
    assert SECRET_KEY not in logged


def overwrites(cos: Cos, *pictures: bytes) -> list[Any]:
    """Twists that leave the answer as it is, but put another source into its place before the function hears it."""

    def twist(data: bytes) -> Any:
        def overwrite(response: Response) -> Response:
            cos.put("in/a.jpg", data)
            return response

        return overwrite

    return [twist(data) for data in pictures]


def test_a_source_overwritten_meanwhile_is_processed_again(function: Function, twisted: Twisted) -> None:
    record = function.upload("in/a.jpg", photo(120, 80))
    twisted.twists = overwrites(function.cos, photo(80, 120))
    summary = function.run(event_of(record))
    assert (summary.written, summary.failed) == (2, 0)
    sizes = {item["name"]: (item["width"], item["height"]) for item in function.lines[0]["derivatives"]}
    assert sizes["thumb"] == (43, 64)
    assert (function.lines[0]["calls"], function.lines[0]["heads"]) == (2, 2)


def test_a_source_overwritten_again_and_again_is_left_to_a_retry(function: Function, twisted: Twisted) -> None:
    record = function.upload("in/a.jpg", photo())
    twisted.twists = overwrites(function.cos, *(photo(40 + n, 40) for n in range(20)))
    with pytest.raises(Unfinished, match="SourceChanged"):
        function.run(event_of(record))
    assert function.lines[0]["calls"] < 20


def test_a_source_deleted_meanwhile_does_not_make_it_fail(function: Function, twisted: Twisted) -> None:
    def delete(response: Response) -> Response:
        function.cos.app.store.delete(function.cos.bucket, "in/a.jpg")
        return response

    record = function.upload("in/a.jpg", photo())
    twisted.twists = [delete]
    assert function.run(event_of(record)).failed == 0


def test_ci_naming_another_etag_than_the_sources_ends_after_a_second_look(function: Function, twisted: Twisted) -> None:
    def misname(response: Response) -> Response:
        assert isinstance(response.body, bytes)
        end = response.body.index(b"</OriginalInfo>")
        start = response.body.index(b"<ETag>")
        assert start < end
        body = response.body[: start + 6] + b"&quot;another&quot;" + response.body[response.body.index(b"</ETag>") :]
        return Response(200, response.headers, body)

    record = function.upload("in/a.jpg", photo())
    twisted.twists = [misname] * 20
    assert function.run(event_of(record)).written == 2
    assert function.lines[0]["calls"] == 2


def test_an_immutable_rule_set_saves_the_head(cos: Cos) -> None:
    function = Function(
        cos,
        index_of(
            "prefix: in/\nimmutable: true\n"
            "derivatives: [{name: t, to: '/out/{path}', rule: imageMogr2/auto-orient/thumbnail/20x}]"
        ),
    )
    assert function.run(event_of(function.upload("in/a.jpg", photo()))).written == 1
    assert (cos.journal.count("image_process"), cos.journal.count("head_object")) == (1, 0)
