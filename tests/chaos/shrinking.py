"""From a schedule that fails to a least one that still fails: delta debugging over what the client does, over what goes
wrong, and over the dialects that are not the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from tests.chaos.schedule import Schedule

T = TypeVar("T")
Fails = Callable[[Schedule, frozenset[str]], bool]


def shrink(schedule: Schedule, drawn: Sequence[str], fails: Fails) -> tuple[Schedule, frozenset[str]]:
    """The schedule with as few steps as may be, and as few names of what goes wrong, so that `fails` still holds."""
    wrong = list(drawn)
    size = 0
    while size != (size := len(wrong) + len(schedule.steps) + len(schedule.dialects)):
        schedule, wrong = _once(schedule, wrong, fails)
    return schedule, frozenset(wrong)


def _once(schedule: Schedule, wrong: list[str], fails: Fails) -> tuple[Schedule, list[str]]:
    less = least(wrong, lambda kept: fails(schedule, frozenset(kept)))
    names = frozenset(less)
    choices = least(list(schedule.dialects.items()), lambda kept: fails(replace(schedule, dialects=dict(kept)), names))
    plain = replace(schedule, dialects=dict(choices))
    steps = least(list(plain.steps), lambda kept: fails(replace(plain, steps=tuple(kept)), names))
    return replace(plain, steps=tuple(steps)), less


def least(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """A sub-list that fails and of which no single item can be taken out; `items` itself must fail."""
    if fails([]):
        return []
    parts = 2
    while len(items) > 1:
        size = -(-len(items) // parts)
        for at in range(0, len(items), size):
            kept = items[:at] + items[at + size :]
            if fails(kept):
                items, parts = kept, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(items))
    return items
