"""What a run has done already: a line for each source, so that one that broke off goes on where it stood.

A line is with the system before the next source begins, so it outlives the process; it is on the disk within a second.
The last line may be torn: it is then of a source that is done again.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from derivo.clock import Clock
from derivo_cli.exits import Stop
from derivo_cli.reconcile.planfile import Head

if sys.platform != "win32":
    import fcntl

FORMAT = 1
_SYNC_SECONDS = 1.0


class First(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: of which plan this is the journal."""

    journal: int
    plan: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A source that was worked on. `number` is its place among the plan's sources; `failed` are codes, `again` that
    another try may help; `cost` is in the currency of the price table."""

    number: int
    source: str
    calls: int
    written: int
    failed: tuple[str, ...] = ()
    again: bool = False
    cost: float = 0.0


class Journal:
    """The journal of one plan. `done` are the sources that need no other try."""

    def __init__(self, path: Path, head: Head, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._done = bytearray(head.sources_to_process)
        self.failures: dict[int, tuple[str, ...]] = {}
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise _unwritable(path, error) from None
        try:
            self._begin(head)
        except BaseException:
            self._file.close()
            raise
        self._synced = clock.monotonic()

    def _begin(self, head: Head) -> None:
        _take_alone(self._file, self.path)
        good = self._read(head)
        try:
            self._file.truncate(good)
            if not good:
                self._append(First(journal=FORMAT, plan=head.id))
            self.sync()
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def _read(self, head: Head) -> int:
        """Take in what is there. Returns how many bytes of it are whole."""
        good = 0
        for number, text in enumerate(_lines(self.path)):
            try:
                if number:
                    self._take(msgspec.json.decode(text, type=Line))
                elif msgspec.json.decode(text, type=First) != First(journal=FORMAT, plan=head.id):
                    raise Stop(f"{self.path} is the journal of another plan; remove it, or name that plan")
            except (msgspec.MsgspecError, IndexError):
                raise Stop(f"{self.path}:{number + 1}: no line of a journal; remove the file to begin anew") from None
            good += len(text)
        return good

    def _take(self, line: Line) -> None:
        self._done[line.number] = not line.again
        if line.failed:
            self.failures[line.number] = line.failed
        else:
            self.failures.pop(line.number, None)

    def done(self, number: int) -> bool:
        return bool(self._done[number])

    @property
    def left(self) -> int:
        """How many sources wait."""
        return self._done.count(0)

    def add(self, line: Line) -> None:
        with self._lock:
            self._take(line)
            self._append(line)
            now = self._clock.monotonic()
            if now - self._synced >= _SYNC_SECONDS:
                self.sync()
                self._synced = now

    def _append(self, line: First | Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self.sync()
        self._file.close()


def _unwritable(path: Path, error: OSError) -> Stop:
    return Stop(f"{path}: the journal cannot be written: {error.strerror}")


def refuse_if_running(path: Path) -> None:
    """Raises Stop while some other run writes this journal."""
    if path.exists():
        with path.open("rb") as file:
            _take_alone(file, path)


def _take_alone(file: BinaryIO, path: Path) -> None:
    """Keep every other process from the file until this one ends, however it ends. Raises Stop when one has it."""
    if sys.platform == "win32":
        return  # no such lock there
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stop(f"{path}: another derivo apply is at work on this plan") from None


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, none where there is none."""
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise Stop(f"{path}: the journal cannot be read: {error.strerror}") from None
