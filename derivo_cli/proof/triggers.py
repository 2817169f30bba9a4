"""The COS triggers of a deployment against what the rule sets write: an invocation that finds nothing to do costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from derivo.globs import Deep, Literal
from derivo.matching import lower_ascii
from derivo_cli.proof import literals
from derivo_cli.proof.automaton import TooComplex
from derivo_cli.proof.context import Context, Output
from derivo_cli.proof.findings import WARNING, Finding
from derivo_cli.proof.patterns import Folded
from derivo_cli.proof.pullback import PullBack


@dataclass(frozen=True)
class Trigger:
    """A COS trigger: objects created in `bucket` (None: any) whose keys begin with `prefix` and end in `suffix`, letter
    case as written, or with `any_case` whatever a suffix's is: that it counts is not documented (SCF 1.5)."""

    bucket: str | None
    prefix: str
    suffix: str
    any_case: bool = False


def find_triggered(context: Context, triggers: Sequence[Trigger]) -> list[Finding]:
    """A warning for each output that fires a trigger though no rule set's filters want it."""
    findings = []
    for output in context.outputs:
        for trigger in triggers:
            try:
                finding = fired(context, output, trigger)
            except TooComplex:
                continue  # a warning that takes too long is none; what is an error, the loop proof tells
            if finding is not None:
                findings.append(finding)
                break
    return findings


def fired(context: Context, output: Output, trigger: Trigger, *, wanted: bool = False) -> Finding | None:
    """The warning for one output and one trigger, None when it never fires it for nothing; with `wanted`, never fires
    it at all. Raises TooComplex."""
    bucket = context.bucket(output)
    tail = lower_ascii(trigger.suffix)
    if not (
        (trigger.bucket is None or bucket in (None, trigger.bucket))
        and (output.head.startswith(trigger.prefix) or trigger.prefix.startswith(output.head))
        and literals.tails_meet(output.tails, [tail])
    ):
        return None
    here = bucket or trigger.bucket
    wanting = [
        at
        for at in context.leads_to(output)
        if not wanted and context.rule_sets[at].derivatives and context.rule_sets[at].bucket in (None, here)
    ]
    ending = Folded(trigger.suffix) if trigger.any_case else Literal(trigger.suffix)
    groups = (((Literal(trigger.prefix), Deep()),), ((Deep(), ending),))
    target = context.languages.unwanted(groups, tuple(wanting))
    source = context.rule_sets[output.rule_set].bucket or (None if output.derivative.bucket else trigger.bucket)
    key = context.source(output, PullBack(context.sources(output, source), target))
    if key is None:
        return None
    size = next(context.sizes([output.rule_set], source, key))
    step = context.step(output, source, key, size=size)
    message = f"{step.derivative_key} fires the trigger `{trigger.prefix}*{trigger.suffix}` though no rule set wants it"
    mend = "each derivative costs one useless invocation: write it outside the trigger's prefix, or without its suffix"
    return replace(context.finding("PF401", output, message, mend, [step]), level=WARNING)
