"""The fewest COS triggers that fire for every source of the rule sets, and for nothing that they write. Pure.

A trigger has one prefix, at most one suffix, and the platform refuses two of one event that overlap (SCF 1.5). Each
rule set begins as the literal text that all of its sources begin with; what lies inside another one is covered by it.
Only where an output would fire such a trigger is it taken apart: by what each `include` begins with, and then by what
that ends in. Where more triggers are left than a function may have, neighbours are merged to the prefix that they
share, as long as no output lies under it; never to the whole bucket, which would take every other function's events.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from derivo.ci.limits import TRIGGERS
from derivo.globs import Glob, Literal
from derivo.rulesets import DELETE, RuleSet
from derivo_cli.proof import literals
from derivo_cli.proof.automaton import TooComplex, shortest
from derivo_cli.proof.context import Context
from derivo_cli.proof.findings import Finding
from derivo_cli.proof.triggers import Trigger, fired

CREATED = "cos:ObjectCreated:*"
REMOVED = "cos:ObjectRemove:*"
_MOST_TO_MERGE = 1_000  # prefixes; who has more has no common ones


class Impossible(Exception):
    """There are no such triggers; the message says why, and `mend` what to do."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


class Place(NamedTuple):
    """A bucket: its domain as serverless.yml writes it, and its name, None while a variable in it has no value."""

    domain: str
    name: str | None


class Chosen(NamedTuple):
    """One trigger, as serverless.yml writes it."""

    place: Place
    event: str
    prefix: str
    suffix: str = ""

    def covers(self, other: Chosen) -> bool:
        """Whether it fires for all that fires the other, which is of the same place and event."""
        return other.prefix.startswith(self.prefix) and other.suffix.endswith(self.suffix)

    def overlaps(self, other: Chosen) -> bool:
        """Whether the platform refuses both; the other is of the same place and event."""
        prefixes = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return prefixes and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))

    def __str__(self) -> str:
        return f"{self.event} {self.prefix}*{self.suffix}"


class Merge(NamedTuple):
    """Triggers that one took the place of, for want of room."""

    old: tuple[Chosen, ...]
    new: Chosen


@dataclass(frozen=True)
class Choice:
    """The triggers, in the order of places, events and prefixes, and what was merged for them."""

    triggers: tuple[Chosen, ...]
    merges: tuple[Merge, ...] = ()


def choose(rule_sets: Sequence[RuleSet], places: Sequence[tuple[Place, Sequence[int]]]) -> Choice:
    """The triggers for each place and the rule sets (by number) whose sources lie there. Raises Impossible.

    The rule sets have everything that they write among their derivatives (linting.with_all_it_writes).
    """
    chooser = _Chooser(rule_sets)
    found: list[Chosen] = []
    for place, at in places:
        making = [i for i in at if rule_sets[i].derivatives]
        for event, mine in ((CREATED, making), (REMOVED, [i for i in making if rule_sets[i].on_remove == DELETE])):
            found += chooser.one_place(place, event, mine)
    merges: list[Merge] = []
    if len(found) > TRIGGERS:
        found, merges = chooser.merged(found)
    order = {place: number for number, (place, _) in enumerate(places)}
    return Choice(tuple(sorted(found, key=lambda t: (order[t.place], *t[1:]))), tuple(merges))


