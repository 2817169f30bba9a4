"""Which triggers serverless.yml should have: the rule sets', in the buckets that it deploys for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derivo.rulesets import RuleSet
from derivo_cli import variables
from derivo_cli.linting import with_all_it_writes
from derivo_cli.serverless import CosTrigger, Deployment
from derivo_cli.triggers.choosing import Choice, Impossible, Place, choose

REGION = "${env:DERIVO_REGION}"
BUCKET = "${env:DERIVO_BUCKET}"


@dataclass(frozen=True)
class Wanted:
    """The triggers as entries of serverless.yml, and how they came about."""

    triggers: tuple[CosTrigger, ...]
    choice: Choice


def wanted(
    deployment: Deployment, rule_sets: Sequence[RuleSet], environ: Mapping[str, str], buckets: Sequence[str] = ()
) -> Wanted:
    """The triggers for these rule sets, proved free of loops and collisions. `buckets` (NAME-APPID) are those where the
    rule sets apply that name none; by default the file's own. Raises Impossible."""
    sets = [with_all_it_writes(rule_set) for rule_set in rule_sets]
    choice = choose(sets, _places(deployment, sets, environ, buckets))
    for trigger in choice.triggers:
        for text in (trigger.prefix, trigger.suffix):
            if variables.has_variable(text):
                raise Impossible(
                    f"{text!r} reads like a variable of serverless.yml, and would be replaced (SCF 5.5)",
                    "choose a prefix without `${...}`",
                )
    return Wanted(tuple(CosTrigger(t.place.domain, t.prefix, t.suffix, t.event, True) for t in choice.triggers), choice)


def _places(
    deployment: Deployment, rule_sets: Sequence[RuleSet], environ: Mapping[str, str], buckets: Sequence[str]
) -> list[tuple[Place, list[int]]]:
    """Each bucket with the rule sets that apply there. The file's own buckets are where those apply that name none, but
    for the ones that others name, as long as there is another."""
    region = str(deployment.inputs.get("region") or REGION)
    values = variables.Values(deployment, environ)
    named = {rule_set.bucket for rule_set in rule_sets if rule_set.bucket is not None}

    def place(domain: str) -> Place:
        known = values.of(domain)
        return Place(domain, None if variables.has_variable(known) else known.partition(".cos.")[0])

    own = [place(domain) for domain in dict.fromkeys(trigger.bucket for trigger in deployment.triggers) if domain]
    if buckets:
        general = [place(_domain(name, region)) for name in dict.fromkeys(buckets)]
    else:
        general = [each for each in own if each.name not in named] or own or [place(_domain(BUCKET, region))]
    places = {each.name or each.domain: each for each in general}
    for name in sorted(named):
        places.setdefault(name, next((each for each in own if each.name == name), place(_domain(name, region))))
    found = []
    for each in places.values():
        at = [i for i, r in enumerate(rule_sets) if r.bucket == each.name or (r.bucket is None and each in general)]
        found.append((each, at))
    return found


def _domain(bucket: str, region: str) -> str:
    return f"{bucket}.cos.{region}.myqcloud.com"
