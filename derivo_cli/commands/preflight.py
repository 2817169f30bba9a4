"""derivo preflight: what would go wrong with a deployment, before anything is deployed."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.preflight import offline, online
from derivo_cli.preflight.lines import FAIL, OK, WARN, Line

_STYLES = {OK: "green", WARN: "yellow", FAIL: "red"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    package: Path
    stage: str | None = None
    offline: bool = False
    as_json: bool = False


def run(file: Path, rules_folder: Path, options: Options, console: Console) -> int:
    """A line a check. 0: nothing fails, 1: something does, 2: there is nothing to look at."""
    if not rules_folder.exists():
        raise Stop(f"there is no {rules_folder}; name the folder of your rule sets with --rules")
    try:
        given = offline.gather(file, rules_folder, options.package, options.stage)
    except FileNotFoundError:
        raise Stop(f"there is no {file}; name it with --serverless") from None
    except (OSError, ValueError) as error:
        raise Stop(f"{file}: {error}") from None
    found = itertools.chain(offline.lines(given), () if options.offline else online.lines(given))
    shown = list(_as_json(found) if options.as_json else _as_text(found, console))
    counts = {level: sum(line.level == level for line in shown) for level in (OK, WARN, FAIL)}
    sys.stderr.write(f"preflight: {counts[OK]} ok, {counts[WARN]} to look at, {counts[FAIL]} to mend\n")
    return FINDINGS if counts[FAIL] else DONE


def _as_text(lines: Iterable[Line], console: Console) -> Iterator[Line]:
    for line in lines:
        text = Text(f"{line.level:5}", style=_STYLES[line.level]).append(f"{line.check}: {line.says}", style="default")
        if line.mend:
            text.append(f"\n      mend: {line.mend}", style="default")
        console.print(text, soft_wrap=True)
        yield line


def _as_json(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        sys.stdout.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        yield line
