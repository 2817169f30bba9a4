"""A function's versions and aliases, and the states that a change takes it through (583/36149, 583/115197)."""

from __future__ import annotations

from dataclasses import dataclass

from coslocal.scf.code import Code
from coslocal.scf.function import Function
from coslocal.scf.runner import Runner

LATEST = "$LATEST"
"""The version that can be changed; those that are published cannot."""
DEFAULT = "$DEFAULT"
"""The alias that every function has."""

ACTIVE = "Active"
_FAILED = {
    "Creating": "CreateFailed", "Updating": "UpdateFailed", "Publishing": "PublishFailed", "Deleting": "DeleteFailed",
}  # fmt: skip


@dataclass(frozen=True)
class Phase:
    """What is being done to a version until a time (unix seconds), and why it will have failed ("": it will not)."""

    doing: str
    until: float
    problem: str = ""

    def status(self, now: float) -> str:
        if now < self.until:
            return self.doing
        return _FAILED[self.doing] if self.problem else ACTIVE

    def reason(self, now: float) -> str:
        return self.problem if now >= self.until else ""


@dataclass(kw_only=True)
class Version:
    """`function.version` is its name; `code` is None where a folder is run as it lies. Times are unix seconds."""

    function: Function
    code: Code | None
    runner: Runner
    added: float
    modified: float
    phase: Phase
    description: str = ""


@dataclass(kw_only=True)
class Alias:
    """A name for a version."""

    name: str
    version: str
    description: str
    added: float
    modified: float
