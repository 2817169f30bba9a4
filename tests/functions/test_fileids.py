"""However COS reads fileids, what is sent gives the key that was meant; how it reads them is found out, and never by
writing where it might hurt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.ci.fileid import resolve
from coslocal.dialects import Dialects
from coslocal.http import Response
from coslocal.pytest_plugin import Cos
from derivo.breaker import Budget
from derivo.fileids import (
    BASE64URL,
    ENCODINGS,
    LITERAL,
    NAMES,
    NORMALISED,
    PATHS,
    PLAIN,
    PROBES,
    URLENCODED,
    Fileids,
    encoded,
    normal,
    question,
    readings,
    same_key,
    understood,
)
from derivo.handle import Unfinished
from derivo.keys import defect

from .conftest import Function, TestClock, Twisted, event_of, index_of, photo

SOURCE = "in/a.jpg"
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).map(
    lambda text: "out/" + text
) | st.text("/%41 +.茶a", min_size=1, max_size=20)
usable = keys.filter(lambda key: defect(key, "//") is None)

HARD = ["in/%41 b.jpg", "in//c.jpg", "in/50%.jpg", "in/%2F%2f/%E8%8C%B6.jpg"]
RULES = """
prefix: in/
derivatives:
  - {name: thumb, to: "/out/{path}.png", rule: imageMogr2/thumbnail/24x24>/format/png}
  - {name: named, to: "/out/{name}.webp", rule: imageMogr2/thumbnail/9x9/format/webp}
