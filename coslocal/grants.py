"""Access control lists as they are stored, and what they let an anonymous request do."""

from __future__ import annotations

import json
from typing import NamedTuple

from coslocal.storage.types import Store

ALL_USERS = "http://cam.qcloud.com/groups/global/AllUsers"
ANYONE = "qcs::cam::anyone:anyone"  # the same, as an id


class Grant(NamedTuple):
    """`kind` is id or uri."""

    kind: str
    grantee: str
    permission: str


def grants_of(store: Store, bucket: str, key: str) -> list[Grant] | None:
    """The grants on an object, or with key "" on a bucket; None for an object that inherits its bucket's."""
    value = store.configuration(bucket, key, "acl")
    return None if value is None else [Grant(*grant) for grant in json.loads(value)]


def lets_anyone(store: Store, bucket: str, key: str, permission: str) -> bool:
    """Whether an anonymous request has READ or WRITE: by the object's own list, else by the bucket's."""
    grants = grants_of(store, bucket, key) if key else None
    if grants is None:
        grants = grants_of(store, bucket, "") or []
    return any(
        grant.grantee in (ALL_USERS, ANYONE) and grant.permission in (permission, "FULL_CONTROL") for grant in grants
    )
