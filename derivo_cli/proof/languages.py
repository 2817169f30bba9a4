"""Rule set -> automaton of the source keys it applies to, exactly as `plan` would have it.

A rule set applies to a key that its filters match and that no `final` rule set before it takes. Sizes are free: the
source of a proof may have any, so a final rule set bars a key only where it does so for every size that the rule set
itself allows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from derivo.ci.limits import SOURCE_BYTES
from derivo.events import Source
from derivo.globs import Any, Deep, Folders, Literal
from derivo.matching import explain
from derivo.rulesets import RuleSet
from derivo_cli.proof.alphabet import Alphabet
from derivo_cli.proof.automaton import Machine, Reach, TooComplex
from derivo_cli.proof.patterns import Folded, Pattern, PatternAutomaton, Selection, Wanted

# A source key has a name after its last slash.
_NAMED: Pattern = (Deep(), Any())
# A key with an empty name between slashes, which only a source that has one may pass on to its derivatives.
_HOLLOW: tuple[Pattern, ...] = ((Literal("/"), Deep()), (Deep(), Literal("//"), Deep()))
# Keys that `derivo.keys.defect` refuses, so that no derivative ever has them.
DOTTED: tuple[Pattern, ...] = tuple(
    (Folders(), Literal(dots), *rest) for dots in (".", "..") for rest in ((), (Literal("/"), Deep()))
)
WRITABLE = Wanted(Selection(groups=((_NAMED,),), barred=DOTTED))


class Languages:
    """The automata of one proof's rule sets, each built once. A bucket of None is one that no rule set names."""

    def __init__(self, alphabet: Alphabet, rule_sets: Sequence[RuleSet]) -> None:
        self.alphabet = alphabet
        self.rule_sets = rule_sets
        self._finals = _finals(rule_sets)
        self._automata: dict[Wanted, tuple[PatternAutomaton, Reach]] = {}
        self._machines: dict[tuple[object, ...], Machine | None] = {}  # None: too complex

    def of(self, at: tuple[int, ...], bucket: str | None, *, derived: bool = False, hollow: bool = False) -> Machine:
        """The keys that all rule sets of `at` apply to at once, in a bucket; of these only those that a derivative may
        have (`derived`), that have an empty name (`hollow`). Raises TooComplex."""
        key = (at, self._cases(at, bucket), derived, hollow)
        if key not in self._machines:
            self._machines[key] = None
            self._machines[key] = self._build(at, self._cases(at, bucket), derived, hollow)
        machine = self._machines[key]
        if machine is None:
            raise TooComplex
        return machine

    @functools.cached_property
    def writable(self) -> Machine:
        """Every key that a derivative may have, as far as its names are concerned."""
        automaton, reach = self._automaton(WRITABLE)
        return _after("", automaton, reach)

    def unwanted(self, groups: tuple[tuple[Pattern, ...], ...], wanting: tuple[int, ...]) -> Machine:
        """The keys a derivative may have that match a pattern of every group, and no filters of the rule sets."""
        selection = Selection((*groups, (_NAMED,)), DOTTED)
        automaton, reach = self._automaton(Wanted(selection, (tuple(map(self._whole, wanting)),)))
        return _after("", automaton, reach)

    def missed(self, at: int, triggers: Sequence[tuple[str, str]]) -> Machine:
        """The keys that rule set `at` matches and that no trigger does: none begins with the first text of one and ends
        in the second."""
        whole = self._whole(at)
        taken = (
            Selection((((Literal(prefix), Deep()),), *((((Deep(), Literal(suffix)),),) if suffix else ())))
            for prefix, suffix in triggers
        )
        wanted = Wanted(Selection((*whole.groups, (_NAMED,)), whole.barred), (tuple(taken),))
        automaton, reach = self._automaton(wanted)
        return _after("", automaton, reach)

    def sizes(self, at: Sequence[int], bucket: str | None) -> Iterator[tuple[int | None, frozenset[int]]]:
        """Sizes of a source (bytes) that CI reads, one of a kind, that all rule sets of `at` allow, with the final rule
        sets that may take it before one of them does. The last is None: an unknown size, which passes everywhere."""
        mine = [self.rule_sets[i] for i in at]
        low = max(1, *(rule_set.min_size or 0 for rule_set in mine))
        high = min(SOURCE_BYTES if rule_set.max_size is None else rule_set.max_size for rule_set in mine)
        finals = [i for j in at for i in self._finals[j] if self.rule_sets[i].bucket in (None, bucket)]
        edges = {low}
        for i in finals:
            edges |= {self.rule_sets[i].min_size or 0, (self.rule_sets[i].max_size or 0) + 1}
        for size in sorted(edge for edge in edges if low <= edge <= min(high, SOURCE_BYTES)):
            yield size, frozenset(i for i in finals if in_size(self.rule_sets[i], size))
        yield None, frozenset(finals)

    def matches(self, at: int, key: str) -> bool:
        """Whether the filters of rule set `at` match the key, size, bucket and other rule sets aside."""
        rule_set = self.rule_sets[at]
        return explain(rule_set, Source(bucket=rule_set.bucket or "", region="", key=key)) is None

    def _cases(self, at: tuple[int, ...], bucket: str | None) -> frozenset[frozenset[int]]:
        found = {finals for _, finals in self.sizes(at, bucket)}
        return frozenset(case for case in found if not any(other < case for other in found))

    def _build(self, at: tuple[int, ...], cases: frozenset[frozenset[int]], derived: bool, hollow: bool) -> Machine:
        prefix = max((self.rule_sets[i].prefix for i in at), key=len)
        own = [_selection(self.rule_sets[i]) for i in at]
        groups = (*(group for some in own for group in some.groups), (_NAMED,), *((_HOLLOW,) if hollow else ()))
        barred = (*(pattern for some in own for pattern in some.barred), *(DOTTED if derived else ()))
        barring = tuple(tuple(self._whole(i) for i in sorted(case)) for case in sorted(cases, key=sorted))
        automaton, reach = self._automaton(Wanted(Selection(groups, barred), barring))
        if not all(prefix.startswith(self.rule_sets[i].prefix) for i in at):
            return Machine([], set(), ())
        return _after(prefix, automaton, reach)

    def _whole(self, at: int) -> Selection:
        own = _selection(self.rule_sets[at])
        return Selection((((Literal(self.rule_sets[at].prefix), Deep()),), *own.groups), own.barred)

    def _automaton(self, wanted: Wanted) -> tuple[PatternAutomaton, Reach]:
        if wanted not in self._automata:
            self._automata[wanted] = PatternAutomaton(self.alphabet, wanted), {}
        return self._automata[wanted]


