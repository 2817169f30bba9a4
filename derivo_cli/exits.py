"""Exit codes, and the expected ways to stop."""

from __future__ import annotations

DONE = 0
FINDINGS = 1
USAGE = 2
BUG = 3
INTERRUPTED = 130


class Stop(Exception):
    """An expected failure: one line for the user, and an exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code
