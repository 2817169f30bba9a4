"""(source, rule sets) -> plan. Pure: the event handler, the upload helper, the backfill and `explain` all call it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Optional

import msgspec

from derivo import keys
from derivo.ci import limits, to_text
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.rulesets import KEEP, Derivative, RuleSet

MANIFEST = "manifest"
"""The name under which a manifest stands among the outcomes."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A derivative that a source should have. `key` has no leading slash; `rule` is the text sent to CI."""

    rule_set: str
    name: str
    bucket: str
    key: str
    rule: str
    spec: str


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A derivative that a source should have and cannot. `reason` is a stable word:

    key_too_long, bad_key (COS has no such key) · overwrites_source · collides (an earlier derivative has the same key)
    · source_too_large (over CI's limit).
    """

    derivative: Planned
    reason: str
    detail: str


class PlannedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest that a rule set wants of a source."""

    rule_set: str
    bucket: str
    key: str


class ProcessRequest(msgspec.Struct, frozen=True):
    """One `image_process` call: five derivatives at most."""

    derivatives: tuple[Planned, ...]
    pic_operations: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a source should have. `digest` changes when any derivative, its key or its rule does; `verify` tells that
    the source may change meanwhile: some rule set that applies is not immutable, or its derivatives follow a source
    that is removed; `failure_keys` are where a record of what failed goes."""

    source: Source
    derivatives: tuple[Planned, ...]
    blocked: tuple[Blocked, ...]
    requests: tuple[ProcessRequest, ...]
    digest: str
    verify: bool = True
    manifests: tuple[PlannedManifest, ...] = ()
    failure_keys: tuple[str, ...] = ()


def plan(source: Source, index: RuleSetIndex) -> Plan:
    """The derivatives of all rule sets that match, in the order of rule sets and of their files. Raises nothing."""
    derivatives: list[Planned] = []
    blocked: list[Blocked] = []
    taken = {(source.bucket, source.key): "overwrites_source"}
    matching = index.matching(source)
    for planned in _wanted(source, matching):
        obstacle = _obstacle(planned, source, taken)
        if obstacle is None:
            derivatives.append(planned)
            taken[planned.bucket, planned.key] = "collides"
        else:
            blocked.append(Blocked(derivative=planned, reason=obstacle[0], detail=obstacle[1]))
    return Plan(
        source=source,
        derivatives=tuple(derivatives),
        blocked=tuple(blocked),
        requests=requests_for(source, derivatives),
        digest=_digest(derivatives),
        verify=not all(rule_set.immutable and rule_set.on_remove == KEEP for rule_set in matching),
        manifests=tuple(_manifests(source, matching)),
        failure_keys=tuple(
            dict.fromkeys(keys.record_key(r.on_failure, source.key) for r in matching if r.on_failure is not None)
        ),
    )


def narrowed(made: Plan, derivatives: Iterable[Planned]) -> Plan:
    """The part of a plan that makes only these of its derivatives, with the manifests of their rule sets."""
    wanted = tuple(derivatives)
    rule_sets = {planned.rule_set for planned in wanted}
    return msgspec.structs.replace(
        made,
        derivatives=wanted,
        blocked=(),
        requests=requests_for(made.source, wanted),
        manifests=tuple(manifest for manifest in made.manifests if manifest.rule_set in rule_sets),
    )


def _manifests(source: Source, rule_sets: Iterable[RuleSet]) -> Iterator[PlannedManifest]:
    """One for each rule set that wants one. A key that COS cannot have gives none: the derivatives matter more."""
    for rule_set in rule_sets:
        wanted = manifest_of(rule_set, source)
        if wanted is not None:
            yield wanted


def manifest_of(rule_set: RuleSet, source: Source) -> Optional[PlannedManifest]:
    """The manifest that the rule set wants of the source, if it wants one and COS can have its key."""
    if rule_set.manifest is None:
        return None
    key = keys.expand(rule_set.manifest, source_key=source.key, derivative=MANIFEST, spec="")
    if keys.defect(key, source.key) is not None or key == source.key:
        return None
    return PlannedManifest(rule_set=rule_set.name, bucket=source.bucket, key=key)


def _wanted(source: Source, rule_sets: Iterable[RuleSet]) -> Iterator[Planned]:
    for rule_set in rule_sets:
        for derivative in rule_set.derivatives:
            yield Planned(
                rule_set=rule_set.name,
                name=derivative.name,
                bucket=derivative.bucket or source.bucket,
                key=key_of(derivative, source.key),
                rule=_rule_text(derivative.rule),
                spec=derivative.spec,
            )


# a warm instance plans the same few rules again and again
_rule_text = lru_cache(maxsize=4096)(to_text)


def key_of(derivative: Derivative, source_key: str) -> str:
    """Where a derivative of that source goes."""
    return keys.expand(derivative.to, source_key=source_key, derivative=derivative.name, spec=derivative.spec)


_TAKEN = {
    "overwrites_source": "the derivative would overwrite its source",
    "collides": "an earlier derivative of this source has the same key",
}


def _obstacle(planned: Planned, source: Source, taken: dict[tuple[str, str], str]) -> Optional[tuple[str, str]]:
    """Why the derivative cannot be made, as a stable word and a sentence."""
    defect = keys.defect(planned.key, source.key)
    if defect is not None:
        return defect
    reason = taken.get((planned.bucket, planned.key))
    if reason is not None:
        return reason, _TAKEN[reason]
    if source.size is not None and source.size > limits.SOURCE_BYTES:
        return "source_too_large", f"the source has {source.size} bytes; CI reads up to {limits.SOURCE_BYTES}"
    return None


def requests_for(source: Source, derivatives: Iterable[Planned]) -> tuple[ProcessRequest, ...]:
    """The derivatives packed in order into as few calls as CI allows (CI 1.2)."""
    wanted = tuple(derivatives)
    size = limits.RULES_PER_REQUEST
    packs = [wanted[at : at + size] for at in range(0, len(wanted), size)]
    return tuple(ProcessRequest(pack, _pic_operations(source, pack)) for pack in packs)


def _pic_operations(source: Source, derivatives: tuple[Planned, ...]) -> str:
    """The header's JSON: one line, and ASCII, since it travels as a header (CI 1.2). Every fileid is absolute."""
    rules = [
        {**({} if d.bucket == source.bucket else {"bucket": d.bucket}), "fileid": "/" + d.key, "rule": d.rule}
        for d in derivatives
    ]
    return json.dumps({"is_pic_info": 1, "rules": rules}, separators=(",", ":"))


def _digest(derivatives: Iterable[Planned]) -> str:
    """Sixteen hexadecimal digits over what is made and where, in whatever order."""
    made = sorted([d.bucket, d.key, d.rule, d.spec] for d in derivatives)
    return sha256(json.dumps(made).encode()).hexdigest()[:16]
