"""The least that a role needs: CAM's policy, version 2.0, from the rule sets (SCF 9, CI 1.3). Pure.

Each line of what the function does (docs/policy.md) asks for actions on a place: a bucket, or the keys below a prefix.
What a wider place grants already is left out, so that each action of each statement is needed. Denied, whatever else is
attached to the role, are writes where triggers fire and no output goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from derivo.fileids import PROBES
from derivo.ownobjects import FOLDER
from derivo.rulesets import DELETE, RuleSet
from derivo_cli.proof import literals
from derivo_cli.reconcile.places import lead_of

COS = "name/cos:"
GET, HEAD, PUT, POST, REMOVE, LIST = (
    f"{COS}{name}" for name in ("GetObject", "HeadObject", "PutObject", "PostObject", "DeleteObject", "GetBucket")
)
PARTS = tuple(
    f"{COS}{name}"
    for name in (
        "InitiateMultipartUpload", "ListMultipartUploads", "ListParts", "UploadPart", "CompleteMultipartUpload",
        "AbortMultipartUpload",
    )
)  # fmt: skip
# What CI takes in the role's name where it stores a result. Pages name PutObject alone, and a list (SCF 9).
_RESULT = (PUT, POST, *PARTS)
_WRITES = (
    PUT, POST, f"{COS}AppendObject", f"{COS}InitiateMultipartUpload", f"{COS}UploadPart",
    f"{COS}CompleteMultipartUpload", REMOVE,
)  # fmt: skip
SWEEP = FOLDER + "sweep"
SPECS = FOLDER + "specs.json"


class Who(StrEnum):
    """Whose rights these are."""

    FUNCTION = "function"
    APPLY = "apply"


class Place(NamedTuple):
    """Keys of a bucket that begin with `prefix`; None: the bucket itself."""

    bucket: str
    prefix: str | None


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What the rule sets do not tell: `buckets` are those where each rule set applies, in their order; `triggers` where
    the function is called and no output goes; `sweeps`: a timer has the function look for itself; `asks`: it may have
    to find out how COS reads fileids; `posts`: this COS wants a right to POST to the source."""

    region: str
    buckets: Sequence[Sequence[str]]
    triggers: Sequence[Place] = ()
    sweeps: bool = False
    asks: bool = True
    posts: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement; `why` says what it is for."""

    allows: bool
    actions: tuple[str, ...]
    places: tuple[Place, ...]
    why: tuple[str, ...]


class Need(NamedTuple):
    """One line of what is done."""

    place: Place
    actions: tuple[str, ...]
    why: str


class Unspeakable(ValueError):
    """A prefix that no resource can spell."""


def statements(rule_sets: Sequence[RuleSet], deployed: Deployed, who: Who = Who.FUNCTION) -> list[Statement]:
    """The policy's statements, none of which can be done without. Raises Unspeakable."""
    needs = list(_needs(rule_sets, deployed, who))
    for place in (*(need.place for need in needs), *deployed.triggers):
        if place.prefix is not None and "*" in place.prefix:
            raise Unspeakable(f"{place.prefix!r} of {place.bucket}: a star in a resource stands for any text")
    return [*_grouped(needs), *_denied(deployed, needs)]


def document(made: Iterable[Statement], region: str) -> dict[str, Any]:
    """The policy as CAM takes it: `action` and `resource` in six segments, uid being the APPID (SCF 9)."""
    return {
        "version": "2.0",
        "statement": [
            {
                "effect": "allow" if each.allows else "deny",
                "action": list(each.actions),
                "resource": [resource(place, region) for place in each.places],
            }
            for each in made
        ],
    }


def resource(place: Place, region: str) -> str:
    keys = "" if place.prefix is None else f"{place.prefix}*"
    return f"qcs::cos:{region}:uid/{place.bucket.rpartition('-')[2]}:{place.bucket}/{keys}"


def as_json(policy: dict[str, Any]) -> str:
    return json.dumps(policy, ensure_ascii=False, indent=2) + "\n"


def _needs(rule_sets: Sequence[RuleSet], deployed: Deployed, who: Who) -> Iterator[Need]:
    for rule_set, buckets in zip(rule_sets, deployed.buckets, strict=True):
        for bucket in buckets if rule_set.derivatives else ():
            yield from _of_rule_set(rule_set, bucket, deployed.posts)
            if who is Who.APPLY:
                yield from _of_operator(rule_set, bucket)
            elif deployed.sweeps:
                yield Need(Place(bucket, SWEEP), (GET, PUT), "the cursor of self-healing")
            if deployed.asks:
                asked = (*_RESULT, REMOVE)
                yield Need(Place(bucket, PROBES), asked, "finding out how COS reads fileids, once an instance")
    if who is Who.APPLY or deployed.sweeps:
        for rule_set, buckets in zip(rule_sets, deployed.buckets, strict=True):
            for place in (place for bucket in buckets for place in _made(rule_set, bucket)):
                yield Need(Place(place.bucket, None), (LIST,), "looking for what is missing")


