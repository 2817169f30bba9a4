"""One module a client: NAME, prepare(workshop) -> version, run(workshop, target) -> results."""

from __future__ import annotations

from tests.conformance.clients import coscmd, cosfs, python

CLIENTS = {"python": python, "coscmd": coscmd, "cosfs": cosfs}
