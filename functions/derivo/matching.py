"""Which rule sets match a source: an index over prefixes, and why a rule set does not match.

The look-up costs one hash per distinct length of prefix, however many rule sets there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from derivo import ownobjects
from derivo.events import Source
from derivo.rulesets import RuleSet

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def lower_ascii(text: str) -> str:
    """The text with A-Z lowered and every other letter as it is: `İ.JPG` must keep its length and its first letter."""
    return text.translate(_LOWER)


class RuleSetIndex:
    """Rule sets, ready to be matched. `considered` has them in the order of matching: the longest prefix first, then by
    name."""

    def __init__(self, rule_sets: Iterable[RuleSet]) -> None:
        self.considered: tuple[RuleSet, ...] = tuple(sorted(rule_sets, key=lambda r: (-len(r.prefix), r.name)))
        self._by_prefix: dict[str, list[RuleSet]] = {}
        for rule_set in self.considered:
            self._by_prefix.setdefault(rule_set.prefix, []).append(rule_set)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def matching(self, source: Source) -> tuple[RuleSet, ...]:
        """The rule sets that match, in order; none after a `final` one that matches, none for an object of our own."""
        found: list[RuleSet] = []
        if source.key.startswith(ownobjects.FOLDER):
            return ()
        for length in self._lengths:
            if length > len(source.key):
                continue
            for rule_set in self._by_prefix.get(source.key[:length], ()):
                if explain(rule_set, source) is None:
                    found.append(rule_set)
                    if rule_set.final:
                        return tuple(found)
        return tuple(found)


def explain(rule_set: RuleSet, source: Source) -> Optional[str]:
    """The first clause of the rule set that the source fails, or None when it matches.

    One of bucket, prefix, suffixes, include, exclude, min_size, max_size. A source of unknown size passes both sizes:
    making a derivative too many is harmless, leaving one out is not.
    """
    key = source.key
    if rule_set.bucket is not None and rule_set.bucket != source.bucket:
        return "bucket"
    if not key.startswith(rule_set.prefix):
        return "prefix"
    if rule_set.suffixes is not None and not lower_ascii(key).endswith(rule_set.suffixes):
        return "suffixes"
    if rule_set.include and not any(glob.match(key) for glob in rule_set.include):
        return "include"
    if any(glob.match(key) for glob in rule_set.exclude):
        return "exclude"
    if source.size is not None and rule_set.min_size is not None and source.size < rule_set.min_size:
        return "min_size"
    if source.size is not None and rule_set.max_size is not None and source.size > rule_set.max_size:
        return "max_size"
    return None
