"""The loop proof: no derivative may become a source again, unless that is asked for and comes to an end.

An output leads to a rule set when some source of the first has a derivative key that the second applies to. Refused are
every lead to a rule set that does not say `chained: true`, and every chain of keys that comes back to a rule set it has
passed: without one no chain is longer than there are rule sets, so every chain ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from derivo_cli.proof.automaton import TooComplex, build
from derivo_cli.proof.context import Context, Output, short
from derivo_cli.proof.findings import Finding, Step
from derivo_cli.proof.pullback import PullBack

CYCLES = 2_000  # ways round that one rule set's proof may try


class Lead(NamedTuple):
    """An output some of whose keys are sources of rule set `to`."""

    output: Output
    to: int


def prove_loops(context: Context) -> list[Finding]:
    """Every loop, and every chain that nobody asked for, each with its witness."""
    leads, findings = _leads(context)
    covered: set[Lead] = set()
    for way in _ways_round(leads, findings, context):
        if covered.issuperset(way):
            continue
        try:
            witness = follow(context, way)
        except TooComplex:
            findings.append(_too_complex(context, way[0].output))
            continue
        if witness:
            covered.update(way)
            findings.append(_loop(context, way, witness))
    for lead in leads:
        if lead not in covered and not context.rule_sets[lead.to].chained:
            witness = follow(context, [lead])
            if witness:
                findings.append(_unasked(context, lead, witness))
    return findings


def _leads(context: Context) -> tuple[list[Lead], list[Finding]]:
    """For each output the rule sets it leads to. The search ends at the first lead that is refused by itself."""
    leads: list[Lead] = []
    findings: list[Finding] = []
    for output in context.outputs:
        for to in sorted(context.leads_to(output), key=lambda i: (i != output.rule_set, i)):
            lead = Lead(output, to)
            if not context.rule_sets[to].derivatives:
                continue
            try:
                if not follow(context, [lead]):
                    continue
            except TooComplex:
                findings.append(_too_complex(context, output))
                break
            leads.append(lead)
            if to == output.rule_set or not context.rule_sets[to].chained:
                break
    return leads, findings


def follow(context: Context, way: Sequence[Lead]) -> list[Step]:
    """A chain of real keys along the leads, as short as can be; empty when there is none. Raises TooComplex.

    The rare chain of several steps that begins well and then outgrows COS's keys is not followed up either.
    """
    buckets = _buckets(context, way)
    if buckets is None:
        return []
    target = context.languages.of((way[-1].to,), buckets[-1], derived=True)
    for lead, bucket in list(zip(way, buckets, strict=False))[:0:-1]:
        target = build(PullBack(context.sources(lead.output, bucket, derived=True), target))
    chain = PullBack(context.sources(way[0].output, buckets[0]), target)
    key = context.source(way[0].output, chain)
    if key is None:
        return []
    keys = [key]
    for lead in way:
        keys.append(context.key(lead.output, keys[-1]))
    if not all(map(short, keys)):
        raise TooComplex
    return [
        context.step(
            lead.output,
            bucket,
            key,
            size=next(context.sizes([lead.output.rule_set], bucket, key)),
            triggers=lead.to,
        )
        for lead, bucket, key in zip(way, buckets, keys, strict=False)
    ]


def _buckets(context: Context, way: Sequence[Lead]) -> list[str | None] | None:
    """The bucket of each source along the way and of the last key; None when they cannot be brought together."""
    needs = [context.rule_sets[lead.output.rule_set].bucket for lead in way]
    needs.append(context.rule_sets[way[-1].to].bucket)
    # The source's own bucket is free until a rule set names one or a derivative leaves for another.
    own = needs[0]
    for lead, need in zip(way, needs[1:], strict=True):
        if lead.output.derivative.bucket is not None or own is not None:
            break
        own = need
    buckets = [own]
    for lead, need in zip(way, needs[1:], strict=True):
        bucket = lead.output.derivative.bucket or buckets[-1]
        if need not in (None, bucket):
            return None
        buckets.append(bucket)
    return buckets


def _ways_round(leads: list[Lead], findings: list[Finding], context: Context) -> Iterator[list[Lead]]:
    """Every way along the leads from a rule set back to it that passes no rule set twice, short ones first."""
    out: dict[int, list[Lead]] = {}
    for lead in leads:
        out.setdefault(lead.output.rule_set, []).append(lead)
    for start in sorted(out):
        home = _distances(start, leads)
        tried = 0
        ways: list[list[Lead]] = [[]]
        for way in ways:
            here = way[-1].to if way else start
            if way and here == start:
                tried += 1
                yield way
                continue
            passed = {start, *(lead.to for lead in way)}
            ways += [[*way, lead] for lead in out.get(here, ()) if lead.to in home and lead.to not in passed - {start}]
            if tried > CYCLES or len(ways) > 10 * CYCLES:
                findings.append(_too_complex(context, out[start][0].output))
                break


def _distances(start: int, leads: list[Lead]) -> set[int]:
    """The rule sets from which the leads go to `start`."""
    sources: dict[int, set[int]] = {}
    for lead in leads:
        sources.setdefault(lead.to, set()).add(lead.output.rule_set)
    found = {start}
    todo = [start]
    while todo:
        fresh = sources.get(todo.pop(), set()) - found
        found |= fresh
        todo += fresh
    return found


def _loop(context: Context, way: Sequence[Lead], witness: list[Step]) -> Finding:
    output = way[0].output
    first = witness[0]
    if (first.derivative_bucket, first.derivative_key) == (first.bucket, first.key):
        message = f"the derivative overwrites its own source {first.key}, and is a source again"
        mend = "give `to` a folder of its own, outside the rule set's prefix, e.g. `/derived/{path}`"
        return context.finding("PF102", output, message, mend, witness)
    message = f"what is made of {first.key} becomes a source again, without end"
    mend = "write to a folder that no rule set matches, or `exclude` that folder where it is matched"
    return context.finding("PF101", output, message, mend, witness)


def _unasked(context: Context, lead: Lead, witness: list[Step]) -> Finding:
    name = context.rule_sets[lead.to].name
    message = f"the derivative of {witness[0].key} is a source of {name}, which does not say `chained: true`"
    mend = f"keep it out of {name} with an `exclude`; if it is meant to be one, say `chained: true` in {name}"
    return context.finding("PF103", lead.output, message, mend, witness)


def _too_complex(context: Context, output: Output) -> Finding:
    message = "whether this derivative becomes a source again takes too many steps to decide"
    mend = "use fewer `*` and `?` in the globs of the rule sets that share a prefix with it"
    return context.finding("PF301", output, message, mend)
