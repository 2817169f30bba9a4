"""derivo lint: every error of every file at once, with place, code and mend."""

from __future__ import annotations

import sys
from pathlib import Path

from derivo.rulesets import ERROR, Fault, Loaded, render
from derivo_cli import linting, rules, serverless
from derivo_cli.exits import DONE, FINDINGS, Stop


def run(folder: Path, *, style: str, deployment: Path | None) -> int:
    """Print the findings in the style asked for. 1 when one is an error, 0 otherwise."""
    loaded = rules.loaded(folder)
    found = linting.lint(loaded, _deployment(deployment))
    if style == "json":
        sys.stdout.write(linting.as_json(found) + "\n")
    else:
        for fault in found:
            sys.stdout.write((linting.as_github(fault) if style == "github" else render(fault)) + "\n")
        sys.stdout.flush()
        sys.stderr.write(_closing(found, loaded) + "\n")
    return FINDINGS if any(fault.level == ERROR for fault in found) else DONE


def _deployment(path: Path | None) -> serverless.Deployment | None:
    """serverless.yml: the one named, or the one in this folder if it deploys a function of this kind."""
    named = path is not None
    path = path or Path("serverless.yml")
    if not named and not path.is_file():
        return None
    try:
        return serverless.read(path)
    except (OSError, ValueError) as error:
        if named:
            raise Stop(f"{path}: {error}") from None
        # other tools have files of this name, so one that nobody named is no reason to stop
        sys.stderr.write(f"lint: {path} is left aside: {error}\n")
        return None


def _closing(found: tuple[Fault, ...], loaded: Loaded) -> str:
    errors = sum(fault.level == ERROR for fault in found)
    read = len(loaded.rule_sets)
    given_up = len({fault.where.file for fault in loaded.errors})
    parts = [_counted(read, "rule set"), _counted(sum(len(r.examples) for r in loaded.rule_sets), "example")]
    if given_up:
        parts.append(f"{_counted(given_up, 'file')} with errors, left out of the proofs")
    return f"lint: {', '.join(parts)}: {_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
