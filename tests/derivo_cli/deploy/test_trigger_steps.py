"""The order in which triggers change: whatever there is and is wanted, every step is one that the platform takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.scf import triggers as platform
from derivo_cli.deploy import planning
from derivo_cli.deploy.model import (
    Actual,
    Address,
    Config,
    Kind,
    Package,
    Reserve,
    Retries,
    Trigger,
    Version,
    Wanted,
)
from derivo_cli.deploy.planning import AddTrigger, RemoveTrigger

CONFIG = Config(description="", memory=128, timeout=60, role="r", public=True, variables={})
KIND = Kind("Event", "Python3.10", "index.main_handler")
PACKAGE = Package(Path("x.zip"), b"x")
VERSION = Version(name="1", status="Active", reason="", kind=KIND, config=CONFIG, package=PACKAGE.sha256, code="hash")


def wanted(triggers: Sequence[Trigger]) -> Wanted:
    return Wanted(
        address=Address("fn", "default", "ap-guangzhou"), kind=KIND, config=CONFIG, triggers=tuple(triggers),
        retries=Retries(2, 21600), reserve=Reserve(region="ap-guangzhou", call_seconds=0.5, memory=128),
        package=PACKAGE,
    )  # fmt: skip


def actual(triggers: Sequence[Trigger]) -> Actual:
    return Actual(
        latest=VERSION, serving=VERSION, newest=VERSION, split=False, triggers=tuple(triggers), others=(),
        reserved=45 * 128, retries=Retries(2, 21600),
    )  # fmt: skip


def on_platform(trigger: Trigger) -> platform.Trigger:
    return platform.Trigger(
        bucket=trigger.name.partition(".cos.")[0], function="fn", event=trigger.detail, prefix=trigger.prefix,
        suffix=trigger.suffix,
    )  # fmt: skip


some = st.builds(
    Trigger,
    kind=st.just("cos"),
    name=st.sampled_from(["a-1.cos.r.myqcloud.com", "b-1.cos.r.myqcloud.com"]),
    detail=st.sampled_from(["cos:ObjectCreated:*", "cos:ObjectCreated:Put", "cos:ObjectRemove:*"]),
    prefix=st.sampled_from(["", "in/", "in/a/", "in/b/", "out/", "x"]),
    suffix=st.sampled_from(["", ".jpg", ".png", ".a.jpg"]),
)


@st.composite
def sets(draw: st.DrawFn) -> list[Trigger]:
    """What the platform could have: no two overlap, at most ten."""
    found: list[Trigger] = []
    for trigger in draw(st.lists(some, max_size=25)):
        if len(found) < platform.MOST_PER_FUNCTION and not any(trigger.overlaps(other) for other in found):
            found.append(trigger)
    return found


@given(some, some)
def test_overlaps_are_those_of_the_platform(one: Trigger, other: Trigger) -> None:
    assert one.overlaps(other) == on_platform(one).overlaps(on_platform(other))


@settings(max_examples=200)
@given(sets(), sets())
def test_every_step_is_taken_and_leads_to_what_is_wanted(before: list[Trigger], after: list[Trigger]) -> None:
    standing = list(before)
    steps = planning.plan(wanted(after), actual(before)).steps
    for step in steps:
        if isinstance(step, RemoveTrigger):
            standing.remove(step.trigger)
        else:
            assert isinstance(step, AddTrigger)
            standing.append(step.trigger)
            platform.check(map(on_platform, standing))
    assert set(standing) == set(after)
    assert len(steps) == len(set(before) ^ set(after)), "what stays is not touched"


@given(sets())
def test_what_stands_as_wanted_needs_no_step(triggers: list[Trigger]) -> None:
    assert planning.plan(wanted(triggers), actual(triggers[::-1])).steps == []
