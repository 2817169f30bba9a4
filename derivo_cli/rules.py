"""Rule sets for a command: loaded, with every fault shown."""

from __future__ import annotations

from pathlib import Path

from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo.rulesets import ERROR, Loaded, RuleSet, render
from derivo_cli import linting
from derivo_cli.exits import FINDINGS, USAGE, Stop


def loaded(folder: Path) -> Loaded:
    """All rule sets of a folder or file. Raises Stop when there is no such place."""
    if not folder.exists():
        raise Stop(f"there is no {folder}; name the folder of your rule sets, or one file", USAGE)
    return load(str(folder))


def proved(folder: Path) -> tuple[RuleSet, ...]:
    """The rule sets, free of every error that `derivo lint` knows. Raises Stop with what it says."""
    found = loaded(folder)
    errors = [fault for fault in linting.lint(found) if fault.level == ERROR]
    if errors:
        raise Stop("\n".join([*map(render, errors), "mend these first: derivo lint"]), FINDINGS)
    if not found.rule_sets:
        raise Stop(f"there are no rule sets in {folder}", USAGE)
    return found.rule_sets


def index(folder: Path) -> RuleSetIndex:
    """The rule sets, ready to be matched. Raises Stop when one has an error: nothing is done with half of the rules."""
    found = loaded(folder)
    if found.errors:
        raise Stop("\n".join(render(fault) for fault in found.errors), FINDINGS)
    if not found.rule_sets:
        raise Stop(f"there are no rule sets in {folder}", USAGE)
    return RuleSetIndex(found.rule_sets)
