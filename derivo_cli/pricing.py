"""Prices as they are given on the command line: NAME=AMOUNT, each in the place of one of the table's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derivo.ci import prices
from derivo_cli.exits import Stop

Prices = Mapping[str, prices.Price]


def table(own: Sequence[str]) -> Prices:
    """The price table with own prices in it. Raises Stop (usage)."""
    amounts = {}
    for text in own:
        name, _, amount = text.partition("=")
        try:
            amounts[name] = float(amount)
        except ValueError:
            raise Stop(f"--price {text}: write NAME=AMOUNT, such as basic=0.012") from None
    try:
        return prices.overridden(amounts)
    except ValueError as error:
        raise Stop(f"--price: {error}") from None
