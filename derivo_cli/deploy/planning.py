"""From what is there to what is wanted: the steps, in an order that an interruption does no harm to, and their words.

Published versions serve: $LATEST is changed first, then a version is published of it, then $DEFAULT is pointed to that,
so that no event ever meets half a deployment. Triggers come last on the way up and go first on the way down. Nothing is
remembered between runs: what a run that broke off has done shows in what is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from derivo import settings
from derivo.ci import limits
from derivo_cli.deploy.model import (
    LATEST,
    OWN_VARIABLES,
    Actual,
    Config,
    Kind,
    Package,
    Retries,
    Trigger,
    Version,
    Wanted,
)
from derivo_cli.exits import USAGE, Stop

# a proxy's URL may hold a password
_SECRET = ("secret_id", "secret_key", "token", "proxy")
_SHOWN = {setting.name for setting in settings.SETTINGS if setting.attribute not in _SECRET}
_ACTIVE = "Active"


@dataclass(frozen=True)
class Delete:
    """The function, with its versions, and wait until it is gone."""


@dataclass(frozen=True)
class Create:
    kind: Kind
    config: Config
    package: Package


@dataclass(frozen=True)
class UpdateCode:
    handler: str
    package: Package


@dataclass(frozen=True)
class UpdateConfig:
    config: Config


@dataclass(frozen=True)
class Publish:
    """Of $LATEST, marked with the package's SHA-256, and point $DEFAULT to it."""

    package: str


@dataclass(frozen=True)
class Point:
    """$DEFAULT to a version that stands."""

    version: str


@dataclass(frozen=True)
class Reserve:
    megabytes: int


@dataclass(frozen=True)
class SetRetries:
    retries: Retries


@dataclass(frozen=True)
class AddTrigger:
    trigger: Trigger


@dataclass(frozen=True)
class RemoveTrigger:
    trigger: Trigger


Step = Delete | Create | UpdateCode | UpdateConfig | Publish | Point | Reserve | SetRetries | AddTrigger | RemoveTrigger


@dataclass
class Plan:
    """The steps in their order, and the lines that tell people of them: none of either when nothing is to do. `notes`
    tell what is left as it is."""

    steps: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan(wanted: Wanted, actual: Actual | None) -> Plan:
    """What to do so that everything is as wanted."""
    made = Plan()
    if actual is None:
        _create(made, wanted)
        return made
    other, failed = actual.latest.kind != wanted.kind, actual.latest.status in ("CreateFailed", "DeleteFailed")
    if (other or failed) and actual.stopped:
        # were it interrupted between the two, nothing would be left that knows of the stop
        raise Stop(
            f"{wanted.address} is stopped, and would have to be made anew, which forgets that; let it go on (derivo"
            " start), or take it away (derivo deploy --remove)",
            USAGE,
        )
    if other:
        _recreate(made, wanted, actual)
    elif failed:
        made.lines.append(f"- the function, which is {actual.latest.status}: {actual.latest.reason}")
        made.steps += [*map(RemoveTrigger, actual.triggers), Delete()]
        _create(made, wanted)
    else:
        _update(made, wanted, actual)
    return made


def removal(actual: Actual) -> Plan:
    """The end of a function: its triggers first, so that no event is sent to what is going. Buckets are not touched."""
    made = Plan()
    for trigger in actual.triggers:
        made.steps.append(RemoveTrigger(trigger))
        made.lines.append(f"- trigger {trigger}")
    made.lines += [f"- trigger {other}, with the function" for other in actual.others]
    made.steps.append(Delete())
    made.lines.append("- the function, with its versions and the events that wait; its log and all buckets stay")
    return made


def back(now: Version, then: Version) -> Plan:
    """$DEFAULT from one version to another that stands."""
    made = Plan([Point(then.name)], [f"~ $DEFAULT: version {now.name} -> {then.name}"])
    made.lines += _differences(now, then.package, 0, then.config)
    made.notes.append("triggers, retries and reserved concurrency stay as they are; derivo deploy goes forward again")
    return made


