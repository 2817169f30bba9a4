"""(source, rule sets) -> plan. Pure: the event handler, the upload helper, the backfill and `explain` all call it."""

from __future__ import annotations

import msgspec

from derivo.events import Source

MAX_RULES = 5


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A derivative that a source should have. `key` has no leading slash; `rule` is the text sent to CI."""

    rule_set: str
    name: str
    bucket: str
    key: str
    rule: str
    spec: str


class ProcessRequest(msgspec.Struct, frozen=True):
    """One `image_process` call: five derivatives at most."""

    derivatives: tuple[Planned, ...]
    pic_operations: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a source should have. `digest` changes when any derivative, its key or its rule does."""

    source: Source
    derivatives: tuple[Planned, ...]
    requests: tuple[ProcessRequest, ...]
    digest: str
