"""derivo put: upload images and make their derivatives in the same request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivo import settings
from derivo.cos import Cos, CosFailure
from derivo.outcomes import FAILED, WRITTEN
from derivo.upload import Uploaded, put_image
from derivo_cli import regions, rules, url
from derivo_cli.exits import DONE, FINDINGS, Stop


def run(
    files: list[Path], destination: str, *, rules_folder: Path, region: str | None, as_json: bool, console: Console
) -> int:
    """Upload every file; a file that fails does not keep the others back. Returns the exit code."""
    target = url.parse(destination)
    keys = _keys(files, target.key)
    configured = settings.read()
    place = regions.known(region, configured)
    index = rules.index(rules_folder)
    client = Cos(configured)
    show = _show_json(console) if as_json else _show_table(console)
    failures = 0
    for file, key in zip(files, keys, strict=True):
        try:
            done = put_image(file, bucket=target.bucket, key=key, region=place, client=client, rule_sets=index)
        except (CosFailure, OSError) as error:
            failures += 1
            console.print(Text(f"{file}: not uploaded: {error}", style="red"))
            continue
        show(file, done)
        failures += sum(outcome.status == FAILED for outcome in done.work.outcomes)
    return FINDINGS if failures else DONE


def _keys(files: list[Path], key: str) -> list[str]:
    """The key of each file: the one given, or its name inside the folder given."""
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise Stop(f"no such file: {', '.join(missing)}")
    if key and not key.endswith("/"):
        if len(files) > 1:
            raise Stop(f"{len(files)} files cannot all become {key!r}; end the address with / to upload into a folder")
        return [key]
    return [key + file.name for file in files]


def _show_table(console: Console) -> Callable[[Path, Uploaded], None]:
    def show(file: Path, done: Uploaded) -> None:
        source = done.plan.source
        how = "in parts" if done.way == "parts" else "in one PUT"
        console.print(Text(f"{file} -> cos://{source.bucket}/{source.key} ({source.size} bytes, {how})"))
        if not done.work.outcomes:
            console.print(Text("  no rule set matches this key; only the source was stored"))
            return
        table = Table(box=None, pad_edge=False)
        for heading in ("derivative", "outcome", "format", "size", "bytes"):
            table.add_column(heading, justify="right" if heading == "bytes" else "left")
        for outcome in done.work.outcomes:
            made = outcome.status == WRITTEN
            table.add_row(
                Text(outcome.derivative.key),
                Text(outcome.text, style="green" if made else "red" if outcome.status == FAILED else "yellow"),
                Text(outcome.format),
                Text(f"{outcome.width}x{outcome.height}" if made else outcome.message),
                Text(str(outcome.size) if made else ""),
            )
        console.print(table)

    return show


def _show_json(console: Console) -> Callable[[Path, Uploaded], None]:
    def show(file: Path, done: Uploaded) -> None:
        source = done.plan.source
        record: dict[str, Any] = {
            "file": str(file),
            "bucket": source.bucket,
            "key": source.key,
            "size": source.size,
            "way": done.way,
            "plan": done.plan.digest,
            "calls": done.work.calls,
            "derivatives": [
                {
                    "rule_set": outcome.derivative.rule_set,
                    "name": outcome.derivative.name,
                    "bucket": outcome.derivative.bucket,
                    "key": outcome.derivative.key,
                    "outcome": outcome.text,
                    "message": outcome.message,
                    "format": outcome.format,
                    "width": outcome.width,
                    "height": outcome.height,
                    "size": outcome.size,
                    "etag": outcome.etag,
                }
                for outcome in done.work.outcomes
            ],
        }
        console.file.write(json.dumps(record, ensure_ascii=False) + "\n")

    return show
