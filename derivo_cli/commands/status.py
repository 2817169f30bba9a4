"""derivo status: what failed and waits in a bucket, grouped by error."""

from __future__ import annotations

import json
from collections import defaultdict

from rich.console import Console
from rich.text import Text

from derivo import settings
from derivo.cos import Cos, CosFailure
from derivo.outcomes import CODES
from derivo_cli import records, regions, url
from derivo_cli.exits import DONE, FINDINGS, Stop


def run(address: str, *, region: str | None, as_json: bool, console: Console) -> int:
    """Print the groups. 1 when something waits, 0 when nothing does."""
    target = url.parse(address)
    configured = settings.read()
    where = regions.known(region, configured)
    groups: dict[tuple[str, bool], list[str]] = defaultdict(list)
    waiting = 0
    try:
        for found in records.in_bucket(Cos(configured), target, where):
            assert found.record is not None
            waiting += 1
            for failure in found.record.failures:
                groups[failure.code, failure.retryable].append(found.record.source.key)
    except CosFailure as failure:
        raise Stop(f"{address}: {failure}", FINDINGS) from None
    rows = sorted(groups.items(), key=lambda row: (-len(row[1]), row[0]))
    if as_json:
        console.file.write(json.dumps({"sources": waiting, "errors": [_row(*row) for row in rows]}) + "\n")
    elif rows:
        _show(rows, console)
    if not as_json:
        folder = target.key or records.FOLDER
        console.print(Text(f"status: {waiting} sources wait in cos://{target.bucket}/{folder}"))
    return FINDINGS if waiting else DONE


def _row(group: tuple[str, bool], keys: list[str]) -> dict[str, object]:
    return {"code": group[0], "retryable": group[1], "derivatives": len(keys), "sources": sorted(set(keys))[:100]}


def _show(rows: list[tuple[tuple[str, bool], list[str]]], console: Console) -> None:
    for (code, retryable), keys in rows:
        kind = "retryable" if retryable else "permanent"
        count = f"{len(keys)} derivatives of {len(set(keys))} sources"
        console.print(Text(f"{code} ({kind}): {count}", style="bold"), soft_wrap=True)
        if code in CODES:
            console.print(Text(f"  {CODES[code][1]}"), soft_wrap=True)
        console.print(Text(f"  for example {sorted(keys)[0]}"), soft_wrap=True)
