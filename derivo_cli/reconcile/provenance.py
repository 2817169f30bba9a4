"""What the manifests of a bucket prove: which derivatives were made of which source, by ETag and by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from derivo import manifest
from derivo.cos import Cos
from derivo.events import Source
from derivo.manifest import Manifest
from derivo.matching import RuleSetIndex
from derivo.plan import manifest_of
from derivo.rulesets import RuleSet
from derivo_cli.reconcile.places import Place, manifest_places
from derivo_cli.reconcile.store import Row, Store
from derivo_cli.reconcile.wanted import Items

_SECONDS = 60.0
_AT_ONCE = 16
_PAGE = 2_000


def read_manifests(store: Store, client: Cos, index: RuleSetIndex, items: Items, *, region: str, prefix: str) -> None:
    """Read every manifest of sources under the prefix, one GET each. Raises CosFailure."""
    bucket = items.buckets[0]
    where = " OR ".join(_inside(place) for place in manifest_places(index, bucket, prefix))
    if not where:
        return
    rule_sets = {rule_set.name: rule_set for rule_set in index.considered}
    listed = store.rows(f"SELECT key, etag, modified FROM objects WHERE bucket = 0 AND ({where})")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while page := list(islice(listed, _PAGE)):
            bodies = pool.map(lambda row: client.get(bucket=bucket, region=region, key=row[0], timeout=_SECONDS), page)
            found = [
                (row, read)
                for row, data in zip(page, bodies, strict=True)
                if data is not None
                and (read := manifest.decode(data)) is not None
                and read.source.bucket == bucket
                and read.source.key.startswith(prefix)
            ]
            store.fill("manifests", (_manifest_row(row, read, rule_sets) for row, read in found))
            store.fill("made", _made_rows(found, rule_sets, items))


def _manifest_row(row: Row, read: Manifest, rule_sets: Mapping[str, RuleSet]) -> Row:
    key, etag, modified = row
    return key, etag, modified, read.source.key, read.source.etag, _stands(key, read, rule_sets)


def _made_rows(found: Iterable[tuple[Row, Manifest]], rule_sets: Mapping[str, RuleSet], items: Items) -> Iterator[Row]:
    for (key, *_), read in found:
        stands = _stands(key, read, rule_sets)
        for made in read.derivatives:
            # what went to a bucket that no rule names any more was not listed either
            if made.bucket in items.buckets:
                where = items.bucket_number(made.bucket)
                yield (
                    read.source.key, read.source.etag, read.rule_set, made.name, where, made.key, made.etag, made.spec,
                    stands, key,
                )  # fmt: skip


def _stands(key: str, read: Manifest, rule_sets: Mapping[str, RuleSet]) -> bool:
    """Whether this is the manifest that the rule set writes today, not one of an earlier template."""
    rule_set = rule_sets.get(read.rule_set)
    if rule_set is None:
        return False
    wanted = manifest_of(rule_set, Source(bucket=read.source.bucket, region="", key=read.source.key))
    return wanted is not None and wanted.key == key


def _inside(place: Place) -> str:
    return f"(starts_with(key, {quoted(place.prefix)}) AND ends_with(key, {quoted(place.ending)}))"


def quoted(text: str) -> str:
    """A text as SQL. NUL cannot stand in a statement."""
    return " || chr(0) || ".join("'" + part.replace("'", "''") + "'" for part in text.split("\0"))
