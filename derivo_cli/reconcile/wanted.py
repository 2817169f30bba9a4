"""What a bucket should have: the plan of every source, as rows of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derivo import ownobjects
from derivo.breaker import Breaker
from derivo.ci.tree import Rule
from derivo.events import Source
from derivo.fileids import Fileids
from derivo.matching import RuleSetIndex
from derivo.plan import MANIFEST, plan
from derivo_cli.reconcile.places import applying
from derivo_cli.reconcile.specs import ALWAYS, History
from derivo_cli.reconcile.store import Row, Store

# Of no consequence for a plan: no key and no rule depends on it.
_REGION = "ap-guangzhou"
_NEVER, _EVER = "9999-01-01", "0001-01-01"


@dataclass(frozen=True)
class Item:
    """Something that a rule set makes of each of its sources: a derivative, or the manifest (`rule` None).

    `with_manifest`: the rule set keeps manifests, so that all its derivatives of a source are made together."""

    number: int
    rule_set: str
    name: str
    spec: str
    rule: Rule | None
    bucket: str
    with_manifest: bool


class Items:
    """What the rule sets make, and the buckets it goes to; a bucket's number is its place in `buckets`, which begin
    with those that are `numbered` already. `fileids` is what is known of their COS: to some keys no fileid leads."""

    def __init__(
        self, index: RuleSetIndex, bucket: str, numbered: Sequence[str] = (), fileids: Fileids | None = None
    ) -> None:
        self.fileids = fileids or Fileids()
        found: list[Item] = []
        for rule_set, _ in applying(index, bucket, ""):
            keeps = rule_set.manifest is not None
            for made in rule_set.derivatives:
                where = made.bucket or bucket
                found.append(Item(len(found), rule_set.name, made.name, made.spec, made.rule, where, keeps))
            if keeps:
                found.append(Item(len(found), rule_set.name, MANIFEST, "", None, bucket, True))
        self.all: Sequence[Item] = tuple(found)
        self.buckets: Sequence[str] = tuple(dict.fromkeys([*numbered, bucket, *(item.bucket for item in found)]))
        # a derivative may itself be called `manifest`
        self._numbers = {(item.rule_set, item.name, item.rule is None): item.number for item in found}

    def number(self, rule_set: str, name: str, *, manifest: bool = False) -> int:
        return self._numbers[rule_set, name, manifest]

    def bucket_number(self, bucket: str) -> int:
        return self.buckets.index(bucket)


def fill_items(store: Store, items: Items, history: History) -> None:
    """The items, with the time from which each one's rule has been in force."""
    store.fill("items", (_item_row(item, history) for item in items.all))
    numbers = {(item.rule_set, item.name): item.number for item in items.all if item.rule is not None}
    store.fill(
        "epochs",
        (
            (numbers[e.rule_set, e.name], _EVER if e.since == ALWAYS else e.since, e.spec)
            for e in history.entries
            if (e.rule_set, e.name) in numbers
        ),
    )


def _item_row(item: Item, history: History) -> Row:
    since = history.since(item.rule_set, item.name, item.spec) if item.rule is not None else ALWAYS
    when = None if since == ALWAYS else since or _NEVER
    return item.number, item.rule_set, item.name, item.spec, when, item.with_manifest, item.rule is not None


UNMAKEABLE = "bad_key"
"""What blocks a derivative to whose key no fileid leads, as in the function's log."""

SOURCES = f"""bucket = 0 AND starts_with(key, $1) AND size > 0 AND NOT ends_with(key, '/')
    AND NOT starts_with(key, '{ownobjects.FOLDER}')"""
"""What may be a source: folder markers, empty objects and our own are none, as for events."""


@dataclass
class Counts:
    """How many sources there are, and how many derivatives they want, blocked ones included."""

    sources: int = 0
    derivatives: int = 0


def fill_wanted(store: Store, index: RuleSetIndex, items: Items, prefix: str, table: str = "wanted") -> Counts:
    """What every object under the prefix should have, by `plan` itself."""
    counts = Counts()
    store.fill(table, _wanted(store, index, items, prefix, counts))
    return counts


def _wanted(store: Store, index: RuleSetIndex, items: Items, prefix: str, counts: Counts) -> Iterator[Row]:
    breaker = Breaker(index)
    bucket = items.buckets[0]
    listed = store.rows(f"SELECT key, size, etag, modified FROM objects WHERE {SOURCES}", [prefix])
    for key, size, etag, modified in listed:
        source = Source(bucket=bucket, region=_REGION, key=key, size=size)
        made = plan(source, index)
        if not (made.derivatives or made.blocked) or breaker.trips(source) is not None:
            continue
        counts.sources += 1
        counts.derivatives += len(made.derivatives) + len(made.blocked)
        blocked = {item.derivative: item.reason for item in made.blocked}
        blocked |= {planned: UNMAKEABLE for planned in made.derivatives if items.fileids.refuses(planned.key)}
        for planned in (*made.derivatives, *(item.derivative for item in made.blocked)):
            number = items.number(planned.rule_set, planned.name)
            where = items.bucket_number(planned.bucket)
            yield key, size, etag, modified, number, where, planned.key, blocked.get(planned)
        # a manifest is written of what was made, so where nothing can be made there is none
        made_of = {planned.rule_set for planned in made.derivatives if planned not in blocked}
        for wanted in made.manifests:
            if wanted.rule_set not in made_of:
                continue
            number = items.number(wanted.rule_set, MANIFEST, manifest=True)
            yield key, size, etag, modified, number, 0, wanted.key, None
