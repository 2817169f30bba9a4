"""The rights of a schedule's function: what `derivo policy` prints for its rule sets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from coslocal.cam.policy import CamPolicy, understood
from derivo_cli import policy, policy_places
from derivo_cli.serverless import Deployment, TimerTrigger
from tests.chaos import worlds


def rights(shape: str, dialects: Mapping[str, str], *, sweeps: bool = False) -> CamPolicy:
    """The policy for the rule sets of a shape; where this COS wants PostObject on sources, with that; `sweeps`: with a
    timer."""
    return _rights(shape, dialects.get("image-process-rights") == "post-source", sweeps)


@cache
def _rights(shape: str, posts: bool, sweeps: bool) -> CamPolicy:
    rule_sets = worlds.index(shape).considered
    timers = (TimerTrigger("heal", "0 0 3 * * * *", f"cos://{worlds.BUCKET}/", True),) if sweeps else ()
    deployed = policy_places.deployed(
        Deployment({}, (), timers), rule_sets, {}, buckets=[worlds.BUCKET], region=worlds.REGION, posts=posts
    )
    return understood(policy.document(policy.statements(rule_sets, deployed), worlds.REGION))
