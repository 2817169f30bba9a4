"""derivo stop, start and rollback: the emergency brake, its release, and the way back to an earlier version."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from derivo.clock import Clock
from derivo_cli.commands.deploy import Request, agreed
from derivo_cli.deploy import planning, reading
from derivo_cli.deploy.carrying import carry_out
from derivo_cli.deploy.model import LATEST
from derivo_cli.deploy.opening import existing
from derivo_cli.exits import DONE, FINDINGS, USAGE, Stop


def stop(file: Path, stage: str | None, console: Console, *, clock: Clock | None = None) -> int:
    """No run begins from now on (SCF 1.7): reserved concurrency 0. Nothing is asked."""
    with existing(file, stage, clock) as cloud:
        if cloud.reserved() != 0:
            cloud.reserve(0)
    console.print(
        Text(
            f"stop: {cloud.address} is stopped: what runs comes to its end, events wait until they are too old (6 "
            "hours if not set otherwise), uploads go on without derivatives; derivo start lets it go on"
        ),
        soft_wrap=True,
    )
    return DONE


def start(file: Path, stage: str | None, console: Console, *, call_seconds: float, clock: Clock | None = None) -> int:
    """Let the function go on, with the concurrency that derivo deploy gives it."""
    with existing(file, stage, clock) as cloud:
        memory = cloud.version(cloud.serving()).config.memory
        reserve = reading.reserve(cloud.address.region, memory, call_seconds)
        if cloud.reserved() != reserve.megabytes:
            cloud.reserve(reserve.megabytes)
    text = (
        f"start: {cloud.address} goes on with {reserve.megabytes:,} MB ({reserve}); what waits is run within a minute"
    )
    console.print(Text(text), soft_wrap=True)
    return DONE


def rollback(request: Request, to: str | None, console: Console, *, clock: Clock | None = None) -> int:
    """Point $DEFAULT to an earlier version, after asking: code and configuration of then, triggers of now."""
    with existing(request.file, request.stage, clock) as cloud:
        now, there = cloud.serving(), cloud.published()
        target = to or _before(now, list(there))
        if target not in there:
            raise Stop(f"{cloud.address} has no version {target}; there are: {', '.join(there) or 'none'}", USAGE)
        if target == now:
            console.print(Text(f"rollback: {cloud.address}: version {now} serves already"), soft_wrap=True)
            return DONE
        plan = planning.back(cloud.version(now, there.get(now, "")), cloud.version(target, there[target]))
        if not agreed(plan, cloud.address, request, console):
            return FINDINGS
        carry_out(plan, cloud, lambda line: console.print(Text(f"rollback: {line}"), soft_wrap=True))
    return DONE


def _before(now: str, there: list[str]) -> str:
    """The version that was published before the one that serves."""
    earlier = there[: there.index(now)] if now in there else there if now == LATEST else []
    if not earlier:
        raise Stop(f"there is no version before {now}; name one with --to", USAGE)
    return earlier[-1]
