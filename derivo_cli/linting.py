"""Everything that can be said of a folder of rule sets before anything runs: faults, proofs, examples, triggers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from derivo import keys
from derivo.ci import texts
from derivo.ci.tree import Rule
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.plan import MANIFEST, plan
from derivo.rulesets import ERROR, Derivative, Example, Fault, Loaded, RuleSet, Where
from derivo_cli import proof, serverless

# Where a rule set names no bucket, its examples are of this one.
EXAMPLE_BUCKET = "examples-1250000000"
EXAMPLE_REGION = "ap-guangzhou"


def lint(loaded: Loaded, deployment: serverless.Deployment | None = None) -> tuple[Fault, ...]:
    """All findings about these rule sets, in the order of files and lines.

    The proofs and the examples run over the rule sets that could be read, also when another file is broken.
    """
    found = [*loaded.faults, *_proved(loaded.rule_sets, deployment), *_examples(loaded.rule_sets)]
    return tuple(sorted(found, key=lambda fault: (fault.where.file, fault.where.line, fault.where.column, fault.code)))


def _proved(rule_sets: tuple[RuleSet, ...], deployment: serverless.Deployment | None) -> Iterator[Fault]:
    rule_sets = tuple(with_all_it_writes(rule_set) for rule_set in rule_sets)
    findings = proof.prove(rule_sets)
    if deployment is not None:
        findings += proof.trigger_findings(rule_sets, [_trigger(trigger) for trigger in deployment.triggers])
    for finding in findings:
        yield _fault(
            finding.code,
            f"{finding.rule_set}/{finding.derivative}: {finding.message}",
            finding.where,
            level=finding.level,
            mend=finding.mend or None,
            notes=tuple(str(step) for step in finding.witness),
        )


def with_all_it_writes(rule_set: RuleSet) -> RuleSet:
    """The rule set with its manifest and its failure records among the derivatives: they are written like them."""
    others = {MANIFEST: rule_set.manifest}
    if rule_set.on_failure is not None:
        others["failure-record"] = keys.parse(rule_set.on_failure + "{path}.json")
    where = rule_set.where
    more = [
        Derivative(name=name, to=to, rule=Rule(()), spec="", where=where, rule_where=where)
        for name, to in others.items()
        if to is not None
    ]
    return msgspec.structs.replace(rule_set, derivatives=(*rule_set.derivatives, *more))


def _trigger(trigger: serverless.CosTrigger) -> proof.Trigger:
    # the bucket is mostly a variable in serverless.yml, so every trigger is held against every output
    return proof.Trigger(bucket=None, prefix=trigger.prefix, suffix=trigger.suffix)


def _examples(rule_sets: tuple[RuleSet, ...]) -> Iterator[Fault]:
    index = RuleSetIndex(rule_sets)
    for rule_set in rule_sets:
        for example in rule_set.examples:
            source = Source(bucket=rule_set.bucket or EXAMPLE_BUCKET, region=EXAMPLE_REGION, key=example.key)
            made = plan(source, index)
            actual = [item.key for item in made.derivatives if item.rule_set == rule_set.name]
            difference = tuple(_difference(example, actual))
            if difference:
                reasons = [
                    f"{item.derivative.name} cannot be made: {item.detail}"
                    for item in made.blocked
                    if item.derivative.rule_set == rule_set.name
                ]
                yield _fault(
                    "EX101",
                    f"example {texts.quoted(example.key)} does not hold: {_counted(difference)}",
                    example.where,
                    notes=(*difference, *reasons),
                    mend="correct the example or the rule set; - is expected, + is what the plan gives",
                )


def _counted(difference: tuple[str, ...]) -> str:
    missing = sum(line.startswith("-") for line in difference)
    counts = {"expected and not made": missing, "made and not expected": len(difference) - missing}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _difference(example: Example, actual: list[str]) -> Iterator[str]:
    for line in difflib.ndiff(sorted(example.expected), sorted(actual)):
        if line[0] in "-+":
            yield line


def _fault(
    code: str, message: str, where: Where, *, level: str = ERROR, mend: str | None = None, notes: tuple[str, ...] = ()
) -> Fault:
    return Fault(
        code=code, level=level, message=message, where=where, mend=mend, notes=notes, source_line=_line_of(where)
    )


def _line_of(where: Where) -> str:
    try:
        lines = Path(where.file).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return lines[where.line - 1] if 0 < where.line <= len(lines) else ""


def as_json(faults: Iterable[Fault]) -> str:
    """One JSON array; members as in Fault."""
    return msgspec.json.format(msgspec.json.encode(list(faults)), indent=2).decode()


def as_github(fault: Fault) -> str:
    """A workflow command, which GitHub shows at the line in question."""
    kind = "error" if fault.level == ERROR else "warning"
    text = "\n".join([fault.message, *fault.notes, *([f"mend: {fault.mend}"] if fault.mend else [])])
    where = fault.where
    place = f"file={_property(where.file)},line={where.line},col={where.column},title={fault.code}"
    return f"::{kind} {place}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
