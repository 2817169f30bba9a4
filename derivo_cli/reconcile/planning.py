"""derivo plan, step by step: list, ask the manifests, compare, sum up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from derivo import __version__
from derivo.ci import prices
from derivo.cos import Cos, CosFailure
from derivo.matching import RuleSetIndex
from derivo_cli.exits import FINDINGS, Stop
from derivo_cli.pricing import Prices
from derivo_cli.reconcile import changes, compiled, judging, places, planfile, provenance, specs, unwanted, wanted
from derivo_cli.reconcile.inventory import Inventory
from derivo_cli.reconcile.store import Row, Store
from derivo_cli.reconcile.summary import Summary, summarise
from derivo_cli.url import CosUrl

_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """What to plan: the sources of `target` (a bucket and a prefix) under the rule sets. `manifests` False judges by
    time alone. `inventories` stand for the listings of the buckets they are of. With `old`, rules are held against
    rules: what the change would touch."""

    target: CosUrl
    region: str
    index: RuleSetIndex
    manifests: bool = True
    inventories: tuple[str, ...] = ()
    prices: Prices = field(default_factory=lambda: prices.PRICES)
    old: RuleSetIndex | None = None


@dataclass(frozen=True)
class Planned:
    """A plan in its store, and what it comes to."""

    store: Store
    head: planfile.Head
    summary: Summary


def make(request: Request, client: Cos, folder: Path) -> Planned:
    """The plan, its store in a folder that is the caller's to remove. Raises Stop for what COS refuses."""
    store = Store(folder)
    try:
        return _made(request, client, store, folder)
    except CosFailure as failure:
        raise _refusal(request.target.bucket, request.target.key, failure) from None


def _made(request: Request, client: Cos, store: Store, folder: Path) -> Planned:
    bucket, prefix, index = request.target.bucket, request.target.key, request.index
    items = wanted.Items(index, bucket, fileids=client.fileids)
    inventories = _inventories(request, client, items)
    if request.old is None:
        _list(request, client, store, items, inventories, places.to_list(index, bucket, prefix), folder)
        summary = _compared(request, client, store, items)
    else:
        sources = places.sources_to_list((request.old, index), bucket, prefix)
        _list(request, client, store, items, inventories, {bucket: sources}, folder)
        summary = _changed(request, request.old, store, items)
    told = [notice for inventory in inventories.values() for notice in inventory.notices]
    summary = msgspec.structs.replace(summary, notices=(*told, *summary.notices))
    found: dict[int, int] = dict(store.rows("SELECT bucket, count(*) FROM objects GROUP BY 1"))
    head = planfile.Head(
        plan=planfile.FORMAT,
        derivo=__version__,
        id=uuid4().hex,
        bucket=bucket,
        prefix=prefix,
        region=request.region,
        rules=planfile.rules_digest(index),
        buckets=tuple(items.buckets),
        objects={name: int(found.get(number, 0)) for number, name in enumerate(items.buckets)},
        sources_to_process=summary.sources_to_process,
        requests=summary.requests,
    )
    return Planned(store, head, summary)


def _compared(request: Request, client: Cos, store: Store, items: wanted.Items) -> Summary:
    """What the bucket lacks."""
    bucket, prefix, index = request.target.bucket, request.target.key, request.index
    history = specs.read(client, bucket, request.region)
    wanted.fill_items(store, items, history)
    counts = compiled.want(store, index, items, prefix)
    if request.manifests:
        provenance.read_manifests(store, client, index, items, region=request.region, prefix=prefix)
    among = unwanted.among(index, items, prefix)
    wanted_in = unwanted.inside(places.wanted_places(index, bucket, prefix), items)
    vouched = judging.judge(store, manifests=request.manifests, outputs=f"{wanted_in} OR {among}", among=among)
    unwanted.find_unwanted(store, index, items, history, prefix)
    summary = summarise(
        store, items, history, counts=counts, vouched=vouched, region=request.region, table=request.prices
    )
    told = _notices(index, history, summary.by_time, prefix)
    if client.fileids.path is None:
        told += _of_slashes(store)
    return msgspec.structs.replace(summary, notices=told)


