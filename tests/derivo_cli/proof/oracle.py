"""What the proofs are held against: all keys of a small world, tried one by one with the function's own matching."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from derivo import ci, globs, keys
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.rulesets import Derivative, RuleSet, Where

WHERE = Where("rules/x.yml", 1, 1)
RULE = ci.Rule((ci.tree.Style("brand"),))
BUCKETS = ("a-1", "b-1", "c-1", "d-1")  # rule sets of the tests name the first two


def derivative(name: str, to: str, bucket: str | None = None) -> Derivative:
    return Derivative(
        name=name, to=keys.parse(to), rule=RULE, spec="5bec", bucket=bucket, where=WHERE, rule_where=WHERE
    )


def rule_set(
    name: str,
    prefix: str = "",
    *to: str | Derivative,
    suffixes: Sequence[str] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    **more: object,
) -> RuleSet:
    return RuleSet(
        name=name,
        prefix=prefix,
        suffixes=None if suffixes is None else tuple(suffixes),
        include=tuple(map(globs.parse, include)),
        exclude=tuple(map(globs.parse, exclude)),
        derivatives=tuple(derivative(f"d{i}", t) if isinstance(t, str) else t for i, t in enumerate(to)),
        where=WHERE,
        **more,  # type: ignore[arg-type]
    )


class Made(NamedTuple):
    """A derivative that is really made."""

    rule_set: str
    derivative: str
    bucket: str
    key: str


class World:
    """The rule sets, run on keys."""

    def __init__(self, rule_sets: Sequence[RuleSet]) -> None:
        self.index = RuleSetIndex(rule_sets)
        # One size of each kind: they change where a rule set's range begins, and behind its end.
        begins = {r.min_size for r in rule_sets if r.min_size is not None}
        ends = {r.max_size + 1 for r in rule_sets if r.max_size is not None}
        self.sizes: list[int | None] = [None, *sorted({0} | begins | ends)] if begins | ends else [None]
        self._made: dict[tuple[str, str, int | None], list[Made]] = {}

    def matching(self, bucket: str, key: str, size: int | None) -> tuple[RuleSet, ...]:
        if not key or key.endswith("/") or len(key.encode()) > 850:
            return ()
        return self.index.matching(Source(bucket=bucket, region="r", key=key, size=size))

    def made(self, bucket: str, key: str, size: int | None) -> list[Made]:
        source = bucket, key, size
        if source not in self._made:
            self._made[source] = self._make(*source)
        return self._made[source]

    def _make(self, bucket: str, key: str, size: int | None) -> list[Made]:
        return [
            Made(found.name, d.name, d.bucket or bucket, out)
            for found in self.matching(bucket, key, size)
            for d in found.derivatives
            for out in [keys.expand(d.to, source_key=key, derivative=d.name, spec=d.spec)]
            if keys.defect(out, key) is None
        ]

    def consumers(self, bucket: str, key: str) -> dict[str, RuleSet]:
        return {r.name: r for size in self.sizes for r in self.matching(bucket, key, size) if r.derivatives}

    def loop(self, bucket: str, key: str, passed: tuple[str, ...] = ()) -> str | None:
        """What the loop proof should refuse about chains that begin with this source."""
        for size in self.sizes:
            for made in self.made(bucket, key, size):
                if passed and made.rule_set != passed[-1]:
                    continue
                way = passed or (made.rule_set,)
                for name, consumer in self.consumers(made.bucket, made.key).items():
                    if not consumer.chained:
                        return f"{key} -> {made.key} which {name} takes"
                    if name in way:
                        return f"{key} -> {made.key} comes back to {name}"
                    found = self.loop(made.bucket, made.key, (*way, name))
                    if found:
                        return f"{key} -> {found}"
        return None

    def leads(self, bucket: str, key: str) -> set[tuple[str, str]]:
        """The derivatives of this source that are sources again where nobody asked for it."""
        return {
            (made.rule_set, made.derivative)
            for size in self.sizes
            for made in self.made(bucket, key, size)
            for name, consumer in self.consumers(made.bucket, made.key).items()
            if not consumer.chained or name == made.rule_set
        }

    def collisions(self, sources: Iterable[tuple[str, str]]) -> set[frozenset[tuple[str, str]]]:
        """The derivatives, by rule set and name, that share a key with themselves or with each other."""
        found: set[frozenset[tuple[str, str]]] = set()
        owners: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for bucket, key in sources:
            mine: dict[tuple[str, str], set[tuple[str, str]]] = {}
            for size in self.sizes:
                once: dict[tuple[str, str], set[tuple[str, str]]] = {}
                for made in self.made(bucket, key, size):
                    once.setdefault((made.bucket, made.key), set()).add((made.rule_set, made.derivative))
                for place, makers in once.items():
                    found |= {frozenset((one, two)) for one in makers for two in makers if one != two}
                    mine.setdefault(place, set()).update(makers)
            for place, makers in mine.items():
                found |= {frozenset((one, two)) for one in makers for two in owners.get(place, ())}
                owners.setdefault(place, set()).update(makers)
        return found


def all_keys(alphabet: str, length: int) -> Iterator[str]:
    for size in range(1, length + 1):
        for chars in itertools.product(alphabet, repeat=size):
            if chars[-1] != "/":
                yield "".join(chars)
