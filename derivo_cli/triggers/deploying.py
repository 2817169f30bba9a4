"""Which triggers serverless.yml should have: the rule sets', in the buckets that it deploys for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from derivo.rulesets import RuleSet
from derivo_cli import variables
from derivo_cli.linting import with_all_it_writes
from derivo_cli.serverless import CosTrigger, Deployment, TimerTrigger
from derivo_cli.triggers.choosing import Choice, Impossible, Place, choose

REGION = "${env:DERIVO_REGION}"
BUCKET = "${env:DERIVO_BUCKET}"
SWEEP_HOURS = "DERIVO_SWEEP_HOURS"
_SWEEP_CRON = "0 */10 * * * * *"


@dataclass(frozen=True)
class Wanted:
    """The triggers as entries of serverless.yml, the timers to add to it, and how they came about: the buckets, each
    with the rule sets (by number) that apply there."""

    triggers: tuple[CosTrigger, ...]
    timers: tuple[TimerTrigger, ...]
    choice: Choice
    places: Mapping[Place, Sequence[int]]


def wanted(
    deployment: Deployment, rule_sets: Sequence[RuleSet], environ: Mapping[str, str], buckets: Sequence[str] = ()
) -> Wanted:
    """The triggers for these rule sets, proved free of loops and collisions. `buckets` (NAME-APPID) are those where the
    rule sets apply that name none; by default the file's own. Raises Impossible."""
    sets = [with_all_it_writes(rule_set) for rule_set in rule_sets]
    general, places = _places(deployment, sets, environ, buckets)
    choice = choose(sets, list(places.items()))
    for trigger in choice.triggers:
        for text in (trigger.prefix, trigger.suffix):
            if variables.has_variable(text):
                raise Impossible(
                    f"{text!r} reads like a variable of serverless.yml, and would be replaced (SCF 5.5)",
                    "choose a prefix without `${...}`",
                )
    return Wanted(
        tuple(CosTrigger(t.place.domain, t.prefix, t.suffix, t.event, True) for t in choice.triggers),
        tuple(_timers(deployment, [place for place in general if places[place]])),
        choice,
        places,
    )


def _timers(deployment: Deployment, general: Sequence[Place]) -> Iterator[TimerTrigger]:
    """Where the settings ask for self-healing and no timer calls for it, one for each bucket: a slice every ten
    minutes; how far apart rounds are, the setting says."""
    if deployment.timers or SWEEP_HOURS not in deployment.variables:
        return
    for number, place in enumerate(general, 1):
        message = f"cos://{place.domain.partition('.cos.')[0]}/"
        yield TimerTrigger("sweep" if number == 1 else f"sweep-{number}", _SWEEP_CRON, message, True)


def _places(
    deployment: Deployment, rule_sets: Sequence[RuleSet], environ: Mapping[str, str], buckets: Sequence[str]
) -> tuple[list[Place], dict[Place, list[int]]]:
    """The buckets where those rule sets apply that name none: the file's own, but for those that others name, as long
    as there is another. And all buckets, each with the rule sets that apply there."""
    region = str(deployment.inputs.get("region") or REGION)
    values = variables.Values(deployment, environ)
    named = {rule_set.bucket for rule_set in rule_sets if rule_set.bucket is not None}

    def place(domain: str) -> Place:
        name = values.of(domain).partition(".cos.")[0]
        return Place(domain, None if variables.has_variable(name) else name)

    own = [place(domain) for domain in dict.fromkeys(trigger.bucket for trigger in deployment.triggers) if domain]
    if buckets:
        general = [place(_domain(name, region)) for name in dict.fromkeys(buckets)]
    else:
        general = [each for each in own if each.name not in named] or own or [place(_domain(BUCKET, region))]
    every = {each.name or each.domain: each for each in general}
    for name in sorted(named):
        every.setdefault(name, next((each for each in own if each.name == name), place(_domain(name, region))))
    return general, {
        each: [i for i, r in enumerate(rule_sets) if r.bucket == each.name or (r.bucket is None and each in general)]
        for each in every.values()
    }


def _domain(bucket: str, region: str) -> str:
    return f"{bucket}.cos.{region}.myqcloud.com"
