"""Whatever the order of events, and wherever a run broke off, the bucket ends as one clean run leaves it. Each of these
was found by a random schedule (tests/chaos) and is told here by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from coslocal.dialects import Dialects
from coslocal.http import Request, Response
from coslocal.pytest_plugin import BUCKET, REGION, Cos
from coslocal.scf.event import record
from derivo.cos import CosFailure
from derivo.earlier import Memory
from derivo.handle import Unfinished
from derivo.standing import UPLOAD_MARK
from derivo.upload import put_image

from .conftest import THUMB_AND_CARD, Function, Twisted, event_of, index_of, photo

MANIFEST = "manifest: /meta/{path}.json\n"
FOLLOWING = "on_remove: delete\n" + MANIFEST + THUMB_AND_CARD
KEY = "in/a.jpg"
MADE = ["meta/in/a.jpg.json", "out/in/a.jpg.card.png", "out/in/a.jpg.thumb.webp"]


def told(function: Function, key: str = KEY) -> dict[str, Any]:
    """The last event of a key, as a record."""
    made = [event for event in function.cos.events if event.key == key and not event.made_by_ci][-1]
    return record(made, target="qcs:0:scf:x", dialects=function.cos.app.dialects)


def remove(function: Function) -> dict[str, Any]:
    function.cos.client().delete_object(Bucket=BUCKET, Key="/" + KEY)
    return told(function)


def manifest(function: Function) -> dict[str, Any]:
    data = function.cos.get(MADE[0])
    assert data is not None
    found: dict[str, Any] = json.loads(data)
    return found


def at_later_times(cos: Cos) -> None:
    """From now on coslocal's clock goes a second with each request."""
    gone = iter(range(1, 1000))
    cos.app.clock = lambda: time.time() + next(gone)


