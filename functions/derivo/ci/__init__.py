"""The CI language: grammar of processing rules, canonical form, limits. Pure, and shared with coslocal.

`parse(text)` gives a `Parsed` (tree, problems and places), `check(rule)` finds conflicts and what is unwise,
`compile_steps(steps)` makes a rule of typed steps, `to_text(rule)` prints a tree, `canonical(rule)` gives the same text
for the same meaning, `spec_digest(rule)` hashes that. Tables: `limits`, `formats`, `prices`, `problems.CODES`.
"""

from __future__ import annotations

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
