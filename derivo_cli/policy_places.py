"""Where a deployment's function reads and writes: what serverless.yml tells for derivo_cli/policy.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from derivo.rulesets import RuleSet
from derivo_cli import variables
from derivo_cli.linting import with_all_it_writes
from derivo_cli.policy import Deployed, Place
from derivo_cli.proof import literals
from derivo_cli.proof.automaton import TooComplex
from derivo_cli.proof.context import Context
from derivo_cli.proof.triggers import Trigger, fired
from derivo_cli.serverless import Deployment
from derivo_cli.triggers.choosing import Chosen
from derivo_cli.triggers.deploying import REGION, wanted

_FILEIDS = ("DERIVO_FILEID_ENCODING", "DERIVO_FILEID_PATH")


class Unknown(ValueError):
    """A bucket or the region has no value yet; the message says which variable, and what to do."""


def deployed(
    deployment: Deployment,
    rule_sets: Sequence[RuleSet],
    environ: Mapping[str, str],
    *,
    buckets: Sequence[str] = (),
    region: str | None = None,
    posts: bool = False,
) -> Deployed:
    """Raises Unknown, and Impossible where there are no triggers for these rule sets."""
    found = wanted(deployment, rule_sets, environ, buckets)
    values = variables.Values(deployment, environ)
    where = region or values.of(str(deployment.inputs.get("region") or REGION))
    if variables.has_variable(where):
        raise Unknown(f"the region {where} has no value: set the variable, or give --region")
    for place in found.places:
        if place.name is None:
            raise Unknown(f"the bucket {place.domain} has no value: set the variable, or give --bucket NAME-APPID")
    return Deployed(
        region=where,
        buckets=[
            [place.name for place, at in found.places.items() if place.name and i in at]
            for i, _ in enumerate(rule_sets)
        ],
        triggers=_untouched(rule_sets, found.choice.triggers),
        sweeps=bool(deployment.timers or found.timers),
        asks=not all(deployment.variables.get(name) for name in _FILEIDS),
        posts=posts,
    )


def _untouched(rule_sets: Sequence[RuleSet], triggers: Iterable[Chosen]) -> list[Place]:
    """The trigger prefixes under which no output can lie, by proof: writes there may be denied."""
    context = Context([with_all_it_writes(rule_set) for rule_set in rule_sets])
    heads = literals.Heads(output.head for output in context.outputs)
    found = []
    for chosen in dict.fromkeys(trigger._replace(event="") for trigger in triggers if not trigger.suffix):
        asked = Trigger(chosen.place.name, chosen.prefix, "")
        try:
            touching = any(
                fired(context, context.outputs[number], asked, wanted=True) for number in heads.meeting(chosen.prefix)
            )
        except TooComplex:
            continue
        if not touching and chosen.place.name is not None:
            found.append(Place(chosen.place.name, chosen.prefix))
    return found