def upload(function: Function, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    put_image(
        path,
        bucket=BUCKET,
        key=KEY,
        region=REGION,
        client=function.client,
        rule_sets=function.rule_sets,
        clock=function.clock,
    )


class Interrupted(BaseException):
    """The process ended here."""


class Breaking:
    """coslocal, of which the first request that `where` picks ends the process that sent it."""

    def __init__(self, cos: Cos, where: Any, *, after: bool) -> None:
        self._app, self._where, self._after = cos.app, where, after
        self._mounted = cos.mounted
        cos.mounted.app = self  # type: ignore[assignment]

    def handle(self, request: Request) -> Response:
        if not self._where(request):
            return self._app.handle(request)
        self._mounted.app = self._app
        if self._after:
            self._app.handle(request)
        raise Interrupted


# -- late events


def test_a_late_event_of_an_earlier_version_leaves_the_manifest_of_the_source_that_stands(cos: Cos) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    late = function.upload(KEY, photo(40, 40))
    function.run(event_of(function.upload(KEY, photo(120, 80))))
    clean = manifest(function)
    function.run(event_of(late))
    assert manifest(function) == clean
    standing = cos.app.store.get(BUCKET, KEY)
    assert standing is not None
    assert clean["source"]["size"] == standing.size


@pytest.mark.parametrize("derivatives", [1, 7])
def test_ci_naming_a_results_etag_for_the_source_costs_a_second_look_and_no_failure(cos: Cos, derivatives: int) -> None:
    cos.app.dialects = Dialects({"original-etag": "result"})
    names = [f"  - {{name: d{n}, to: '/out/{{path}}.{n}.jpg', rule: imageMogr2/thumbnail/{9 + n}x}}" for n in range(7)]
    function = Function(cos, index_of(MANIFEST + "prefix: in/\nderivatives:\n" + "\n".join(names[:derivatives])))
    assert function.run(event_of(function.upload(KEY, photo()))).written == derivatives + 1
    standing = cos.app.store.get(BUCKET, KEY)
    assert standing is not None
    assert manifest(function)["source"]["etag"] == standing.etag


# -- a source that goes, and comes back


@pytest.mark.parametrize("immutable", ["", "immutable: true\n"])
def test_derivatives_written_after_the_removals_event_follow_their_source(
    cos: Cos, twisted: Twisted, immutable: str
) -> None:
    function = Function(cos, index_of(immutable + FOLLOWING))
    creation = function.upload(KEY, photo())

    def meanwhile(response: Response) -> Response:
        function.run(event_of(remove(function)))
        return response

    twisted.twists = [meanwhile]
    function.run(event_of(creation))
    assert cos.keys() == []


def test_a_source_that_was_gone_for_one_of_its_requests_gets_all_derivatives(cos: Cos, twisted: Twisted) -> None:
    names = [f"  - {{name: d{n}, to: '/out/{{path}}.{n}.jpg', rule: imageMogr2/thumbnail/{9 + n}x}}" for n in range(7)]
    function = Function(cos, index_of(MANIFEST + "prefix: in/\nderivatives:\n" + "\n".join(names)))
    late = function.upload(KEY, photo())
    remove(function)

    def back(response: Response) -> Response:
        assert response.status == 404
        cos.put(KEY, photo())
        return response

    twisted.twists = [back]
    assert function.run(event_of(late)).written == 8
    assert [item["name"] for item in manifest(function)["derivatives"]] == [f"d{n}" for n in range(7)]


def test_where_they_are_kept_nothing_follows(cos: Cos, twisted: Twisted) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    creation = function.upload(KEY, photo())

    def meanwhile(response: Response) -> Response:
        remove(function)
        return response

    twisted.twists = [meanwhile]
    function.run(event_of(creation))
    assert cos.keys() == MADE
    assert len(function.lines) == 1


def test_a_retry_of_a_creation_lets_derivatives_follow_a_source_that_is_gone(cos: Cos) -> None:
    function = Function(cos, index_of(FOLLOWING))
    creation = event_of(function.upload(KEY, photo()))
    Breaking(cos, lambda request: request.method == "HEAD" and request.target.startswith("/in/"), after=False)
    with pytest.raises(Interrupted):
        function.run(creation)
    cos.app.store.delete(BUCKET, KEY)
    function.run(creation)
    assert cos.keys() == []


def test_a_removal_that_broke_off_makes_good_what_it_took_from_a_source_that_came_back(cos: Cos) -> None:
    function = Function(cos, index_of(FOLLOWING))
    function.run(event_of(function.upload(KEY, photo())))
    removal = event_of(remove(function))
    Breaking(cos, lambda request: request.method == "DELETE" and "card" in request.target, after=True)
    with pytest.raises(Interrupted):
        function.run(removal)
    back = function.upload(KEY, photo(64, 64))
    function.run(removal)
    assert cos.keys() == sorted([KEY, *MADE])
    clean = {key: cos.get(key) for key in cos.keys()}  # noqa: SIM118
    function.run(event_of(back))
    assert {key: cos.get(key) for key in cos.keys()} == clean  # noqa: SIM118


def test_a_manifest_that_stays_as_proof_of_what_is_kept_is_told(cos: Cos) -> None:
    function = Function(cos, index_of(FOLLOWING))
    function.run(event_of(function.upload(KEY, photo())))
    cos.put("out/in/a.jpg.card.png", b"somebody else's")
    function.run(event_of(remove(function)))
    fates = {item["key"]: item["outcome"] for item in function.lines[-1]["derivatives"]}
    assert fates[MADE[0]] == "kept(proves_the_rest)"


# -- derived at upload


def test_a_copy_that_brings_the_uploaders_mark_back_is_processed(cos: Cos, tmp_path: Path) -> None:
    at_later_times(cos)
    function = Function(cos, index_of(THUMB_AND_CARD))
    upload(function, tmp_path, photo(120, 80))
    client = cos.client()
    client.copy_object(Bucket=BUCKET, Key="bak/a.jpg", CopySource={"Bucket": BUCKET, "Key": KEY, "Region": REGION})
    clean = {key: cos.get(key) for key in MADE[1:]}
    function.run(event_of(function.upload(KEY, photo(80, 120))))
    assert {key: cos.get(key) for key in MADE[1:]} != clean
    client.copy_object(Bucket=BUCKET, Key=KEY, CopySource={"Bucket": BUCKET, "Key": "bak/a.jpg", "Region": REGION})
    function.run(event_of(told(function)))
    assert {key: cos.get(key) for key in MADE[1:]} == clean


def test_an_uploader_that_broke_off_leaves_no_derivatives_of_the_source_before(cos: Cos, tmp_path: Path) -> None:
    at_later_times(cos)
    function = Function(cos, index_of(THUMB_AND_CARD))
    upload(function, tmp_path, photo(120, 80))
    before = {key: cos.get(key) for key in MADE[1:]}
    # COS keeps the source of a PUT whose processing failed (the dialect failed-put), and the uploader ends there
    cos.app.store.delete(BUCKET, KEY)
    cos.client().put_object(
        Bucket=BUCKET,
        Key=KEY,
        Body=photo(80, 120),
        Metadata={UPLOAD_MARK: _digest(function)},
    )
    function.run(event_of(told(function)))
    assert set(function.outcomes().values()) == {"written"}
    assert {key: cos.get(key) for key in MADE[1:]} != before


def _digest(function: Function) -> str:
    from derivo.events import Source
    from derivo.plan import plan

    return plan(Source(bucket=BUCKET, region=REGION, key=KEY), function.rule_sets).digest


def test_an_event_of_an_upload_that_was_overwritten_is_no_reason_to_skip(cos: Cos, tmp_path: Path) -> None:
    at_later_times(cos)
    function = Function(cos, index_of(THUMB_AND_CARD))
    upload(function, tmp_path, photo(120, 80))
    first = event_of(told(function))
    upload(function, tmp_path, photo(80, 120))
    function.run(first)
    assert set(function.outcomes().values()) == {"written"}
    function.run(event_of(told(function)))
    assert set(function.outcomes().values()) == {"skipped(derived_at_upload)"}


def test_a_source_that_went_up_marked_and_is_gone_is_skipped(cos: Cos, tmp_path: Path) -> None:
    function = Function(cos, index_of(FOLLOWING))
    upload(function, tmp_path, photo())
    creation = event_of(told(function))
    cos.app.store.delete(BUCKET, KEY)
    function.run(creation)
    assert {item["outcome"] for item in function.lines[0]["derivatives"]} == {"skipped(source_gone)"}
    assert cos.keys() == []


def test_an_uploader_that_broke_off_before_its_manifest_is_made_good(cos: Cos, tmp_path: Path) -> None:
    function = Function(cos, index_of(MANIFEST + THUMB_AND_CARD))
    Breaking(cos, lambda request: "/meta/" in request.target, after=False)
    with pytest.raises(Interrupted):
        upload(function, tmp_path, photo())
    assert cos.keys() == sorted([KEY, *MADE[1:]])
    function.run(event_of(told(function)))
    assert cos.keys() == sorted([KEY, *MADE])


def test_an_uploads_derivatives_follow_a_source_that_is_removed_meanwhile(cos: Cos, tmp_path: Path) -> None:
    function = Function(cos, index_of(FOLLOWING))
    app = cos.app

    class Removing:
        def handle(self, request: Request) -> Response:
            if request.method == "HEAD" and request.target.startswith("/in/"):
                app.store.delete(BUCKET, KEY)
            return app.handle(request)

    cos.mounted.app = Removing()  # type: ignore[assignment]
    upload(function, tmp_path, photo())
    cos.mounted.app = app
    assert cos.keys() == []


def test_only_a_request_that_makes_derivatives_marks_its_source(cos: Cos, tmp_path: Path) -> None:
    cos.app.dialects = Dialects({"failed-put": "keep-original"})
    function = Function(cos, index_of(THUMB_AND_CARD))
    upload(function, tmp_path, b"this is no picture")
    item = cos.app.store.get(BUCKET, KEY)
    assert item is not None
    assert UPLOAD_MARK not in {name.lower() for name in item.headers}


# -- calls that outlive their caller


def late(function: Function, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Callable[[], None]:
    """The next processing call is cut off, and CI goes on: what it makes of the source as it is then stands when the
    result is called."""
    app = function.cos.app
    handle = app.handle
    made: dict[str, bytes | None] = {}

    def cut_off(request: Request) -> Response:
        if "image_process" not in request.target or made:
            return handle(request)
        handle(request)
        made.update({key: function.cos.get(key) for key in MADE[1:]})
        for key in made:
            app.store.delete(BUCKET, key)
        raise error

    monkeypatch.setattr(app, "handle", cut_off)

    def land() -> None:
        for key, data in made.items():
            function.cos.put(key, data or b"")

    return land


CUT_OFF = [requests.ReadTimeout("late"), requests.ConnectionError("gone")]


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("error", CUT_OFF, ids=["gives up", "reset"])
def test_what_ci_writes_of_an_overwritten_source_when_nobody_waits_any_more_is_mended(
    function: Function, monkeypatch: pytest.MonkeyPatch, error: Exception, warm: bool
) -> None:
    function.memory = Memory() if warm else None
    event = event_of(function.upload(KEY, photo()))
    land = late(function, monkeypatch, error)
    with pytest.raises(Unfinished, match="all is made, but"):
        function.run(event)
    function.run(event_of(function.upload(KEY, photo(80, 120))))
    right = {key: function.cos.get(key) for key in MADE[1:]}
    land()
    assert {key: function.cos.get(key) for key in MADE[1:]} != right
    assert function.run(event).failed == 0
    assert {key: function.cos.get(key) for key in MADE[1:]} == right


@pytest.mark.parametrize(
    ("rules", "error"),
    [("immutable: true\n" + THUMB_AND_CARD, CUT_OFF[0]), (THUMB_AND_CARD, requests.ConnectTimeout("never sent"))],
    ids=["immutable", "not sent"],
)
def test_where_that_cannot_be_a_call_that_is_cut_off_costs_no_retry(
    cos: Cos, monkeypatch: pytest.MonkeyPatch, rules: str, error: Exception
) -> None:
    function = Function(cos, index_of(rules))
    event = event_of(function.upload(KEY, photo()))
    late(function, monkeypatch, error)
    assert function.run(event).written == 2
    assert function.lines[0]["calls"] == 2


# -- answers


def test_a_connection_that_breaks_within_the_answer_is_tried_again(function: Function, twisted: Twisted) -> None:
    def broken(response: Response) -> Response:
        assert isinstance(response.body, bytes)
        return Response(200, response.headers, response.body, cut=len(response.body) // 2)

    record_of_a, record_of_b = function.upload(KEY, photo()), function.upload("in/b.jpg", photo())
    twisted.twists = [broken]
    assert function.run(event_of(record_of_a, record_of_b)).written == 4
    twisted.twists = [broken] * 4
    with pytest.raises(Unfinished, match=r"2 derivatives of 2 sources.*in/a\.jpg.*NetworkError"):
        function.run(event_of(record_of_a, record_of_b))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<Error><Code>RequestTimeTooSkewed</Code></Error>", "RequestTimeTooSkewed"),
        (b"<Error>\n <Code> ExpiredToken </Code><Message/></Error>", "ExpiredToken"),
        (b"<Error><Code></Code></Error>", "Http403"),
        (b"Forbidden", "Http403"),
    ],
)
def test_the_code_of_an_error_is_read_whatever_else_its_body_lacks(
    function: Function, twisted: Twisted, body: bytes, code: str
) -> None:
    twisted.twists = [lambda response: Response(403, [("x-cos-request-id", "REQ")], body)]
    with pytest.raises(CosFailure) as failure:
        function.client.process(bucket=BUCKET, region=REGION, key=KEY, pic_operations="{}", timeout=9.0)
    assert failure.value.code == code
