"""The toolkit that the platform's own command line deploys with, over this project's serverless.yml (SCF 5.8)."""

from __future__ import annotations

import json

from derivo.loading import load
from derivo_cli import serverless, variables
from derivo_cli.triggers.deploying import SWEEP_HOURS, wanted
from derivo_cli.triggers.editing import edited
from tests.conformance.clients.node import lines_of, version
from tests.conformance.results import Result
from tests.conformance.target import Target
from tests.conformance.workshop import HERE, PROJECT, Workshop

NAME = "serverless.yml, component toolkit"
_PACKAGE = "tencent-component-toolkit"
_SCRIPT = HERE / "node" / "toolkit.js"
_VALUES = {"DERIVO_BUCKET": "photos-1250000000", "DERIVO_REGION": "ap-guangzhou", "DERIVO_ROLE": "derivo"}


def prepare(workshop: Workshop) -> str:
    return version(workshop.npm() / _PACKAGE)


def run(workshop: Workshop, target: Target) -> list[Result]:
    room = workshop.room(_PACKAGE)
    (room / "document.json").write_text(json.dumps(_document()))
    environment = target.environment(MODULE=str(workshop.modules / _PACKAGE), DOCUMENT=str(room / "document.json"))
    return lines_of([workshop.program("node", "nodejs"), str(_SCRIPT)], room, environment)


def _document() -> dict[str, object]:
    """Our own file with values for its variables, and with the timer that asking for self-healing adds to it."""
    text = (PROJECT / "serverless.yml").read_text("utf-8")
    text = text.replace("    variables:\n", f"    variables:\n      {SWEEP_HOURS}: '24'\n", 1)
    rule_sets = load(str(PROJECT / "rules")).rule_sets
    made = wanted(serverless.parse(text), rule_sets, _VALUES)
    found = variables.resolve(serverless.parse(edited(text, made.triggers, made.timers)), _VALUES).deployment
    return {**found.top, "inputs": found.inputs}
