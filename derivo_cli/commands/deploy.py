"""derivo deploy: carry serverless.yml out, after telling what will change; or take it all away again."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from derivo.clock import Clock
from derivo.settings import Settings
from derivo_cli.cloudapi import ApiFailure, has_role
from derivo_cli.deploy import planning, reading
from derivo_cli.deploy.carrying import carry_out
from derivo_cli.deploy.model import Address
from derivo_cli.deploy.opening import configured, existing, opened
from derivo_cli.deploy.planning import Plan
from derivo_cli.deploy.reading import Options
from derivo_cli.exits import DONE, FINDINGS, USAGE, Stop
from derivo_cli.preflight import offline
from derivo_cli.preflight.lines import FAIL


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    file: Path = Path("serverless.yml")
    stage: str | None = None
    package: Path = Path("dist/function.zip")
    code_bucket: str | None = None
    options: Options = field(default_factory=Options)
    yes: bool = False
    dry_run: bool = False


def run(request: Request, console: Console, *, clock: Clock | None = None) -> int:
    """Show what would change, ask, and do it. 0: all is as it should be, 1: it is not (not asked for, or failed)."""
    found = reading.resolved(request.file, request.stage)
    package = reading.package(request.package)
    _check_rules(request)
    given = configured(request.file, found.stage)
    local = given.scheme == "http"
    wanted = reading.wanted(found.deployment, package, request.options, request.file.parent, local=local)
    with opened(wanted.address, given, clock, request.code_bucket) as cloud:
        _check_role(given, wanted.config.role)
        cloud.settled()
        plan = planning.plan(wanted, cloud.actual())
        if not plan.steps:
            show(plan, wanted.address, console)
            console.print(Text(f"deploy: {wanted.address}: no changes"), soft_wrap=True)
            return DONE
        if not agreed(plan, wanted.address, request, console):
            return FINDINGS
        carry_out(plan, cloud, lambda line: console.print(Text(f"deploy: {line}"), soft_wrap=True))
        version = cloud.serving()
    console.print(Text(f"deploy: {wanted.address} is deployed: version {version}"), soft_wrap=True)
    return DONE


def remove(request: Request, console: Console, *, clock: Clock | None = None) -> int:
    """Take the function and its triggers away, after asking. Buckets are left alone."""
    with existing(request.file, request.stage, clock) as cloud:
        cloud.settled()
        actual = cloud.actual()
        if actual is None:
            console.print(Text(f"deploy: there is no function {cloud.address}"), soft_wrap=True)
            return DONE
        plan = planning.removal(actual)
        if not agreed(plan, cloud.address, request, console):
            return FINDINGS
        carry_out(plan, cloud, lambda line: console.print(Text(f"deploy: {line}"), soft_wrap=True))
    console.print(Text(f"deploy: {cloud.address} is removed"), soft_wrap=True)
    return DONE


def agreed(plan: Plan, address: Address, request: Request, console: Console) -> bool:
    """Show the plan; whether it is to be carried out."""
    show(plan, address, console)
    if request.dry_run:
        return False
    if request.yes:
        return True
    if not (console.is_terminal and sys.stdin.isatty()):
        console.print(Text("deploy: nothing was changed; do it with --yes"), soft_wrap=True)
        return False
    return console.input(Text("Do this? [y/N] ")).strip().lower() in ("y", "yes")


def show(plan: Plan, address: Address, console: Console) -> None:
    styles = {"+": "green", "-": "red", "~": "yellow"}
    if plan.lines:
        console.print(Text(str(address), style="bold"), soft_wrap=True)
    for line in plan.lines:
        console.print(Text(f"  {line}", style=styles.get(line[:1], "")), soft_wrap=True)
    for line in plan.notes:
        console.print(Text(f"  = {line}"), soft_wrap=True)


def _check_rules(request: Request) -> None:
    """Refuse rule sets that have an error, and triggers that are not those they need; a folder without any is deployed
    as it is."""
    rules = request.file.parent / "rules"
    if not rules.exists():
        return
    looked_at = offline.rule_lines(offline.gather(request.file, rules, request.package, request.stage))
    failed = [f"{line.says}; {line.mend}" if line.mend else line.says for line in looked_at if line.level == FAIL]
    if failed:
        raise Stop("\n".join(failed), USAGE)


def _check_role(given: Settings, role: str) -> None:
    """Refuse a role that is not there; who may not ask for it goes on without knowing."""
    with suppress(ApiFailure):
        if not has_role(given, role):
            raise Stop(
                f"inputs.role: the account has no role {role}; make it in CAM for the service scf.qcloud.com, with the "
                "policy of: derivo policy --json",
                USAGE,
            )
