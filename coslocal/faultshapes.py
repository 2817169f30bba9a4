"""What can be made to go wrong: one shape for each effect, the same in Python and as JSON.

Every fault has a `where` (operation, bucket, key prefix) and a `when` (the nth occasion, a probability, so many times);
the class says what happens. Faults of requests act on the answer, faults of events on what the listeners are told.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from coslocal.wire import errors

Moment = Literal["before", "after"]
Seconds = Annotated[float, Meta(ge=0, le=3600)]
_Count = Annotated[int, Meta(ge=1)]


class FaultError(ValueError):
    """A fault that cannot be: one line saying what is wrong, and where."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="effect"):
    """`operation` is a name of the routing table (several: a list; any: `*`), `bucket` a whole name or `*`.

    Of the occasions that fit, the fault takes the `nth` (from 1; None any), each with `probability`, at most `times`.
    """

    operation: str | list[str] = "*"
    bucket: str = "*"
    prefix: str = ""
    nth: _Count | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    times: _Count | None = None

    @property
    def effect(self) -> str:
        return str(self.__struct_config__.tag)

    def operations(self) -> list[str]:
        return [self.operation] if isinstance(self.operation, str) else self.operation


# -- of requests


class Error(Fault, frozen=True, kw_only=True, tag="error"):
    """The answer is this error. `after`: once the effect stands. `status` and `message` are those of the code."""

    code: str = "InternalError"
    status: Annotated[int, Meta(ge=300, le=599)] | None = None
    message: str | None = None
    when: Moment = "before"


class Throttle(Fault, frozen=True, kw_only=True, tag="throttle"):
    """503 SlowDown, before the effect."""


class Latency(Fault, frozen=True, kw_only=True, tag="latency"):
    """The request waits, in addition to whatever else befalls it."""

    seconds: Seconds
    when: Moment = "before"


class Reset(Fault, frozen=True, kw_only=True, tag="reset"):
    """The connection is reset without an answer."""

    when: Moment = "before"


class Truncate(Fault, frozen=True, kw_only=True, tag="truncate"):
    """Only the first `bytes` of the answer's body come (None: half), then the connection ends.

    `clean`: Content-Length tells the shortened size, so that nothing but the content shows it.
    """

    bytes: Annotated[int, Meta(ge=0)] | None = None
    clean: bool = False


class Replace(Fault, frozen=True, kw_only=True, tag="replace"):
    """Another answer: by default the page that a proxy in between would send. `body` "" is an empty answer."""

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    body: str = "<html><head><title>Gateway</title></head><body>The service is being maintained.</body></html>"
    content_type: Annotated[str, Meta(pattern=r"^[ -~]+$")] = "text/html"
    when: Moment = "after"


class Partial(Fault, frozen=True, kw_only=True, tag="partial"):
    """Of a request's Pic-Operations the `rule`-th (from 1; None any) goes wrong.

    `fail`: it fails with `code` (the dialect partial-failure says what that means), `omit`: it is neither stored nor in
    the answer, `unlisted`: stored, but not in the answer, `unwritten`: in the answer, but not stored.
    """

    rule: Annotated[int, Meta(ge=1, le=5)] | None = None
    how: Literal["fail", "omit", "unlisted", "unwritten"] = "fail"
    code: str = "InvalidImageSource"


# -- of events


class EventFault(Fault, frozen=True, kw_only=True):
    """`event` is a concrete name, or one that ends in `*`."""

    event: str = "*"


class Duplicate(EventFault, frozen=True, kw_only=True, tag="duplicate"):
    """The event comes `copies` times more."""

    copies: Annotated[int, Meta(ge=1, le=100)] = 1


class Delay(EventFault, frozen=True, kw_only=True, tag="delay"):
    """The event comes after so many seconds of the app's clock, or when the held ones are released."""

    seconds: Seconds


class Reorder(EventFault, frozen=True, kw_only=True, tag="reorder"):
    """The event comes once `behind` later ones have come, at the latest after so many seconds."""

    behind: Annotated[int, Meta(ge=1, le=1000)] = 1
    seconds: Seconds = 5.0


class Lose(EventFault, frozen=True, kw_only=True, tag="lose"):
    """The event never comes."""


AnyFault = Error | Throttle | Latency | Reset | Truncate | Replace | Partial | Duplicate | Delay | Reorder | Lose
EFFECTS: Mapping[str, type[Fault]] = {str(kind.__struct_config__.tag): kind for kind in AnyFault.__args__}


def _statuses() -> dict[str, int]:
    """The HTTP status of each code that is known here."""
    # CI 9.1; ServiceUnavailable is COS's own.
    known = {
        "InvalidImageFormat": 400, "InvalidImageSource": 400, "ImageTooLarge": 400, "ImageResolutionExceed": 400,
        "NoProcessAuthority": 403, "ServiceUnavailable": 503,
    }  # fmt: skip
    kinds = [errors.CosError]
    while kinds:
        kind = kinds.pop()
        known[kind.code] = kind.status
        kinds += kind.__subclasses__()
    return known


STATUSES: Mapping[str, int] = _statuses()


def read(value: Any, operations: frozenset[str]) -> AnyFault:
    """A fault from a JSON object's members; `operations` are the names there are (none: any). Raises FaultError."""
    if not isinstance(value, Mapping):
        raise FaultError('a fault is an object such as {"effect": "error", "code": "SlowDown"}')
    effect = value.get("effect")
    if not isinstance(effect, str) or effect not in EFFECTS:
        raise FaultError(f"effect must be one of {', '.join(EFFECTS)}{_meant(effect, EFFECTS)}, not {effect!r}")
    try:
        fault: AnyFault = msgspec.convert(value, AnyFault)
    except msgspec.ValidationError as error:
        raise FaultError(f"{effect}: {error}{_fields(EFFECTS[effect], str(error))}") from None
    for name in fault.operations():
        if name != "*" and operations and name not in operations:
            raise FaultError(f"{effect}: there is no operation {name!r}{_meant(name, operations)}")
    if isinstance(fault, Error) and fault.status is None and fault.code not in STATUSES:
        raise FaultError(f"error: {fault.code} is not known here: give its status too{_meant(fault.code, STATUSES)}")
    return fault


def _fields(kind: type[Fault], complaint: str) -> str:
    return f"; it takes {', '.join(kind.__struct_fields__)}" if "unknown field" in complaint else ""


def _meant(name: object, known: Any) -> str:
    near = difflib.get_close_matches(str(name), [str(item) for item in known], 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def status_of(code: str, given: int | None) -> int:
    return given if given is not None else STATUSES.get(code, 500)


def written(fault: Fault) -> dict[str, Any]:
    """A fault as the members of a JSON object, all of them."""
    value: dict[str, Any] = msgspec.to_builtins(fault)
    return value
