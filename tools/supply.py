#!/usr/bin/env python
"""What goes into the function from elsewhere, held to licences or to advisories: `supply.py licences|advisories`.

0: as it should be; 1: findings, on standard output; 75: whoever knows could not be asked, which tells nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from derivo_cli.packaging.licences import ALLOWED, is_allowed, licence
from derivo_cli.packaging.requirements import read

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
GOOD, FINDINGS, NOT_REACHED = 0, 1, 75
_SECONDS = 40


def licences() -> int:
    """Each package that is pinned, by the metadata of the one that is installed here."""
    findings = []
    for pin in read(REQUIREMENTS):
        try:
            expression = licence(metadata(pin.name))  # type: ignore[arg-type]
        except PackageNotFoundError:
            findings.append(f"{pin.name} is not installed here, so its licence is not known")
            continue
        if not is_allowed(expression):
            findings.append(f"{pin.name}: {expression} is none of {', '.join(sorted(ALLOWED))}")
    return _told(findings)


def advisories() -> int:
    """Each package that is pinned, through pip-audit."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(REQUIREMENTS), "--require-hashes"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        answers = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, LookupError, TypeError):
        return _not_reached("no answer")
    return judged(answers)


def judged(answers: list[Mapping[str, object]]) -> int:
    """What pip-audit's answers come to. It calls a package skipped of which the service has told nothing."""
    findings = [
        f"{answer['name']} {answer['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for answer in answers
        for found in answer.get("vulns", ())  # type: ignore[attr-defined]
    ]
    if findings:
        return _told(findings)
    skipped = [str(answer["name"]) for answer in answers if "skip_reason" in answer]
    return _not_reached(f"nothing is known of {', '.join(skipped)}") if skipped or not answers else GOOD


def _told(findings: list[str]) -> int:
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return FINDINGS if findings else GOOD


def _not_reached(why: str) -> int:
    sys.stdout.write(f"the service of advisories was not reached: {why}\n")
    return NOT_REACHED


_CHECKS: Mapping[str, Callable[[], int]] = {"licences": licences, "advisories": advisories}

if __name__ == "__main__":
    sys.exit(_CHECKS[sys.argv[1]]())
