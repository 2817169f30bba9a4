"""The function is right under every choice of every dialect: each planned derivative ends in exactly one outcome, what
is called written lies in the bucket as named, and only Unfinished is raised, just when something retryable is left."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coslocal.dialects import REQUESTS, TABLE, Dialects
from coslocal.pytest_plugin import REGION, Cos
from coslocal.storage.types import Bucket
from derivo.events import Source
from derivo.handle import Unfinished
from derivo.matching import RuleSetIndex
from derivo.plan import plan
from derivo.upload import put_image

from .conftest import Function, event_of, index_of, photo

FAR = "far-1250000000"
# Two requests' worth, each sensitive to some dialect.
RULES = f"""
prefix: in/
derivatives:
  - {{name: thumb, to: "/out/{{path}}.thumb.webp", rule: imageMogr2/thumbnail/24x24>/format/webp/quality/80}}
  - {{name: grown, to: "/out/{{path}}.grown.jpg", rule: imageMogr2/thumbnail/99x99}}
  - {{name: cropped, to: "/out/{{path}}.cropped.jpg", rule: imageMogr2/crop/99x30}}
  - {{name: cut, to: "/out/{{path}}.cut.jpg", rule: imageMogr2/cut/60x40x20x10}}
  - {{name: small, to: "/out/{{path}}.small.jpg", rule: imageMogr2/strip/format/jpg/size-limit/1k}}
  - {{name: styled, to: "/out/{{path}}.styled.jpg", rule: "style/mini|imageMogr2/format/jpg"}}
  - {{name: away, to: "/out/{{path}}.away.webp", bucket: {FAR}, rule: imageMogr2/scrop/20x20/format/webp}}