def _changed(request: Request, old: RuleSetIndex, store: Store, items: wanted.Items) -> Summary:
    """What the change of rules touches."""
    counts = changes.judge(store, old, request.index, items, request.target.key)
    summary = summarise(
        store, items, changes.history(old), counts=counts, vouched=0, region=request.region, table=request.prices
    )
    notice = (
        "rules were held against rules: what the bucket lacks already, and what stands in it, is not in these numbers"
    )
    return msgspec.structs.replace(summary, by_time=0, notices=(notice,))


def _list(
    request: Request,
    client: Cos,
    store: Store,
    items: wanted.Items,
    inventories: Mapping[str, Inventory],
    listed: Mapping[str, Sequence[str]],
    folder: Path,
) -> None:
    """Fill `objects` with what stands under these prefixes of these buckets."""
    for where, prefixes in listed.items():
        number = items.bucket_number(where)
        if where in inventories:
            inventories[where].load(store, number, prefixes, folder)
            continue
        for start in prefixes:
            store.fill("objects", _listed(client, where, request.region, start, number))


def _inventories(request: Request, client: Cos, items: wanted.Items) -> dict[str, Inventory]:
    """The inventories by their buckets. One of a bucket that no rule set names is a mistake."""
    found = {}
    for place in request.inventories:
        inventory = Inventory(place, client, request.region)
        if inventory.bucket not in items.buckets:
            raise Stop(f"{place} is of {inventory.bucket}; the plan is of {', '.join(items.buckets)}")
        found[inventory.bucket] = inventory
    return found


def _listed(client: Cos, bucket: str, region: str, prefix: str, number: int) -> Iterator[Row]:
    listing = client.list(bucket=bucket, region=region, prefix=prefix, timeout=_SECONDS)
    try:
        for item in listing:
            modified = datetime.fromisoformat(item.modified).replace(tzinfo=None)
            yield number, item.key, item.size, item.etag, modified, None
    except ValueError as error:
        raise Stop(f"the listing of cos://{bucket}/ holds a time that is none: {error}") from None
    except CosFailure as failure:
        raise _refusal(bucket, prefix, failure) from None


def _refusal(bucket: str, key: str, failure: CosFailure) -> Stop:
    rights = "; derivo policy --for apply prints the rights that plan and apply need"
    return Stop(f"cos://{bucket}/{key}: {failure}{rights if failure.code == 'AccessDenied' else ''}", FINDINGS)


def _of_slashes(store: Store) -> tuple[str, ...]:
    """What the plan may say wrongly, since nobody told how COS reads fileids."""
    doubled = "(contains(key, '//') OR starts_with(key, '/'))"
    made = f"FROM work w JOIN items i ON i.item = w.item WHERE i.derivative AND class IN {judging.TO_MAKE}"
    count = store.one(f"SELECT count(*) {made} AND {doubled}")[0]
    if not count:
        return ()
    return (
        f"{count} derivatives to be made have `//` in their keys, and there may be no request that makes them: "
        "derivo probe tells, and DERIVO_FILEID_PATH tells derivo plan",
    )


def _notices(index: RuleSetIndex, history: specs.History, by_time: int, prefix: str) -> tuple[str, ...]:
    found = []
    if by_time:
        found.append(f"{by_time} derivatives were judged by Last-Modified, since no manifest names them")
    if by_time and not history.entries:
        found.append(
            f"there is no {specs.KEY} in the bucket yet, so these count as made by the rules of today; "
            "derivo apply keeps it"
        )
    if any(rule_set.chained for rule_set in index.considered):
        found.append("some rule sets are chained: what they make of derivatives that are missing is in the next plan")
    if prefix:
        found.append("only a part of the bucket was looked at: objects without provenance are not told")
    return tuple(found)
