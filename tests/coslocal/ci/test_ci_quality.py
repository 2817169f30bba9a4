"""quality, rquality, lquality, the estimate from JPEG tables, and size-limit (CI 4.8, 4.10)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.ci.inspect import inspect
from coslocal.ci.jpeg import estimate_quality, luminance_table
from coslocal.ci.operations.quality import effective
from derivo.ci.tree import LowestQuality, Quality, RelativeQuality


@pytest.mark.parametrize(
    ("source", "quality", "relative", "lowest", "expected"),
    [
        (80, None, None, None, 80),
        (80, Quality(90), None, None, 80),
        (80, Quality(60), None, None, 60),
        (80, Quality(90, forced=True), None, None, 90),
        (80, None, RelativeQuality(80), None, 64),
        (85, None, None, LowestQuality(80), 85),
        (60, None, None, LowestQuality(80), 80),
        (80, Quality(50), RelativeQuality(80), None, 50),
        (80, Quality(70), RelativeQuality(80), None, 64),
        (80, Quality(50), None, LowestQuality(60), 60),
        (80, Quality(50, forced=True), RelativeQuality(10), LowestQuality(90), 50),
        (85, None, RelativeQuality(70), None, 60),  # 59.5: half goes up
    ],
)
def test_effective_quality(
    source: int,
    quality: Quality | None,
    relative: RelativeQuality | None,
    lowest: LowestQuality | None,
    expected: int,
) -> None:
    assert effective(source, quality, relative, lowest) == expected


def test_every_ijg_quality_is_recognised(draw: Any) -> None:
    image = draw.gradient(16, 16)
    for quality in range(1, 101):
        assert estimate_quality(draw.file(image, "jpeg", Q=quality)) == quality


@given(st.binary(max_size=300))
def test_reading_tables_survives_any_bytes(tail: bytes) -> None:
    assert 1 <= estimate_quality(b"\xff\xd8" + tail) <= 100


@given(data=st.data())
def test_reading_tables_survives_any_cut(draw: Any, data: st.DataObject) -> None:
    whole = draw.file(draw.gradient(16, 16), "jpeg", Q=50)
    table = luminance_table(whole[: data.draw(st.integers(0, len(whole)))])
    assert table is None or table == luminance_table(whole)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("imageMogr2/rquality/80", 64),
        ("imageMogr2/quality/90", 80),
        ("imageMogr2/quality/90!", 90),
        ("imageMogr2/quality/40", 40),
        ("imageMogr2/lquality/90", 90),
        ("imageMogr2/thumbnail/!50p", 80),
        ("imageView2/2/w/50/q/30", 30),
        ("imageView2/2/w/50/rq/50", 40),
        ("imageView2/2/w/50/lq/95", 95),
    ],
)
def test_results_are_written_with_the_effective_quality(draw: Any, run: Any, rule: str, expected: int) -> None:
    seen = run(draw.file(draw.gradient(100, 60), "jpeg", Q=80), rule)
    assert seen.rendered.quality == expected
    assert inspect(seen.rendered.data).quality == expected


def test_webp_inherits_the_quality_of_its_source(draw: Any, run: Any) -> None:
    source = draw.file(draw.noise(200, 200), "jpeg", Q=60)
    seen = run(source, "imageMogr2/format/webp")
    assert seen.rendered.quality == 60
    assert len(seen.rendered.data) < len(run(source, "imageMogr2/format/webp/quality/95!").rendered.data)


def test_lossless_results_report_100(draw: Any, run: Any) -> None:
    source = draw.file(draw.gradient(20, 20), "jpeg", Q=60)
    assert run(source, "imageMogr2/format/png/quality/10").rendered.quality == 100


def test_size_limit_keeps_the_best_quality_that_fits(draw: Any, run: Any) -> None:
    source = draw.file(draw.noise(300, 200), "png")
    limited = run(source, "imageMogr2/strip/format/jpg/size-limit/15k")
    assert len(limited.rendered.data) <= 15 * 1024
    better = run(source, f"imageMogr2/strip/format/jpg/quality/{limited.rendered.quality + 1}")
    assert len(better.rendered.data) > 15 * 1024


def test_size_limit_with_a_bang_gives_the_smaller_of_both(draw: Any, run: Any) -> None:
    source = draw.file(draw.gradient(100, 60), "jpeg", Q=30)
    seen = run(source, "imageMogr2/format/jpg/quality/100!/size-limit/1m!")
    assert seen.rendered.data == source


def test_a_size_limit_that_cannot_be_met_is_told(draw: Any, run: Any) -> None:
    seen = run(draw.file(draw.noise(600, 400), "png"), "imageMogr2/format/jpg/size-limit/1k")
    assert seen.rendered.quality == 1
    assert "cannot be met" in seen.rendered.warnings[0]
