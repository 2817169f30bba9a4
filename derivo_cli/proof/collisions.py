"""The collision proof: no two derivatives may have the same key in the same bucket.

A derivative that is a source of some rule set is the loop proof's business: it is refused, or that rule set says
`chained: true` and thereby that its sources are derivatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from derivo.ci.limits import KEY_BYTES
from derivo.keys import defect
from derivo_cli.proof import literals
from derivo_cli.proof.automaton import (
    Found,
    TooComplex,
    Unlike,
    shortest,
    shortest_within,
    word_machine,
    words,
)
from derivo_cli.proof.context import Context, Output, short
from derivo_cli.proof.findings import Finding, Step
from derivo_cli.proof.meetings import Meeting, Meetings
from derivo_cli.proof.outputs import OutputKeys
from derivo_cli.proof.pieces import Pieces, cut
from derivo_cli.proof.pullback import PullBack
from derivo_cli.proof.templates import shapes

TRIES = 50  # candidates that are looked at where a template is beyond what can be decided


class Repeated(Exception):
    """A variable stands twice in a template, and that is what keeps the proof from an answer."""


class Pair(NamedTuple):
    """Two outputs and the buckets of their sources; `apart` when those are two buckets, so that the sources differ."""

    one: Output
    two: Output
    bucket: str | None
    other_bucket: str | None
    apart: bool


class Group(NamedTuple):
    """Outputs of one bucket whose templates are of one kind, by what their keys begin with."""

    bucket: str | None
    kind: tuple[bool, ...] | None
    items: list[int]
    heads: literals.Heads
    pieces: literals.Heads


class Shared(NamedTuple):
    """Two sources that give the same key."""

    pair: Pair
    key: str
    other_key: str


def prove_collisions(context: Context) -> list[Finding]:
    """For each derivative the first one, in order, that it shares a key with: itself or one before it."""
    findings = []
    proof = _Proof(context)
    for at, output in enumerate(context.outputs):
        try:
            shared = next(proof.shared(at), None)
        except (Repeated, TooComplex) as error:
            once = all(shape.once for shape in shapes(output.derivative))
            findings.append(_unproved(context, output, repeated=isinstance(error, Repeated) or not once))
            continue
        if shared is not None:
            findings.append(_refusal(context, shared))
    return findings


class _Proof:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._pieces: list[Pieces] = [
            cut(output.derivative, literals.source_head(context.rule_sets[output.rule_set]))
            for output in context.outputs
        ]
        self._groups = _groups(context, self._pieces)
        self._keys: dict[tuple[int, str | None], OutputKeys] = {}

    def shared(self, at: int) -> Iterator[Shared]:
        """What the output shares with itself and with those before it. Raises Repeated, TooComplex."""
        output = self._context.outputs[at]
        pair = _pair(self._context, output, output)
        if pair is not None and (pair.apart or not self._pieces[at].one_source()):
            yield from self._meet(pair)
        for before in self._candidates(at):
            pair = _pair(self._context, self._context.outputs[before], output)
            if pair is not None:
                yield from self._meet(pair)

    def _candidates(self, at: int) -> list[int]:
        """Outputs before this one that may share a key with it, going by literal text."""
        output, pieces = self._context.outputs[at], self._pieces[at]
        bucket = self._context.bucket(output)
        found = []
        for group in self._groups:
            if None not in (bucket, group.bucket) and bucket != group.bucket:
                continue
            like = pieces.kind is not None and pieces.kind == group.kind
            meeting = group.pieces.meeting(pieces.head) if like else group.heads.meeting(output.head)
            for before in map(group.items.__getitem__, meeting):
                other = self._context.outputs[before]
                if (
                    before < at
                    and literals.heads_meet(other.head, output.head)
                    and literals.tails_meet(other.tails, output.tails)
                    and self._pieces[before].meet(pieces)
                ):
                    found.append(before)
        return sorted(found)

    def _meet(self, pair: Pair) -> Iterator[Shared]:
        one, two = pair.one, pair.two
        same_template = list(shapes(one.derivative)) == list(shapes(two.derivative))
        if one is not two and same_template and not pair.apart:
            yield from self._same_source(pair)
        distinct = same_template and not pair.apart
        first, second = self._output_keys(one, pair.bucket), self._output_keys(two, pair.other_bucket)
        meetings = Meetings(first, second, self._context.languages.writable, distinct=distinct)
        if first.exact and second.exact:
            yield from self._exact(pair, meetings)
        else:
            yield from self._by_trial(pair, meetings)

    def _output_keys(self, output: Output, bucket: str | None) -> OutputKeys:
        known = id(output), bucket
        if known not in self._keys:
            self._keys[known] = OutputKeys(self._context.sources(output, bucket), self._context.alphabet)
        return self._keys[known]

    def _same_source(self, pair: Pair) -> Iterator[Shared]:
        """Two derivatives of the same template share the key of every source that both rule sets apply to."""
        at = tuple(sorted({pair.one.rule_set, pair.two.rule_set}))
        found = self._context.languages.of
        sources = ((shape, found(at, pair.bucket, hollow=shape.hollow)) for shape in shapes(pair.one.derivative))
        key = self._context.source(pair.one, PullBack(sources, self._context.languages.writable))
        if key is not None:
            yield Shared(pair, key, key)

    def _exact(self, pair: Pair, meetings: Meetings) -> Iterator[Shared]:
        found = shortest(meetings, self._context.alphabet)
        if found is None:
            return
        shared = self._real(pair, *meetings.keys(found))
        if shared is None:
            candidates = self._others(meetings)
            shared = next((s for s in (self._real(pair, *meetings.keys(f)) for f in candidates) if s), None)
            if shared is None:
                raise TooComplex
        yield shared

    def _others(self, meetings: Meetings) -> Iterator[Found[Meeting]]:
        within = shortest_within(meetings, self._context.alphabet, KEY_BYTES)
        if within is not None:
            yield within
            yield from islice(words(meetings, self._context.alphabet), TRIES)

    def _by_trial(self, pair: Pair, meetings: Meetings) -> Iterator[Shared]:
        """A variable that stands twice is beyond the automata. What they know of it is too much rather than too little:
        where they find nothing there is nothing, and what they find is tried. Raises Repeated if all of it fails."""
        context = self._context
        tried = False
        for found in islice(words(meetings, context.alphabet), TRIES):
            tried = True
            for shared in map(self._partner, [pair] * 2, meetings.keys(found), [False, True]):
                if shared is not None:
                    yield shared
                    return
        if tried:
            raise Repeated

    def _partner(self, pair: Pair, key: str, second: bool) -> Shared | None:
        """Another source that really has the derivative key of this one, the first or the second of the pair."""
        output, bucket = (pair.one, pair.bucket) if second else (pair.two, pair.other_bucket)
        word = word_machine(self._context.key(pair.two if second else pair.one, key))
        others = PullBack(self._context.sources(output, bucket), word)
        if pair.one is pair.two and not pair.apart:
            found = shortest(Unlike(others, key), self._context.alphabet)
            other = None if found is None else found.word
        else:
            any_found = shortest(others, self._context.alphabet)
            other = None if any_found is None else any_found.word
        if other is None:
            return None
        return self._real(pair, other, key) if second else self._real(pair, key, other)

    def _real(self, pair: Pair, key: str, other_key: str) -> Shared | None:
        """The two sources, if COS takes all keys and, when they are one, its size suits both rule sets."""
        context = self._context
        shared, also = context.key(pair.one, key), context.key(pair.two, other_key)
        if shared != also or not (short(key) and short(other_key)) or defect(shared, key) or defect(shared, other_key):
            return None
        if key == other_key and not pair.apart:
            at = [pair.one.rule_set, pair.two.rule_set]
            if pair.one is pair.two or not any(True for _ in context.sizes(at, pair.bucket, key)):
                return None
        return Shared(pair, key, other_key)


def _groups(context: Context, pieces: list[Pieces]) -> list[Group]:
    items: dict[tuple[str | None, tuple[bool, ...] | None], list[int]] = {}
    for at, output in enumerate(context.outputs):
        items.setdefault((context.bucket(output), pieces[at].kind), []).append(at)
    return [
        Group(
            bucket,
            kind,
            mine,
            literals.Heads(context.outputs[at].head for at in mine),
            literals.Heads(pieces[at].head for at in mine),
        )
        for (bucket, kind), mine in items.items()
    ]


def _pair(context: Context, one: Output, two: Output) -> Pair | None:
    """The buckets of two sources whose derivatives can be in one bucket."""
    target, other_target = one.derivative.bucket, two.derivative.bucket
    bucket, other = context.rule_sets[one.rule_set].bucket, context.rule_sets[two.rule_set].bucket
    if target is not None and other_target is not None:
        apart = bucket is None or other is None or bucket != other
        return Pair(one, two, bucket, other, apart) if target == other_target else None
    bucket, other = bucket or other_target, other or target
    if target is None and other_target is None:
        bucket, other = bucket or other, other or bucket
    if (target or bucket) != (other_target or other):
        return None
    return Pair(one, two, bucket, other, bucket != other)


def _refusal(context: Context, shared: Shared) -> Finding:
    pair = shared.pair
    steps = _steps(context, shared)
    key = steps[0].derivative_key
    if pair.one is not pair.two:
        whose = "that source" if shared.key == shared.other_key and not pair.apart else shared.key
        name = f"{steps[0].rule_set}/{steps[0].derivative}"
        message = f"{shared.other_key} and, by {name}, {whose} have the same derivative key {key}"
        mend = "put `{derivative}`, or a folder of its own, into `to`"
        return context.finding("PF202", pair.two, message, mend, steps)
    if pair.apart:
        message = f"{shared.key} of any bucket has the derivative key {key} in one and the same bucket"
        mend = "say in the rule set which `bucket` its sources are in, and write one rule set for each"
        return context.finding("PF203", pair.two, message, mend, steps)
    message = f"{shared.key} and {shared.other_key} have the same derivative key {key}"
    folders = shared.key.rpartition("/")[0] != shared.other_key.rpartition("/")[0]
    mend = "use `{path}` in `to`" if folders else "keep the extension: use `{name}`, or `{path}`, in `to`"
    return context.finding("PF201", pair.two, message, mend, steps)


def _steps(context: Context, shared: Shared) -> list[Step]:
    pair = shared.pair
    at = [pair.one.rule_set, pair.two.rule_set]
    steps = []
    for n, (output, bucket, key) in enumerate(
        ((pair.one, pair.bucket, shared.key), (pair.two, pair.other_bucket, shared.other_key))
    ):
        together = at if shared.key == shared.other_key and not pair.apart else [output.rule_set]
        size = next(context.sizes(together, bucket, key))
        steps.append(context.step(output, bucket, key, size=size, other=pair.apart and n == 1))
    return steps


def _unproved(context: Context, output: Output, *, repeated: bool) -> Finding:
    if repeated:
        message = (
            "a part of the source's key stands twice in `to`, so it cannot be proved that no two sources share a key"
        )
        mend = "use each variable once, and none beside `{path}`, e.g. `/derived/{path}.{derivative}.webp`"
        return context.finding("PF302", output, message, mend)
    message = "whether another source shares this derivative's key takes too many steps to decide"
    mend = "use fewer `*` and `?` in the globs, or end `to` in `{path}` and a text of its own"
    return context.finding("PF302", output, message, mend)
