"""derivo plan: what a bucket lacks under its rules."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivo import settings
from derivo.cos import Cos
from derivo_cli import pricing, regions, rules, url
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.reconcile import planfile, planning
from derivo_cli.reconcile.judging import CLASSES, REASONS, UP_TO_DATE
from derivo_cli.reconcile.summary import Summary

NOTHING = "plan: nothing to do"


def run(
    address: str,
    *,
    rules_folder: Path,
    region: str | None,
    output: Path | None,
    manifests: bool,
    inventories: list[str],
    old_rules: Path | None,
    own_prices: list[str],
    as_json: bool,
    console: Console,
) -> int:
    """Print the plan, and write it to a file. 1 when there is something to make, 0 when there is not."""
    target = url.parse(address)
    configured = settings.read()
    where = regions.known(region, configured)
    if old_rules is not None and output is not None:
        raise Stop("--old only tells what a change would touch; the plan to carry out is made without it")
    request = planning.Request(
        target,
        where,
        rules.index(rules_folder),
        manifests=manifests,
        inventories=tuple(inventories),
        prices=pricing.table(own_prices),
        old=None if old_rules is None else rules.index(old_rules),
    )
    with tempfile.TemporaryDirectory(prefix="derivo-plan-") as folder:
        made = planning.make(request, Cos(configured), Path(folder))
        if output is not None:
            planfile.write(made.store, output, made.head)
        made.store.close()
    if as_json:
        console.file.write(as_json_text(made) + "\n")
    else:
        show(made.summary, console)
        if output is not None:
            console.print(Text(f"plan: written to {output}"), soft_wrap=True)
    return DONE if made.summary.nothing_to_do else FINDINGS


def as_json_text(made: planning.Planned) -> str:
    """The summary as one JSON object."""
    head = made.head
    about = {"bucket": head.bucket, "prefix": head.prefix, "rules": head.rules, "objects": head.objects}
    found = {**about, "nothing_to_do": made.summary.nothing_to_do, **msgspec.to_builtins(made.summary)}
    return msgspec.json.encode(found).decode()


def show(summary: Summary, console: Console) -> None:
    """The summary for people."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("derivatives", justify="right")
    table.add_column("")
    for kind in CLASSES:
        told = [f"{part.count} {_why(part.why)}" for part in _by_reason(summary, kind)]
        if summary.classes[kind] or told:
            table.add_row(Text(kind), Text(f"{summary.classes[kind]:,}"), Text("; ".join(told)))
    console.print(table)
    _show_rule_sets(summary, console)
    for change in summary.changes:
        text = f"{change.rule_set}/{change.name}: {change.change} ({change.derivatives:,} derivatives)"
        console.print(Text(text), soft_wrap=True)
    console.print(Text(f"{summary.sources:,} sources, {summary.derivatives:,} derivatives wanted"), soft_wrap=True)
    for notice in summary.notices:
        console.print(Text(f"note: {notice}"), soft_wrap=True)
    console.print(Text(NOTHING if summary.nothing_to_do else _to_do(summary)), soft_wrap=True)


def _show_rule_sets(summary: Summary, console: Console) -> None:
    """What becomes of each rule set's derivatives, where there are several."""
    kinds = [kind for kind in CLASSES if any(part.kind == kind for part in summary.parts)]
    names = sorted({part.rule_set for part in summary.parts if part.rule_set})
    if len(names) < 2:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("rule set", *kinds, "to make", "cost"):
        table.add_column(heading, justify="left" if heading == "rule set" else "right")
    shares = {share.rule_set: share for share in summary.rule_sets}
    for name in names:
        parts = [part for part in summary.parts if part.rule_set == name and not part.is_manifest]
        counts = [sum(part.count for part in parts if part.kind == kind) for kind in kinds]
        share = shares.get(name)
        made = (f"{share.make:,}", f"{share.cost:,.4f}") if share else ("0", "0")
        table.add_row(Text(name), *(f"{count:,}" for count in counts), *made)
    console.print(table)


class _Reason(msgspec.Struct, frozen=True):
    why: str
    count: int


def _by_reason(summary: Summary, kind: str) -> list[_Reason]:
    """How often each reason was given for a class, where there is something to tell."""
    counts: dict[str, int] = {}
    for part in summary.parts:
        if part.kind == kind != UP_TO_DATE:
            why = "manifests" if part.is_manifest else part.why
            counts[why] = counts.get(why, 0) + part.count
    return [_Reason(why, count) for why, count in counts.items()]


def _why(why: str) -> str:
    return f"({REASONS.get(why, why)})" if why != "manifests" else "manifests are missing"


def _to_do(summary: Summary) -> str:
    least = "" if summary.cost.complete else "at least "
    again = f" ({summary.remade:,} of them with the others of their manifest)" if summary.remade else ""
    return (
        f"plan: {summary.make:,} derivatives{again} of {summary.sources_to_process:,} sources to make: "
        f"{summary.requests:,} requests, {summary.bytes / 1e9:,.3f} GB processed, "
        f"{least}{summary.cost.amount:,.4f} {summary.cost.currency}, "
        f"{summary.minutes:,.1f} minutes at the limit of the region"
    )
