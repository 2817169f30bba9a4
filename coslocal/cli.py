"""The command line of coslocal: arguments only; serve.py does the work."""

from __future__ import annotations

import functools
import platform
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from coslocal.cam.policy import CamPolicy, CamPolicyError, read
from coslocal.dialects import TABLE, DialectError, Dialects
from coslocal.rates import Rates
from coslocal.scf.burst import MOST_PER_MINUTE
from coslocal.scf.code import CodeError, unpack
from coslocal.scf.function import Function, FunctionError, locate
from coslocal.scf.schedule import Policy, PolicyError
from coslocal.scf.timers import parse_timer
from coslocal.scf.triggers import TriggerError, parse

DONE, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


class Stop(Exception):
    """An expected failure: one line for the user, and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


app = typer.Typer(
    name="coslocal",
    help="A local COS + Cloud Infinite + SCF: real signatures, real XML, real pixels, no account.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coslocal {version('derivo')}")
        raise typer.Exit(DONE)


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """A local COS + Cloud Infinite + SCF: real signatures, real XML, real pixels, no account."""


@app.command("dialects")
def show_dialects() -> None:
    """List the settings where the vendor's documents are silent or disagree; the first choice is the default."""
    for dialect in TABLE:
        typer.echo(f"{dialect.name}={'|'.join(dialect.choices)}\n    {dialect.reason}")


@app.command("serve")
def serve_command(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 9000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    data: Annotated[Path | None, typer.Option(help="Folder that keeps everything.", show_default="memory")] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep everything in memory (the default).")] = False,
    fsync: Annotated[bool, typer.Option("--fsync", help="Survive a loss of power too.")] = False,
    credential: Annotated[
        list[str] | None, typer.Option(help="ID:KEY; repeatable.", show_default="AKIDlocal:SKlocal")
    ] = None,
    bucket: Annotated[list[str] | None, typer.Option(help="NAME-APPID, made when missing; repeatable.")] = None,
    region: Annotated[str, typer.Option(help="Region of what is made here.")] = "ap-guangzhou",
    dialect: Annotated[list[str] | None, typer.Option(help="NAME=CHOICE, see `coslocal dialects`; repeatable.")] = None,
    qps: Annotated[
        str | None,
        typer.Option(
            help="Answer faster image requests with SlowDown: PERSISTENT[,DOWNLOAD] a second, or `platform` for"
            " the platform's own 100 (50 abroad) and 3000.",
            show_default="no limit",
        ),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(
            help="path/to/index.py[:function], or the zip to deploy, which then runs apart from all that is"
            " installed here; run on triggers, timers and the API's Invoke."
        ),
    ] = None,
    policy: Annotated[
        list[Path] | None,
        typer.Option(help="Hold functions' keys to this CAM policy (JSON, version 2.0); repeatable: all together."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="Name of a role that the account has, for the API's GetRole; repeatable.")
    ] = None,
    trigger: Annotated[
        list[str] | None,
        typer.Option(help="bucket=NAME-APPID[,prefix=in/][,suffix=.jpg][,event=cos:ObjectCreated:*]; repeatable."),
    ] = None,
    timer: Annotated[
        list[str] | None,
        typer.Option(help="NAME=CRON[;MESSAGE], the cron of seven fields such as '0 0 3 * * * *'; repeatable."),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUE for the function, and over the variables of what the API deploys; {url} is this server;"
            " repeatable."
        ),
    ] = None,
    timeout: Annotated[int, typer.Option(help="Seconds a run of the function may take.")] = 30,
    memory_size: Annotated[int, typer.Option(help="MB that a run may take; one that takes more is ended.")] = 128,
    instances: Annotated[int, typer.Option(help="Events the function handles at once.")] = 2,
    reserved_concurrency: Annotated[
        int | None, typer.Option(help="Throttle above so many runs; 0 stops the function.")
    ] = None,
    burst: Annotated[
        int, typer.Option(help="New instances a minute; above it runs are refused.", min=0)
    ] = MOST_PER_MINUTE,
    retries: Annotated[int, typer.Option(help="Further attempts after a failed run.")] = 2,
    retry_interval: Annotated[float, typer.Option(help="Seconds between attempts.")] = 60.0,
    python: Annotated[
        str, typer.Option(help="Interpreter of the function, 3.9 or newer.", show_default="this one")
    ] = sys.executable,
    settling: Annotated[
        float, typer.Option(help="Seconds that a function is Creating or Updating when the API deploys it.", min=0)
    ] = 0.0,
    dead_letters: Annotated[Path | None, typer.Option(help="File that takes events given up, one JSON a line.")] = None,
    log: Annotated[Path | None, typer.Option(help="File for what functions print.", show_default="stderr")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="File that holds the URL while it is served.")] = None,
) -> None:
    """Serve until Ctrl-C. Every real client works against it: give it the URL as its HTTP proxy."""
    from coslocal import serve  # libvips and the HTTP server load here: `--help` does not wait for them

    if data is not None and memory:
        raise Stop("choose one of --data and --memory", USAGE)
    if (trigger or timer) and not function:
        raise Stop("a --trigger or --timer needs a --function", USAGE)
    functions = []
    interpreter, variables = _interpreter(python), _pairs("--env", "=", env)
    if function:
        file, handler = locate(function)
        functions = [
            Function(
                name=handler.partition(".")[0], root=_root(file, context), handler=handler, python=interpreter,
                isolated=file.suffix == ".zip", variables=variables, timeout=timeout, memory_size=memory_size,
                instances=instances, reserved=reserved_concurrency,
            )
        ]  # fmt: skip
    plan = serve.Plan(
        host=host, port=port, region=region, data=data, fsync=fsync, buckets=bucket or (),
        credentials=_pairs("--credential", ":", credential) or {"AKIDlocal": "SKlocal"},
        dialects=Dialects(_pairs("--dialect", "=", dialect)), rates=_rates(qps),
        role=_role(policy or ()), roles=role or (),
        functions=functions, triggers=[parse(text, function=functions[0].name) for text in trigger or ()],
        timers=[parse_timer(text, function=functions[0].name) for text in timer or ()], burst=burst,
        policy=Policy(retries=retries, retry_interval=retry_interval, throttle_interval=retry_interval),
        python=interpreter, instances=instances, local=variables, settling=settling,
        dead_letters=dead_letters, log=log, ready_file=ready_file,
    )  # fmt: skip
    try:
        code = serve.serve(plan, typer.echo, lambda line: typer.echo(line, err=True))
    except serve.ServeError as error:
        raise Stop(str(error), FAILED) from error
    except OSError as error:
        raise Stop(
            f"cannot use {error.filename}: {error.strerror}" if error.filename else str(error), FAILED
        ) from error
    raise typer.Exit(code)


