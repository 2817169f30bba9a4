"""What operations ask of the queue of jobs."""

from __future__ import annotations

from typing import Protocol

from coslocal.jobs.records import Records
from coslocal.jobs.types import AnyJob


class Queued(Protocol):
    """jobs.service.Jobs."""

    records: Records

    def submit(self, job: AnyJob) -> None: ...
    def cancel(self, job: AnyJob) -> None: ...
    def wake(self) -> None: ...
