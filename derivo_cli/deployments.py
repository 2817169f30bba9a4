"""Commands for what is deployed: arguments only."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from derivo_cli.arguments import AsJson, CallSeconds, File, Region, Rules, Stage, Yes

app = typer.Typer()


class Who(StrEnum):
    """Whose rights `derivo policy` tells."""

    FUNCTION = "function"
    APPLY = "apply"


@app.command()
def package(
    rules: Rules = Path("rules"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The zip to write.")] = Path("dist/function.zip"),
    python: Annotated[str, typer.Option(help="The function's Python: 3.10 or 3.9.")] = "3.10",
    root: Annotated[Path, typer.Option(help="Derivo's own folder.")] = Path(),
) -> None:
    """Build what is deployed: the function, the rule sets and the pinned packages."""
    from derivo_cli.commands import package as command

    raise typer.Exit(command.run(root, rules, output, python=python, console=Console()))


@app.command()
def triggers(
    rules: Rules = Path("rules"),
    deployment: Annotated[Path, typer.Option("--serverless", help="The deployment's file.")] = Path("serverless.yml"),
    write: Annotated[bool, typer.Option("--write", help="Put them into the file; nothing else in it changes.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Show nothing, only tell whether it is up to date.")] = False,
    bucket: Annotated[
        list[str] | None, typer.Option(help="NAME-APPID of rule sets that name none; repeatable. Default: the file's.")
    ] = None,
) -> None:
    """Generate serverless.yml's COS triggers from the rule sets. 0: it is up to date, 1: it is not, or cannot be."""
    from derivo_cli.commands import triggers as command

    raise typer.Exit(command.run(deployment, rules, write=write, check=check, buckets=bucket or []))


@app.command()
def policy(
    rules: Rules = Path("rules"),
    deployment: Annotated[
        Path | None, typer.Option("--serverless", help="The deployment's file; default: the one here.")
    ] = None,
    bucket: Annotated[
        list[str] | None, typer.Option(help="NAME-APPID of rule sets that name none; repeatable. Default: the file's.")
    ] = None,
    region: Region = None,
    who: Annotated[Who, typer.Option("--for", help="Whose rights: the function's, or an operator's.")] = Who.FUNCTION,
    post_on_sources: Annotated[
        bool, typer.Option("--post-on-sources", help="For an account that wants PostObject on what is processed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="CAM's JSON instead of a table.")] = False,
) -> None:
    """Print the least that the execution role needs, as a CAM policy."""
    from derivo_cli.commands import policy as command

    options = command.Options(
        buckets=bucket or [], region=region, who=who.value, posts=post_on_sources, as_json=as_json
    )
    raise typer.Exit(command.run(deployment, rules, options, console=Console()))


@app.command()
def deploy(
    file: File = Path("serverless.yml"),
    stage: Stage = None,
    archive: Annotated[Path, typer.Option("--package", help="What derivo package built.")] = Path("dist/function.zip"),
    code_bucket: Annotated[
        str | None,
        typer.Option(
            metavar="NAME-APPID", help="Hand the code over through this bucket: it may be too large otherwise."
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the function and its triggers away instead.")] = False,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    call_seconds: CallSeconds = 0.5,
    retries: Annotated[int, typer.Option(min=0, help="Further attempts at an event whose run failed.")] = 2,
    max_age: Annotated[int, typer.Option(min=1, help="Seconds after which an event is given up.")] = 21_600,
) -> None:
    """Carry serverless.yml out, after showing what changes. 0: all is as it says, 1: it is not, 2: refused."""
    from derivo_cli.commands import deploy as command
    from derivo_cli.deploy.reading import Options

    options = Options(call_seconds=call_seconds, retries=retries, max_age=max_age)
    request = command.Request(file, stage, archive, code_bucket, options, yes, dry_run)
    raise typer.Exit((command.remove if remove else command.run)(request, Console()))


@app.command()
def logs(
    file: File = Path("serverless.yml"),
    stage: Stage = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    request_id: Annotated[str | None, typer.Option("--request-id", help="The attempts at one event.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only runs that failed, or tell of a derivative that did.")
    ] = False,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many runs to look at.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what the function's runs printed."""
    from derivo_cli.commands import logs as command

    request = command.Request(
        file=file, stage=stage, request_id=request_id, last=last, failed=failed, follow=follow, as_json=as_json
    )
    raise typer.Exit(command.run(request, Console()))


@app.command()
def stop(file: File = Path("serverless.yml"), stage: Stage = None) -> None:
    """The emergency brake: no run begins any more, until derivo start."""
    from derivo_cli.commands import stop as command

    raise typer.Exit(command.stop(file, stage, Console()))


@app.command()
def start(file: File = Path("serverless.yml"), stage: Stage = None, call_seconds: CallSeconds = 0.5) -> None:
    """Release the brake of derivo stop: what waits is run."""
    from derivo_cli.commands import stop as command

    raise typer.Exit(command.start(file, stage, Console(), call_seconds=call_seconds))


@app.command()
def rollback(
    file: File = Path("serverless.yml"),
    stage: Stage = None,
    to: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="Default: the one before.")] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
) -> None:
    """Let an earlier version serve again, code and configuration; derivo deploy goes forward again."""
    from derivo_cli.commands import stop as command
    from derivo_cli.commands.deploy import Request

    request = Request(file, stage, yes=yes, dry_run=dry_run)
    raise typer.Exit(command.rollback(request, to, Console()))


@app.command()
def preflight(
    rules: Rules = Path("rules"),
    deployment: Annotated[Path, typer.Option("--serverless", help="The deployment's file.")] = Path("serverless.yml"),
    package: Annotated[Path, typer.Option(help="What derivo package built.")] = Path("dist/function.zip"),
    stage: Annotated[str | None, typer.Option(help="Stage; default: the file's.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Look at the files alone, and ask nobody.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what would go wrong, before anything is deployed. 0: nothing, 1: something, 2: nothing to look at."""
    from derivo_cli.commands import preflight as command

    options = command.Options(package=package, stage=stage, offline=offline, as_json=as_json)
    raise typer.Exit(command.run(deployment, rules, options, Console()))
