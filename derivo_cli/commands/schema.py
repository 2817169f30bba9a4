"""derivo schema: what editors, and readers of manifests, check by."""

from __future__ import annotations

import sys

import msgspec

from derivo.failures import Record
from derivo.manifest import Manifest
from derivo_cli import schema
from derivo_cli.exits import DONE

_TYPES = {"manifest": Manifest, "failure": Record}


def run(of: str) -> int:
    """Print the JSON Schema of rule sets, manifests or failure records."""
    if of == "rules":
        sys.stdout.write(schema.text())
    else:
        made = msgspec.json.encode(msgspec.json.schema(_TYPES[of]))
        sys.stdout.write(msgspec.json.format(made, indent=2).decode() + "\n")
    return DONE
