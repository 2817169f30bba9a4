"""Where jobs, queues and templates are kept: as configurations of their bucket, so that they survive a restart."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from typing import TypeVar

from coslocal.jobs.types import AnyJob, BatchJob, PicJob, Queue, Template, decode, decode_job, encode
from coslocal.storage.types import BucketGone, Store

PIC, BATCH = "p", "b"
_JOB, _TEMPLATE, _QUEUE = "job:", "template:", "queue:"
_lock = threading.Lock()
_last = 0
AJob = TypeVar("AJob", PicJob, BatchJob)


def new_id(letter: str) -> str:
    """A letter and 32 hexadecimal digits, which grow with the time."""
    global _last
    with _lock:
        _last = max(_last + 1, time.time_ns())
        return f"{letter}{_last:016x}{secrets.token_hex(8)}"


class Records:
    """The records of a store. What belongs to a bucket that is gone is gone with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(self, job: AnyJob) -> bool:
        """False when the bucket is gone."""
        try:
            self._store.put_configuration(job.bucket, "", _JOB + job.id, encode(job))
        except BucketGone:
            return False
        return True

    def job(self, bucket: str, id: str) -> AnyJob | None:
        found = self._store.configuration(bucket, "", _JOB + id)
        return None if found is None else decode_job(found)

    def pics(self, bucket: str) -> list[PicJob]:
        """In order of creation."""
        return [job for job in self._jobs(bucket, PIC) if isinstance(job, PicJob)]

    def batches(self, bucket: str) -> list[BatchJob]:
        return [job for job in self._jobs(bucket, BATCH) if isinstance(job, BatchJob)]

    def _jobs(self, bucket: str, letter: str) -> Iterator[AnyJob]:
        return (decode_job(value) for _, value in self._store.configurations(bucket, "", prefix=_JOB + letter))

    def unfinished(self) -> list[AnyJob]:
        """What an earlier run left, over all buckets, in order of creation."""
        jobs = [
            decode_job(value)
            for bucket in self._store.buckets()
            for _, value in self._store.configurations(bucket.name, "", prefix=_JOB)
        ]
        return sorted((job for job in jobs if job.state in ("Submitted", "Running")), key=lambda job: job.id[1:])

    # -- templates and queues

    def save_template(self, template: Template) -> None:
        self._store.put_configuration(template.bucket, "", _TEMPLATE + template.id, encode(template))

    def template(self, bucket: str, id: str) -> Template | None:
        found = self._store.configuration(bucket, "", _TEMPLATE + id)
        return None if found is None else decode(found, Template)

    def templates(self, bucket: str) -> list[Template]:
        found = self._store.configurations(bucket, "", prefix=_TEMPLATE)
        return [decode(value, Template) for _, value in found]

    def delete_template(self, bucket: str, id: str) -> None:
        self._store.delete_configuration(bucket, "", _TEMPLATE + id)

    def save_queue(self, queue: Queue) -> None:
        self._store.put_configuration(queue.bucket, "", _QUEUE + queue.id, encode(queue))

    def queue(self, bucket: str) -> Queue | None:
        """The queue of a bucket: there is one, once the service is open."""
        found = self._store.configurations(bucket, "", prefix=_QUEUE)
        return decode(found[0][1], Queue) if found else None

    def delete_queue(self, bucket: str) -> None:
        found = self.queue(bucket)
        if found is not None:
            self._store.delete_configuration(bucket, "", _QUEUE + found.id)
