"""SCF event -> sources. All that is odd about the event is handled here and nowhere else (reference: SCF 1)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An image object that was created.

    `bucket` is `<name>-<appid>`, `region` the full name (`ap-guangzhou`), `key` the object key exactly as COS has it,
    without a leading slash of our own. `other_key` is set only when the event leaves it open how its key was encoded:
    it is the other reading, to be tried when `key` does not exist. `size` is in bytes; `etag` has no quotes; `meta` has
    lower-case names. Unknown values are None.
    """

    bucket: str
    region: str
    key: str
    other_key: Optional[str] = None
    size: Optional[int] = None
    etag: Optional[str] = None
    version_id: str = ""
    event_name: str = ""
    event_time: Optional[int] = None
    request_id: str = ""
    meta: Mapping[str, str] = msgspec.field(default_factory=dict)


class Unusable(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is no source: `reason` is a stable word (`folder_marker`, `empty_object`, `malformed_record`, ...),
    `permanent_error` tells whether it is a failure to report or just nothing to do."""

    reason: str
    detail: str = ""
    key: str = ""
    bucket: str = ""
    permanent_error: bool = False


class EventError(ValueError):
    """The event as a whole is not one of COS's."""


def sources(event: Any, *, default_region: Optional[str] = None) -> list[Source | Unusable]:
    """Every record of the event, in order, as a Source or as the reason why it is none.

    Accepts a COS event, a dead-letter envelope (its `Body.ClientContext`), and a synthetic event made by Derivo.
    Raises EventError when the event is none of these.
    """
    raise EventError("not built yet")
