"""The variables of serverless.yml: `${env:NAME}` and the file's own `${stage}`, `${name}`, `${app}` (SCF 5.5).

The platform's own command line passes an undefined one on silently; here it is told by name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from derivo_cli import serverless

_VARIABLE = re.compile(r"\$\{([^${}]*)\}")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)")
_FOLDERS = (".", "..", "../..")


@dataclass(frozen=True)
class Resolved:
    """The deployment with values in the place of variables; `undefined` are the names of `${env:NAME}` that have none,
    `unknown` the variables that only the platform could resolve. Both are left as written."""

    deployment: serverless.Deployment
    stage: str
    undefined: tuple[str, ...]
    unknown: tuple[str, ...]


def resolve(deployment: serverless.Deployment, environ: Mapping[str, str], stage: str | None = None) -> Resolved:
    """Values for every variable, as the platform would put them; one that is empty counts as undefined."""
    stage = stage or deployment.stage
    own = {"stage": stage, "app": str(deployment.top.get("app") or deployment.top.get("name") or "")}
    undefined: dict[str, None] = {}
    unknown: dict[str, None] = {}

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("env:"):
            value = environ.get(name.removeprefix("env:"))
            if not value:
                undefined[name.removeprefix("env:")] = None
            return value or found[0]
        if name not in own:
            unknown[name] = None
        return own.get(name, found[0])

    def all_in(value: Any) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(one, value)
        if isinstance(value, dict):
            return {name: all_in(item) for name, item in value.items()}
        return [all_in(item) for item in value] if isinstance(value, list) else value

    top = all_in(deployment.top)
    own["name"] = str(top.get("name") or "")
    document = {**top, "inputs": all_in(deployment.inputs)}
    return Resolved(serverless.understood(document), stage, tuple(undefined), tuple(unknown))


def environment(folder: Path, stage: str, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that stand in this process's environment, else in `.env.<stage>` or `.env` of the folder and of the
    two above it. Raises ValueError for a file that is no UTF-8."""
    found = dict(os.environ if own is None else own)
    for place in _FOLDERS:
        for name in (f".env.{stage}", ".env"):
            path = folder / place / name
            if path.is_file():
                for key, value in _pairs(path):
                    found.setdefault(key, value)
    return found


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    for line in lines:
        found = _LINE.fullmatch(line.strip())
        if found is None:
            continue
        value = found[2].strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        else:
            value = value.partition(" #")[0].rstrip()
        yield found[1], value
