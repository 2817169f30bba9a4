"""At upload too: one request makes source and derivatives, the function then has nothing to pay for, and the source is
never lost to a processing that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coslocal.dialects import Dialects
from coslocal.pytest_plugin import REGION, Cos
from coslocal.scf.event import record
from derivo.ci import limits
from derivo.cos import CosFailure
from derivo.fileids import Fileids
from derivo.standing import UPLOAD_MARK
from derivo.upload import Uploaded, put_image

from .conftest import THUMB_AND_CARD, Function, event_of, index_of, photo

SEVEN = "prefix: in/\nderivatives:\n" + "\n".join(
    f"  - {{name: d{n}, to: '/out/{{path}}.{n}.jpg', rule: imageMogr2/thumbnail/{20 + n}x}}" for n in range(7)
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a b.jpg"
    path.write_bytes(photo())
    return path


def put(function: Function, file: Path, key: str = "in/a b.jpg", **others: Any) -> Uploaded:
    return put_image(
        file,
        bucket=function.cos.bucket,
        key=key,
        region=REGION,
        client=function.client,
        rule_sets=function.rule_sets,
        clock=function.clock,
        **others,
    )


def creation(cos: Cos, key: str) -> dict[str, Any]:
    made = [event for event in cos.events if event.key == key and not event.made_by_ci][-1]
    return record(made, target="qcs:0:scf:x", dialects=cos.app.dialects)


def texts(done: Uploaded) -> list[str]:
    return [outcome.text for outcome in done.work.outcomes]


def test_one_request_makes_the_source_and_its_derivatives(function: Function, picture: Path) -> None:
    done = put(function, picture)
    assert texts(done) == ["written", "written"]
    assert [exchange.operation for exchange in function.cos.journal.entries()] == ["put_object", "head_object"]
    assert function.cos.keys() == ["in/a b.jpg", "out/in/a b.jpg.card.png", "out/in/a b.jpg.thumb.webp"]


def test_the_function_does_not_pay_for_it_again(function: Function, picture: Path) -> None:
    put(function, picture)
    summary = function.run(event_of(creation(function.cos, "in/a b.jpg")))
    assert set(function.outcomes().values()) == {"skipped(derived_at_upload)"}
    assert (summary.skipped, function.cos.journal.count("image_process")) == (2, 0)


def test_the_function_makes_what_is_missing_all_the_same(function: Function, picture: Path) -> None:
    put(function, picture)
    function.cos.client().delete_object(Bucket=function.cos.bucket, Key="out/in/a b.jpg.card.png")
    function.run(event_of(creation(function.cos, "in/a b.jpg")))
    assert function.outcomes() == {
        "out/in/a b.jpg.thumb.webp": "skipped(derived_at_upload)",
        "out/in/a b.jpg.card.png": "written",
    }


def test_rules_that_changed_since_the_upload_are_carried_out(function: Function, picture: Path) -> None:
    put(function, picture)
    function.rule_sets = index_of(
        "prefix: in/\nderivatives: [{name: t, to: '/out/{path}.gif', rule: imageMogr2/format/gif}]"
    )
    function.run(event_of(creation(function.cos, "in/a b.jpg")))
    assert function.outcomes() == {"out/in/a b.jpg.gif": "written"}


def test_more_than_five_derivatives_take_a_second_call(cos: Cos, picture: Path) -> None:
    function = Function(cos, index_of(SEVEN))
    done = put(function, picture)
    assert texts(done) == ["written"] * 7
    assert [exchange.operation for exchange in cos.journal.entries()] == ["put_object", "image_process", "head_object"]
    assert [outcome.derivative.name for outcome in done.work.outcomes] == [f"d{n}" for n in range(7)]


@pytest.mark.parametrize("kept", ["keep-original", "drop-original"])
@pytest.mark.parametrize("status", ["http-status", "ok-with-error"])
def test_the_source_is_stored_though_it_is_no_image(function: Function, tmp_path: Path, kept: str, status: str) -> None:
    function.cos.app.dialects = Dialects({"failed-put": kept, "error-status": status})
    path = tmp_path / "text.jpg"
    path.write_bytes(b"no picture at all")
    done = put(function, path, "in/text.jpg")
    assert function.cos.get("in/text.jpg") == b"no picture at all"
    assert texts(done) == ["failed(permanent, InvalidImageFormat)"] * 2


def test_one_bad_rule_does_not_keep_the_others(cos: Cos, picture: Path) -> None:
    function = Function(
        cos,
        index_of(
            "prefix: in/\nderivatives:\n"
            "  - {name: good, to: '/out/{path}.png', rule: imageMogr2/thumbnail/20x/format/png}\n"
            "  - {name: brand, to: '/out/{path}.jpg', style: not-there}\n"
        ),
    )
    good, bad = texts(put(function, picture))
    assert good == "written"
    assert bad.startswith("failed(permanent")
    assert cos.get("in/a b.jpg") == picture.read_bytes()


def test_a_source_above_the_limit_goes_up_in_parts_and_is_reported(function: Function, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(photo() + bytes(limits.SOURCE_BYTES))
    done = put(function, path, "in/large.jpg")
    assert done.way == "parts"
    assert texts(done) == ["failed(permanent, source_too_large)"] * 2
    assert function.cos.journal.count("upload_part") == 5
    stored = function.cos.app.store.get(function.cos.bucket, "in/large.jpg")
    assert stored is not None
    assert stored.size == path.stat().st_size


def test_a_key_no_rule_set_wants_is_a_plain_put_without_mark(function: Function, picture: Path) -> None:
    done = put(function, picture, "elsewhere/a.jpg")
    assert done.work.outcomes == ()
    stored = function.cos.app.store.get(function.cos.bucket, "elsewhere/a.jpg")
    assert stored is not None
    assert UPLOAD_MARK not in stored.headers
    assert stored.headers["Content-Type"] == "image/jpeg"


def test_a_bucket_that_does_not_exist_is_an_error(function: Function, picture: Path) -> None:
    with pytest.raises(CosFailure, match="NoSuchBucket"):
        put_image(
            picture,
            bucket="nowhere-1250000000",
            key="in/a.jpg",
            region=REGION,
            client=function.client,
            rule_sets=function.rule_sets,
        )


@pytest.mark.parametrize("encoding", ["plain", "urlencoded", "base64url"])
def test_a_key_that_cos_may_read_otherwise_is_asked_about_before_it_is_written(
    cos: Cos, picture: Path, encoding: str
) -> None:
    cos.app.dialects = Dialects({"fileid-encoding": encoding})
    function = Function(cos, index_of(THUMB_AND_CARD), fileids=Fileids())
    for key, processed in (("in/%41.jpg", 3 if encoding == "base64url" else 2), ("in/%42.jpg", 0)):
        before = cos.journal.count("image_process")
        assert texts(put(function, picture, key)) == ["written", "written"]
        assert cos.journal.count("image_process") - before == processed
    made = [f"out/in/%4{n}.jpg.{end}" for n in (1, 2) for end in ("card.png", "thumb.webp")]
    assert cos.keys() == ["in/%41.jpg", "in/%42.jpg", *made]


def test_a_line_that_breaks_once_loses_nothing(function: Function, picture: Path) -> None:
    function.cos.mounted.fail(ConnectionResetError("gone"), after_effect=True)
    assert texts(put(function, picture)) == ["written", "written"]
    assert function.cos.get("in/a b.jpg") == picture.read_bytes()
