"""COS triggers: which event reaches which function (SCF 1.4, 1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from coslocal.events import ObjectEvent

EVENTS: tuple[str, ...] = (
    "cos:ObjectCreated:*",
    "cos:ObjectCreated:Put",
    "cos:ObjectCreated:Post",
    "cos:ObjectCreated:Copy",
    "cos:ObjectCreated:CompleteMultipartUpload",
    "cos:ObjectCreated:Origin",
    "cos:ObjectCreated:Replication",
    "cos:ObjectRemove:*",
    "cos:ObjectRemove:Delete",
    "cos:ObjectRemove:DeleteMarkerCreated",
    "cos:ObjectRestore:Post",
    "cos:ObjectRestore:Completed",
)
"""What a trigger may name (SCF 1.4)."""

MOST_PER_FUNCTION = 10
"""COS triggers of one function (SCF 1.5, quota of 2025-10-16)."""

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?-[0-9]+\Z")
_FIELD = re.compile(r"(?:\A|,)(bucket|prefix|suffix|event)=")
_FORM = "bucket=NAME-APPID[,prefix=TEXT][,suffix=.EXT][,event=cos:ObjectCreated:*]"


class TriggerError(ValueError):
    """A trigger, or a set of them, that the platform would refuse."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Events named `event` on keys of `bucket` (`<name>-<appid>`) that begin with `prefix` and end with `suffix` go to
    the function named `function`, to its version or alias `qualifier`, unless it is not `enabled`. One prefix, one
    suffix, compared literally (SCF 1.5). Raises TriggerError."""

    bucket: str
    function: str
    event: str = "cos:ObjectCreated:*"
    prefix: str = ""
    suffix: str = ""
    qualifier: str = "$DEFAULT"
    enabled: bool = True

    def __post_init__(self) -> None:
        if not _BUCKET.match(self.bucket):
            raise TriggerError(
                f"trigger: {self.bucket!r} is no bucket name; write NAME-APPID, such as photos-1250000000"
            )
        if self.event not in EVENTS:
            raise TriggerError(
                f"trigger on {self.bucket}: there is no event {self.event!r}; use one of {', '.join(EVENTS)}"
            )
        if self.suffix and not self.suffix.startswith("."):
            raise TriggerError(
                f"trigger on {self.bucket}: the suffix {self.suffix!r} has to begin with a dot, such as .jpg (SCF 1.5)"
            )

    def __str__(self) -> str:
        return f"bucket={self.bucket},prefix={self.prefix},suffix={self.suffix},event={self.event}"

    def matches(self, event: ObjectEvent, *, any_case: bool = False) -> bool:
        """True when this trigger sends the event to its function. `any_case`: whatever the case of the suffix."""
        ending = event.key[len(event.key) - len(self.suffix) :] if len(event.key) >= len(self.suffix) else ""
        suffix_fits = ending == self.suffix or (any_case and ending.lower() == self.suffix.lower())
        return (
            self.enabled
            and event.bucket == self.bucket
            and _names_overlap(event.name, self.event)
            and event.key.startswith(self.prefix)
            and suffix_fits
        )

    def overlaps(self, other: Trigger) -> bool:
        """True when one event could belong to both: the platform refuses such a pair (SCF 1.5)."""
        return (
            self.bucket == other.bucket
            and _names_overlap(self.event, other.event)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )


def _names_overlap(one: str, other: str) -> bool:
    if one.endswith(":*"):
        return other.startswith(one[:-1])
    if other.endswith(":*"):
        return one.startswith(other[:-1])
    return one == other


def parse(text: str, *, function: str) -> Trigger:
    """A trigger from its command-line form `bucket=photos-1250000000,prefix=in/,suffix=.jpg,event=cos:ObjectCreated:*`.

    A comma or `=` inside a value stands for itself, unless it reads like the next field. Raises TriggerError.
    """
    marks = list(_FIELD.finditer(text))
    if not marks or marks[0].start() != 0:
        raise TriggerError(f"trigger {text!r} is not of the form {_FORM}")
    fields: dict[str, str] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        name = mark.group(1)
        if name in fields:
            raise TriggerError(
                f"trigger {text!r} gives {name} twice; a trigger has one (SCF 1.5), so write two triggers"
            )
        fields[name] = text[mark.end() : following.start() if following else len(text)]
    if "bucket" not in fields:
        raise TriggerError(f"trigger {text!r} names no bucket; the form is {_FORM}")
    return Trigger(
        function=function, bucket=fields["bucket"], event=fields.get("event", "cos:ObjectCreated:*"),
        prefix=fields.get("prefix", ""), suffix=fields.get("suffix", ""),
    )  # fmt: skip


def check(triggers: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """The triggers, when the platform would accept them all together: no overlap, at most ten a function (SCF 1.5).

    Raises TriggerError naming the two that collide.
    """
    bound = tuple(triggers)
    for one, other in combinations(bound, 2):
        if one.overlaps(other):
            raise TriggerError(
                f"triggers overlap, and one event may reach only one function (SCF 1.5): {one} and {other};"
                " make their prefixes, suffixes or events disjoint"
            )
    for name in {trigger.function for trigger in bound}:
        count = sum(trigger.function == name for trigger in bound)
        if count > MOST_PER_FUNCTION:
            raise TriggerError(
                f"function {name} has {count} triggers; the platform allows {MOST_PER_FUNCTION} (SCF 1.5)"
            )
    return bound
