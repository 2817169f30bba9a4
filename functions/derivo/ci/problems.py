"""What is wrong, or unwise, in a processing rule, and where inside its text."""

from __future__ import annotations

from typing import Optional

import msgspec

from derivo.ci.tree import Rule

ERROR = "error"
WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """One finding about a processing rule.

    `code` is stable (`CI203`); `start` and `end` are character offsets inside the rule's text; `mend` is the nearest
    valid form, where there is one. `tolerated` marks what CI itself would accept though it does not do what is
    written (e.g. a width above 10000, which it clamps): the linter reports it, coslocal does as CI does.
    """

    code: str
    level: str
    message: str
    start: int
    end: int
    mend: Optional[str] = None
    tolerated: bool = False


class Parsed(msgspec.Struct, frozen=True):
    """The outcome of parsing: `rule` is None only where no tree could be made."""

    rule: Optional[Rule]
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.level == ERROR)

    @property
    def refused(self) -> tuple[Problem, ...]:
        """The errors for which CI would refuse the request."""
        return tuple(p for p in self.errors if not p.tolerated)
