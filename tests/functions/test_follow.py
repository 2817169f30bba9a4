"""Following the source: what is proved to be ours goes with it, nothing else does, whatever the order of events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coslocal.dialects import Dialects
from coslocal.pytest_plugin import Cos
from coslocal.scf.event import record
from derivo.handle import Unfinished
from derivo.loading import load_text

from .conftest import THUMB_AND_CARD, Function, event_of, index_of, photo

FOLLOWING = "on_remove: delete\nmanifest: /meta/{path}.json\n" + THUMB_AND_CARD
MADE = ["meta/in/a.jpg.json", "out/in/a.jpg.card.png", "out/in/a.jpg.thumb.webp"]


@pytest.fixture
def function(cos: Cos) -> Function:
    return Function(cos, index_of(FOLLOWING))


def remove(function: Function, key: str = "in/a.jpg") -> dict[str, Any]:
    """Delete an object with the SDK; returns the record of its removal event."""
    function.cos.client().delete_object(Bucket=function.cos.bucket, Key="/" + key)
    made = [event for event in function.cos.events if event.key == key and "ObjectRemove" in event.name][-1]
    return record(made, target="qcs:0:scf:x", dialects=function.cos.app.dialects)


def fates(function: Function) -> dict[str, str]:
    return {item["key"]: item["outcome"] for item in function.lines[-1]["derivatives"]}


def test_derivatives_and_manifest_go_with_the_source(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    assert function.cos.keys() == sorted(["in/a.jpg", *MADE])
    summary = function.run(event_of(remove(function)))
    assert function.cos.keys() == []
    assert summary.removed == 3


def test_by_default_they_are_kept(cos: Cos) -> None:
    function = Function(cos, index_of("manifest: /meta/{path}.json\n" + THUMB_AND_CARD))
    function.run(event_of(function.upload("in/a.jpg", photo())))
    function.run(event_of(remove(function)))
    assert cos.keys() == MADE
    assert function.lines[-1]["reason"] == "on_remove_keep"


def test_nothing_goes_while_the_source_stands(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    removal = remove(function)
    function.upload("in/a.jpg", photo())
    function.run(event_of(removal))
    assert function.cos.keys() == sorted(["in/a.jpg", *MADE])
    assert function.lines[-1]["reason"] == "source_stands"


def test_what_somebody_else_put_there_is_kept(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    function.cos.put("out/in/a.jpg.card.png", b"somebody else's")
    function.run(event_of(remove(function)))
    assert function.cos.keys() == ["meta/in/a.jpg.json", "out/in/a.jpg.card.png"]
    assert fates(function)["out/in/a.jpg.card.png"] == "kept(changed_since)"


def test_without_provenance_they_are_kept(cos: Cos) -> None:
    function = Function(cos, index_of("on_remove: delete\n" + THUMB_AND_CARD))
    function.run(event_of(function.upload("in/a.jpg", photo())))
    function.run(event_of(remove(function)))
    assert cos.keys() == MADE[1:]
    assert set(fates(function).values()) == {"kept(no_provenance)"}


def test_a_key_that_holds_its_rules_digest_is_its_own_provenance(cos: Cos) -> None:
    function = Function(
        cos,
        index_of(
            "prefix: in/\non_remove: delete\n"
            "derivatives: [{name: t, to: '/out/{path}.{spec}.webp', rule: imageMogr2/thumbnail/20x/format/webp}]"
        ),
    )
    function.run(event_of(function.upload("in/a.jpg", photo())))
    assert len(cos.keys()) == 2
    function.run(event_of(remove(function)))
    assert cos.keys() == []


@pytest.mark.parametrize("forged", [b"{}", b"no json", b"x" * (2 << 20)])
def test_a_manifest_that_is_none_proves_nothing(function: Function, forged: bytes) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    function.cos.put("meta/in/a.jpg.json", forged)
    function.run(event_of(remove(function)))
    assert function.cos.keys() == MADE


def test_a_forged_manifest_cannot_remove_a_source(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    function.upload("in/treasure.jpg", photo())
    treasure = function.cos.app.store.get(function.cos.bucket, "in/treasure.jpg")
    assert treasure is not None
    data = json.loads(function.cos.get("meta/in/a.jpg.json") or b"")
    data["derivatives"][0].update(key="in/treasure.jpg", etag=treasure.etag)
    function.cos.put("meta/in/a.jpg.json", json.dumps(data).encode())
    function.run(event_of(remove(function)))
    assert "in/treasure.jpg" in function.cos.keys()  # noqa: SIM118
    assert fates(function)["in/treasure.jpg"] == "kept(is_a_source)"


def test_a_removal_told_twice_changes_nothing(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    event = event_of(remove(function))
    function.run(event)
    assert function.run(event).failed == 0
    assert function.cos.keys() == []


def test_a_removal_that_comes_before_the_creation_ends_the_same(function: Function) -> None:
    creation = function.upload("in/a.jpg", photo())
    removal = remove(function)
    function.run(event_of(removal))
    function.run(event_of(creation))
    assert function.cos.keys() == []


def test_a_source_that_comes_back_meanwhile_has_its_derivatives(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    removal = remove(function)
    app, handle = function.cos.app, function.cos.app.handle

    class Returning:
        """The source is uploaded again, and processed by another function, just before the last derivative goes."""

        def handle(self, request: Any) -> Any:
            if request.method == "DELETE" and "card.png" in request.target:
                function.cos.mounted.app = app
                function.run(event_of(function.upload("in/a.jpg", photo())))
            return handle(request)

    function.cos.mounted.app = Returning()  # type: ignore[assignment]
    function.run(event_of(removal))
    assert function.cos.keys() == sorted(["in/a.jpg", *MADE])


def test_what_could_not_be_removed_is_tried_again(function: Function) -> None:
    function.run(event_of(function.upload("in/a.jpg", photo())))
    removal = remove(function)
    function.cos.mounted.fail(ConnectionResetError("gone"))
    with pytest.raises(Unfinished, match="NetworkError"):
        function.run(event_of(removal))
    function.run(event_of(removal))
    assert function.cos.keys() == []


@pytest.mark.parametrize("encoding", ["raw", "percent-encoded"])
def test_any_key_follows(cos: Cos, encoding: str) -> None:
    cos.app.dialects = Dialects({"event-key": encoding})
    function = Function(cos, index_of(FOLLOWING))
    key = "in/新 品/50%41+1.jpg"
    function.run(event_of(function.upload(key, photo())))
    assert len(cos.keys()) == 4
    function.run(event_of(remove(function, key)))
    assert cos.keys() == []


def test_the_word_is_keep_or_delete() -> None:
    made, faults = load_text("on_remove: remove\n" + THUMB_AND_CARD, "a.yml")
    assert made is None
    assert [fault.code for fault in faults if fault.level == "error"] == ["RS201"]
