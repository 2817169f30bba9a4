"""A pool of processes that decode and render images: a hostile image costs its own request and no other.

A worker has a limit of memory and each task one of time. One that breaks or hangs is killed, and the next task gets a
fresh one.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import NoReturn

import msgspec

from coslocal.atonce import may_wait
from coslocal.ci import errors, talk
from coslocal.ci.talk import Channel, Shared, raw, text_of
from coslocal.ci.types import ImageError, ImageInfo, Rendered, Surroundings
from coslocal.dialects import Dialects

SECONDS = 60.0
_START = 120.0  # seconds in which a process must have loaded its libraries
MEMORY = 4 * 1024**3
_MOST = 8


class WorkerBug(Exception):
    """A bug of coslocal in a worker, with the worker's traceback."""


class Workers:
    """At most `size` processes (None: one a processor, 2 to 8), begun when they are needed. Thread-safe.

    `seconds` is what a task may take, what it asks for not counted; `memory` the address space of a process in bytes.
    """

    def __init__(self, *, size: int | None = None, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds = seconds
        self._memory = memory
        self._free = threading.BoundedSemaphore(size or min(max(os.cpu_count() or 2, 2), _MOST))
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._mine = threading.local()

    def inspect(self, data: bytes, dialects: Dialects | None = None) -> ImageInfo:
        """As coslocal.ci.inspect.inspect."""
        answer, _ = self._run(talk.Inspect(dict((dialects or Dialects()).chosen)), data)
        return answer.info if isinstance(answer, talk.Facts) else _nonsense(answer)

    def label(self, data: bytes, dialects: Dialects | None = None) -> Mapping[str, str]:
        """The fields of an image's AI label, none where it has none. Raises ImageError."""
        answer, _ = self._run(talk.Label(dict((dialects or Dialects()).chosen)), data)
        return answer.fields if isinstance(answer, talk.Fields) else _nonsense(answer)

    def render(self, data: bytes, rule: str, surroundings: Surroundings) -> Rendered:
        """As coslocal.ci.render.render; styles and watermark images are looked up in this process."""
        task = talk.Render(raw(rule), surroundings.persistent, dict(surroundings.dialects.chosen))
        answer, file = self._run(task, data, surroundings)
        return replace(answer.result, data=file) if isinstance(answer, talk.Made) else _nonsense(answer)

    def processes(self) -> list[int]:
        """The ids of the processes that stand."""
        with self._lock:
            return [worker.process.pid for worker in (*self._idle, *self._busy)]

    def close(self) -> None:
        """End the idle processes; a later task begins new ones."""
        with self._lock:
            ending, self._idle = self._idle, []
        for worker in ending:
            worker.end()

    def forget(self) -> None:
        """After a fork: the processes are the parent's."""
        self._idle, self._busy = [], set()

    def _run(self, task: talk.Task, data: bytes, surroundings: Surroundings | None = None) -> talk.Said:
        may_wait()
        with self._lease() as worker:
            try:
                said = worker.run(task, data, surroundings, self._seconds)
            except TimeoutError:
                worker.kill()
                raise errors.too_slow(self._seconds) from None
            except (EOFError, msgspec.DecodeError, ValueError):
                worker.kill()
                raise errors.broke_decoder() from None
        answer = said.message
        if isinstance(answer, talk.Refused):
            raise ImageError(answer.code, answer.message, number=answer.number, status=answer.status)
        if isinstance(answer, talk.Bug):
            raise WorkerBug(answer.trace)
        return said

    @contextlib.contextmanager
    def _lease(self) -> Iterator[_Worker]:
        """A worker for this thread alone. What a task asks for may need a second one: that is never waited for."""
        nested = getattr(self._mine, "has", False)
        with contextlib.nullcontext() if nested else self._free:
            self._mine.has = True
            try:
                worker = self._take()
                try:
                    yield worker
                finally:
                    self._give_back(worker)
            finally:
                self._mine.has = nested

    def _take(self) -> _Worker:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is not None and not worker.stands():
            worker.end()
            worker = None
        worker = worker or _Worker(self._memory)
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.stands():
                self._idle.append(worker)


class _Worker:
    """One process, and the channel to it."""

    def __init__(self, memory: int) -> None:
        ours, theirs = socket.socketpair()
        out, into = Shared.made(), Shared.made()
        given = [theirs.fileno(), out.number, into.number]
        with theirs:
            command = [sys.executable, "-P", "-m", "coslocal.ci.worker", *map(str, given), str(memory)]
            # the same modules as here
            path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100
            environment = {**os.environ, "PYTHONPATH": path}
            self.process = subprocess.Popen(command, pass_fds=given, env=environment, stdin=subprocess.DEVNULL)
        self._channel = Channel(ours, talk.FromWorker, out, into)
        try:
            self._channel.receive(time.monotonic() + _START)
        except (EOFError, TimeoutError):
            self.kill()
            raise WorkerBug("an image worker did not start; its standard error tells why") from None

    def run(self, task: talk.Task, data: bytes, surroundings: Surroundings | None, seconds: float) -> talk.Said:
        """The answer to a task. Raises TimeoutError, EOFError, ValueError: the worker is then of no use any more."""
        deadline = time.monotonic() + seconds
        self._channel.send(task, data, deadline)
        while True:
            said = self._channel.receive(deadline)
            message = said.message
            if isinstance(message, talk.Told):
                logging.getLogger(message.logger).log(message.level, "%s", message.text)
            elif isinstance(message, (talk.WantStyle, talk.WantMark)) and surroundings is not None:
                asked = time.monotonic()
                found = _looked_up(message, surroundings)
                deadline += time.monotonic() - asked
                self._channel.send(*found, deadline)
            else:
                return said

    def stands(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        self._channel.close()
        self.process.wait()


def _looked_up(wish: talk.WantStyle | talk.WantMark, surroundings: Surroundings) -> talk.Said:
    try:
        if isinstance(wish, talk.WantStyle):
            return talk.Said(talk.Style(surroundings.style(text_of(wish.name))), b"")
        return talk.Said(talk.Mark(), surroundings.fetch(text_of(wish.where)))
    except ImageError as error:
        message = error.message.encode("utf-8", "backslashreplace").decode()
        return talk.Said(talk.Refused(error.code, message, error.number, error.status), b"")


def _nonsense(answer: object) -> NoReturn:
    raise WorkerBug(f"an image worker answered with {type(answer).__name__}")


@cache
def shared() -> Workers:
    """The pool of this process."""
    pool = Workers()
    atexit.register(pool.close)
    os.register_at_fork(after_in_child=pool.forget)
    return pool
