"""The command line: arguments only; what a command does is in derivo_cli/commands/."""

from __future__ import annotations

import platform
import sys
import traceback
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from derivo import __version__, settings
from derivo_cli.exits import BUG, DONE, INTERRUPTED, USAGE, Stop
from derivo_cli.reconcile.engines import Engine

app = typer.Typer(
    name="derivo",
    help="Every new image in a Tencent COS bucket gets its derivatives, made inside the cloud.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Style(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class SchemaOf(StrEnum):
    """What `derivo schema` can describe."""

    RULES = "rules"
    MANIFEST = "manifest"
    FAILURE = "failure"


class Who(StrEnum):
    """Whose rights `derivo policy` tells."""

    FUNCTION = "function"
    APPLY = "apply"


Rules = Annotated[Path, typer.Option("--rules", help="Folder of the rule sets, or one file.")]
Region = Annotated[str | None, typer.Option("--region", help="Region of the bucket; default: TENCENTCLOUD_REGION.")]
File = Annotated[Path, typer.Option("--serverless", help="The description of the deployment.")]
Stage = Annotated[str | None, typer.Option("--stage", help="The stage to deploy; default: the file's, else dev.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
CallSeconds = Annotated[
    float, typer.Option("--call-seconds", help="Mean seconds of a processing call: it sizes the reserved concurrency.")
]
Price = Annotated[list[str] | None, typer.Option(help="NAME=AMOUNT: a price of your own; repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"derivo {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Every new image in a Tencent COS bucket gets its derivatives, made inside the cloud."""


@app.command()
def put(
    files: Annotated[list[Path], typer.Argument(help="Image files.", show_default=False)],
    destination: Annotated[
        str, typer.Argument(help="cos://BUCKET-APPID/KEY, or cos://BUCKET-APPID/FOLDER/ for many.", show_default=False)
    ],
    rules: Rules = Path("rules"),
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Upload images and make their derivatives in the same request."""
    from derivo_cli.commands import put as command

    raise typer.Exit(
        command.run(files, destination, rules_folder=rules, region=region, as_json=as_json, console=Console())
    )


@app.command()
def lint(
    rules: Annotated[Path, typer.Argument(help="Folder of the rule sets, or one file.")] = Path("rules"),
    style: Annotated[Style, typer.Option("--format", help="text for people, github for workflows, json.")] = Style.TEXT,
    deployment: Annotated[
        Path | None,
        typer.Option("--serverless", help="serverless.yml to hold the outputs against; default: ours here."),
    ] = None,
) -> None:
    """Prove the rule sets free of loops and collisions, and run their examples."""
    from derivo_cli.commands import lint as command

    raise typer.Exit(command.run(rules, style=style.value, deployment=deployment))


@app.command()
def explain(
    address: Annotated[str, typer.Argument(help="cos://BUCKET-APPID/KEY; the object need not exist.")],
    rules: Rules = Path("rules"),
    size: Annotated[int | None, typer.Option(min=0, help="Size of the source in bytes.")] = None,
    price: Price = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Tell why a key gets these derivatives, or none, and what that costs."""
    from derivo_cli.commands import explain as command

    raise typer.Exit(
        command.run(address, rules_folder=rules, size=size, own_prices=price or [], as_json=as_json, console=Console())
    )


@app.command()
def schema(
    of: Annotated[SchemaOf, typer.Argument(help="What the schema is of.")] = SchemaOf.RULES,
) -> None:
    """Print the JSON Schema of rule sets (rules/schema.json is this), manifests or failure records."""
    from derivo_cli.commands import schema as command

    raise typer.Exit(command.run(of.value))


@app.command()
def replay(
    place: Annotated[str, typer.Argument(help="A file of dead letters or events, or cos://BUCKET-APPID/[failures/].")],
    rules: Rules = Path("rules"),
    region: Region = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
) -> None:
    """Feed dead letters and failure records back through the same path as events."""
    from derivo_cli.commands import replay as command

    raise typer.Exit(command.run(place, rules_folder=rules, region=region, dry_run=dry_run, console=Console()))


@app.command()
def status(
    address: Annotated[str, typer.Argument(help="cos://BUCKET-APPID/[failures/]")],
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """List the sources whose derivatives failed, grouped by error."""
    from derivo_cli.commands import status as command

    raise typer.Exit(command.run(address, region=region, as_json=as_json, console=Console()))


@app.command()
def probe(
    address: Annotated[
        str, typer.Argument(help="cos://BUCKET-APPID/[FOLDER/]: where two or three small objects may lie.")
    ],
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Find out how a region's COS reads fileids, and which settings say so."""
    from derivo_cli.commands import probe as command

    raise typer.Exit(command.run(address, region=region, as_json=as_json, console=Console()))


@app.command()
def plan(
    address: Annotated[str, typer.Argument(help="cos://BUCKET-APPID/[PREFIX]: the sources to look at.")],
    rules: Rules = Path("rules"),
    region: Region = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the plan to this Parquet file, for derivo apply.")
    ] = None,
    manifests: Annotated[
        bool, typer.Option("--manifests/--no-manifests", help="Read manifests, or judge by Last-Modified alone.")
    ] = True,
    inventory: Annotated[
        list[str] | None,
        typer.Option(metavar="MANIFEST", help="manifest.json of a COS inventory, a file or cos://; for each bucket."),
    ] = None,
    old: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The rule sets of before: tell what the change would touch, and no more."),
    ] = None,
    price: Price = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Tell what a bucket lacks under its rules. 0: nothing to do, 1: something."""
    from derivo_cli.commands import plan as command

    raise typer.Exit(
        command.run(
            address,
            rules_folder=rules,
            region=region,
            output=output,
            manifests=manifests,
            inventories=inventory or [],
            old_rules=old,
            own_prices=price or [],
            as_json=as_json,
            console=Console(),
        )
    )


@app.command()
def apply(
    place: Annotated[str, typer.Argument(help="A plan that derivo plan -o wrote, or cos://BUCKET-APPID/[PREFIX].")],
    rules: Rules = Path("rules"),
    region: Region = None,
    qps: Annotated[
        float | None, typer.Option(min=0.01, help="Requests a second; default: 90 % of the region's limit.")
    ] = None,
    max_requests: Annotated[int | None, typer.Option(min=0, help="Stop before more requests than this.")] = None,
    max_cost: Annotated[float | None, typer.Option(min=0, help="Stop before it costs more, in USD.")] = None,
    price: Price = None,
    engine: Annotated[
        Engine, typer.Option(help="direct: from here; scf: by the deployed function; ci: by CI's batch jobs.")
    ] = Engine.DIRECT,
    function: Annotated[str | None, typer.Option(help="Name of the deployed function, for --engine scf.")] = None,
    namespace: Annotated[str, typer.Option(help="Its namespace.")] = "default",
    rest: Annotated[
        bool, typer.Option("--rest", help="Make from here what batch jobs cannot, with --engine ci.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that broke off.")] = False,
) -> None:
    """Bring a bucket to what its rules say. 0: done, 1: something failed or is left, 2: refused."""
    from derivo_cli import pricing
    from derivo_cli.commands import apply as command

    options = command.Options(
        region=region,
        engine=engine,
        function=function,
        namespace=namespace,
        rest=rest,
        prices=pricing.table(price or []),
        qps=qps,
        max_requests=max_requests,
        max_cost=max_cost,
        dry_run=dry_run,
        resume=resume,
    )
    raise typer.Exit(command.run(place, options, rules_folder=rules, console=Console()))


@app.command()
def prune(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan that derivo plan -o wrote.")],
    rules: Rules = Path("rules"),
    region: Region = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only show what would go.")] = False,
    force: Annotated[
        list[str] | None, typer.Option(metavar="BUCKET", help="Let more than a tenth of this bucket go; repeatable.")
    ] = None,
) -> None:
    """Delete what is proved to be ours and no source wants any more. 0: done, 1: something is left, 2: refused."""
    from derivo_cli.commands import prune as command

    raise typer.Exit(
        command.run(file, rules_folder=rules, region=region, yes=yes, force=force or [], console=Console())
    )


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


def main() -> None:
    """The entry point: expected failures are one line and their code, a bug is 3 with a report to paste."""
    try:
        app(prog_name="derivo")
    except (Stop, settings.SettingsError) as error:
        sys.stderr.write(f"derivo: {error}\n")
        sys.exit(error.code if isinstance(error, Stop) else USAGE)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # what Typer makes of Ctrl-C
            sys.stderr.write("derivo: interrupted\n")
        raise
    except Exception as error:
        sys.stderr.write(_report(error))
        sys.exit(BUG)


def _report(error: Exception) -> str:
    """A bug's report: what to paste, and nothing secret (no environment, no argument)."""
    frames = "".join(traceback.format_exception(error))
    return (
        "derivo: this is a bug in derivo; please report it with the lines below\n\n"
        f"derivo {__version__}, SDK {version('cos-python-sdk-v5')}, Python {platform.python_version()}, "
        f"{platform.platform()}\n\n{frames}"
    )
