"""derivo prune: orphans go, in two phases. First every one is looked at and nothing is touched; then each is looked at
once more, just before it is deleted. What changed, or is wanted again, stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice

from derivo.cos import Cos, CosFailure
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.plan import MANIFEST, plan
from derivo_cli.reconcile.judging import ORPHAN
from derivo_cli.reconcile.planfile import Entry, PlanFile

MOST_SHARE = 0.1
"""More of a bucket goes only when the bucket is named."""

_SECONDS = 60.0
_AT_ONCE = 16
_PAGE = 1_000

REMOVED, GONE, CHANGED, WANTED, KEPT, FAILED = "removed", "gone", "changed", "wanted again", "kept", "failed"


@dataclass(frozen=True)
class Fate:
    """What became, or would become, of an orphan; `detail` is a failure's code."""

    entry: Entry
    status: str
    detail: str = ""


def too_many(found: PlanFile) -> Mapping[str, tuple[int, int]]:
    """The buckets of which more than a tenth would go: how many, of how many."""
    counts: dict[str, int] = {}
    for entry in found.entries(ORPHAN):
        counts[entry.bucket] = counts.get(entry.bucket, 0) + 1
    totals = found.head.objects
    return {
        bucket: (count, totals.get(bucket, 0))
        for bucket, count in counts.items()
        if count > MOST_SHARE * totals.get(bucket, 0)
    }


class Pruner:
    """Looks at orphans and deletes them. Raises nothing for what COS does."""

    def __init__(self, client: Cos, index: RuleSetIndex, found: PlanFile, region: str) -> None:
        self._client = client
        self._index = index
        self._found = found
        self._region = region

    def look(self) -> Iterator[Fate]:
        """The first phase: what would become of each orphan. Touches nothing."""
        entries = self._found.entries(ORPHAN)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while page := list(islice(entries, _PAGE)):
                yield from pool.map(self._look, page)

    def remove(self) -> Iterator[Fate]:
        """The second phase. A manifest goes last, and only when everything that it proves is gone."""
        for _, group in groupby(self._found.entries(ORPHAN), key=lambda entry: entry.source):
            entries = list(group)
            fates = [self._remove(entry) for entry in entries if not _is_manifest(entry)]
            yield from fates
            clean = all(fate.status in (REMOVED, GONE) for fate in fates)
            for entry in entries:
                if _is_manifest(entry):
                    yield self._remove(entry) if clean else Fate(entry, KEPT, "it proves what is left")

    def _look(self, entry: Entry) -> Fate:
        try:
            standing = self._client.head(bucket=entry.bucket, region=self._region, key=entry.key, timeout=_SECONDS)
            if standing is None:
                return Fate(entry, GONE)
            if standing.etag != entry.etag:
                return Fate(entry, CHANGED)
            if entry.source and self._is_wanted(entry):
                return Fate(entry, WANTED)
        except CosFailure as failure:
            return Fate(entry, FAILED, failure.code)
        return Fate(entry, REMOVED)

    def _is_wanted(self, entry: Entry) -> bool:
        """Whether the source is back, and its plan has this object."""
        source = Source(bucket=self._found.head.bucket, region=self._region, key=entry.source)
        whole = plan(source, self._index)
        keys = {(made.bucket, made.key) for made in whole.derivatives}
        keys |= {(wanted.bucket, wanted.key) for wanted in whole.manifests}
        if (entry.bucket, entry.key) not in keys:
            return False
        standing = self._client.head(bucket=source.bucket, region=self._region, key=source.key, timeout=_SECONDS)
        return standing is not None

    def _remove(self, entry: Entry) -> Fate:
        fate = self._look(entry)
        if fate.status != REMOVED:
            return fate
        try:
            self._client.delete(bucket=entry.bucket, region=self._region, key=entry.key, timeout=_SECONDS)
        except CosFailure as failure:
            return Fate(entry, FAILED, failure.code)
        return fate


def _is_manifest(entry: Entry) -> bool:
    return entry.name == MANIFEST and not entry.rule_set
