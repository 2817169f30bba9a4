"""derivo apply: bring a bucket to what its rules say."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from derivo import settings
from derivo.ci.limits import processing_qps
from derivo.ci.prices import PRICES
from derivo.clock import Clock, SystemClock
from derivo.cos import Cos, CosFailure
from derivo.matching import RuleSetIndex
from derivo_cli import regions, rules, url
from derivo_cli.commands.plan import NOTHING, show
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.pricing import Prices
from derivo_cli.reconcile import planfile, planning, specs
from derivo_cli.reconcile.engines import Engine
from derivo_cli.reconcile.engines.batches import Batches
from derivo_cli.reconcile.engines.ci import Bucket, CiEngine, require_fit
from derivo_cli.reconcile.engines.cloudapi import Functions
from derivo_cli.reconcile.engines.scf import ScfEngine, deployed
from derivo_cli.reconcile.executing import Executor, Ledger, Limits, Progress, Unit, units
from derivo_cli.reconcile.journal import Journal, refuse_if_running
from derivo_cli.reconcile.judging import TO_MAKE
from derivo_cli.reconcile.pace import SHARE
from derivo_cli.reconcile.planfile import PlanFile

_LINE_SECONDS = 10.0


@dataclass(frozen=True)
class Options:
    """What the command line says. `qps` None: a share of the region's limit. `function` and `namespace` are those that
    the engine scf invokes; `rest`: what the engine ci cannot make is made directly."""

    region: str | None = None
    engine: Engine = Engine.DIRECT
    function: str | None = None
    namespace: str = "default"
    rest: bool = False
    prices: Prices = field(default_factory=lambda: PRICES)
    qps: float | None = None
    max_requests: int | None = None
    max_cost: float | None = None
    dry_run: bool = False
    resume: bool = False


def run(place: str, options: Options, *, rules_folder: Path, console: Console) -> int:
    """Carry out a plan, or plan a bucket and carry that out. 0 all is done, 1 something is left, 2 refused."""
    _require_sense(options)
    index = rules.index(rules_folder)
    if not place.startswith("cos://"):
        return _carry_out(PlanFile(Path(place)), index, options, console)
    target = url.parse(place)
    path = _own_file(target)
    refuse_if_running(_companions(path)[1])
    if options.resume and path.exists():
        return _done(path, _carry_out(PlanFile(path), index, options, console), options)
    where = regions.known(options.region, settings.read())
    client = Cos(settings.read())
    with tempfile.TemporaryDirectory(prefix="derivo-plan-") as folder:
        made = planning.make(planning.Request(target, where, index, prices=options.prices), client, Path(folder))
        show(made.summary, console)
        if not made.summary.nothing_to_do and not options.dry_run:
            for old in _companions(path):
                old.unlink(missing_ok=True)
            planfile.write(made.store, path, made.head)
        made.store.close()
    if options.dry_run:
        return DONE
    if made.summary.nothing_to_do:
        _note_rules(client, target.bucket, where, index)
        return DONE
    return _done(path, _carry_out(PlanFile(path), index, options, console), options)


def _require_sense(options: Options) -> None:
    """Raises Stop for an option that its engine cannot heed, or lacks."""
    engine = options.engine
    if engine == Engine.SCF and not options.function:
        raise Stop("--engine scf needs --function NAME, the deployed function")
    if engine != Engine.SCF and options.function:
        raise Stop("--function is of --engine scf")
    if engine != Engine.CI and options.rest:
        raise Stop("--rest is of --engine ci")
    if engine == Engine.CI and options.qps is not None and not options.rest:
        raise Stop("CI paces its own batch jobs: --qps has no say with --engine ci")


def _own_file(target: url.CosUrl) -> Path:
    """Where the plan of a bucket stands while it is carried out; another one for each prefix."""
    prefix = f"-{sha256(target.key.encode()).hexdigest()[:8]}" if target.key else ""
    return Path(f"derivo-apply-{target.bucket}{prefix}.parquet")


def _companions(path: Path) -> list[Path]:
    return [path, path.with_suffix(".journal"), path.with_suffix(".failures.jsonl")]


def _done(path: Path, code: int, options: Options) -> int:
    """A plan of our own is of no use once it is carried out."""
    if code == DONE and not options.dry_run:
        for old in _companions(path):
            old.unlink(missing_ok=True)
    return code


def _note_rules(client: Cos, bucket: str, region: str, index: RuleSetIndex) -> None:
    try:
        specs.record(client, bucket, region, index)
    except CosFailure as failure:
        raise Stop(f"cos://{bucket}/{specs.KEY}: {failure}", FINDINGS) from None


def _carry_out(found: PlanFile, index: RuleSetIndex, options: Options, console: Console) -> int:
    head = found.head
    found.require_rules(index)
    _, journal_path, failed = _companions(found.path)
    if options.dry_run:
        text = f"apply: {head.requests:,} requests for {head.sources_to_process:,} sources would be made"
        console.print(Text(text if head.requests else NOTHING), soft_wrap=True)
        return DONE
    if journal_path.exists() and not options.resume:
        raise Stop(f"{journal_path} is there already: go on with --resume, or remove it to begin anew")
    region = options.region or head.region
    configured, clock = settings.read(), SystemClock()
    limits = Limits(options.qps or SHARE * processing_qps(region), options.max_requests, options.max_cost)
    engines = _chosen(options, found, index, configured, region, clock, limits)
    _note_rules(Cos(configured), head.bucket, region, index)
    journal = Journal(journal_path, head, clock)
    failed.unlink(missing_ok=True)
    try:
        with _reporting(console, clock) as report:
            ledger = Ledger(journal, failed, report)
            for made in engines:
                waiting = units(found, index, region, options.prices, whole=options.engine == Engine.SCF)
                closing = made(ledger).run(waiting)
                if ledger.progress.stopped:
                    break
    finally:
        journal.close()
    _tell(ledger.progress, closing, failed, console)
    return FINDINGS if journal.left or journal.failures else DONE


class _Run(Protocol):
    def run(self, waiting: Iterator[Unit]) -> str:
        """Work through the units that the journal does not have. Returns what is to be said at the end."""


def _chosen(
    options: Options,
    found: PlanFile,
    index: RuleSetIndex,
    configured: settings.Settings,
    region: str,
    clock: Clock,
    limits: Limits,
) -> list[Callable[[Ledger], _Run]]:
    """The engines, one after the other, as soon as they get a ledger. Raises Stop when one cannot be had."""

    def direct(ledger: Ledger) -> _Run:
        return Executor(configured, clock, limits.without(ledger.progress), ledger)

    if options.engine == Engine.DIRECT:
        return [direct]
    if options.engine == Engine.CI:
        if not options.rest:
            require_fit(index, found.rule_sets(*TO_MAKE))
        client, bucket = Batches(configured), Bucket(found.head.bucket, region, found.head.id)
        rest = options.rest
        batches = partial(CiEngine, client, bucket, index, clock, limits, rest=rest)
        return [batches, direct] if rest else [batches]
    functions = Functions(configured, region)
    function = deployed(functions, options.function or "", options.namespace)
    return [partial(ScfEngine, functions, function, clock, limits)]


@contextmanager
def _reporting(console: Console, clock: Clock) -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal, a line every ten seconds elsewhere."""
    began = clock.monotonic()
    if not console.is_terminal:
        last = began

        def report(progress: Progress) -> None:
            nonlocal last
            now = clock.monotonic()
            if now - last >= _LINE_SECONDS:
                last = now
                console.print(Text(f"apply: {_status(progress, now - began)}"), soft_wrap=True)

        yield report
        return
    with Bars(BarColumn(), TextColumn("{task.description}", markup=False), console=console) as bars:
        bar = bars.add_task("")

        def move(progress: Progress) -> None:
            text = _status(progress, clock.monotonic() - began)
            bars.update(bar, total=progress.total, completed=progress.done, description=text)

        yield move


def _status(progress: Progress, seconds: float) -> str:
    rate = progress.calls / seconds if seconds else 0.0
    left = (progress.total - progress.done) * seconds / progress.done if progress.done else 0.0
    return (
        f"{progress.done:,} of {progress.total:,} sources, {rate:,.1f} requests/s, "
        f"{progress.sources_failed:,} failed, {progress.cost:,.4f} USD, {left:,.0f} s left"
        + (f"; {progress.note}" if progress.note else "")
    )


def _tell(progress: Progress, closing: str, failed: Path, console: Console) -> None:
    for code, failing in sorted(progress.codes.items(), key=lambda item: -item[1].count):
        text = f"{code}: {failing.count:,} sources, for example {failing.example}"
        console.print(Text(text, style="red"), soft_wrap=True)
    if failed.exists():
        console.print(Text(f"records of what failed, for derivo replay: {failed}"), soft_wrap=True)
    if progress.stopped:
        console.print(Text(f"stopped: {progress.stopped}; go on with --resume"), soft_wrap=True)
    console.print(Text(closing), soft_wrap=True)
