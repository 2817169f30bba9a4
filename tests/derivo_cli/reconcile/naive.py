"""What a plan must say, worked out object by object in plain Python: `plan` for each source, dictionaries, no SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from derivo import keys, manifest
from derivo.breaker import Breaker
from derivo.events import Source
from derivo.manifest import Manifest
from derivo.matching import RuleSetIndex
from derivo.ownobjects import FOLDER
from derivo.plan import MANIFEST, Plan, plan
from derivo.rulesets import Derivative, RuleSet
from derivo_cli.reconcile.specs import Entry

Place = tuple[str, str]
"""A bucket and a key."""


@dataclass(frozen=True)
class Object:
    """An object of the listing; `modified` as COS writes times, so that texts compare as times do."""

    size: int
    etag: str
    modified: str
    body: bytes = b""


@dataclass(frozen=True)
class Row:
    """A line of the plan, but for what the listing says of the source."""

    kind: str
    why: str
    rule_set: str
    name: str
    place: Place
    source: str
    old_spec: str | None = None


@dataclass(frozen=True)
class Made:
    """What a manifest says of a derivative; `standing`: the manifest lies where its rule set puts it today."""

    told: Manifest
    standing: bool
    rule_set: str
    name: str
    spec: str
    etag: str


class Naive:
    """The plan of a bucket under rules; `history` are the notes of which rule was in force since when."""

    def __init__(
        self,
        index: RuleSetIndex,
        bucket: str,
        listing: Mapping[Place, Object],
        history: Sequence[Entry],
        manifests: bool,
    ) -> None:
        self.index, self.bucket, self.listing, self.history = index, bucket, listing, history
        self.breaker = Breaker(index)
        self.own = [r for r in index.considered if r.bucket in (None, bucket)]
        self.plans = dict(self._plans())
        self.told = dict(self._told()) if manifests else {}
        self.asked = manifests
        self.made = self._made()
        self.wanted = {
            *((d.bucket, d.key) for made in self.plans.values() for d in (*made.derivatives, *self._blocked(made))),
            *((bucket, m.key) for made in self.plans.values() for m in self._manifests(made)),
        }

    def rows(self) -> list[Row]:
        found = [row for key, made in self.plans.items() for row in self._judged(key, made)]
        found += list(self._together(found))
        return found + list(self._unwanted())

    # --- sources ------------------------------------------------------------------------------------------------------

    def _source(self, key: str) -> Source:
        return Source(bucket=self.bucket, region="ap-guangzhou", key=key, size=self.listing[self.bucket, key].size)

    def _is_source(self, key: str) -> bool:
        source = self._source(key)
        return bool(source.size) and not key.endswith("/") and self.breaker.trips(source) is None

    def _plans(self) -> Iterator[tuple[str, Plan]]:
        for bucket, key in self.listing:
            if bucket == self.bucket and self._is_source(key):
                made = plan(self._source(key), self.index)
                if made.derivatives or made.blocked:
                    yield key, made

    def _blocked(self, made: Plan) -> list[object]:
        return [blocked.derivative for blocked in made.blocked]

    def _manifests(self, made: Plan) -> list[object]:
        makeable = {d.rule_set for d in made.derivatives}
        return [m for m in made.manifests if m.rule_set in makeable]

    # --- manifests ----------------------------------------------------------------------------------------------------

    def _told(self) -> Iterator[tuple[str, tuple[Manifest, bool]]]:
        for (bucket, key), item in self.listing.items():
            if bucket != self.bucket or not any(r.manifest is not None for r in self.own):
                continue
            told = manifest.decode(item.body)
            if told is None or told.source.bucket != bucket:
                continue
            rule_set = next((r for r in self.index.considered if r.name == told.rule_set), None)
            stands = (
                rule_set is not None
                and rule_set.manifest is not None
                and keys.expand(rule_set.manifest, source_key=told.source.key, derivative=MANIFEST, spec="") == key
            )
            yield key, (told, stands)

    def _made(self) -> dict[tuple[str, Place], Made]:
        """By source and place, what a standing manifest says."""
        return {
            (told.source.key, (d.bucket, d.key)): Made(told, stands, told.rule_set, d.name, d.spec, d.etag)
            for told, stands in self.told.values()
            if stands
            for d in told.derivatives
        }

    def _sources_lie(self, parts: bool) -> bool:
        """Whether CI reports other ETags for sources than COS: not one newer manifest agrees with the listing."""
        seen = [
            told.source.etag == source.etag
            for key, (told, stands) in self.told.items()
            if stands and (source := self.listing.get((self.bucket, told.source.key))) is not None
            and self.listing[self.bucket, key].modified > source.modified and ("-" in source.etag) == parts
        ]  # fmt: skip
        return bool(seen) and not any(seen)

    def _results_lie(self) -> bool:
        return not any(
            made.etag and (found := self.listing.get(place)) is not None and found.etag == made.etag
            for (_, place), made in self.made.items()
        )

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def _judged(self, key: str, made: Plan) -> Iterator[Row]:
        for blocked in made.blocked:
            d = blocked.derivative
            yield Row("blocked", blocked.reason, d.rule_set, d.name, (d.bucket, d.key), key)
        for d in made.derivatives:
            kind, why, old = self._verdict(key, (d.bucket, d.key), d.rule_set, d.name, d.spec)
            if kind:
                yield Row(kind, why, d.rule_set, d.name, (d.bucket, d.key), key, old)
        for m in self._manifests(made):
            place = (self.bucket, m.key)  # type: ignore[attr-defined]
            told = self.told.get(m.key)  # type: ignore[attr-defined]
            if place not in self.listing:
                yield Row("create", "missing", m.rule_set, MANIFEST, place, key)  # type: ignore[attr-defined]
            elif self.asked and not (told is not None and told[1] and told[0].source.key == key):
                yield Row("create", "unreadable", m.rule_set, MANIFEST, place, key)  # type: ignore[attr-defined]

    def _verdict(self, key: str, place: Place, rule_set: str, name: str, spec: str) -> tuple[str, str, str | None]:
        source, standing, made = self.listing[self.bucket, key], self.listing.get(place), self.made.get((key, place))
        if standing is None:
            return "create", "missing", None
        if made is None or made.rule_set != rule_set:
            if standing.modified < source.modified:
                return "stale-source", "time", None
            since = self._since(rule_set, name, spec)
            if since is not None and standing.modified < since:
                return "stale-spec", "time", self._in_force(rule_set, name, standing.modified)
            return "", "", None
        if made.etag and made.etag != standing.etag and not self._results_lie():
            return "stale-source", "altered", None
        if made.told.source.etag and not self._sources_lie("-" in source.etag):
            if made.told.source.etag != source.etag:
                return "stale-source", "manifest", None
        elif standing.modified < source.modified:
            return "stale-source", "time", None
        return ("stale-spec", "manifest", made.spec) if made.spec != spec else ("", "", None)

    def _since(self, rule_set: str, name: str, spec: str) -> str | None:
        """From when on the rule has been in force, None when always."""
        if not self.history:
            return None
        last = [e for e in self.history if (e.rule_set, e.name) == (rule_set, name)][-1:]
        if not last or last[0].spec != spec:
            return "9999"
        return None if last[0].since == "always" else last[0].since

    def _in_force(self, rule_set: str, name: str, when: str) -> str | None:
        past = [
            e for e in self.history
            if (e.rule_set, e.name) == (rule_set, name) and (e.since == "always" or str(e.since) <= when)
        ]  # fmt: skip
        return past[-1].spec if past else None

    def _together(self, rows: Sequence[Row]) -> Iterator[Row]:
        """A manifest is written of one run, so all derivatives of its rule set are made together."""
        taken = {row.place for row in rows}
        making = {(row.source, row.rule_set) for row in rows if row.kind in ("create", "stale-source", "stale-spec")}
        keeping = {r.name for r in self.own if r.manifest is not None}
        for key, made in self.plans.items():
            for d in made.derivatives:
                if (key, d.rule_set) in making and d.rule_set in keeping and (d.bucket, d.key) not in taken:
                    yield Row("up-to-date", "together", d.rule_set, d.name, (d.bucket, d.key), key)

    # --- what nobody wants --------------------------------------------------------------------------------------------

    def _unwanted(self) -> Iterator[Row]:
        for place, item in self.listing.items():
            bucket, key = place
            if place in self.wanted or key.endswith("/") or (bucket == self.bucket and self._is_ours(key)):
                continue
            proofs = {
                (told.source.key, told.rule_set, d.name)
                for told, _ in self.told.values()
                for d in told.derivatives
                if (d.bucket, d.key, d.etag) == (bucket, key, item.etag)
            }
            if proofs:
                source, rule_set, name = min(proofs) if len(proofs) == 1 else ("*", "*", "*")
                yield Row("orphan", "manifest", rule_set, name, place, source)
            elif bucket == self.bucket and key in self.told:
                yield Row("orphan", "manifest", "", MANIFEST, place, self.told[key][0].source.key)
            elif self._is_output_place(bucket, key):
                made = next(
                    (found for found in self._with_spec() if bucket == self.bucket and found[2].fullmatch(key)), None
                )
                if made is not None:
                    yield Row("orphan", "spec", made[0].name, made[1].name, place, "")
                else:
                    yield Row("unknown", "no_provenance", "", "", place, "")

    def _is_ours(self, key: str) -> bool:
        records = tuple(r.on_failure.lstrip("/") for r in self.index.considered if r.on_failure is not None)
        if key.startswith((FOLDER, *records)):
            return True
        source = self._source(key)
        return bool(source.size) and bool(self.index.matching(source)) and self.breaker.trips(source) is None

    def _is_output_place(self, bucket: str, key: str) -> bool:
        for rule_set in self.own:
            for d in rule_set.derivatives:
                first, last = d.to.parts[0], d.to.parts[-1]
                if (d.bucket or self.bucket) != bucket:
                    continue
                if d.to.absolute and isinstance(first, keys.Text):
                    if key.startswith(first.text):
                        return True
                elif isinstance(last, keys.Text) and key.endswith(last.text) and key.startswith(_lead(rule_set, d)):
                    return True
        return False

    def _with_spec(self) -> Iterator[tuple[RuleSet, Derivative, re.Pattern[str]]]:
        for rule_set in self.index.considered:
            for d in rule_set.derivatives:
                known = {e.spec for e in self.history if (e.rule_set, e.name) == (rule_set.name, d.name)} - {d.spec}
                if keys.Variable(keys.SPEC) in d.to.parts and d.bucket in (None, self.bucket) and known:
                    folder = (
                        "" if d.to.absolute else re.escape(rule_set.prefix[: rule_set.prefix.rfind("/") + 1]) + ".*"
                    )
                    values = {keys.SPEC: "|".join(known), keys.DERIVATIVE: re.escape(d.name)}
                    text = folder + "".join(
                        re.escape(p.text) if isinstance(p, keys.Text) else f"(?:{values.get(p.name, '.*')})"
                        for p in d.to.parts
                    )
                    yield rule_set, d, re.compile(text, re.DOTALL)


def _lead(rule_set: RuleSet, made: Derivative) -> str:
    """What a key has at least that a template without a folder of its own makes of the rule set's sources."""
    folder = rule_set.prefix[: rule_set.prefix.rfind("/") + 1]
    if not made.to.absolute:
        return folder
    first = made.to.parts[0]
    if first == keys.Variable(keys.PATH):
        return rule_set.prefix
    if first == keys.Variable(keys.DIR_SLASH):
        return folder
    return folder[:-1] if first == keys.Variable(keys.DIR) else ""