class _Chooser:
    def __init__(self, rule_sets: Sequence[RuleSet]) -> None:
        self._rule_sets = rule_sets
        self._context = Context(rule_sets)
        self._heads = literals.Heads(output.head for output in self._context.outputs)
        self._known: dict[Chosen, Finding | None] = {}

    def one_place(self, place: Place, event: str, at: Sequence[int]) -> list[Chosen]:
        levels = dict.fromkeys(at, 0)
        while True:
            pieces = {i: [Chosen(place, event, *piece) for piece in self._pieces(i, levels[i])] for i in at}
            triggers = _disjoint(itertools.chain.from_iterable(pieces.values()))
            finer: set[int] = set()
            for trigger in triggers:
                finding = self._fired(trigger)
                if finding is None:
                    continue
                mine = [i for i in at if any(trigger.covers(piece) for piece in pieces[i])]
                split = [i for i in mine if self._next(i, levels[i]) is not None]
                if not split:
                    raise _refused(trigger, finding, [self._rule_sets[i].name for i in mine])
                finer.update(split)
            if not finer:
                self._check(at, triggers)
                return triggers
            for i in finer:
                levels[i] = self._next(i, levels[i]) or 0

    def _pieces(self, at: int, level: int) -> list[tuple[str, str]]:
        """Prefixes and suffixes that hold all sources of the rule set; empty when there are none of this fineness."""
        rule_set = self._rule_sets[at]
        if level == 0:
            return [(literals.source_head(rule_set), "")]
        if not rule_set.include:
            if level == 1:
                return [(rule_set.prefix, "")]
            # `.jpg` of a rule set is `.JPG` too, which no one trigger is
            endings = rule_set.suffixes or ()
            exact = all(text.startswith(".") and text.upper() == text.lower() for text in endings)
            return [(rule_set.prefix, ending) for ending in endings] if exact else []
        heads = [_head(glob, rule_set.prefix) for glob in rule_set.include]
        if level == 1:
            return [(head, "") for head in heads]
        tails = [_tail(glob) for glob in rule_set.include]
        return list(zip(heads, tails, strict=True)) if all(tails) else []

    def _next(self, at: int, level: int) -> int | None:
        here = self._pieces(at, level)
        return next((finer for finer in (level + 1, level + 2) if finer <= 2 and self._differs(at, finer, here)), None)

    def _differs(self, at: int, level: int, here: list[tuple[str, str]]) -> bool:
        there = self._pieces(at, level)
        return bool(there) and set(there) != set(here)

    def _fired(self, trigger: Chosen) -> Finding | None:
        """An output that fires the trigger for nothing. Raises Impossible when that cannot be decided."""
        if trigger not in self._known:
            self._known[trigger] = None
            asked = Trigger(trigger.place.name, trigger.prefix, trigger.suffix, any_case=True)
            for number in self._heads.meeting(trigger.prefix):
                output = self._context.outputs[number]
                try:
                    finding = fired(self._context, output, asked)
                except TooComplex:
                    name = self._rule_sets[output.rule_set].name
                    raise Impossible(
                        f"whether {output.derivative.name} of {name} fires {trigger} takes too many steps to decide",
                        "use fewer `*` and `?` in the globs of the rule sets there",
                    ) from None
                if finding is not None:
                    self._known[trigger] = finding
                    break
        return self._known[trigger]

    def _check(self, at: Sequence[int], triggers: Sequence[Chosen]) -> None:
        """That every source of the rule sets fires a trigger, by their automata: where that is not plain."""
        plain = sorted(trigger.prefix for trigger in triggers if not trigger.suffix)
        asked = [(trigger.prefix, trigger.suffix) for trigger in triggers]
        for i in at:
            head = literals.source_head(self._rule_sets[i])
            before = bisect_right(plain, head)  # none of them begins with another one
            if before and head.startswith(plain[before - 1]):
                continue
            name = self._rule_sets[i].name
            try:
                found = shortest(self._context.languages.missed(i, asked), self._context.alphabet)
            except TooComplex:
                message = f"whether every source of {name} fires a trigger takes too many steps to decide"
                raise Impossible(message, "use fewer `*` and `?` in its globs") from None
            if found is not None:
                raise Impossible(f"the source {found.word} of {name} would fire no trigger", "report this: it is a bug")

    def merged(self, triggers: list[Chosen]) -> tuple[list[Chosen], list[Merge]]:
        """As many as a function may have: the longest shared prefixes are merged first, so that little is fired for
        nothing."""
        if len(triggers) > _MOST_TO_MERGE:
            raise _too_many(triggers, [])
        merges: dict[Chosen, tuple[Chosen, ...]] = {}
        barred: dict[Chosen, Finding] = {}
        while len(triggers) > TRIGGERS:
            wider = self._widest(triggers, barred)
            if wider is None:
                raise _too_many(triggers, list(barred.values()))
            inside = [t for t in triggers if t[:2] == wider[:2] and wider.covers(t)]
            merges[wider] = tuple(itertools.chain.from_iterable(merges.pop(t, (t,)) for t in inside))
            triggers = [*(t for t in triggers if t not in inside), wider]
        return triggers, [Merge(old, new) for new, old in merges.items()]

    def _widest(self, triggers: list[Chosen], barred: dict[Chosen, Finding]) -> Chosen | None:
        candidates = set()
        for _, group in itertools.groupby(sorted(triggers), key=lambda trigger: trigger[:2]):
            for one, two in itertools.pairwise(group):
                prefix = literals.common([one.prefix, two.prefix])
                if prefix:
                    candidates.add(one._replace(prefix=prefix, suffix=one.suffix if one.suffix == two.suffix else ""))
        for wider in sorted(candidates, key=lambda t: (-len(t.prefix), *t)):
            if wider in barred:
                continue
            finding = self._fired(wider)
            others = (t for t in triggers if t[:2] == wider[:2] and not wider.covers(t))
            if finding is not None:
                barred[wider] = finding
            elif not any(wider.overlaps(other) for other in others):
                return wider
        return None


