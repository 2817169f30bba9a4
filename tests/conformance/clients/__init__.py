"""The clients. Each has a NAME, prepare(workshop) -> version, and run(workshop, target) -> results."""

from __future__ import annotations

from tests.conformance.clients import browser, coscmd, cosfs, curl, go, python, toolkit, wire
from tests.conformance.clients.node import Node

CLIENTS = {
    "python": python, "wire": wire, "curl": curl, "cosfs": cosfs, "coscmd": coscmd,
    "node2": Node("cos-nodejs-sdk-v5-2"), "node3": Node("cos-nodejs-sdk-v5"), "browser": browser, "go": go,
    "toolkit": toolkit,
}  # fmt: skip
