"""The vendor's Go SDK has its line in the table, and no checks yet: its modules come from Go's own proxy."""

from __future__ import annotations

from typing import NoReturn

from tests.conformance.workshop import NotHere, Workshop

NAME = "Go SDK"


def prepare(workshop: Workshop) -> NoReturn:
    raise NotHere("it needs Go and Go's module proxy")
