"""Who may do what: keys that a policy is bound to are held to it, all others own everything."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

from coslocal.cam import actions
from coslocal.cam.policy import CamPolicy, Decision
from coslocal.grants import lets_anyone
from coslocal.storage.types import Store
from coslocal.wire.errors import AccessDenied


class Keys(NamedTuple):
    """Temporary keys, as a role gives them."""

    secret_id: str
    secret_key: str
    token: str


def new_keys() -> Keys:
    return Keys(f"AKIDrole{secrets.token_hex(12)}", secrets.token_hex(20), secrets.token_hex(20))


class Guard:
    """Policies by access key id. `region_of` tells where a bucket stands, or would."""

    def __init__(self, store: Store, region_of: Callable[[str], str]) -> None:
        self._store = store
        self._region_of = region_of
        self.policies: dict[str, CamPolicy] = {}

    def check(self, principal: str | None, action: str, bucket: str, key: str, *, anyone: str = "") -> None:
        """Raises AccessDenied. `anyone` is READ or WRITE where an ACL that grants it to everybody does as well; who is
        nobody at all, None, has been judged by the ACL alone."""
        policy = self.policies.get(principal) if principal is not None else None
        if policy is None:
            return
        decision = policy.decide(action, actions.resource(action, self._region_of(bucket), bucket, key))
        if decision is Decision.SILENT and anyone in ("READ", "WRITE"):
            decision = Decision.ALLOW if lets_anyone(self._store, bucket, key, anyone) else decision
        if decision is not Decision.ALLOW:
            raise AccessDenied