"""


@given(key=usable, encoding=st.sampled_from(ENCODINGS))
def test_what_is_spoken_is_understood(key: str, encoding: str) -> None:
    header = json.dumps({"rules": [{"fileid": "/" + key, "rule": "imageSlim"}]})
    (rule,) = json.loads(Fileids(encoding, LITERAL).spoken(header))["rules"]
    assert resolve(rule["fileid"], SOURCE, encoding) == key
    assert rule["fileid"] == encoded("/" + key, encoding)


@given(key=usable, encoding=st.sampled_from(ENCODINGS[:2]), path=st.sampled_from(PATHS))
def test_what_is_not_open_means_the_same_to_all_who_read_plain_text(key: str, encoding: str, path: str) -> None:
    known = Fileids()
    read = resolve("/" + key, SOURCE, encoding, normalise=path == NORMALISED)
    assert known.is_open(key) or read == key
    assert not Fileids(encoding, path).is_open(key)
    assert Fileids(encoding, path).refuses(key) == (path == NORMALISED and normal(key) != key)


@given(key=usable, spoken=st.sampled_from(ENCODINGS), read=st.sampled_from(ENCODINGS), path=st.sampled_from(PATHS))
def test_every_key_that_may_come_of_it_is_among_the_readings(key: str, spoken: str, read: str, path: str) -> None:
    fileid = encoded("/" + key, spoken)
    try:
        made = resolve(fileid, SOURCE, read, normalise=path == NORMALISED)
        made.encode()
    except Exception:
        return  # refused, or no text
    assert made in [found for found, *_ in readings(fileid, SOURCE)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_answer_to_the_question_tells(encoding: str, path: str) -> None:
    asked = BASE64URL if encoding == BASE64URL else PLAIN
    rules = json.loads(question(asked))["rules"]
    named = [resolve(rule["fileid"], SOURCE, encoding, normalise=path == NORMALISED) for rule in rules]
    assert understood(named, asked) == (encoding, path)
    assert {name.removeprefix(PROBES) for name in named} <= set(NAMES)


@given(named=st.lists(st.text(max_size=30)))
def test_an_answer_that_names_something_else_tells_nothing(named: list[str]) -> None:
    assert understood([name for name in named if not name.startswith(PROBES)]) == (None, None)


def test_keys_of_answers_may_have_a_leading_slash_and_xmls_line_ends() -> None:
    assert same_key("/a\nb", "a\r\nb")
    assert not same_key("//a", "a")


# --- the function


def spoken(cos: Cos, encoding: str, path: str) -> Function:
    cos.app.dialects = Dialects({"fileid-encoding": encoding, "fileid-path": path})
    return Function(cos, index_of(RULES))


def calls(cos: Cos) -> list[int]:
    return [exchange.rules for exchange in cos.journal.entries("image_process")]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("key", ["in/a b.jpg", *HARD])
def test_derivatives_lie_under_their_keys_and_nothing_under_another(
    cos: Cos, key: str, encoding: str, path: str
) -> None:
    function = spoken(cos, encoding, path)
    function.run(event_of(function.upload(key, photo())))
    wanted = [f"out/{key}.png", f"out/{key.rpartition('/')[2]}.webp"]
    made = [each for each in wanted if path == LITERAL or normal(each) == each]
    outcomes = {each: "written" if each in made else "failed(permanent, bad_key)" for each in wanted}
    assert function.outcomes() == outcomes
    assert cos.keys() == sorted([key, *made], key=str.encode)


def test_it_is_asked_once_for_a_warm_instance_and_only_where_it_matters(cos: Cos) -> None:
    function = spoken(cos, URLENCODED, LITERAL)
    function.fileids = Fileids()
    function.run(event_of(function.upload("in/a.jpg", photo())))
    assert calls(cos) == [2]
    function.run(event_of(*(function.upload(key, photo()) for key in HARD)))
    assert calls(cos) == [2, 2, 2, 2, 2, 2]
    assert (function.fileids.encoding, function.fileids.path) == (URLENCODED, LITERAL)
    assert set(function.outcomes().values()) == {"written"}


def test_what_another_thread_learns_meanwhile_is_not_put_on_twice(cos: Cos, twisted: Twisted) -> None:
    function = spoken(cos, BASE64URL, LITERAL)
    function.fileids = shared = Fileids()

    def meanwhile(response: Response) -> Response:
        assert response.status == 400  # the question in plain text
        shared.learn(BASE64URL, LITERAL)
        return response

    twisted.twists = [meanwhile]
    function.run(event_of(function.upload("in/%41.jpg", photo())))
    assert set(function.outcomes().values()) == {"written"}
    assert cos.keys() == ["in/%41.jpg", "out/%41.jpg.webp", "out/in/%41.jpg.png"]


def test_what_another_thread_learned_after_rules_were_refused_is_of_use(cos: Cos, twisted: Twisted) -> None:
    function = spoken(cos, BASE64URL, LITERAL)
    function.fileids = shared = Fileids()

    def refused(response: Response) -> Response:
        assert response.status == 400
        return response

    def meanwhile(response: Response) -> Response:
        shared.learn(BASE64URL, LITERAL)
        return refused(response)

    twisted.twists = [refused, refused, meanwhile]
    function.run(event_of(function.upload(SOURCE, photo())))
    assert set(function.outcomes().values()) == {"written"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_where_settings_tell_nothing_is_asked(cos: Cos, encoding: str) -> None:
    function = spoken(cos, encoding, LITERAL)
    function.fileids = Fileids(encoding, LITERAL)
    assert function.run(event_of(*(function.upload(key, photo()) for key in HARD))).written == 8
    assert calls(cos) == [2, 2, 2, 2]


@pytest.mark.parametrize("told", ENCODINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", PATHS)
def test_settings_that_tell_wrong_are_found_out_and_every_key_is_reported(
    cos: Cos, told: str, encoding: str, path: str
) -> None:
    function = spoken(cos, encoding, path)
    function.fileids = Fileids(told, LITERAL)
    for key in ("in/茶.jpg", *HARD):
        function.run(event_of(function.upload(key, photo())))
    details = [item for line in function.lines for item in line["derivatives"]]
    assert {item["outcome"] for item in details} <= {
        "written", "failed(permanent, WrongKey)", "failed(permanent, InvalidPicOperations)",
    }  # fmt: skip
    reported = {item.get("instead", item["key"]) for item in details}
    assert {key for key in cos.keys() if key not in ("in/茶.jpg", *HARD)} <= reported  # noqa: SIM118
    if (told, path) == (encoding, LITERAL):
        assert {item["outcome"] for item in details} == {"written"}


def test_a_wrong_key_is_told_with_what_would_be_right(cos: Cos) -> None:
    function = spoken(cos, PLAIN, LITERAL)
    function.fileids = Fileids(URLENCODED, LITERAL)
    function.run(event_of(function.upload("in/茶.jpg", photo())))
    (first, _) = function.lines[0]["derivatives"]
    assert first["instead"] == "out/in/%E8%8C%B6.jpg.png"
    assert "set DERIVO_FILEID_ENCODING=plain" in first["message"]
    assert calls(cos) == [2]


def test_a_slash_that_got_lost_is_told_too(cos: Cos) -> None:
    function = spoken(cos, PLAIN, NORMALISED)
    function.fileids = Fileids(PLAIN, LITERAL)
    function.run(event_of(function.upload("in//c.jpg", photo())))
    (first, _) = function.lines[0]["derivatives"]
    assert (first["outcome"], first["instead"]) == ("failed(permanent, WrongKey)", "out/in/c.jpg.png")
    assert "set DERIVO_FILEID_PATH=normalised" in first["message"]


def test_rules_that_are_bad_are_not_taken_for_fileids_that_are(cos: Cos) -> None:
    function = Function(
        cos, index_of("prefix: in/\nderivatives: [{name: t, to: '/out/{path}.jpg', style: not-there}]\n")
    )
    function.fileids = Fileids()
    for _ in range(2):
        function.run(event_of(function.upload(SOURCE, photo())))
        assert set(function.outcomes().values()) == {"failed(permanent, InvalidPicOperations)"}
    assert calls(cos) == [1, 2, 1]
    assert cos.keys() == [SOURCE]


@pytest.mark.parametrize(
    ("budget", "code"),
    [(Budget(TestClock(), 1), "BudgetExceeded"), (None, "SlowDown")],
)
def test_what_cannot_be_asked_now_is_left_to_a_retry_and_harms_nobody_else(cos: Cos, budget: Any, code: str) -> None:
    function = spoken(cos, URLENCODED, LITERAL)
    record = function.upload("in/%41.jpg", photo())
    if budget is None:
        cos.app.faults.add("error", code="SlowDown", operation="image_process")
    else:
        assert budget.spend()
        function.budget = budget
    with pytest.raises(Unfinished, match=code):
        function.run(event_of(record))
    assert set(function.outcomes().values()) == {f"failed(retryable, {code})"}
    assert cos.keys() == ["in/%41.jpg"]


def test_rules_that_were_refused_for_their_fileids_are_tried_again_when_that_could_not_be_found_out(
    cos: Cos, twisted: Twisted
) -> None:
    function = spoken(cos, BASE64URL, LITERAL)
    record = function.upload(SOURCE, photo())

    def as_it_is(response: Response) -> Response:
        return response

    def too_many(response: Response) -> Response:
        return Response(503, [], b"<Error><Code>SlowDown</Code></Error>")

    # both rules at once, one by one, the question in plain text, and then in base64
    twisted.twists = [*[as_it_is] * 4, *[too_many] * 4]
    with pytest.raises(Unfinished, match="SlowDown"):
        function.run(event_of(record))
    assert set(function.outcomes().values()) == {"failed(retryable, SlowDown)"}
    function.run(event_of(record))
    assert set(function.outcomes().values()) == {"written"}


def test_a_source_that_is_no_picture_fails_for_that(cos: Cos) -> None:
    function = spoken(cos, URLENCODED, LITERAL)
    function.run(event_of(function.upload("in/%41.jpg", b"no picture")))
    assert set(function.outcomes().values()) == {"failed(permanent, InvalidImageFormat)"}
    assert cos.keys() == ["in/%41.jpg"]