def _made(rule_set: RuleSet, bucket: str) -> Iterator[Place]:
    """The places of a rule set's sources and derivatives."""
    head = literals.source_head(rule_set)
    if rule_set.derivatives:
        yield Place(bucket, head)
    for derivative in rule_set.derivatives:
        yield Place(derivative.bucket or bucket, lead_of(derivative.to, head))


def _of_rule_set(rule_set: RuleSet, bucket: str, posts: bool) -> Iterator[Need]:
    """What the function does for a source of the rule set."""
    source, *derivatives = _made(rule_set, bucket)
    removed = (REMOVE,) if rule_set.on_remove == DELETE else ()
    yield Need(source, (GET, HEAD), "looking at sources, and CI reading them")
    if posts:
        yield Need(source, (POST,), "?image_process on sources")
    for place in derivatives:
        yield Need(place, (HEAD, *_RESULT), "CI writing derivatives, and looking whether they stand")
        yield Need(place, removed, "removing derivatives with their source")
    if rule_set.manifest is not None:
        place = Place(bucket, lead_of(rule_set.manifest, source.prefix or ""))
        yield Need(place, (GET, HEAD, PUT), "manifests")
        yield Need(place, removed, "removing manifests with their source")
    if rule_set.on_failure is not None:
        place = Place(bucket, rule_set.on_failure.lstrip("/"))
        yield Need(place, (GET, PUT, REMOVE), "failure records, and clearing away those of what is mended")


def _of_operator(rule_set: RuleSet, bucket: str) -> Iterator[Need]:
    """What plan, apply, prune, status and replay do besides."""
    _, *derivatives = _made(rule_set, bucket)
    yield Need(Place(bucket, SPECS), (GET, PUT), "since when a rule is in force")
    for place in derivatives:
        yield Need(place, (REMOVE,), "derivo prune")
    if rule_set.manifest is not None:
        place = Place(bucket, lead_of(rule_set.manifest, literals.source_head(rule_set)))
        yield Need(place, (REMOVE,), "derivo prune")


def _denied(deployed: Deployed, needs: Sequence[Need]) -> list[Statement]:
    """Where triggers fire, unless something of our own lies there too, as it does when they fire everywhere."""
    written = {need.place for need in needs if set(need.actions) & {PUT, REMOVE}}
    places = tuple(
        trigger
        for trigger in _outermost(deployed.triggers)
        if not any(p.bucket == trigger.bucket and (p.prefix or "").startswith(trigger.prefix or "") for p in written)
    )
    writes = tuple(action for action in _WRITES if not (deployed.posts and action == POST))
    why = ("a loop stays impossible, whatever else is attached",)
    return [Statement(False, writes, places, why)] if places else []


def _grouped(needs: Sequence[Need]) -> Iterator[Statement]:
    """Places that need the same actions together; an action that a wider place has is not named again."""
    of_action: dict[str, set[Place]] = {}
    why: dict[Place, dict[str, None]] = {}
    for place, actions, reason in needs:
        for action in actions:
            of_action.setdefault(action, set()).add(place)
            why.setdefault(place, {})[reason] = None
    actions_of: dict[Place, list[str]] = {}
    for action, wanted in of_action.items():
        for place in _outermost(wanted):
            actions_of.setdefault(place, []).append(action)
    groups: dict[tuple[str, ...], list[Place]] = {}
    order = {place: number for number, place in enumerate(why)}
    for place in sorted(actions_of, key=order.__getitem__):
        groups.setdefault(tuple(actions_of[place]), []).append(place)
    for actions, together in groups.items():
        reasons = dict.fromkeys(reason for place in together for reason in why[place])
        yield Statement(True, actions, tuple(together), tuple(reasons))


def _outermost(places: Iterable[Place]) -> Iterator[Place]:
    """The places that lie in no other one. A bucket itself lies in the place of all its keys, as its resource does."""
    last: Place | None = None
    for place in sorted(set(places), key=lambda place: (place.bucket, place.prefix or "", place.prefix is None)):
        inside = last is not None and last.prefix is not None and place.bucket == last.bucket
        if not (inside and last is not None and (place.prefix or "").startswith(last.prefix or "")):
            last = place
            yield place
