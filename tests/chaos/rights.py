"""The rights of a schedule's function: what `derivo policy` prints for its rule sets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from coslocal.cam.policy import CamPolicy, understood
from derivo_cli import policy, policy_places
from derivo_cli.serverless import Deployment
from tests.chaos import worlds


def rights(shape: str, dialects: Mapping[str, str]) -> CamPolicy:
    """The policy for the rule sets of a shape; where this COS wants PostObject on sources, with that."""
    return _rights(shape, dialects.get("image-process-rights") == "post-source")


@cache
def _rights(shape: str, posts: bool) -> CamPolicy:
    rule_sets = worlds.index(shape).considered
    deployed = policy_places.deployed(
        Deployment({}, ()), rule_sets, {}, buckets=[worlds.BUCKET], region=worlds.REGION, posts=posts
    )
    return understood(policy.document(policy.statements(rule_sets, deployed), worlds.REGION))
