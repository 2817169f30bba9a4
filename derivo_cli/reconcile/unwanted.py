"""What stands among the outputs and no source wants: orphans, proved to be ours, and what nothing proves (law 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from derivo import keys, ownobjects
from derivo.breaker import Breaker
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.plan import MANIFEST
from derivo_cli.reconcile.judging import ORPHAN, UNKNOWN
from derivo_cli.reconcile.places import Place, output_places
from derivo_cli.reconcile.provenance import quoted
from derivo_cli.reconcile.specs import History
from derivo_cli.reconcile.store import Row, Store
from derivo_cli.reconcile.wanted import Items


def find_unwanted(store: Store, index: RuleSetIndex, items: Items, history: History, prefix: str) -> None:
    """Add a row of `work` for each object that is neither a source nor wanted, of those in `unwanted` and of those that
    manifests name."""
    if store.one("SELECT count(*) FROM manifests")[0]:
        store.run(
            """INSERT INTO unwanted SELECT o.bucket, o.key, o.etag, o.size
            FROM made m JOIN objects o ON o.bucket = m.bucket AND o.key = m.key AND o.etag = m.etag
            WHERE NOT EXISTS (FROM wanted w WHERE w.bucket = o.bucket AND w.key = o.key)
            UNION ALL SELECT 0, t.key, t.etag, o.size FROM manifests t JOIN objects o ON o.bucket = 0 AND o.key = t.key
            WHERE NOT EXISTS (FROM wanted w WHERE w.bucket = 0 AND w.key = t.key)"""
        )
    store.fill("work", _judged(store, index, items, history, prefix))


def among(index: RuleSetIndex, items: Items, prefix: str) -> str:
    """SQL over an object `o`: whether nothing but derivatives belongs where it stands. Of a part of a bucket this is
    never so: an object that nothing proves may be of a source that was not looked at."""
    return inside([] if prefix else output_places(index, items.buckets[0]), items)


def inside(places: Iterable[Place], items: Items) -> str:
    """SQL over an object `o`: whether it lies in one of the places."""
    return " OR ".join(_inside(place, items) for place in places) or "false"


def _inside(place: Place, items: Items) -> str:
    number = items.bucket_number(place.bucket)
    parts = [f"o.bucket = {number}", f"starts_with(o.key, {quoted(place.prefix)})"]
    if place.ending:
        parts.append(f"ends_with(o.key, {quoted(place.ending)})")
    return f"({' AND '.join(parts)})"


def _judged(store: Store, index: RuleSetIndex, items: Items, history: History, prefix: str) -> Iterator[Row]:
    breaker = Breaker(index)
    records = tuple(r.on_failure.lstrip("/") for r in index.considered if r.on_failure is not None)
    by_spec = list(_patterns(index, items, history)) if not prefix else []
    # one row for each object, with its proof where there is one: as a derivative, else as a manifest
    listed = store.rows(
        f"""SELECT DISTINCT ON (u.bucket, u.key) u.*, coalesce(m.source, t.source), m.rule_set,
            CASE WHEN m.source IS NULL AND t.source IS NOT NULL THEN {quoted(MANIFEST)} ELSE m.name END, m.spec
        FROM unwanted u LEFT JOIN made m ON m.bucket = u.bucket AND m.key = u.key AND m.etag = u.etag
        LEFT JOIN manifests t ON u.bucket = 0 AND t.key = u.key ORDER BY u.bucket, u.key, (m.source IS NULL)"""
    )
    for bucket, key, etag, size, source, rule_set, name, spec in listed:
        if bucket == 0 and (
            key.startswith((ownobjects.FOLDER, *records)) or _is_source(key, size, index, items, breaker)
        ):
            continue
        if key.endswith("/"):
            continue
        row = (rule_set or "", name or "", bucket, key, etag, source or "", 0, "", spec or "", None, None, None)
        if source is not None:
            yield (ORPHAN, "manifest", *row)
            continue
        named = next((found for found in by_spec if found[0] == bucket and found[1].fullmatch(key)), None)
        if named is not None:
            yield (ORPHAN, "spec", named[2], named[3], *row[2:])
        else:
            yield (UNKNOWN, "no_provenance", *row)


def _is_source(key: str, size: int, index: RuleSetIndex, items: Items, breaker: Breaker) -> bool:
    source = Source(bucket=items.buckets[0], region="", key=key, size=size)
    return size > 0 and bool(index.matching(source)) and breaker.trips(source) is None


def _patterns(index: RuleSetIndex, items: Items, history: History) -> Iterator[tuple[int, re.Pattern[str], str, str]]:
    """What keys look like whose template holds `{spec}`, by each rule that was in force and is not: such a key proves
    itself, and no source can want it again.
    Keys in other buckets prove nothing: another bucket's sources may have the same rules."""
    for rule_set in index.considered:
        for made in rule_set.derivatives:
            if made.bucket not in (None, items.buckets[0]) or keys.Variable(keys.SPEC) not in made.to.parts:
                continue
            known = {e.spec for e in history.entries if (e.rule_set, e.name) == (rule_set.name, made.name)} - {
                made.spec
            }
            if not known:
                continue
            parts = [] if made.to.absolute else [f"{re.escape(rule_set.prefix.rpartition('/')[0])}.*"]
            for part in made.to.parts:
                if isinstance(part, keys.Text):
                    parts.append(re.escape(part.text))
                elif part.name == keys.SPEC:
                    parts.append("(?:" + "|".join(sorted(known)) + ")")
                elif part.name == keys.DERIVATIVE:
                    parts.append(re.escape(made.name))
                else:
                    parts.append(".*")
            yield 0, re.compile("".join(parts), re.DOTALL), rule_set.name, made.name
