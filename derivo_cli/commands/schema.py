"""derivo schema: what editors read to complete and check rule sets."""

from __future__ import annotations

import sys

from derivo_cli import schema
from derivo_cli.exits import DONE


def run() -> int:
    """Print the JSON Schema of rule sets."""
    sys.stdout.write(schema.text())
    return DONE
