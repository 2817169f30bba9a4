"""What every row is given: how much to measure, and a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPID = "1250000000"
BUCKET, REGION = f"bench-{APPID}", "ap-guangzhou"
SECRET_ID, SECRET_KEY = "AKIDlocal", "SKlocal"


class NotMeasured(Exception):
    """A row cannot be measured here; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """`quick` is for a first look: fewer runs, the same rows. `folder` is empty and goes away afterwards."""

    quick: bool
    folder: Path

    def runs(self, full: int, quick: int) -> int:
        return quick if self.quick else full
