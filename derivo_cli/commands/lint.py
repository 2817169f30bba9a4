"""derivo lint: every error of every file at once, with place, code and mend."""

from __future__ import annotations

import sys
from pathlib import Path

from derivo.rulesets import ERROR, Fault, render
from derivo_cli import linting, rules, serverless
from derivo_cli.exits import DONE, FINDINGS, Stop


def run(folder: Path, *, style: str, deployment: Path | None) -> int:
    """Print the findings in the style asked for. 1 when one is an error, 0 otherwise."""
    loaded = rules.loaded(folder)
    described = _deployment(deployment)
    found = linting.lint(loaded, described)
    if style == "json":
        sys.stdout.write(linting.as_json(found) + "\n")
    else:
        for fault in found:
            sys.stdout.write((linting.as_github(fault) if style == "github" else render(fault)) + "\n")
        sys.stderr.write(_closing(found, len(loaded.rule_sets)) + "\n")
    return FINDINGS if any(fault.level == ERROR for fault in found) else DONE


def _deployment(path: Path | None) -> serverless.Deployment | None:
    """serverless.yml, where one is named or lies in this folder."""
    if path is None:
        path = Path("serverless.yml")
        if not path.is_file():
            return None
    try:
        return serverless.read(path)
    except (OSError, ValueError) as error:
        raise Stop(f"{path}: {error}") from None


def _closing(found: tuple[Fault, ...], rule_sets: int) -> str:
    errors = sum(fault.level == ERROR for fault in found)
    return f"lint: {rule_sets} rule sets read, {errors} errors, {len(found) - errors} warnings"
