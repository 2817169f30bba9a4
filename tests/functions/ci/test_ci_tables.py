"""The tables of limits, formats and prices."""

from __future__ import annotations

import pytest

from derivo.ci import formats, limits, parse, prices
from derivo.ci.tree import Rule


def rule(text: str) -> Rule:
    parsed = parse(text).rule
    assert parsed is not None
    return parsed


def test_every_limit_has_a_name_a_source_and_a_date() -> None:
    assert len(limits.BY_NAME) == len(limits.TABLE)
    for limit in limits.TABLE:
        assert getattr(limits, limit.name) == limit.value > 0
        assert limit.unit
        assert limit.source
        assert limit.date


@pytest.mark.parametrize(
    ("region", "rate"),
    [("ap-guangzhou", 100), ("ap-beijing-1", 100), ("ap-shanghai-fsi", 50), ("ap-singapore", 50), ("eu-frankfurt", 50)],
)
def test_the_mainland_may_ask_twice_as_often(region: str, rate: int) -> None:
    assert limits.processing_qps(region) == rate


def test_limits_that_users_meet() -> None:
    assert limits.RULES_PER_REQUEST == 5
    assert limits.SOURCE_BYTES == 33_554_432
    assert limits.KEY_BYTES == 850
    assert limits.ASYNC_EVENT_BYTES == 131_072


@pytest.mark.parametrize(
    ("extension", "name"),
    [
        (".jpg", "jpg"),
        (".JPEG", "jpg"),
        ("png", "png"),
        (".heic", "heif"),
        (".TIF", "tiff"),
        (".txt", None),
        ("", None),
        (None, None),
    ],
)
def test_the_format_that_an_extension_promises(extension: str | None, name: str | None) -> None:
    assert formats.of_extension(extension) == name


def test_all_suffixes_of_sources_are_known_formats() -> None:
    assert all(formats.of_extension(suffix) for suffix in formats.SOURCE_SUFFIXES)


def test_basic_processing_is_billed_on_the_sources_bytes_once_a_rule() -> None:
    pipeline = rule("imageMogr2/auto-orient|imageMogr2/thumbnail/9x|watermark/2/text/YQ")
    bill = prices.cost([pipeline, rule("style/a")], source_bytes=limits.GIB, sources=10)
    assert bill.lines == (prices.Line("basic", 20 * limits.GIB, "bytes", pytest.approx(0.2)),)
    assert bill.amount == pytest.approx(0.2)
    assert bill.currency == "USD"
    assert bill.complete


def test_conversions_to_advanced_formats_and_blind_watermarks_are_billed_apart() -> None:
    bill = prices.cost([rule("imageMogr2/format/avif"), rule("watermark/3/type/3/text/YQ")], 0, sources=1000)
    amounts = {line.name: line.amount for line in bill.lines}
    assert amounts == {"basic": 0, "advanced": pytest.approx(0.015), "blind_watermark": pytest.approx(0.15)}


def test_what_has_no_known_price_or_quantity_is_said_to_have_none() -> None:
    unpriced = prices.cost([rule("imageSlim")], 100)
    assert unpriced.lines == (prices.Line("imageSlim", 1, "calls", None),)
    assert not unpriced.complete
    unknown = prices.cost([rule("imageMogr2/strip")], None)
    assert unknown.lines == (prices.Line("basic", None, "bytes", None),)
    assert not unknown.complete


def test_prices_can_be_overridden() -> None:
    own = prices.overridden({"basic": 0.025}, currency="CNY")
    bill = prices.cost([rule("imageMogr2/strip")], limits.GIB, prices=own)
    assert (bill.amount, bill.currency) == (pytest.approx(0.025), "CNY")


@pytest.mark.parametrize(("amounts", "what"), [({"bsic": 1.0}, "bsic"), ({"basic": -1.0}, "basic")])
def test_overrides_that_make_no_sense_are_refused(amounts: dict[str, float], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        prices.overridden(amounts)
