"""What is deployed, in values: as serverless.yml wants it and as the platform tells it, so that the two compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import floor
from pathlib import Path

from derivo.ci import limits
from derivo_cli.reconcile.pace import SHARE
from derivo_cli.serverless import CosTrigger, overlap

LATEST = "$LATEST"
DEFAULT = "$DEFAULT"
OWN_VARIABLES = "DERIVO_"
"""Variables of these names belong to serverless.yml: one that it does not name is removed; others are left."""


@dataclass(frozen=True)
class Kind:
    """What an update cannot change (SCF 5.4): another one is another function."""

    type: str
    runtime: str
    handler: str


@dataclass(frozen=True)
class DeadLetter:
    """Where events go that were given up (SCF 3.3)."""

    type: str
    name: str
    filter: str = ""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What can be updated, and goes with a version. `memory` in MB, times in seconds; None of `init_timeout`, `log` and
    `dead_letter` in what is wanted: left as it is."""

    description: str
    memory: int
    timeout: int
    role: str
    public: bool
    variables: Mapping[str, str] = field(repr=False)
    init_timeout: int | None = None
    dead_letter: DeadLetter | None = None
    log: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One trigger. `kind` is cos, where `name` is the bucket's domain, or timer; `detail` and `prefix`, `suffix` are
    the event and its filter, or the cron; `message` is a timer's."""

    kind: str
    name: str
    detail: str
    prefix: str = ""
    suffix: str = ""
    message: str = ""
    qualifier: str = DEFAULT
    enabled: bool = True

    def __str__(self) -> str:
        if self.kind == "timer":
            text = f"timer {self.name}: {self.detail}" + (f" with the message {self.message!r}" if self.message else "")
        else:
            text = f"cos {self.name.partition('.cos.')[0]}: {self.detail} below {self.prefix!r}"
            text += f", ending {self.suffix}" if self.suffix else ""
        return (
            text
            + ("" if self.enabled else ", closed")
            + (f", to {self.qualifier}" if self.qualifier != DEFAULT else "")
        )

    def overlaps(self, other: Trigger) -> bool:
        """Whether the platform would refuse both at once (SCF 1.5)."""
        if self.kind != other.kind or self.kind == "timer":
            return (self.kind, self.name) == (other.kind, other.name)
        return overlap(self._written(), other._written())

    def _written(self) -> CosTrigger:
        return CosTrigger(self.name, self.prefix, self.suffix, self.detail, self.enabled)


@dataclass(frozen=True)
class Retries:
    """Of asynchronous events: attempts after a failed one, and the age in seconds at which an event is given up."""

    times: int
    max_age: int


@dataclass(frozen=True, kw_only=True)
class Reserve:
    """The reserved concurrency: as many runs at once as keep below the region's limit of processing calls."""

    region: str
    call_seconds: float
    memory: int

    @property
    def runs(self) -> int:
        limit = limits.processing_qps(self.region)
        account = limits.CONCURRENCY_MB if limit == limits.QPS_CLOUD else limits.CONCURRENCY_ABROAD_MB
        room = (account - limits.UNRESERVED_MB) // self.memory
        return max(1, min(room, floor(limit * SHARE * self.call_seconds)))

    @property
    def megabytes(self) -> int:
        return self.runs * self.memory

    def __str__(self) -> str:
        """The arithmetic."""
        return (
            f"{limits.processing_qps(self.region)} calls/s in {self.region} x {SHARE:g} x {self.call_seconds:g} s a "
            f"call = {self.runs} runs at once x {self.memory} MB"
        )


@dataclass(frozen=True)
class Package:
    """The zip to deploy."""

    path: Path
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Address:
    """Which function it is about."""

    name: str
    namespace: str
    region: str

    def __str__(self) -> str:
        return f"{self.name} ({self.namespace}, {self.region})"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What serverless.yml, the package and the command line ask for. `triggers` None: they are left alone."""

    address: Address
    kind: Kind
    config: Config
    triggers: tuple[Trigger, ...] | None
    retries: Retries
    reserve: Reserve
    package: Package


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version as it is. `package` is the SHA-256 that its description tells, `code` the platform's own hash."""

    name: str
    status: str
    reason: str
    kind: Kind
    config: Config
    package: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Actual:
    """A function as it is. `serving` is what $DEFAULT names, `newest` the last that was published; `split` tells that
    other versions have a part of $DEFAULT's events; `others` are triggers that are neither COS nor timer."""

    latest: Version
    serving: Version
    newest: Version | None
    split: bool
    triggers: tuple[Trigger, ...]
    others: tuple[str, ...]
    reserved: int | None
    retries: Retries

    @property
    def stopped(self) -> bool:
        return self.reserved == 0
