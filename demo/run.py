"""The demo: pictures go into a bucket, events run the function, every derivative is opened and looked at."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from qcloud_cos import CosServiceError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.checks import look, sniff
from demo.expect import Unpredictable, expected
from demo.local import BUCKET, REGION, ROOT, DemoError, Local, running
from demo.pictures import PUT, Picture, UnreadablePicture, all_pictures, users
from demo.poster import poster
from demo.results import Derived, Result, amount
from demo.sheet import sheet
from derivo.events import Source
from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo.plan import Plan, Planned, plan
from derivo.rulesets import render
from derivo_cli import policy, policy_places
from derivo_cli.exits import Stop
from derivo_cli.packaging.bytecode import interpreter
from derivo_cli.packaging.sbom import facts_of
from derivo_cli.serverless import Deployment

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
WAIT_SECONDS = 240.0  # for all events to be handled: generous, a small machine processes 24 megapixels in seconds


_interrupted = threading.Event()


class Interrupted(Exception):
    """Ctrl-C was pressed. It is noted first and raised between two steps, because an exception that arrives inside a
    callback of libvips would be swallowed there."""


def _go_on() -> None:
    if _interrupted.is_set():
        raise Interrupted


def main() -> None:
    """The entry point: what the user can mend is one line on standard error and exit 2."""
    signal.signal(signal.SIGINT, lambda _number, _frame: _interrupted.set())
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(command)
    try:
        app()
    except (UnreadablePicture, DemoError, Interrupted) as error:
        if _interrupted.is_set():  # then coslocal and derivo put were stopped as well, which is no fault of theirs
            sys.stderr.write("demo: interrupted\n")
            sys.exit(INTERRUPTED)
        sys.stderr.write(f"demo: {error}\n")
        sys.exit(USAGE if isinstance(error, UnreadablePicture) else FAILED)


def command(
    image: Annotated[
        Path | None, typer.Option(help="Your own picture instead of the demo's.", show_default=False)
    ] = None,
    package: Annotated[
        Path | None, typer.Option(help="What `derivo package` built, instead of functions/.", show_default=False)
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the bucket there, for `coslocal serve --data`.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the contact sheets and logs.")] = Path(".demo"),
) -> None:
    """Upload pictures to a local COS, let the function run, look at every derivative."""
    index = _rules()
    pictures = [_own(image, index)] if image else all_pictures()
    out = out.absolute()
    clear(out)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    results = run(pictures, index, out, console, package)
    (out / "contact-sheet.html").write_text(sheet(results), encoding="utf-8", errors="replace")
    (out / "contact-sheet.png").write_bytes(poster(results))
    if not keep:
        shutil.rmtree(out / "bucket", ignore_errors=True)
    failed = report(results, out, console)
    raise typer.Exit(FAILED if failed else DONE)


def rights(index: RuleSetIndex) -> dict[str, Any]:
    """What `derivo policy` prints for these rule sets: the function may do that and nothing else."""
    deployed = policy_places.deployed(Deployment({}, ()), index.considered, {}, buckets=[BUCKET], region=REGION)
    return policy.document(policy.statements(index.considered, deployed), REGION)


def run(
    pictures: Iterable[Picture],
    index: RuleSetIndex,
    out: Path,
    console: Console,
    package: Path | None = None,
    role: dict[str, Any] | None = None,
) -> list[Result]:
    """Every picture through a coslocal of our own, and through the package given or functions/, under the least rights
    or the `role` given. Raises DemoError when one of them cannot be used at all."""
    prefixes = [rule_set.prefix for rule_set in index.considered]
    python = _python_of(package) if package else sys.executable
    (out / "policy.json").write_text(policy.as_json(role or rights(index)), encoding="utf-8")
    with running(out, ROOT / "rules", prefixes, out / "policy.json", package, python) as local:
        client = local.client()
        console.print(f"coslocal listens at {local.url}, the function waits for {', '.join(prefixes)}\n")
        sent = []
        for picture in pictures:
            _go_on()
            made = plan(Source(bucket=BUCKET, region=REGION, key=picture.key, size=len(picture.data)), index)
            milliseconds = None
            if picture.via == PUT:
                milliseconds = _put(picture, out, local)
            else:
                client.put_object(Bucket=BUCKET, Key=picture.key, Body=picture.data)
            sent.append(_Sent(picture=picture, plan=made, milliseconds=milliseconds))
            console.print(Text(f"  {picture.via:10}  {picture.key}  ({picture.note}, {amount(len(picture.data))})"))
        _wait(sent, local)
        lines = local.lines()
        return [_result(each, client, lines) for each in sent]


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """A picture in the bucket and what should come of it; milliseconds are those of the PUT that processed it."""

    picture: Picture
    plan: Plan
    milliseconds: int | None


def _python_of(package: Path) -> str:
    """An interpreter of the Python that the package is for."""
    try:
        version = facts_of(package)["python"]
    except Stop as error:
        raise DemoError(str(error)) from None
    found = interpreter(version)
    if found is None:
        raise DemoError(f"{package} is for Python {version}, and there is none here; derivo package has a --python")
    return str(found.path)


def _rules() -> RuleSetIndex:
    loaded = load(str(ROOT / "rules"))
    if loaded.errors:
        raise DemoError("\n".join(render(fault) for fault in loaded.errors))
    return RuleSetIndex(loaded.rule_sets)


def _own(path: Path, index: RuleSetIndex) -> Picture:
    """The user's picture, under the first of our folders whose rule set takes its suffix."""
    own = users(path)
    for folder in ("products", "articles"):
        found = replace(own, key=f"{folder}/{own.filename}")
        if plan(Source(bucket=BUCKET, region=REGION, key=found.key, size=len(own.data)), index).derivatives:
            return found
    raise UnreadablePicture(f"{path}: no rule set in rules/ takes it; give it a name in .jpg, .png, .webp or .gif")


