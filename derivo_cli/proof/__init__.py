"""Proof before deploy: no rule set may loop, and no two derivatives may share a key (docs/decisions/0004-proofs.md)."""

from __future__ import annotations

from collections.abc import Sequence

from derivo.rulesets import RuleSet
from derivo_cli.proof.collisions import prove_collisions
from derivo_cli.proof.context import Context
from derivo_cli.proof.findings import ERROR, WARNING, Finding, Step
from derivo_cli.proof.loops import prove_loops
from derivo_cli.proof.triggers import Trigger, find_triggered

__all__ = ["ERROR", "WARNING", "Finding", "Step", "Trigger", "prove", "trigger_findings"]


def prove(rule_sets: Sequence[RuleSet]) -> list[Finding]:
    """Everything that may go wrong between these rule sets, in their order; nothing when they are proved free of it."""
    context = Context(rule_sets)
    order = {(context.rule_sets[o.rule_set].name, o.derivative.name): n for n, o in enumerate(context.outputs)}
    findings = [*prove_loops(context), *prove_collisions(context)]
    return sorted(findings, key=lambda finding: order[finding.rule_set, finding.derivative])


def trigger_findings(rule_sets: Sequence[RuleSet], triggers: Sequence[Trigger]) -> list[Finding]:
    """A warning for each derivative that invokes the function once more, for nothing."""
    return find_triggered(Context(rule_sets), triggers)
