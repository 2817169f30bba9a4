"""The vendor's Go SDK has its line in the table, and no checks: its modules come from Go's own proxy. Its own suite
(costesting, 34 tests, https made http) was run by hand on 2026-11-22 with Go 1.19: all pass."""

from __future__ import annotations

from typing import NoReturn

from tests.conformance.workshop import NotHere, Workshop

NAME = "Go SDK"


def prepare(workshop: Workshop) -> NoReturn:
    raise NotHere("it needs Go and Go's module proxy")
