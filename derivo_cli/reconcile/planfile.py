"""The plan as a Parquet file: a row for each derivative that differs, and what the plan was made of.

Whoever carries it out holds its digest of the rule sets against his own: a plan of other rules is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from derivo import __version__
from derivo.matching import RuleSetIndex
from derivo.rulesets import RuleSet
from derivo_cli.exits import Stop
from derivo_cli.reconcile.provenance import quoted
from derivo_cli.reconcile.store import BATCH, Store, connect

FORMAT = 1
_MEMBER = "derivo"

COLUMNS = ("class", "why", "rule_set", "name", "bucket", "key", "etag", "source", "source_size", "source_etag", "spec",
           "old_spec", "item")  # fmt: skip


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan was made of. `rules` is their digest; `objects` how many each bucket had, as far as it was listed;
    `plan` the version of this format; `id` tells this plan from every other."""

    plan: int
    derivo: str
    id: str
    bucket: str
    prefix: str
    region: str
    rules: str
    buckets: tuple[str, ...]
    objects: Mapping[str, int]
    sources_to_process: int
    requests: int


class Entry(NamedTuple):
    """A row of the plan; `bucket` is a name. `item` is None where no rule set of today makes it."""

    kind: str
    why: str
    rule_set: str
    name: str
    bucket: str
    key: str
    etag: str | None
    source: str
    source_size: int
    source_etag: str
    spec: str
    old_spec: str | None
    item: int | None


def rules_digest(index: RuleSetIndex) -> str:
    """Sixteen hexadecimal digits over all that decides what is made; comments, examples and places do not."""
    rules = sorted((_meaning(rule_set) for rule_set in index.considered), key=lambda one: str(one["name"]))
    return sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]


def _meaning(rule_set: RuleSet) -> Mapping[str, Any]:
    plain = msgspec.to_builtins(rule_set)
    for name in ("where", "examples"):
        del plain[name]
    for made in plain["derivatives"]:
        del made["where"], made["rule_where"]
    return dict(plain)


def write(store: Store, path: Path, head: Head) -> None:
    """Write the plan, its rows in the order of sources, whole or not at all. Raises Stop where that cannot be."""
    draft = path.with_name(path.name + ".draft")
    names = " ".join(f"WHEN {number} THEN {quoted(name)}" for number, name in enumerate(head.buckets))
    columns = ", ".join(f"CASE bucket {names} END AS bucket" if name == "bucket" else name for name in COLUMNS)
    about = quoted(msgspec.json.encode(head).decode())
    try:
        store.run("SET preserve_insertion_order = true")
        store.run(
            f"COPY (SELECT {columns} FROM work ORDER BY source, item, key) TO {quoted(str(draft))}"
            f" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_MEMBER}: {about}}})"
        )
        draft.replace(path)
    except Exception as error:
        draft.unlink(missing_ok=True)
        raise Stop(f"{path}: the plan cannot be written: {_first_line(error)}") from None


class PlanFile:
    """A plan that was written. Raises Stop when the file is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise Stop(f"there is no {path}; derivo plan cos://BUCKET-APPID/ -o {path} writes one")
        self._connection = connect(":memory:", ordered=True)
        try:
            found = self._connection.execute(
                "SELECT value FROM parquet_kv_metadata(?) WHERE decode(key) = ?", [str(path), _MEMBER]
            ).fetchone()
            head = msgspec.json.decode(found[0], type=Head) if found is not None else None
        except Exception as error:
            raise Stop(f"{path} is no plan: {_first_line(error)}") from None
        if head is None or head.plan != FORMAT:
            raise Stop(f"{path} is no plan that derivo {__version__} can read; derivo plan writes one")
        self.head = head

    def require_rules(self, index: RuleSetIndex) -> None:
        """Raises Stop when the plan was made of other rule sets than these."""
        own = rules_digest(index)
        if own != self.head.rules:
            raise Stop(
                f"{self.path} is a plan of other rules (digest {self.head.rules}; those here have {own}); plan again"
            )

    def entries(self, *kinds: str) -> Iterator[Entry]:
        """The rows of these classes, in the order of sources."""
        marks = ", ".join("?" for _ in kinds)
        cursor = self._connection.cursor()
        cursor.execute(
            f"SELECT {', '.join(COLUMNS)} FROM read_parquet(?) WHERE class IN ({marks})",
            [str(self.path), *kinds],
        )
        while batch := cursor.fetchmany(BATCH):
            yield from (Entry(*row) for row in batch)

    def count(self, *kinds: str) -> int:
        marks = ", ".join("?" for _ in kinds)
        row = self._connection.execute(
            f"SELECT count(*) FROM read_parquet(?) WHERE class IN ({marks})", [str(self.path), *kinds]
        ).fetchone()
        return int(row[0]) if row else 0

    def rule_sets(self, *kinds: str) -> list[str]:
        """The names of the rule sets that have rows of these classes."""
        marks = ", ".join("?" for _ in kinds)
        found = self._connection.execute(
            f"SELECT DISTINCT rule_set FROM read_parquet(?) WHERE class IN ({marks}) ORDER BY 1",
            [str(self.path), *kinds],
        ).fetchall()
        return [str(name) for (name,) in found]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
