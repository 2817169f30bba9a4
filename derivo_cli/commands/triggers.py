"""derivo triggers: serverless.yml's COS triggers, generated from the rule sets."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from derivo.rulesets import RuleSet
from derivo_cli import rules, serverless, variables
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.triggers.choosing import Impossible
from derivo_cli.triggers.deploying import Wanted, wanted
from derivo_cli.triggers.editing import edited


def run(file: Path, rules_folder: Path, *, write: bool, check: bool, buckets: Sequence[str]) -> int:
    """Show how the file would change, or change it. 0: it is up to date (now), 1: it is not, or cannot be."""
    before, found = _wanted(file, rules.proved(rules_folder), buckets)
    try:
        after = edited(before, found.triggers, found.timers)
    except ValueError as error:
        raise Stop(f"{file}: {error}") from None
    for merge in found.choice.merges:
        old = ", ".join(f"{trigger.prefix}*{trigger.suffix}" for trigger in merge.old)
        sys.stderr.write(
            f"triggers: merged, since a function may have ten: {old} -> {merge.new.prefix}*{merge.new.suffix}\n"
        )
    counted = f"{len(found.triggers)} COS trigger{'' if len(found.triggers) == 1 else 's'}"
    if before == after:
        sys.stderr.write(f"triggers: {file} is up to date: {counted}\n")
        return DONE
    if not check:
        lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
        for line in difflib.unified_diff(*lines, str(file), f"{file} (from {rules_folder})"):
            sys.stdout.write(line if line.endswith("\n") else f"{line}\n")
        sys.stdout.flush()
    if not write:
        sys.stderr.write(f"triggers: {file} is not up to date: run derivo triggers --write\n")
        return FINDINGS
    file.write_bytes(after.encode())
    sys.stderr.write(f"triggers: {file} now has {counted}\n")
    return DONE


def _wanted(file: Path, rule_sets: Sequence[RuleSet], buckets: Sequence[str]) -> tuple[str, Wanted]:
    try:
        before = file.read_bytes().decode("utf-8")
        deployment = serverless.parse(before)
        environ = variables.environment(file.parent, deployment.stage)
    except FileNotFoundError:
        raise Stop(f"there is no {file}; name it with --serverless") from None
    except (OSError, ValueError) as error:
        raise Stop(f"{file}: {error}") from None
    try:
        return before, wanted(deployment, rule_sets, environ, buckets)
    except Impossible as error:
        raise Stop(f"{error}\n  mend: {error.mend}", FINDINGS) from None