def _create(made: Plan, wanted: Wanted) -> None:
    config = wanted.config
    made.steps.append(Create(wanted.kind, config, wanted.package))
    made.lines.append(
        f"+ the function: {wanted.kind.runtime}, {wanted.kind.handler}, {config.memory} MB, {config.timeout} s, role"
        f" {config.role}"
    )
    made.lines.append(f"+ code {_hash(wanted.package.sha256)}, {len(wanted.package.data):,} bytes")
    made.lines += [f"+ variable {_variable(name, value)}" for name, value in config.variables.items()]
    _limits(made, wanted, reserved=None, retries=None)
    made.steps.append(Publish(wanted.package.sha256))
    made.lines.append("+ a version, which $DEFAULT names")
    _triggers(made, wanted, ())


def _recreate(made: Plan, wanted: Wanted, actual: Actual) -> None:
    before, after = actual.latest.kind, wanted.kind
    for name in ("type", "runtime", "handler"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            made.lines.append(
                f"~ {name}: {one} -> {other}, which the platform cannot change: the function is made anew"
            )
    made.lines.append(
        "- the function as it is: its versions, the events that wait, and what is uploaded until its triggers stand"
        " again are lost; afterwards derivo apply makes what is missing"
    )
    if actual.others:
        made.lines.append(f"- with it, and not made again: {', '.join(actual.others)}")
    made.steps += [*map(RemoveTrigger, actual.triggers), Delete()]
    wanted = replace(wanted, config=_merged(wanted.config, actual.latest.config, made))
    if wanted.triggers is None:
        wanted = replace(wanted, triggers=actual.triggers)
    _create(made, wanted)


def _update(made: Plan, wanted: Wanted, actual: Actual) -> None:
    wanted = replace(wanted, config=_merged(wanted.config, actual.latest.config, made))
    _limits(made, wanted, reserved=actual.reserved, retries=actual.retries)
    _version(made, wanted, actual)
    _triggers(made, wanted, actual.triggers)
    if actual.others:
        made.notes.append(f"left alone, as they are neither COS triggers nor timers: {', '.join(actual.others)}")


def _version(made: Plan, wanted: Wanted, actual: Actual) -> None:
    """Code and configuration, so that $DEFAULT names a version that is just so."""
    serving, newest = actual.serving, actual.newest
    if _is_as_wanted(serving, wanted) and not actual.split:
        return
    made.lines += _differences(
        serving, wanted.package.sha256, len(wanted.package.data), _filled(wanted.config, serving.config)
    )
    if actual.split:
        made.lines.append("~ $DEFAULT: events that go to other versions as well -> all to one")
    if newest is not None and _is_as_wanted(newest, wanted):
        made.steps.append(Point(newest.name))
        made.lines.append(f"~ $DEFAULT: version {serving.name} -> {newest.name}, which stands already")
        return
    has_code = serving.package == wanted.package.sha256 and serving.code and serving.code == actual.latest.code
    if not has_code or actual.latest.status != _ACTIVE:
        made.steps.append(UpdateCode(wanted.kind.handler, wanted.package))
    if actual.latest.config != _filled(wanted.config, actual.latest.config):
        made.steps.append(UpdateConfig(wanted.config))
    made.steps.append(Publish(wanted.package.sha256))
    made.lines.append(f"~ $DEFAULT: version {serving.name} -> a new one")


def _is_as_wanted(version: Version, wanted: Wanted) -> bool:
    return (
        version.name != LATEST
        and version.status == _ACTIVE
        and version.package == wanted.package.sha256
        and version.config == _filled(wanted.config, version.config)
    )


def _filled(config: Config, actual: Config) -> Config:
    """What is wanted, with what is there where nothing is wanted."""
    return replace(
        config,
        init_timeout=actual.init_timeout if config.init_timeout is None else config.init_timeout,
        dead_letter=actual.dead_letter if config.dead_letter is None else config.dead_letter,
        log=actual.log if config.log is None else config.log,
    )


def _merged(config: Config, actual: Config, made: Plan) -> Config:
    """The variables of serverless.yml, and those of others that are there: an update takes all of them or none."""
    kept = {
        name: value
        for name, value in actual.variables.items()
        if name not in config.variables and not name.startswith(OWN_VARIABLES)
    }
    if kept:
        made.notes.append(f"variables that serverless.yml does not name are kept: {', '.join(sorted(kept))}")
    return replace(config, variables={**config.variables, **kept})


def _differences(version: Version, package: str, size: int, after: Config) -> Iterator[str]:
    """From what a version is to another package, of `size` bytes where that is known, and configuration."""
    if version.package != package:
        yield f"~ code: {_hash(version.package)} -> {_hash(package)}" + (f", {size:,} bytes" if size else "")
    before = version.config
    for name in ("description", "memory", "timeout", "init_timeout", "role", "public", "dead_letter", "log"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield f"~ {name.replace('_', ' ')}: {one} -> {other}"
    for name in sorted(before.variables.keys() | after.variables.keys()):
        one, other = before.variables.get(name), after.variables.get(name)
        if one is None and other is not None:
            yield f"+ variable {_variable(name, other)}"
        elif other is None:
            yield f"- variable {name}"
        elif one != other:
            yield f"~ variable {name}: {one} -> {other}" if name in _SHOWN else f"~ variable {name}: another value"


def _limits(made: Plan, wanted: Wanted, *, reserved: int | None, retries: Retries | None) -> None:
    if reserved == 0:
        made.notes.append("the function is stopped, and stays so: derivo start lets it go on")
    elif reserved != wanted.reserve.megabytes:
        made.steps.append(Reserve(wanted.reserve.megabytes))
        before = "none" if reserved is None else f"{reserved:,} MB"
        made.lines.append(f"~ reserved concurrency: {before} -> {wanted.reserve.megabytes:,} MB ({wanted.reserve})")
    if retries != wanted.retries:
        made.steps.append(SetRetries(wanted.retries))
        before = "" if retries is None else f"{retries.times} within {retries.max_age:,} s -> "
        made.lines.append(f"~ retries: {before}{wanted.retries.times} within {wanted.retries.max_age:,} s")


def _triggers(made: Plan, wanted: Wanted, actual: tuple[Trigger, ...]) -> None:
    """The new ones that can stand beside all that are there come first; then each old one goes, and what it was in the
    way of comes at once, so that as few uploads as possible find no trigger."""
    if wanted.triggers is None:
        return
    adding = [trigger for trigger in wanted.triggers if trigger not in actual]
    removing = [trigger for trigger in actual if trigger not in wanted.triggers]
    made.lines += [f"+ trigger {trigger}" for trigger in adding] + [f"- trigger {trigger}" for trigger in removing]
    standing = list(actual)
    for gone in [None, *removing]:
        if gone is not None:
            made.steps.append(RemoveTrigger(gone))
            standing.remove(gone)
        for trigger in tuple(adding):
            if _fits(trigger, standing):
                made.steps.append(AddTrigger(trigger))
                adding.remove(trigger)
                standing.append(trigger)
    made.steps += map(AddTrigger, adding)  # they collide with each other: the platform says so
    if any(gone.overlaps(trigger) for gone in removing for trigger in wanted.triggers):
        made.notes.append("an upload between two triggers makes no event; derivo apply makes what is missing")


def _fits(trigger: Trigger, standing: Sequence[Trigger]) -> bool:
    """Whether the platform takes it beside these: none overlaps, and there are not ten of its kind (SCF 1.5, 2.6)."""
    alike = sum(other.kind == trigger.kind for other in standing)
    return alike < limits.TRIGGERS and not any(trigger.overlaps(other) for other in standing)


def _variable(name: str, value: str) -> str:
    return f"{name}={value}" if name in _SHOWN else name


def _hash(text: str) -> str:
    return text[:12] or "unknown"
