"""Where sources, derivatives and manifests lie: the prefixes to list. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from derivo import keys
from derivo.matching import RuleSetIndex
from derivo.rulesets import RuleSet


@dataclass(frozen=True)
class Place:
    """Keys of one bucket: those under `prefix` that end in `ending`."""

    bucket: str
    prefix: str
    ending: str = ""


def applying(index: RuleSetIndex, bucket: str, prefix: str) -> Iterator[tuple[RuleSet, str]]:
    """The rule sets that can match a source under the prefix, each with the prefix that its sources there have."""
    for rule_set in index.considered:
        met = _meeting(rule_set.prefix, prefix)
        if rule_set.bucket in (None, bucket) and met is not None:
            yield rule_set, met


def to_list(index: RuleSetIndex, bucket: str, prefix: str) -> dict[str, list[str]]:
    """By bucket, the prefixes that hold every source and everything made of them; none lies inside another."""
    found: dict[str, set[str]] = {bucket: set()}
    for rule_set, met in applying(index, bucket, prefix):
        found[bucket].add(met)
        if rule_set.manifest is not None:
            found[bucket].add(lead_of(rule_set.manifest, met))
        for derivative in rule_set.derivatives:
            found.setdefault(derivative.bucket or bucket, set()).add(lead_of(derivative.to, met))
    if not prefix:
        for place in output_places(index, bucket):
            found.setdefault(place.bucket, set()).add(place.prefix)
    return {name: sorted(_outermost(prefixes)) for name, prefixes in found.items()}


def sources_to_list(indexes: Iterable[RuleSetIndex], bucket: str, prefix: str) -> list[str]:
    """The prefixes that hold every source of these rules; none lies inside another."""
    return sorted(_outermost(met for index in indexes for _, met in applying(index, bucket, prefix)))


def output_places(index: RuleSetIndex, bucket: str) -> list[Place]:
    """Where only derivatives are expected: the folders that templates name. A template that writes beside its sources
    names none, there an object is looked at when it ends as the template does."""
    found: dict[Place, None] = {}
    for rule_set, met in applying(index, bucket, ""):
        for derivative in rule_set.derivatives:
            head, where = head_of(derivative.to), derivative.bucket or bucket
            if head:
                found[Place(where, head)] = None
            elif ending_of(derivative.to):
                found[Place(where, lead_of(derivative.to, met), ending_of(derivative.to))] = None
    return list(found)


def wanted_places(index: RuleSetIndex, bucket: str, prefix: str) -> list[Place]:
    """Where everything lies that a source under the prefix can want."""
    found: dict[Place, None] = {}
    for rule_set, met in applying(index, bucket, prefix):
        made = [(d.to, d.bucket or bucket) for d in rule_set.derivatives]
        for template, where in [*made, *([(rule_set.manifest, bucket)] if rule_set.manifest is not None else [])]:
            found[Place(where, lead_of(template, met))] = None
    return list(found)


def manifest_places(index: RuleSetIndex, bucket: str, prefix: str) -> list[Place]:
    """Where manifests lie, also those of sources that are gone."""
    found: dict[Place, None] = {}
    for rule_set, met in applying(index, bucket, prefix):
        if rule_set.manifest is not None:
            found[Place(bucket, lead_of(rule_set.manifest, met), ending_of(rule_set.manifest))] = None
    return list(found)


def head_of(template: keys.KeyTemplate) -> str:
    """What every key of the template begins with, as far as the template itself tells."""
    first = template.parts[0] if template.absolute and template.parts else None
    return first.text if isinstance(first, keys.Text) else ""


def ending_of(template: keys.KeyTemplate) -> str:
    """What every key of the template ends in, "" where that depends on the source."""
    last = template.parts[-1]
    return last.text if isinstance(last, keys.Text) else ""


def lead_of(template: keys.KeyTemplate, prefix: str) -> str:
    """What every key has that the template makes of a source under the prefix."""
    head = head_of(template)
    folder = prefix[: prefix.rfind("/") + 1]
    if not template.absolute:
        return folder
    following = template.parts[1 if head else 0] if len(template.parts) > bool(head) else None
    if following == keys.Variable(keys.PATH):
        return head + prefix
    if following == keys.Variable(keys.DIR_SLASH):
        return head + folder
    if following == keys.Variable(keys.DIR):
        return head + folder[:-1]
    return head


def _meeting(one: str, other: str) -> str | None:
    if one.startswith(other):
        return one
    return other if other.startswith(one) else None


def _outermost(prefixes: Iterable[str]) -> Iterator[str]:
    last: str | None = None
    for prefix in sorted(prefixes):
        if last is None or not prefix.startswith(last):
            last = prefix
            yield prefix