def in_size(rule_set: RuleSet, size: int) -> bool:
    """Whether the rule set's size range holds `size`."""
    return (rule_set.min_size or 0) <= size and (rule_set.max_size is None or size <= rule_set.max_size)


def _selection(rule_set: RuleSet) -> Selection:
    """The rule set's filters but for its prefix."""
    groups: list[tuple[Pattern, ...]] = []
    if rule_set.suffixes is not None:
        groups.append(tuple((Deep(), Folded(suffix)) for suffix in rule_set.suffixes))
    if rule_set.include:
        groups.append(tuple(glob.tokens for glob in rule_set.include))
    return Selection(tuple(groups), tuple(glob.tokens for glob in rule_set.exclude))


def _finals(rule_sets: Sequence[RuleSet]) -> list[list[int]]:
    """For each rule set the final ones that are considered before it and share a key with its prefix."""
    order = sorted(range(len(rule_sets)), key=lambda i: (-len(rule_sets[i].prefix), rule_sets[i].name))
    before: list[list[int]] = [[] for _ in rule_sets]
    finals: list[int] = []
    for i in order:
        before[i] = [f for f in finals if rule_sets[f].prefix.startswith(rule_sets[i].prefix)]
        if rule_sets[i].final:
            finals.append(i)
    return before


def _after(prefix: str, automaton: PatternAutomaton, reach: Reach) -> Machine:
    state = automaton.start_after(prefix)
    if state is None:
        return Machine(automaton.rows, automaton.accepting, ())
    for char in reversed(prefix):
        automaton.rows.append(((), {ord(char): (state,)}))
        state = len(automaton.rows) - 1
    return Machine(automaton.rows, automaton.accepting, (state,), reach)
