"""The lines that checks give."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Line:
    """`check` is what was looked at; `level` is ok, warn or fail; `mend` says what to do, "" where nothing is."""

    check: str
    level: str
    says: str
    mend: str = ""
