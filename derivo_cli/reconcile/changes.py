"""Rules against rules: what a change of rules would touch, whatever stands in the bucket. One join in the store."""

from __future__ import annotations

from derivo.ci import canonical
from derivo.matching import RuleSetIndex
from derivo_cli.reconcile import compiled, judging, wanted
from derivo_cli.reconcile.specs import Entry, History
from derivo_cli.reconcile.store import Store
from derivo_cli.reconcile.wanted import Counts, Items


def judge(store: Store, old: RuleSetIndex, new: RuleSetIndex, items: Items, prefix: str) -> Counts:
    """Fill `work` with what the sources of the store would have under the new rules and have not under the old, or
    the other way round. Returns what the new rules want."""
    before = Items(old, items.buckets[0], items.buckets, items.fileids)
    store.run(f"CREATE TABLE items_before ({', '.join(_BEFORE)})")
    for item in before.all:
        store.run("INSERT INTO items_before VALUES (?, ?, ?, ?)", [item.number, item.rule_set, item.name, item.spec])
    wanted.fill_items(store, items, History())
    compiled.want(store, old, before, prefix, "before")
    counts = compiled.want(store, new, items, prefix)
    judging.differ(store, [_JUDGED.format(mine=part("key")) for part in store.passes()])
    for part in store.passes("differing"):
        store.run(_WORK.format(mine=part("key")))
    store.run("DROP TABLE differing")
    judging.add_together(store)
    return counts


def history(old: RuleSetIndex) -> History:
    """The old rules, as if they had been noted."""
    return History(
        tuple(
            Entry(rule_set=r.name, name=d.name, spec=d.spec, rule=canonical(d.rule))
            for r in old.considered
            for d in r.derivatives
        )
    )


_BEFORE = ("item USMALLINT", "rule_set VARCHAR", "name VARCHAR", "spec VARCHAR")

_JUDGED = """
SELECT coalesce(w.bucket, b.bucket) AS bucket, coalesce(w.key, b.key) AS key, coalesce(w.source, b.source) AS source,
    w.item, b.item AS before, CASE
    WHEN w.source IS NULL THEN CASE WHEN b.blocked IS NULL THEN 'orphan dropped' END
    WHEN w.blocked IS NOT NULL THEN CASE WHEN b.source IS NULL OR b.blocked IS NULL THEN 'blocked ' || w.blocked END
    WHEN b.source IS NULL OR b.blocked IS NOT NULL THEN 'create new'
    WHEN i.spec <> j.spec THEN 'stale-spec rule'
    END AS verdict
FROM (FROM wanted WHERE {mine}) w FULL JOIN (FROM before WHERE {mine}) b ON b.bucket = w.bucket AND b.key = w.key
LEFT JOIN items i ON i.item = w.item LEFT JOIN items_before j ON j.item = b.item
"""

_WORK = """
INSERT INTO work
SELECT split_part(verdict, ' ', 1), split_part(verdict, ' ', 2), coalesce(i.rule_set, j.rule_set),
    coalesce(i.name, j.name), d.bucket, d.key, NULL, d.source, s.size, s.etag, coalesce(i.spec, j.spec),
    CASE WHEN i.item IS NOT NULL THEN j.spec END, d.item, NULL
FROM (FROM differing WHERE {mine}) d JOIN objects s ON s.bucket = 0 AND s.key = d.source
LEFT JOIN items i ON i.item = d.item LEFT JOIN items_before j ON j.item = d.before
"""