def _root(file: Path, context: typer.Context) -> Path:
    """The folder of a function's file; that of a zip is read-only, and there for as long as the command runs."""
    if file.suffix != ".zip":
        return file.parent
    folder = context.with_resource(tempfile.TemporaryDirectory(prefix="coslocal-function-", ignore_cleanup_errors=True))
    try:
        root = unpack(file.read_bytes(), Path(folder)).root
    except CodeError as error:
        raise FunctionError(f"{file}: {error}") from None
    if not (root / "index.py").is_file():
        raise FunctionError(f"{file} has no index.py at its root")
    return root


def _pairs(option: str, mark: str, texts: list[str] | None) -> dict[str, str]:
    """`NAME<mark>VALUE` of a repeatable option, split at the first mark."""
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, found, value = text.partition(mark)
        if not found or not name:
            shown = name if option != "--credential" else "..."
            raise Stop(f"{option} {shown}: write it as NAME{mark}VALUE", USAGE)
        pairs[name] = value
    return pairs


def _role(files: Iterable[Path]) -> CamPolicy | None:
    policies = []
    for file in files:
        try:
            policies.append(read(file.read_bytes()))
        except OSError as error:
            raise Stop(f"--policy {file}: {error.strerror}", USAGE) from None
        except CamPolicyError as error:
            raise Stop(f"--policy {file}: {error}", USAGE) from None
    return functools.reduce(CamPolicy.beside, policies) if policies else None


def _rates(text: str | None) -> Rates | None:
    if text is None or text == "platform":
        return None if text is None else Rates()
    numbers = text.split(",")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() and 0 < len(number) < 8 for number in numbers):
        raise Stop(f"--qps {text}: write it as 100, as 100,3000, or as platform", USAGE)
    return Rates(*map(int, numbers))


def _interpreter(text: str) -> str:
    found = shutil.which(text)
    if found is None:
        raise Stop(f"--python {text}: there is no such interpreter", USAGE)
    return str(Path(found).absolute())


def main() -> None:
    """The entry point: expected failures are one line and their code, a bug is 3 with a report to paste."""
    try:
        app()
    except Stop as error:
        _end(str(error), error.code)
    except (DialectError, FunctionError, PolicyError, TriggerError) as error:
        _end(str(error), USAGE)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except Exception as error:
        frames = "".join(traceback.format_exception(error))
        where = f"coslocal {version('derivo')}, Python {platform.python_version()}, {platform.platform()}"
        _end(f"this is a bug in coslocal; please report it with the lines below\n\n{where}\n\n{frames}", BUG)


def _end(text: str, code: int) -> None:
    typer.echo(f"coslocal: {text}", err=True)
    sys.exit(code)
