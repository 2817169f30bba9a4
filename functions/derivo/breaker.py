"""The loop breaker: a second belt under the proof of `derivo lint`, for rule sets that were deployed without it.

A key that a rule set of ours writes is no source, unless the rule set that takes it says `chained: true`. Every verdict
has a witness, a source that yields the key, so that no picture is ever refused by guess. And a budget trips on runaway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

from derivo import keys
from derivo.clock import Clock
from derivo.events import Source
from derivo.matching import RuleSetIndex, explain
from derivo.plan import key_of
from derivo.rulesets import Derivative, RuleSet

_GROUPS = {
    keys.PATH: r".+",
    keys.DIR: r".*",
    keys.DIR_SLASH: r"(?:.*/)?",
    keys.NAME: r"[^/]+",
    keys.STEM: r"[^/]+",
    keys.EXT: r"[^/.]*",
    keys.DOT_EXT: r"(?:\.[^/.]+)?",
}


class Breaker:
    """Which derivative of which source a key is. Built once for an index; patterns are made when first needed."""

    def __init__(self, index: RuleSetIndex) -> None:
        self._index = index
        self._by_head: dict[str, list[tuple[RuleSet, Derivative]]] = {}
        for rule_set in index.considered:
            for derivative in rule_set.derivatives:
                self._by_head.setdefault(_head(derivative.to), []).append((rule_set, derivative))
        self._lengths = sorted({len(head) for head in self._by_head}, reverse=True)
        self._patterns: dict[str, re.Pattern[str]] = {}

    def trips(self, source: Source) -> Optional[str]:
        """`RULE SET/DERIVATIVE of KEY` when the source is our own output and nothing that matches it is chained."""
        matching = self._index.matching(source)
        if not matching or any(rule_set.chained for rule_set in matching):
            return None
        for length in self._lengths:
            for rule_set, derivative in self._by_head.get(source.key[:length], ()):
                witness = self._witness(source, rule_set, derivative)
                if witness is not None:
                    return f"{rule_set.name}/{derivative.name} of {witness}"
        return None

    def _witness(self, source: Source, rule_set: RuleSet, derivative: Derivative) -> Optional[str]:
        if derivative.bucket not in (None, source.bucket):
            return None
        bucket = rule_set.bucket or source.bucket
        for key in self._candidates(source.key, rule_set, derivative.to):
            candidate = Source(bucket=bucket, region=source.region, key=key)
            if explain(rule_set, candidate) is None and key_of(derivative, key) == source.key != key:
                return key
        return None

    def _candidates(self, key: str, rule_set: RuleSet, template: keys.KeyTemplate) -> Iterator[str]:
        """Source keys that may yield the key: what the template kept, with the rule set's own for what it dropped."""
        pattern = self._patterns.get(template.text)
        if pattern is None:
            pattern = self._patterns[template.text] = _pattern(template)
        found = pattern.fullmatch(key)
        if found is None:
            return
        kept = found.groupdict()
        if keys.PATH in kept:
            yield kept[keys.PATH]
            return
        folder = kept.get("dir_slash", kept[keys.DIR] + "/" if kept.get(keys.DIR) else None)
        if folder is None:
            folder = rule_set.prefix[: rule_set.prefix.rfind("/") + 1]
        name = kept.get(keys.NAME)
        if name is not None:
            yield folder + name
            return
        stem = kept.get(keys.STEM, "x")
        extension = kept.get("dot_ext", "." + kept[keys.EXT] if kept.get(keys.EXT) else None)
        for end in (extension,) if extension is not None else rule_set.suffixes or ("",):
            yield folder + stem + end


def _head(template: keys.KeyTemplate) -> str:
    first = template.parts[0] if template.absolute and template.parts else None
    return first.text if isinstance(first, keys.Text) else ""


def _pattern(template: keys.KeyTemplate) -> re.Pattern[str]:
    parts: list[str] = [] if template.absolute else [f"(?P<dir_slash>{_GROUPS[keys.DIR_SLASH]})"]
    seen = set() if template.absolute else {keys.DIR_SLASH}
    for part in template.parts:
        if isinstance(part, keys.Text):
            parts.append(re.escape(part.text))
        elif part.name not in _GROUPS:
            parts.append(r"[^/]*")
        else:
            group = part.name.replace("dir/", "dir_slash").replace(".ext", "dot_ext")
            parts.append(f"(?P={group})" if part.name in seen else f"(?P<{group}>{_GROUPS[part.name]})")
            seen.add(part.name)
    return re.compile("".join(parts), re.DOTALL)


class Budget:
    """At most so many processing calls a minute in this instance; 0 means no limit."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._since = clock.monotonic()
        self._spent = 0

    def spend(self) -> bool:
        """Take one call out of the budget. False when it is used up."""
        now = self._clock.monotonic()
        if now - self._since >= 60:
            self._since, self._spent = now, 0
        if self._per_minute and self._spent >= self._per_minute:
            return False
        self._spent += 1
        return True
