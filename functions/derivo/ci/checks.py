"""What parsing alone cannot see in a rule: conflicts, what persistent processing refuses, and what is unwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from derivo.ci import advice, conflicts
from derivo.ci.grammar import parse
from derivo.ci.look import Finding, Look
from derivo.ci.printer import to_text
from derivo.ci.problems import Problem, Span, SpanPath, problem
from derivo.ci.tree import Rule


def check(
    rule: Rule,
    *,
    key_extension: Optional[str] = None,
    source_suffixes: Optional[tuple[str, ...]] = None,
    keep_original_on_error: bool = False,
    persistent: bool = True,
    spans: Optional[Mapping[SpanPath, Span]] = None,
) -> tuple[Problem, ...]:
    """Conflicts (CI3xx), what this way of processing refuses (CI4xx), and warnings (CI5xx), in the rule's order.

    `key_extension` is that of the derivative's key (`.webp`), None where the key keeps the source's. `source_suffixes`
    are those of the sources (`.jpg`), None for any. `spans` are those of the text the rule was parsed from; without
    them offsets count in `to_text(rule)`.
    """
    found = findings(
        rule,
        key_extension=key_extension,
        source_suffixes=source_suffixes,
        keep_original_on_error=keep_original_on_error,
        persistent=persistent,
    )
    places = parse(to_text(rule)).spans if spans is None else spans
    problems = [problem(f.code, f.message, place(f.path, places), f.mend, f.tolerated) for f in found]
    return tuple(sorted(problems, key=lambda each: (each.start, each.code)))


def findings(
    rule: Rule,
    *,
    key_extension: Optional[str],
    source_suffixes: Optional[tuple[str, ...]],
    keep_original_on_error: bool,
    persistent: bool,
) -> list[Finding]:
    """What `check` finds, filed under stage and operation."""
    look = Look(
        rule,
        key_extension=key_extension,
        source_suffixes=source_suffixes,
        keep_original_on_error=keep_original_on_error,
        persistent=persistent,
    )
    return [finding for each in (*conflicts.CHECKS, *advice.CHECKS) for finding in each(look)]


def place(path: SpanPath, spans: Mapping[SpanPath, Span]) -> Span:
    """Where in the text a path lies: the operation, else its stage, else the whole rule."""
    whole = (min((start for start, _ in spans.values()), default=0), max((end for _, end in spans.values()), default=0))
    return spans.get(path) or spans.get(path[:1]) or whole