def _head(glob: Glob, prefix: str) -> str:
    first = glob.tokens[0]
    head = first.text if isinstance(first, Literal) else ""
    return head if head.startswith(prefix) else prefix


def _tail(glob: Glob) -> str:
    """What every match of the glob ends in, from its first dot on: a suffix begins with one (SCF 1.5)."""
    last = glob.tokens[-1]
    _, dot, rest = last.text.partition(".") if isinstance(last, Literal) and len(glob.tokens) > 1 else ("", "", "")
    return dot + rest


def _disjoint(pieces: Iterable[Chosen]) -> list[Chosen]:
    """What covers all the pieces, and no two of which overlap."""
    kept: list[Chosen] = []
    for piece in sorted(set(pieces), key=lambda t: (t.prefix, t.suffix)):
        if kept and kept[-1].covers(piece):
            continue
        plain = not piece.suffix and not any(other.suffix for other in kept[-1:])
        kept.append(piece if plain else _absorb(kept, piece))
    return kept


def _absorb(kept: list[Chosen], piece: Chosen) -> Chosen:
    """The piece, widened until it overlaps nothing that is kept; what it covers then is dropped."""
    while True:
        meeting = [other for other in kept if other.overlaps(piece)]
        if not meeting:
            return piece
        for other in meeting:
            kept.remove(other)
            piece = piece._replace(
                prefix=min(piece.prefix, other.prefix, key=len), suffix=min(piece.suffix, other.suffix, key=len)
            )


def _refused(trigger: Chosen, finding: Finding, names: Sequence[str]) -> Impossible:
    message = (
        f"sources of {_listed(names)} need a trigger {trigger}, and {finding.rule_set}/{finding.derivative} would fire "
        f"it: {'; '.join(map(str, finding.witness))}"
    )
    mend = (
        "write it to a folder of its own that no rule set's prefix holds, e.g. `/derived/{path}`; or let `include` "
        "name the sources by a folder or a letter-exact ending that the derivative does not have, e.g. `**.jpg`"
    )
    if trigger.place.name is None:
        mend += f"; or set the variables of {trigger.place.domain}, if it is another bucket than the derivative's"
    return Impossible(message, mend)


def _too_many(triggers: Sequence[Chosen], barred: Sequence[Finding]) -> Impossible:
    shown = ", ".join(map(str, triggers[:20])) + (", ..." if len(triggers) > 20 else "")
    message = f"{len(triggers)} COS triggers are needed, a function may have {TRIGGERS} (SCF 1.5): {shown}"
    for finding in barred[:3]:
        message += f"; no wider one is possible: {finding.message}"
    mend = "let the rule sets share longer prefixes that hold no derivative, or deploy them as several functions"
    return Impossible(message, mend)


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:5], *([f"{len(names) - 5} more"] if len(names) > 5 else [])])
