"""derivo replay: dead letters and failure records go the same way as events do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from derivo import settings
from derivo.clock import SystemClock
from derivo.cos import Cos, CosFailure
from derivo.events import EventError, Source, sources
from derivo.handle import Summary, Unfinished, handle
from derivo.matching import RuleSetIndex
from derivo.plan import plan
from derivo_cli import records, regions, rules, url
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.records import Waiting

# A person waits for it, not the platform; each call has its own time-out.
_CONTEXT = {"time_limit_in_ms": 900_000, "request_id": "replay"}


def run(place: str, *, rules_folder: Path, region: str | None, dry_run: bool, console: Console) -> int:
    """Replay all that waits there. A record whose source is done is removed. 1 when something failed again."""
    configured = settings.read()
    index = rules.index(rules_folder)
    target = url.parse(place) if place.startswith("cos://") else None
    where = region or configured.region if target is None else regions.known(region, configured)
    client = Cos(configured) if target is not None or not dry_run else None
    found: Iterator[Waiting]
    if target is not None and client is not None:
        found = records.in_bucket(client, target, where)
    else:
        found = records.in_file(Path(place))
    failed = count = 0
    try:
        for waiting in found:
            count += 1
            if dry_run or client is None:
                _show_plan(waiting, index, where, console)
            elif not _replay(waiting, client, index, where, console):
                failed += 1
            elif target is not None:
                client.delete(bucket=target.bucket, region=where, key=waiting.record_key, timeout=60.0)
    except CosFailure as failure:
        raise Stop(f"{place}: {failure}", FINDINGS) from None
    word = "would be replayed" if dry_run else "replayed"
    console.print(Text(f"replay: {count} {word}, {failed} failed again"), soft_wrap=True)
    return FINDINGS if failed else DONE


def _replay(waiting: Waiting, client: Cos, index: RuleSetIndex, region: str, console: Console) -> bool:
    lines: list[dict[str, Any]] = []
    try:
        summary = handle(
            waiting.event,
            _CONTEXT,
            client=client,
            rule_sets=index,
            clock=SystemClock(),
            log=lines.append,
            region=region,
        )
    except Unfinished as error:
        console.print(Text(f"{waiting.place}: {error}", style="red"), soft_wrap=True)
        return False
    good = not summary.failed and not any(line.get("level") == "error" for line in lines)
    console.print(Text(f"{waiting.place}: {_told(summary, lines)}", style="" if good else "red"), soft_wrap=True)
    return good


def _told(summary: Summary, lines: list[dict[str, Any]]) -> str:
    text = f"{summary.written} written, {summary.skipped} skipped, {summary.removed} removed, {summary.failed} failed"
    errors = sorted({str(line["error"]) for line in lines if line.get("error")})
    return f"{text} ({', '.join(errors)})" if errors else text


def _show_plan(waiting: Waiting, index: RuleSetIndex, region: str, console: Console) -> None:
    try:
        found = sources(waiting.event, default_region=region or None)
    except EventError as error:
        console.print(Text(f"{waiting.place}: {error}", style="red"), soft_wrap=True)
        return
    for source in found:
        if isinstance(source, Source):
            made = plan(source, index)
            text = f"cos://{source.bucket}/{source.key}: {len(made.derivatives)} derivatives"
            console.print(Text(f"{waiting.place}: {text}, {len(made.requests)} requests"), soft_wrap=True)
        else:
            console.print(Text(f"{waiting.place}: {type(source).__name__.lower()}"), soft_wrap=True)