def clear(out: Path) -> None:
    """An empty folder of ours. One that holds other things than an earlier demo's is not touched."""
    mark = out / ".derivo-demo"
    if out.exists() and not mark.exists() and any(out.iterdir()):
        raise DemoError(f"{out} is not empty and not from an earlier demo; name another folder with --out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    mark.touch()


def _put(picture: Picture, out: Path, local: Local) -> int:
    """`derivo put`, as a user would type it: source and derivatives in one request. Returns its milliseconds."""
    file = out / "upload" / picture.filename
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(picture.data)
    started = time.monotonic()
    command = ["put", str(file), f"cos://{BUCKET}/{picture.key}", "--rules", str(local.rules), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", "from derivo_cli.main import main; main()", *command],
        check=False, env=local.environment(), cwd=ROOT, capture_output=True, text=True,
        timeout=WAIT_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise DemoError(f"derivo put ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return round((time.monotonic() - started) * 1000)


def _wait(sent: Sequence[_Sent], local: Local) -> None:
    """Until the function has logged every source without leaving something to a retry, or has been given up, or the
    deadline. What is in the bucket then is looked at afterwards, key by key."""
    keys = {each.picture.key for each in sent}
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        _go_on()
        logged = {line.get("key"): line for line in local.lines()}
        settled = sum(key in logged and not logged[key].get("retryable") for key in keys)
        if settled + local.given_up() >= len(keys):
            return
        time.sleep(0.1)


def _result(sent: _Sent, client: Any, lines: Sequence[dict[str, Any]]) -> Result:
    picture = sent.picture
    ours = [line for line in lines if line.get("key") == picture.key]
    last = ours[-1] if ours else {}
    outcomes = {detail.get("key"): detail for line in ours for detail in line.get("derivatives", ())}
    return Result(
        picture=picture,
        rule_set=sent.plan.derivatives[0].rule_set if sent.plan.derivatives else "",
        derivatives=tuple(
            _derived(picture, each, client, outcomes.get(each.key, {})) for each in sent.plan.derivatives
        ),
        calls=len(sent.plan.requests),
        milliseconds=last.get("ms") if sent.milliseconds is None else sent.milliseconds,
        skipped=sum(line.get("skipped", 0) for line in ours),
    )


def _derived(picture: Picture, planned: Planned, client: Any, outcome: dict[str, Any]) -> Derived:
    """Fetch a derivative and look at it; what keeps it from being there is told in the function's own words."""
    _go_on()
    found = Derived(name=planned.name, key=planned.key, rule=planned.rule)
    try:
        data = client.get_object(Bucket=BUCKET, Key=planned.key)["Body"].get_raw_stream().read()
    except CosServiceError as error:
        told = " ".join(filter(None, (outcome.get("outcome"), outcome.get("message"))))
        return replace(found, problem=f"missing: {told or error.get_error_code()}")
    try:
        promised = expected(
            planned.rule, format=sniff(picture.data), width=picture.width, height=picture.height, frames=picture.frames
        )
    except Unpredictable as error:
        return replace(found, data=data, problem=f"cannot be checked: {error}")
    return replace(found, data=data, seen=look(picture, data, promised))


def report(results: Sequence[Result], out: Path, console: Console) -> int:
    """The table, every fault by name, and the one last line. Returns how many derivatives failed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "derivative", "format"):
        table.add_column(heading, overflow="fold")
    for heading in ("size", "bytes", "ms"):
        table.add_column(heading, justify="right")
    for result in results:
        for number, derived in enumerate(result.derivatives):
            table.add_row(*_cells(result, derived, first=number == 0), end_section=derived is result.derivatives[-1])
    console.print()
    console.print(table)
    for result in results:
        for derived in result.derivatives:
            for problem in derived.problems:
                console.print(Text(f"WRONG  {derived.key}: {problem}", style="red"))
    console.print(Text(f"contact sheet: {out / 'contact-sheet.html'}"))
    written, failed = sum(result.written for result in results), sum(result.failed for result in results)
    skipped = sum(result.skipped for result in results)
    console.print(f"demo: {len(results)} sources, {written} derivatives written, {skipped} skipped, {failed} failed")
    return failed


def _cells(result: Result, derived: Derived, *, first: bool) -> list[Text]:
    seen, style = derived.seen, "red" if derived.problems else ""
    frames = f" x{seen.frames}" if seen and seen.frames > 1 else ""
    return [
        Text(result.picture.key if first else ""),
        Text(derived.name, style=style),
        Text(seen.format if seen else "missing", style=style),
        Text(f"{seen.width}x{seen.height}{frames}" if seen else "", style=style),
        Text(str(len(derived.data)) if derived.data else ""),
        Text(str(result.milliseconds) if first and result.milliseconds is not None else ""),
    ]
