"""Who carries out a plan: this machine, or the machines of the cloud."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """`direct`: this machine, source by source. `scf`: the deployed function. `ci`: CI's batch jobs."""

    DIRECT = "direct"
    SCF = "scf"
    CI = "ci"
