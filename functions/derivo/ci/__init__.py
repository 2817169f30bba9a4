"""The CI language: grammar of processing rules, canonical form, limits. Pure, and shared with coslocal.

`parse(text)` gives a `Parsed` (tree, problems and places), `check(rule)` finds conflicts and what is unwise,
`compile_steps(steps)` makes a rule of typed steps, `to_text(rule)` prints a tree, `canonical(rule)` gives the same text
for the same meaning, `spec_digest(rule)` hashes that. Tables: `limits`, `formats`, `prices`, `problems.CODES`.

Each is loaded when it is first asked for: the function prints rules, and pays at its cold start for nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derivo.ci.canonical import canonical, spec_digest
    from derivo.ci.checks import check
    from derivo.ci.grammar import parse
    from derivo.ci.printer import to_text
    from derivo.ci.problems import Parsed, Problem
    from derivo.ci.steps import CompiledSteps, check_steps, compile_steps
    from derivo.ci.stepwork import StepProblem
    from derivo.ci.tree import Rule

__all__ = [
    "CompiledSteps",
    "Parsed",
    "Problem",
    "Rule",
    "StepProblem",
    "canonical",
    "check",
    "check_steps",
    "compile_steps",
    "parse",
    "spec_digest",
    "to_text",
]

_HOMES = {
    "canonical": ("canonical", "spec_digest"),
    "checks": ("check",),
    "grammar": ("parse",),
    "printer": ("to_text",),
    "problems": ("Parsed", "Problem"),
    "steps": ("CompiledSteps", "check_steps", "compile_steps"),
    "stepwork": ("StepProblem",),
    "tree": ("Rule",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            module = import_module(f"{__name__}.{home}")
            # all of them: importing the module `canonical` has bound that name to the module
            globals().update({each: getattr(module, each) for each in names})
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
