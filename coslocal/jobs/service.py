"""The queue of jobs: taken in at once, run one after the other on a thread of their own or when a test says so.

app.jobs.hold()             # nothing runs by itself any more
...                         # submit through any client: the jobs are Submitted
app.jobs.run_pending()      # runs them in this thread, and makes the callbacks that are due
app.jobs.release()

The thread lives while there is work. Jobs are records of the store: what was not finished when coslocal ended is run
again from its beginning by `resume`, which is harmless, since a result only overwrites itself.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from coslocal.core import Core
from coslocal.jobs import callback, picture, shapes, sources
from coslocal.jobs.errors import JobError
from coslocal.jobs.records import PIC, Records, new_id
from coslocal.jobs.types import (
    CANCEL,
    FAILED,
    RUNNING,
    SUBMITTED,
    SUCCESS,
    AnyJob,
    BatchJob,
    Callback,
    PicJob,
)

_log = logging.getLogger("coslocal.jobs")
_SAVED_EVERY = 50  # objects of a batch


@dataclass(frozen=True)
class _Letter:
    """A callback on its way: `due` unix seconds."""

    job: str
    where: callback.Listener
    content_type: str
    body: bytes
    due: float
    tried: int = 0


class Jobs:
    """The jobs of an app. Thread-safe."""

    def __init__(self, app: Core) -> None:
        self.records = Records(app.store)
        self._app = app
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, str]] = deque()
        self._letters: list[_Letter] = []
        self._working = 0
        self._held = False
        self._closed = False
        self._thread: threading.Thread | None = None

    # -- what comes in

    def submit(self, job: AnyJob) -> None:
        """Take a job in; it is Submitted from now on."""
        self.records.save(job)
        self._enqueue([job])

    def resume(self) -> int:
        """Queue again what an earlier coslocal left unfinished in this store; how many jobs these are."""
        left = self.records.unfinished()
        batches = {job.id for job in left if isinstance(job, BatchJob)}
        again: list[AnyJob] = []
        for job in left:
            if isinstance(job, PicJob) and job.batch in batches:
                self.records.save(self._failed(job, "InternalError", "Broken off: its batch makes it again"))
            else:
                again.append(job)
        self._enqueue(again)
        return len(again)

    def cancel(self, job: AnyJob) -> None:
        """A batch that runs is cancelled before its next object; what has ended is left as it is."""
        with self._changed:
            standing = self.records.job(job.bucket, job.id) or job
            running = standing.state == RUNNING and isinstance(standing, BatchJob)
            if standing.state == SUBMITTED or running:
                self.records.save(msgspec.structs.replace(standing, state=CANCEL, ended=self._app.clock()))

    def wake(self) -> None:
        """Look again: a queue that was paused may be active."""
        self._enqueue([])

    # -- how it runs

    def hold(self) -> None:
        """Let nothing run by itself until `release`."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        with self._changed:
            self._held = False
        self.wake()

    def run_pending(self) -> int:
        """Run everything that can run, in this thread, and send the callbacks that are due; how many jobs ran."""
        return self._run_while(lambda: True)

    def _run_while(self, going: Callable[[], bool]) -> int:
        count = 0
        while going():
            taken = self._take()
            if taken is not None:
                self._run(*taken)
                count += 1
            elif not self._send_due():
                break
        return count

    def wait_idle(self, timeout: float) -> bool:
        """Wait up to so many real seconds until nothing runs, can run, or is to be told; True when that is so."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout)

    def close(self) -> None:
        """Begin nothing more, and wait for what runs: the app's store is about to be closed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _enqueue(self, jobs: list[AnyJob]) -> None:
        with self._changed:
            self._waiting.extend((job.bucket, job.id) for job in jobs)
            self._changed.notify_all()
            needed = bool(self._waiting or self._letters)
            if needed and self._thread is None and not (self._held or self._closed):
                self._thread = threading.Thread(target=self._work, name="coslocal-jobs", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        try:
            while True:
                self._run_while(lambda: not self._held)
                with self._changed:
                    if self._held or self._closed or (not self._letters and self._next() is None):
                        self._thread = None
                        return
                    if self._letters and self._next() is None:
                        due = min(letter.due for letter in self._letters)
                        self._changed.wait(max(0.02, due - self._app.clock()))
        except sqlite3.ProgrammingError:  # the store was closed under it: the next start resumes what is left
            with self._changed:
                self._thread = None

    def _is_idle(self) -> bool:
        return not self._working and not self._letters and self._next() is None

    def _next(self) -> tuple[str, str] | None:
        """The first job whose queue is not paused."""
        paused: dict[str, bool] = {}
        for bucket, id in self._waiting:
            if bucket not in paused:
                queue = self.records.queue(bucket)
                paused[bucket] = queue is not None and queue.state == "Paused"
            if not paused[bucket]:
                return bucket, id
        return None

    def _take(self) -> tuple[str, str] | None:
        with self._changed:
            found = None if self._closed else self._next()
            if found is not None:
                self._waiting.remove(found)
                self._working += 1
            return found

    def _run(self, bucket: str, id: str) -> None:
        job = None
        try:
            job = self.records.job(bucket, id)
            if isinstance(job, PicJob) and job.state in (SUBMITTED, RUNNING):
                self._run_pic(job)
            elif isinstance(job, BatchJob) and job.state in (SUBMITTED, RUNNING):
                self._run_batch(job)
        except sqlite3.ProgrammingError:
            raise
        except Exception:
            _log.exception("bug in job %s", id)
            if job is not None:
                self.records.save(self._failed(job, "InternalError", picture.BUG))
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    # -- one job

    def _started(self, job: AnyJob) -> AnyJob | None:
        """The job as Running; None when it was cancelled, or is gone with its bucket."""
        with self._changed:
            standing = self.records.job(job.bucket, job.id)
            if standing is None or standing.state == CANCEL:
                return None
            running = msgspec.structs.replace(standing, state=RUNNING, started=self._app.clock())
            return running if self.records.save(running) else None

    def _run_pic(self, job: PicJob) -> None:
        running = self._started(job)
        if isinstance(running, PicJob):
            ended = picture.run(self._app, running)
            self.records.save(ended)
            self._tell(ended)

    def _run_batch(self, job: BatchJob) -> None:
        running = self._started(job)
        if not isinstance(running, BatchJob):
            return
        try:
            keys = sources.keys(self._app, running)
        except JobError as error:
            self.records.save(self._failed(running, error.code, error.message))
            return
        keys = self._without_own_results(running, keys)
        running = msgspec.structs.replace(running, total=len(keys), done=0)
        for key in keys:
            if self._closed or not self._goes_on(running):
                return
            self._run_pic(self._pic_of(running, key))
            running = msgspec.structs.replace(running, done=running.done + 1)
            if running.done % _SAVED_EVERY == 0:
                self._settle(running)
        self._settle(msgspec.structs.replace(running, state=SUCCESS, ended=self._app.clock()))

    def _without_own_results(self, batch: BatchJob, keys: list[str]) -> list[str]:
        """The keys but for what the batch itself had written before a restart."""
        before = [job for job in self.records.pics(batch.bucket) if job.batch == batch.id]
        results = {job.wish.output.object for job in before if job.wish.output.bucket == batch.bucket}
        results -= {job.key for job in before}
        return [key for key in keys if key not in results]

    def _failed(self, job: AnyJob, code: str, message: str) -> AnyJob:
        return msgspec.structs.replace(job, state=FAILED, code=code, message=message, ended=self._app.clock())

    def _goes_on(self, job: BatchJob) -> bool:
        standing = self.records.job(job.bucket, job.id)
        return standing is not None and standing.state == RUNNING

    def _settle(self, job: BatchJob) -> None:
        """Save a batch, unless it was cancelled meanwhile."""
        with self._changed:
            if self._goes_on(job):
                self.records.save(job)

    def _pic_of(self, batch: BatchJob, key: str) -> PicJob:
        name = sources.output_key(batch, key, self._app.dialects["batch-input-path"])
        output = msgspec.structs.replace(batch.wish.output, object=name)
        job = PicJob(
            id=new_id(PIC), bucket=batch.bucket, region=batch.region, key=key, batch=batch.id,
            wish=msgspec.structs.replace(batch.wish, output=output), created=self._app.clock(),
        )  # fmt: skip
        self.records.save(job)
        return job

    # -- callbacks

    def _tell(self, job: PicJob) -> None:
        wanted = self._callback_of(job)
        if not wanted.url:
            return
        try:
            where = callback.listener(wanted.url)
        except callback.Refused as reason:
            _log.warning("job %s: the callback is not made: %s", job.id, reason)
            return
        told = msgspec.structs.replace(job, wish=msgspec.structs.replace(job.wish, callback=wanted))
        content_type, body = shapes.finished(told, self._app.dialects)
        with self._changed:
            self._letters.append(_Letter(job.id, where, content_type, body, self._app.clock()))

    def _callback_of(self, job: PicJob) -> Callback:
        """The job's own, else the one that its queue has switched on (SCF 8.2)."""
        queue = self.records.queue(job.bucket)
        if job.wish.callback.url or queue is None or queue.notify.get("State") != "On":
            return job.wish.callback
        notify = queue.notify
        wanted = notify.get("Event", "TaskFinish").split(",")
        if "TaskFinish" not in wanted or notify.get("Type", "Url") != "Url":
            return job.wish.callback
        return Callback(url=notify.get("Url", ""), format=notify.get("ResultFormat", "XML").upper())

    def _send_due(self) -> bool:
        """Send one callback that is due; False when there is none."""
        with self._changed:
            now = self._app.clock()
            letter = next((letter for letter in self._letters if letter.due <= now), None)
            if letter is None or self._closed:
                return False
            self._letters.remove(letter)
            self._working += 1
        trouble = callback.tell(letter.where, letter.content_type, letter.body)
        with self._changed:
            self._working -= 1
            if trouble and letter.tried < len(callback.DELAYS):
                later = self._app.clock() + callback.DELAYS[letter.tried]
                self._letters.append(replace(letter, due=later, tried=letter.tried + 1))
            elif trouble:
                _log.warning("job %s: the callback is given up: %s", letter.job, trouble)
            self._changed.notify_all()
        return True
