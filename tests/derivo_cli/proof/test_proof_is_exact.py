"""The proofs against brute force: silence means that no small key does harm, and a witness is a real one."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, event, given, settings

from derivo.events import Source
from derivo.plan import plan
from derivo.rulesets import RuleSet
from derivo_cli.proof import Finding, Step, prove
from tests.derivo_cli.proof.oracle import BUCKETS, World, all_keys
from tests.derivo_cli.proof.worlds import ALPHABET, rule_sets

EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "300"))
KEYS = list(all_keys(ALPHABET, 4))


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


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rule_sets())
def test_loops(some: list[RuleSet]) -> None:
    world = World(some)
    findings = [finding for finding in prove(some) if finding.code.startswith("PF1")]
    event("refused" if findings else "accepted")
    for finding in findings:
        replay_chain(world, finding, {r.name: r for r in some})
    if not findings:
        buckets = BUCKETS[:3] if any(r.bucket or d.bucket for r in some for d in r.derivatives) else BUCKETS[2:3]
        for bucket in buckets:
            for key in KEYS:
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
@given(rule_sets())
def test_collisions(some: list[RuleSet]) -> None:
    world = World(some)
    findings = [finding for finding in prove(some) if not finding.code.startswith("PF1")]
    event(", ".join(sorted({finding.code for finding in findings})) or "accepted")
    for finding in findings:
        if finding.code.startswith("PF2"):
            replay_collision(world, finding)
    if not findings:
        buckets = BUCKETS if any(r.bucket or d.bucket for r in some for d in r.derivatives) else BUCKETS[2:3]
        assert world.collision([(bucket, key) for bucket in buckets for key in KEYS]) is None
