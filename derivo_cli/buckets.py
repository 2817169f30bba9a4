"""Commands for whole buckets: arguments only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from derivo_cli.arguments import Price, Region, Rules
from derivo_cli.reconcile.engines import Engine

app = typer.Typer()


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
