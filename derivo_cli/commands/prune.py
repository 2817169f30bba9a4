"""derivo prune: delete the orphans of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from derivo import settings
from derivo.cos import Cos
from derivo_cli import rules
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.reconcile.planfile import PlanFile
from derivo_cli.reconcile.pruning import FAILED, REMOVED, Fate, Pruner, too_many

_SHOWN = 20


def run(file: Path, *, rules_folder: Path, region: str | None, yes: bool, force: list[str], console: Console) -> int:
    """Show what would go; with `yes` delete it. 0: nothing is left, 1: something is, 2: refused."""
    found = PlanFile(file)
    index = rules.index(rules_folder)
    found.require_rules(index)
    for bucket, (count, total) in too_many(found).items():
        if bucket not in force:
            raise Stop(
                f"{count:,} of the {total:,} objects seen in {bucket} would go, more than a tenth; "
                f"if that is meant, name it: --force {bucket}"
            )
    configured = settings.read()
    pruner = Pruner(Cos(configured), index, found, region or found.head.region)
    looked = _told(pruner.look(), "would be removed", console)
    if looked[FAILED]:
        raise Stop(f"prune: {looked[FAILED]:,} could not be looked at, so nothing was deleted; try again", FINDINGS)
    if not yes:
        console.print(Text(f"prune: {looked[REMOVED]:,} would be removed; do it with --yes"), soft_wrap=True)
        return FINDINGS if looked[REMOVED] else DONE
    removed = _told(pruner.remove(), "removed", console)
    console.print(Text(f"prune: {removed[REMOVED]:,} removed, {removed[FAILED]:,} failed"), soft_wrap=True)
    return FINDINGS if removed[FAILED] else DONE


def _told(fates: Iterable[Fate], word: str, console: Console) -> Counter[str]:
    """Count what becomes of them, and print the first of each kind."""
    counts: Counter[str] = Counter()
    for fate in fates:
        counts[fate.status] += 1
        if counts[fate.status] <= _SHOWN:
            what = word if fate.status == REMOVED else fate.status
            detail = f" ({fate.detail})" if fate.detail else ""
            console.print(Text(f"{what}{detail}: cos://{fate.entry.bucket}/{fate.entry.key}"), soft_wrap=True)
    return counts