"""
GOOD = "in/茶 a+b/ü.jpg"
OUTCOME = re.compile(r"written|skipped\([a-z_]+\)|failed\((permanent|retryable), [A-Za-z0-9_-]+\)")
MATRIX = [pytest.param(d.name, choice, id=f"{d.name}={choice}") for d in TABLE for choice in d.choices]
AT_UPLOAD = {dialect.name for dialect in REQUESTS if not dialect.name.startswith(("style-", "rate-", "source-"))}


def animation() -> bytes:
    frames = pyvips.Image.black(40, 60, bands=3).linear(1, [9, 99, 9]).cast("uchar").copy(interpretation="srgb")
    frames.set_type(pyvips.GValue.gint_type, "page-height", 30)
    data: bytes = frames.write_to_buffer(".gif")
    return data


SOURCES = {
    GOOD: photo(60, 40),
    "in/%41 b.jpg": photo(60, 40),
    "in//c.jpg": photo(60, 40),
    "in/d.gif": animation(),
    "in/cut.jpg": photo(400, 300)[:1500],
    "in/text.jpg": b"no picture",
}
# Which dialects need more than the good source to show.
MORE = {
    "event-key": ("in/%41 b.jpg", "in//c.jpg"),
    "fileid-encoding": ("in/%41 b.jpg",),
    "fileid-path": ("in//c.jpg",),
    "animated-upscale": ("in/d.gif",),
    "partial-failure": ("in/cut.jpg", "in/text.jpg"),
    "error-status": ("in/cut.jpg", "in/text.jpg"),
    "error-code": ("in/cut.jpg", "in/text.jpg"),
    "truncated": ("in/cut.jpg", "in/text.jpg"),
}


def world(cos: Cos, chosen: dict[str, str]) -> Function:
    cos.app.dialects = Dialects(chosen)
    cos.app.store.create_bucket(Bucket(name=FAR, region="ap-beijing", created=time.time()))
    style = {"StyleName": "mini", "StyleBody": "imageMogr2/thumbnail/30x"}
    cos.client().ci_put_image_style(Bucket=cos.bucket, Request=style)
    return Function(cos, index_of(RULES))


def check(function: Function, key: str, details: list[dict[str, Any]]) -> None:
    """The contract, for the outcomes of one source."""
    cos = function.cos
    made = plan(Source(bucket=cos.bucket, region=REGION, key=key, size=1), function.rule_sets)
    wanted = sorted((d.bucket, d.key) for d in made.derivatives)
    assert sorted((detail["bucket"], detail["key"]) for detail in details) == wanted
    for detail in details:
        assert OUTCOME.fullmatch(detail["outcome"]), detail
        if detail["outcome"] == "written":
            stored = cos.app.store.get(detail["bucket"], detail["key"])
            assert stored is not None, detail
            assert (stored.etag, stored.size) == (detail["etag"], detail["size"])


def run(function: Function, sources: dict[str, bytes]) -> dict[str, dict[str, str]]:
    """One event with all sources; source -> name of the derivative -> outcome."""
    event = event_of(*[function.upload(key, data) for key, data in sources.items()])
    try:
        function.run(event)
        raised = False
    except Unfinished:
        raised = True
    lines = {line["key"]: line["derivatives"] for line in function.lines if "derivatives" in line}
    assert set(lines) == set(sources)
    assert len(function.lines) == len(sources)
    for key, details in lines.items():
        check(function, key, details)
    outcomes = {key: {item["name"]: item["outcome"] for item in details} for key, details in lines.items()}
    retryable = any("retryable" in text for each in outcomes.values() for text in each.values())
    assert raised == retryable
    return outcomes


@pytest.mark.parametrize(("name", "choice"), MATRIX)
def test_one_event_under_every_choice(cos: Cos, name: str, choice: str) -> None:
    outcomes = run(world(cos, {name: choice}), {key: SOURCES[key] for key in (GOOD, *MORE.get(name, ()))})
    assert outcomes[GOOD]["thumb"] == "written"
    for text in outcomes.get("in/text.jpg", {}).values():
        assert text.startswith("failed(permanent, ")


def test_nothing_is_left_to_a_retry_by_default(cos: Cos) -> None:
    outcomes = run(world(cos, {}), {GOOD: SOURCES[GOOD]})
    assert set(outcomes[GOOD].values()) == {"written"}


@pytest.mark.parametrize("choice", ["32MB", "20MB"])
def test_a_source_between_the_two_limits(cos: Cos, choice: str) -> None:
    key = "in/big.jpg"
    outcomes = run(world(cos, {"source-limit": choice}), {key: photo(60, 40) + b"\0" * (21 << 20)})
    expected = "written" if choice == "32MB" else "failed(permanent, ImageTooLarge)"
    assert outcomes[key]["thumb"] == expected


@pytest.mark.parametrize(("name", "choice"), [each for each in MATRIX if each.values[0] in AT_UPLOAD])
def test_an_upload_under_every_choice(cos: Cos, tmp_path: Path, name: str, choice: str) -> None:
    function = world(cos, {name: choice})
    file = tmp_path / "x.jpg"
    for number, data in enumerate((photo(60, 40), b"no picture")):
        key = f"in/{number} +ü.jpg"
        file.write_bytes(data)
        done = put_image(
            file, bucket=cos.bucket, key=key, region=REGION, client=function.client, rule_sets=function.rule_sets,
            clock=function.clock,
        )  # fmt: skip
        assert cos.get(key) == data
        details = [
            {
                "bucket": outcome.derivative.bucket, "key": outcome.derivative.key, "outcome": outcome.text,
                "etag": outcome.etag, "size": outcome.size,
            }
            for outcome in done.work.outcomes
        ]  # fmt: skip
        check(function, key, details)


several = st.dictionaries(st.sampled_from(TABLE), st.integers(0, 9), max_size=12).map(
    lambda chosen: {dialect.name: dialect.choices[at % len(dialect.choices)] for dialect, at in chosen.items()}
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several)
def test_one_event_under_any_mixture(cos: Cos, chosen: dict[str, str]) -> None:
    function = world(cos, {})
    cos.app.dialects = Dialects(chosen)
    run(function, {key: SOURCES[key] for key in (GOOD, "in/cut.jpg")})


def test_the_matrix_has_every_dialect() -> None:
    assert {parameter.values[0] for parameter in MATRIX} == {dialect.name for dialect in TABLE}
    assert isinstance(index_of(RULES), RuleSetIndex)
