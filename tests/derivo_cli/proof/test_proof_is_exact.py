"""The proofs against brute force: silence means that no small key does harm, and a witness is a real one."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from derivo.events import Source
from derivo.plan import plan
from derivo.rulesets import RuleSet
from derivo_cli.proof import Finding, Step, prove
from derivo_cli.proof.templates import shapes
from tests.derivo_cli.proof.oracle import BUCKETS, World, all_keys
from tests.derivo_cli.proof.worlds import ALPHABET, rule_sets

EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "80"))  # 20,000 and more when the proofs change
KEYS = list(all_keys(ALPHABET, 3))
SEEDS = st.integers(0, 10_000)


def keys_to_try(seed: int) -> list[str]:
    """All short keys, and some longer ones."""
    chance = random.Random(seed)
    longer = ("".join(chance.choices(ALPHABET, k=chance.randint(4, 7))) for _ in range(120))
    return KEYS + [key for key in dict.fromkeys(longer) if not key.endswith("/")]


def replay(world: World, step: Step) -> None:
    """The step happens when the source is planned."""
    done = plan(Source(bucket=step.bucket, region="r", key=step.key, size=step.size), world.index)
    # What a plan leaves out because the key is taken already is what lint is to find out beforehand.
    made = [*done.derivatives]
    made += [b.derivative for b in done.blocked if b.reason in ("overwrites_source", "collides")]
    here = [p for p in made if (p.rule_set, p.name) == (step.rule_set, step.derivative)]
    assert [(p.bucket, p.key) for p in here] == [(step.derivative_bucket, step.derivative_key)]


def replay_chain(world: World, finding: Finding, sets: dict[str, RuleSet]) -> None:
    assert finding.witness
    for step in finding.witness:
        replay(world, step)
        assert step.triggers in world.consumers(step.derivative_bucket, step.derivative_key)
    for step, following in zip(finding.witness, finding.witness[1:], strict=False):
        assert (step.derivative_bucket, step.derivative_key) == (following.bucket, following.key)
        assert step.triggers == following.rule_set
    if finding.code == "PF103":
        assert not sets[str(finding.witness[-1].triggers)].chained
    else:
        assert finding.witness[-1].triggers == finding.witness[0].rule_set


def buckets_of(some: list[RuleSet], buckets: tuple[str, ...]) -> tuple[str, ...]:
    """The buckets to try: one will do when no rule names one."""
    return buckets if any(r.bucket or d.bucket for r in some for d in r.derivatives) else buckets[2:3]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rule_sets(), SEEDS)
def test_loops(some: list[RuleSet], seed: int) -> None:
    world = World(some)
    findings = [finding for finding in prove(some) if finding.code.startswith("PF1")]
    event("refused" if findings else "accepted")
    for finding in findings:
        replay_chain(world, finding, {r.name: r for r in some})
    told = {(step.rule_set, step.derivative) for finding in findings for step in finding.witness}
    for bucket in buckets_of(some, BUCKETS[:3]):
        for key in keys_to_try(seed):
            assert world.leads(bucket, key) <= told
            if not findings:
                assert world.loop(bucket, key) is None


def replay_collision(world: World, finding: Finding) -> None:
    one, two = finding.witness
    replay(world, one)
    replay(world, two)
    assert (one.derivative_bucket, one.derivative_key) == (two.derivative_bucket, two.derivative_key)
    assert (one.bucket, one.key, one.rule_set, one.derivative) != (two.bucket, two.key, two.rule_set, two.derivative)
    if (one.bucket, one.key) == (two.bucket, two.key):
        assert one.size == two.size


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rule_sets(), SEEDS)
def test_collisions(some: list[RuleSet], seed: int) -> None:
    world = World(some)
    findings = [finding for finding in prove(some) if not finding.code.startswith("PF1")]
    event(", ".join(sorted({finding.code for finding in findings})) or "accepted")
    for finding in findings:
        if finding.code.startswith("PF2"):
            replay_collision(world, finding)
    order = [(r.name, d.name) for r in some for d in r.derivatives]
    told = {(finding.rule_set, finding.derivative) for finding in findings}
    sources = [(bucket, key) for bucket in buckets_of(some, BUCKETS) for key in keys_to_try(seed)]
    for pair in world.collisions(sources):
        assert max(pair, key=order.index) in told


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rule_sets())
def test_only_repeated_variables_are_beyond_proof(some: list[RuleSet]) -> None:
    """Of rule sets this small every question is answered, but for templates that hold a part of the key twice, and for
    final rule sets of some sizes only."""
    unproved = [finding for finding in prove(some) if finding.code.startswith("PF3")]
    sized = any(r.final and (r.min_size or r.max_size) for r in some)
    repeated = any(not shape.once for r in some for d in r.derivatives for shape in shapes(d))
    assert {finding.code for finding in unproved} <= ({"PF302"} if repeated or sized else set())
