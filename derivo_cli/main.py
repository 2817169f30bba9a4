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
from derivo_cli import buckets, deployments
from derivo_cli.arguments import AsJson, Price, Region, Rules
from derivo_cli.exits import BUG, DONE, INTERRUPTED, USAGE, Stop

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


for _commands in (buckets, deployments):
    app.add_typer(_commands.app)


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
