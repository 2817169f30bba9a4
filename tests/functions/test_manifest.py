"""The manifest: what was made of which source, written once, after the derivatives, and only when it changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from coslocal.dialects import Dialects
from coslocal.pytest_plugin import REGION, Cos
from derivo import __version__, manifest
from derivo.handle import Unfinished
from derivo.loading import load_text
from derivo.plan import plan
from derivo.upload import put_image

from .conftest import THUMB_AND_CARD, Function, Twisted, event_of, index_of, photo

WITH_MANIFEST = "manifest: /meta/{path}.json\n" + THUMB_AND_CARD
KEY = "meta/in/a.jpg.json"


@pytest.fixture
def function(cos: Cos) -> Function:
    return Function(cos, index_of(WITH_MANIFEST))


def read(function: Function) -> dict[str, Any]:
    data = function.cos.get(KEY)
    assert data is not None
    found: dict[str, Any] = json.loads(data)
    return found


def test_it_tells_source_and_derivatives(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    found = read(function)
    store = function.cos.app.store
    source = store.get(function.cos.bucket, "in/a.jpg")
    assert source is not None
    assert found["manifest"] == 1
    assert found["derivo"] == __version__
    assert found["source"] == {
        "bucket": function.cos.bucket,
        "key": "in/a.jpg",
        "etag": source.etag,
        "size": source.size,
        "format": "jpeg",
        "width": 120,
        "height": 80,
        "color": found["source"]["color"],
        "orientation": found["source"]["orientation"],
    }
    assert found["source"]["color"].startswith("#")
    assert [item["name"] for item in found["derivatives"]] == ["thumb", "card"]
    for item in found["derivatives"]:
        made = store.get(item["bucket"], item["key"])
        assert made is not None
        assert (made.etag, made.size) == (item["etag"], item["size"])
        assert (item["width"], item["height"]) in [(64, 43), (32, 32)]
        assert len(item["spec"]) == 12
    assert function.outcomes()[KEY] == "written"


def test_it_is_put_once_and_only_when_it_changed(function: Function) -> None:
    record = function.upload("in/a.jpg", photo())
    function.run(event_of(record))
    puts = function.cos.journal.count("put_object")
    function.run(event_of(record))
    assert function.cos.journal.count("put_object") == puts
    assert function.lines[-1]["derivatives"][-1]["outcome"] == "skipped(unchanged)"
    function.run(event_of(function.upload("in/a.jpg", photo(64, 64))))
    assert function.cos.journal.count("put_object") == puts + 2
    assert read(function)["source"]["width"] == 64


def test_an_overwritten_source_has_the_last_sources_manifest(function: Function, twisted: Twisted) -> None:
    def overwrite(response: Any) -> Any:
        function.cos.put("in/a.jpg", photo(64, 64))
        return response

    record = function.upload("in/a.jpg", photo())
    twisted.twists = [overwrite]
    function.run(event_of(record))
    assert read(function)["source"]["width"] == 64


def test_an_upload_writes_it_too_and_the_function_leaves_it(function: Function, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(photo())
    put_image(
        path,
        bucket=function.cos.bucket,
        key="in/a.jpg",
        region=REGION,
        client=function.client,
        rule_sets=function.rule_sets,
    )
    before = read(function)
    from .test_upload import creation

    function.run(event_of(creation(function.cos, "in/a.jpg")))
    assert set(function.outcomes().values()) == {"skipped(derived_at_upload)"}
    assert read(function) == before


def test_a_derivative_that_failed_is_not_in_it(cos: Cos) -> None:
    function = Function(cos, index_of(WITH_MANIFEST + "  - {name: x, to: '/out/{path}.x.jpg', style: none}\n"))
    function.run(event_of(function.upload("in/a.jpg", photo())))
    assert [item["name"] for item in read(function)["derivatives"]] == ["thumb", "card"]


def test_when_it_cannot_be_written_the_event_is_tried_again(function: Function) -> None:
    record = function.upload("in/a.jpg", photo())
    app, handle = function.cos.app, function.cos.app.handle

    class Refusing:
        def handle(self, request: Any) -> Any:
            if request.method == "PUT":
                raise requests.ConnectionError("gone")
            return handle(request)

    function.cos.mounted.app = Refusing()  # type: ignore[assignment]
    with pytest.raises(Unfinished, match=KEY):
        function.run(event_of(record))
    function.cos.mounted.app = app
    assert function.run(event_of(record)).failed == 0


def test_its_key_has_no_variable_of_one_derivative() -> None:
    made, faults = load_text("manifest: /meta/{spec}.json\n" + THUMB_AND_CARD, "a.yml")
    assert made is None
    assert [fault.code for fault in faults if fault.level == "error"] == ["RS308"]


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_no_manifest_proves_nothing(data: bytes) -> None:
    assert manifest.decode(data) is None


def test_what_is_written_is_read_back(function: Function) -> None:
    record = function.upload("in/a.jpg", photo())
    function.run(event_of(record))
    data = function.cos.get(KEY)
    assert data is not None
    found = manifest.decode(data)
    assert found is not None
    assert manifest.encode(found) == data
    (thumb, card) = plan_of(function).derivatives
    etag = found.derivatives[0].etag
    source = (function.cos.bucket, "in/a.jpg")
    assert manifest.proves(found, source, thumb, etag)
    assert not manifest.proves(found, source, card, etag)
    assert not manifest.proves(found, (function.cos.bucket, "in/b.jpg"), thumb, etag)
    assert not manifest.proves(found, source, thumb, "another")


def plan_of(function: Function) -> Any:
    from derivo.events import Source

    return plan(Source(bucket=function.cos.bucket, region=REGION, key="in/a.jpg"), function.rule_sets)


def test_what_is_written_is_as_the_published_schema_says(function: Function) -> None:
    import jsonschema
    import msgspec

    function.run(event_of(function.upload("in/a.jpg", photo())))
    jsonschema.validate(read(function), msgspec.json.schema(manifest.Manifest))


@pytest.mark.parametrize("tells_etag", [True, False])
def test_of_an_immutable_source_it_names_no_etag_that_is_a_results(cos: Cos, tells_etag: bool) -> None:
    cos.app.dialects = Dialects({"original-etag": "result", "event-meta": "observed" if tells_etag else "documented"})
    function = Function(cos, index_of("immutable: true\n" + WITH_MANIFEST))
    function.run(event_of(function.upload("in/a.jpg", photo())))
    assert read(function)["source"]["etag"] == ""
