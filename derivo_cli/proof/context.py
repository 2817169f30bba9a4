"""What all proofs about one collection of rule sets share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from derivo.ci.limits import KEY_BYTES
from derivo.globs import Class, Literal, Token
from derivo.keys import Text, expand
from derivo.rulesets import Derivative, RuleSet
from derivo_cli.proof import literals
from derivo_cli.proof.alphabet import Alphabet
from derivo_cli.proof.automaton import Machine, shortest, shortest_within
from derivo_cli.proof.findings import Finding, Step
from derivo_cli.proof.languages import Languages
from derivo_cli.proof.pullback import ANYTHING, PullBack
from derivo_cli.proof.templates import Shape, shapes


class Output(NamedTuple):
    """A derivative, the rule set that asks for it, and what its keys are known to begin and end with."""

    rule_set: int
    derivative: Derivative
    head: str
    tails: tuple[str, ...]


class Context:
    """The rule sets, their automata, and the outputs they make. A bucket of None is any that no rule set names."""

    def __init__(self, rule_sets: Sequence[RuleSet]) -> None:
        self.rule_sets = rule_sets
        self.alphabet = _alphabet(rule_sets)
        self.languages = Languages(self.alphabet, rule_sets)
        self.outputs = [
            Output(
                at,
                derivative,
                literals.key_head(derivative, literals.source_head(rule_set)),
                literals.key_tails(derivative, literals.source_tails(rule_set)),
            )
            for at, rule_set in enumerate(rule_sets)
            for derivative in rule_set.derivatives
        ]
        self._heads = literals.Heads(literals.source_head(rule_set) for rule_set in rule_sets)
        self._tails = [literals.source_tails(rule_set) for rule_set in rule_sets]
        self._leads: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        named = {rule_set.bucket for rule_set in rule_sets} | {output.derivative.bucket for output in self.outputs}
        self._examples = [
            name for name in (f"bucket{n or ''}-1250000000" for n in range(len(named) + 2)) if name not in named
        ]

    def bucket(self, output: Output) -> str | None:
        """Where the derivative is written; None when that is any bucket."""
        return output.derivative.bucket or self.rule_sets[output.rule_set].bucket

    def leads_to(self, output: Output) -> list[int]:
        """The rule sets that may take the derivative for a source, going by how keys begin and end."""
        literal = output.head, output.tails
        if literal not in self._leads:
            meeting = self._heads.meeting(output.head)
            self._leads[literal] = sorted(i for i in meeting if literals.tails_meet(output.tails, self._tails[i]))
        return self._leads[literal]

    def sources(self, output: Output, bucket: str | None, *, derived: bool = False) -> Iterator[tuple[Shape, Machine]]:
        """The output's template and source automaton for each shape of source."""
        for shape in shapes(output.derivative, self.rule_sets[output.rule_set].prefix):
            machine = self.languages.of((output.rule_set,), bucket, derived=derived, hollow=shape.hollow)
            # Without this a long prefix, several times in a template, would be guessed at over and over for nothing.
            if shape.ordered or shortest_within(PullBack([(shape, machine)], ANYTHING), self.alphabet, KEY_BYTES):
                yield shape, machine

    def key(self, output: Output, source_key: str) -> str:
        """The key of the derivative."""
        derivative = output.derivative
        return expand(derivative.to, source_key=source_key, derivative=derivative.name, spec=derivative.spec)

    def source(self, output: Output, sources: PullBack) -> str | None:
        """A shortest of these sources of the output such that COS takes both keys. Raises TooComplex."""
        found = shortest(sources, self.alphabet)
        if found is not None and not (short(found.word) and short(self.key(output, found.word))):
            found = shortest_within(sources, self.alphabet, KEY_BYTES)
        return None if found is None else found.word

    def example(self, bucket: str | None, other: bool = False) -> str:
        """The bucket's name, or one (or another one) that stands for any."""
        return bucket if bucket is not None else self._examples[other]

    def step(
        self,
        output: Output,
        bucket: str | None,
        key: str,
        *,
        size: int | None,
        triggers: int | None = None,
        other: bool = False,
    ) -> Step:
        """One step of a witness; `other` asks for another example of a bucket than the first step has."""
        here = self.example(bucket, other)
        return Step(
            bucket=here,
            key=key,
            size=size,
            rule_set=self.rule_sets[output.rule_set].name,
            derivative=output.derivative.name,
            derivative_bucket=output.derivative.bucket or here,
            derivative_key=self.key(output, key),
            triggers=None if triggers is None else self.rule_sets[triggers].name,
        )

    def sizes(self, at: Sequence[int], bucket: str | None, key: str) -> Iterator[int | None]:
        """Sizes (bytes, or None for one that is not known) with which all rule sets of `at`, whose filters match the
        key, apply to a source of this key."""
        for size, finals in self.languages.sizes(at, bucket):
            if not any(self.languages.matches(final, key) for final in finals):
                yield size

    def finding(self, code: str, output: Output, message: str, mend: str, witness: Iterable[Step] = ()) -> Finding:
        """A finding at the output's derivative."""
        rule_set = self.rule_sets[output.rule_set]
        where = output.derivative.where
        return Finding(code, rule_set.name, output.derivative.name, where, message, tuple(witness), mend)


def short(key: str) -> bool:
    """Whether COS takes the key."""
    return len(key.encode()) <= KEY_BYTES


def _alphabet(rule_sets: Sequence[RuleSet]) -> Alphabet:
    texts: set[str] = {"/", "."}
    ranges: set[tuple[int, int]] = set()
    for rule_set in rule_sets:
        texts.add(rule_set.prefix)
        for suffix in rule_set.suffixes or ():
            texts |= {suffix, _upper(suffix)}
        for glob in (*rule_set.include, *rule_set.exclude):
            for token in glob.tokens:
                _mention(token, texts, ranges)
        for derivative in rule_set.derivatives:
            texts |= {derivative.name, derivative.spec}
            texts |= {part.text for part in derivative.to.parts if isinstance(part, Text)}
    return Alphabet(map(ord, set().union(*texts)), ranges)


def _upper(text: str) -> str:
    return "".join(char.upper() if char.isascii() else char for char in text)


def _mention(token: Token, texts: set[str], ranges: set[tuple[int, int]]) -> None:
    if isinstance(token, Literal):
        texts.add(token.text)
    elif isinstance(token, Class):
        ranges.update(token.ranges)
