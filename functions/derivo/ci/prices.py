"""What processing costs, by the vendor's price pages: a dated table that can be overridden (CI 8).

Basic processing is billed on the bytes of the source, once a rule however many stages it has. Free allowances are not
taken off: they are the account's, not an image's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

import msgspec

from derivo.ci import formats, limits
from derivo.ci.look import Look
from derivo.ci.tree import BlindExtract, BlindWatermark, CiProcess, ImageSlim, QrCode, Rule


class Price(msgspec.Struct, frozen=True):
    """`amount` for each `per` of `unit`. `source` is a section of the reference, `date` that of the vendor's page."""

    name: str
    amount: float
    currency: str
    unit: str
    per: int
    source: str
    date: str
    note: str = ""


TABLE: tuple[Price, ...] = (
    Price("basic", 0.01, "USD", "bytes", limits.GIB, "CI 8", "2023-07", "the first 10 TB a month are free"),
    Price("advanced", 0.015, "USD", "conversions", 1000, "CI 8", "2023-07", "to avif, heif, tpg"),
    Price("blind_watermark", 0.15, "USD", "marks", 1000, "CI 8", "2023-07", "added or read"),
)
"""International prices. The mainland page gives 0.025 CNY a GB for basic processing, and no figure for the others."""

PRICES: Mapping[str, Price] = {price.name: price for price in TABLE}


class Line(msgspec.Struct, frozen=True):
    """One item of a bill; `amount` is None where no price, or no quantity, is known."""

    name: str
    quantity: Optional[int]
    unit: str
    amount: Optional[float]


class Cost(msgspec.Struct, frozen=True):
    """A bill: `amount` is the sum of what is known, `complete` tells whether that is everything."""

    amount: float
    currency: str
    lines: tuple[Line, ...]
    complete: bool


def overridden(amounts: Mapping[str, float], currency: str = "USD") -> Mapping[str, Price]:
    """The table with own amounts, by name, in one currency. Raises ValueError for a name that is not in the table,
    and for a negative amount."""
    unknown = sorted(set(amounts) - set(PRICES))
    if unknown:
        raise ValueError(f"there is no price {unknown[0]!r}; there are {', '.join(PRICES)}")
    below = sorted(name for name, amount in amounts.items() if not amount >= 0)
    if below:
        raise ValueError(f"the price {below[0]} is not a number from 0 upward")
    return {
        name: msgspec.structs.replace(price, amount=amounts.get(name, price.amount), currency=currency)
        for name, price in PRICES.items()
    }


def cost(
    rules: Iterable[Rule], source_bytes: Optional[int], sources: int = 1, prices: Mapping[str, Price] = PRICES
) -> Cost:
    """What it costs to run the rules over `sources` images of `source_bytes` each (None: unknown)."""
    counts: dict[str, int] = {}
    for rule in rules:
        for item in _items(rule):
            counts[item] = counts.get(item, 0) + sources
    lines = tuple(_line(name, count, source_bytes, prices) for name, count in counts.items())
    known = [line.amount for line in lines if line.amount is not None]
    currency = next(iter(prices.values())).currency
    return Cost(sum(known), currency, lines, len(known) == len(lines))


def _line(name: str, count: int, source_bytes: Optional[int], prices: Mapping[str, Price]) -> Line:
    price = prices.get(name)
    if price is None:
        return Line(name, count, "calls", None)
    quantity = count if price.unit != "bytes" else None if source_bytes is None else count * source_bytes
    return Line(name, quantity, price.unit, None if quantity is None else quantity * price.amount / price.per)


def _items(rule: Rule) -> list[str]:
    """What a rule is billed for. Services whose price we do not know are named, and left without amount."""
    items = []
    own = {
        BlindWatermark: "blind_watermark",
        BlindExtract: "blind_watermark",
        ImageSlim: "imageSlim",
        QrCode: "QRcode",
        CiProcess: "ci-process",
    }
    if any(type(stage) not in own for stage in rule.stages):
        items.append("basic")
    items.extend(own[type(stage)] for stage in rule.stages if type(stage) in own)
    look = Look(rule, key_extension=None, source_suffixes=None, keep_original_on_error=True, persistent=True)
    items.extend("advanced" for _, name in look.conversions() if name in formats.ACTIVATED)
    return items
