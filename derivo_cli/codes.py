"""Every code that `derivo lint` may give, with its level and what it stands for."""

from __future__ import annotations

from typing import NamedTuple

from derivo import reading
from derivo.ci import problems
from derivo.rulesets import ERROR, WARNING


class Code(NamedTuple):
    """One kind of finding."""

    code: str
    level: str
    summary: str


FILES = tuple(Code(code, ERROR, summary) for code, summary in reading.CODES.items())
RULES = tuple(Code(row.code, row.level, row.summary) for row in problems.CODES)
PROOFS = (
    Code("PF101", ERROR, "a derivative becomes a source again, without end"),
    Code("PF102", ERROR, "a derivative overwrites its own source, without end"),
    Code("PF103", ERROR, "a derivative becomes a source of a rule set that is not `chained`"),
    Code("PF201", ERROR, "two sources give the same key"),
    Code("PF202", ERROR, "two derivatives give the same key"),
    Code("PF203", ERROR, "sources of several buckets give the same key in one bucket"),
    Code("PF301", ERROR, "whether there is a loop takes too many steps to decide"),
    Code("PF302", ERROR, "whether two keys can be the same takes too many steps to decide"),
    Code("PF401", WARNING, "a derivative fires a COS trigger, and no rule set wants it"),
)
EXAMPLES = (Code("EX101", ERROR, "an example does not hold"),)

ALL = (*FILES, *RULES, *PROOFS, *EXAMPLES)
