"""The CI language: grammar of processing rules, canonical form, limits. Pure, and shared with coslocal.

`parse(text)` gives a `Parsed` (tree and problems), `to_text(rule)` prints a tree, `canonical(rule)` gives the same text
for the same meaning, `spec_digest(rule)` hashes that.
"""

from __future__ import annotations

from derivo.ci.canonical import canonical, spec_digest
from derivo.ci.grammar import parse
from derivo.ci.printer import to_text
from derivo.ci.problems import Parsed, Problem
from derivo.ci.tree import Rule

__all__ = ["Parsed", "Problem", "Rule", "canonical", "parse", "spec_digest", "to_text"]
