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


class Values:
    """The values of one deployment's variables; what has none is gathered by name. An empty one has none either."""

    def __init__(self, deployment: serverless.Deployment, environ: Mapping[str, str], stage: str | None = None) -> None:
        self.stage = stage or deployment.stage
        self.undefined: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        self._environ = environ
        self._own = {"stage": self.stage}
        self._own["name"] = self.of(str(deployment.top.get("name") or ""))
        self._own["app"] = self.of(str(deployment.top.get("app") or "")) or self._own["name"]

    def of(self, text: str) -> str:
        """The text with values in the place of its variables."""
        return _VARIABLE.sub(self._one, text)

    def within(self, value: Any) -> Any:
        """As `of`, for every text in a value."""
        if isinstance(value, dict):
            return {name: self.within(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.within(item) for item in value]
        return self.of(value) if isinstance(value, str) else value

    def _one(self, found: re.Match[str]) -> str:
        name = found[1]
        if not name.startswith("env:"):
            if name not in self._own:
                self.unknown[name] = None
            return self._own.get(name, found[0])
        value = self._environ.get(name.removeprefix("env:"))
        if not value:
            self.undefined[name.removeprefix("env:")] = None
        return value or found[0]


def resolve(deployment: serverless.Deployment, environ: Mapping[str, str], stage: str | None = None) -> Resolved:
    """Values for every variable, as the platform would put them."""
    values = Values(deployment, environ, stage)
    document = {**values.within(deployment.top), "inputs": values.within(deployment.inputs)}
    return Resolved(serverless.understood(document), values.stage, tuple(values.undefined), tuple(values.unknown))


def has_variable(text: str) -> bool:
    """Whether a variable is left in the text."""
    return _VARIABLE.search(text) is not None


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
