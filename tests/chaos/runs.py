"""What is told of a schedule that ran."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from coslocal.storage.types import StoredObject
from tests.chaos.cloud import Cloud
from tests.chaos.schedule import Mischief, Schedule


@dataclass
class Try:
    """One run of the function: what it was given, seconds from the beginning, and what it asked for. `disturbed`:
    something went wrong in it."""

    name: str
    event: Any
    started: float
    calls: Counter[str] = field(default_factory=Counter)
    disturbed: bool = False
    ended: str = ""


@dataclass
class Run:
    """What came of a schedule. `versions` are all objects that ever stood, by place; `told` the last outcome of what a
    removal kept; `lost` the keys of which an event was lost, and `reconciled` whether that was made good."""

    schedule: Schedule
    cloud: Cloud
    mischief: Mischief
    tries: list[Try] = field(default_factory=list)
    versions: dict[tuple[str, str], list[StoredObject]] = field(default_factory=dict)
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    reconciled: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)


GOES_WRONG = (
    "duplicates",
    "late deliveries",
    "deliveries out of order",
    "records merged into one event",
    "events lost",
    "derivatives made by plan and apply",
    "derivatives made by timers",
    "tries throttled",
    "tries that failed",
    "dead letters replayed",
    "kills before the effect",
    "kills after the effect",
    "kills at the time limit",
    "resets before the effect",
    "resets after the effect",
    "errors before the effect",
    "errors after the effect",
    "throttling before the effect",
    "throttling after the effect",
    "answers of part of the results",
    "answers that cannot be read",
    "calls that time out",
    "calls that outlive their caller",
    "puts in mid-flight",
    "deletes in mid-flight",
    "uploaders killed",
)
"""The names of `counts` that tell what went wrong, every kind there is."""
