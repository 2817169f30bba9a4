"""What a plan comes to: how many of each class, requests, bytes, money, minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from derivo.ci import canonical, limits, prices
from derivo.ci.tree import Rule
from derivo_cli.pricing import Prices
from derivo_cli.reconcile.judging import CLASSES, TO_MAKE, UP_TO_DATE
from derivo_cli.reconcile.specs import History, changed
from derivo_cli.reconcile.store import Store
from derivo_cli.reconcile.wanted import Counts, Items

Number = TypeVar("Number", int, float)

MADE = """(class IN ('create', 'stale-source', 'stale-spec', 'up-to-date')
    AND item IN (SELECT item FROM items WHERE derivative))"""
"""The rows of `work` that a processing call is spent on."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Derivatives of which an earlier rule stands, and the parameters that differ."""

    rule_set: str
    name: str
    derivatives: int
    change: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A class of one item: `why` is a word of judging.REASONS, or of plan.Blocked; `is_manifest`, it is a manifest."""

    kind: str
    why: str
    rule_set: str
    name: str
    is_manifest: bool
    count: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One rule set's part of what is to be made: derivatives, billed bytes, money as far as prices are known."""

    rule_set: str
    make: int
    bytes: int
    cost: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`classes` counts derivatives (not manifests); `manifests` those to be written though all derivatives stand.
    `bytes` are what processing is billed for: a source's size for each derivative made. `remade` are up to date and
    made again with the others of their manifest. `by_time` stand and were judged by Last-Modified."""

    sources: int
    derivatives: int
    classes: Mapping[str, int]
    manifests: int
    parts: tuple[Part, ...]
    changes: tuple[Change, ...]
    rule_sets: tuple[Share, ...]
    remade: int
    make: int
    sources_to_process: int
    requests: int
    bytes: int
    cost: prices.Cost
    minutes: float
    by_time: int
    notices: tuple[str, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        return self.requests == 0


def summarise(
    store: Store, items: Items, history: History, *, counts: Counts, vouched: int, region: str, table: Prices
) -> Summary:
    """The sums of a judged store."""
    parts = _parts(store)
    classes = {kind: sum(p.count for p in parts if p.kind == kind and not p.is_manifest) for kind in CLASSES}
    remade = classes[UP_TO_DATE]
    # what is wanted and no row of the plan is up to date
    named = sum(classes[kind] for kind in (*TO_MAKE, "blocked"))
    classes[UP_TO_DATE] = counts.derivatives - named
    processed, requests = _requests(store)
    cost, shares = _cost(store, items, table)
    return Summary(
        sources=counts.sources,
        derivatives=counts.derivatives,
        classes=classes,
        manifests=sum(p.count for p in parts if p.is_manifest and p.kind in TO_MAKE),
        parts=tuple(p for p in parts if p.kind != UP_TO_DATE),
        changes=_changes(store, items, history),
        rule_sets=shares,
        remade=remade,
        make=sum(share.make for share in shares),
        sources_to_process=processed,
        requests=requests,
        bytes=sum(share.bytes for share in shares),
        cost=cost,
        minutes=requests / limits.processing_qps(region) / 60,
        by_time=counts.derivatives - classes["blocked"] - classes["create"] - vouched,
    )


def _requests(store: Store) -> tuple[int, int]:
    """The sources that something is made of, and the requests that takes."""
    processed = requests = 0
    for part in store.passes("work"):
        sources, packs = store.one(
            f"""SELECT count(*), coalesce(sum((n + {limits.RULES_PER_REQUEST - 1}) // {limits.RULES_PER_REQUEST}), 0)
            FROM (SELECT count(*) AS n FROM work WHERE {MADE} AND {part("source")} GROUP BY source)"""
        )
        processed, requests = processed + sources, requests + int(packs)
    return processed, requests


def _parts(store: Store) -> list[Part]:
    found = store.rows(
        """SELECT k.class, k.why, k.rule_set, k.name, coalesce(NOT i.derivative, false), count(*)
        FROM work k LEFT JOIN items i ON i.item = k.item GROUP BY ALL ORDER BY ALL"""
    )
    return [
        Part(kind=kind, why=why, rule_set=rule_set, name=name, is_manifest=is_manifest, count=count)
        for kind, why, rule_set, name, is_manifest, count in found
    ]


def _changes(store: Store, items: Items, history: History) -> tuple[Change, ...]:
    found = store.rows("SELECT item, old_spec, count(*) FROM work WHERE class = 'stale-spec' GROUP BY ALL ORDER BY ALL")
    made = []
    for number, old, count in found:
        item = items.all[number]
        assert item.rule is not None
        text = changed(history.rule(old) if old else None, canonical(item.rule))
        made.append(Change(rule_set=item.rule_set, name=item.name, derivatives=count, change=text))
    return tuple(made)


def _cost(store: Store, items: Items, table: Prices) -> tuple[prices.Cost, tuple[Share, ...]]:
    """What the processing costs, and each rule set's part of it."""
    lines: dict[str, prices.Line] = {}
    shares: dict[str, Share] = {}
    for number, count, total in store.rows(
        f"SELECT item, count(*), sum(source_size) FROM work WHERE {MADE} GROUP BY 1 ORDER BY 1"
    ):
        item = items.all[number]
        assert item.rule is not None
        amount = 0.0
        for line in bill(item.rule, count, int(total), table):
            lines[line.name] = _added(lines[line.name], line) if line.name in lines else line
            amount += line.amount or 0.0
        before = shares.get(item.rule_set, Share(rule_set=item.rule_set, make=0, bytes=0, cost=0.0))
        shares[item.rule_set] = Share(
            rule_set=item.rule_set,
            make=before.make + count,
            bytes=before.bytes + int(total),
            cost=before.cost + amount,
        )
    ordered = tuple(lines[name] for name in sorted(lines))
    known = [line.amount for line in ordered if line.amount is not None]
    currency = next(iter(table.values())).currency
    return prices.Cost(sum(known), currency, ordered, len(known) == len(ordered)), tuple(shares.values())


def bill(rule: Rule, sources: int, size: int, table: Prices) -> list[prices.Line]:
    """What one rule costs on so many sources, of so many bytes together."""
    found = []
    for line in prices.cost([rule], 1, prices=table).lines:
        times = size if line.unit == "bytes" else sources
        quantity = None if line.quantity is None else line.quantity * times
        amount = None if line.amount is None else line.amount * times
        found.append(prices.Line(line.name, quantity, line.unit, amount))
    return found


def _added(one: prices.Line, other: prices.Line) -> prices.Line:
    return prices.Line(one.name, _sum(one.quantity, other.quantity), one.unit, _sum(one.amount, other.amount))


def _sum(one: Number | None, other: Number | None) -> Number | None:
    return None if one is None or other is None else one + other
