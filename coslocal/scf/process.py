"""One process of a function, and the wire to it: a line of JSON out, a line of JSON back, printed output beside it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coslocal.scf.output import Output

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes. The bootstrap never sends so much; a function that writes to its descriptor might."""
_CHUNK = 64 * 1024
_LOOK = 0.05
"""Seconds between looks at the memory it takes, and whether it still lives when a grandchild keeps its pipes open."""
_GRACE = 1.0
"""Seconds a process that closed its end has to end by itself, so that its own exit code is seen."""


class Gone(Exception):
    """The process ended, or closed its end, without an answer."""


class Late(Exception):
    """The answer did not come within its budget."""


class Full(Exception):
    """The process took more memory than it may."""


class Process:
    """`command` is started with the numbers of two descriptors inserted at `{in}` and `{out}`. `memory` is the most
    that may be resident, in bytes; its children are not counted, and only Linux tells while it runs.

    For one thread at a time, save `kill`. Call `discard` when done with it.
    """

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], memory: int) -> None:
        self._memory = memory
        from_us, self._requests = os.pipe()
        self._answers, to_us = os.pipe()
        numbers = {"{in}": str(from_us), "{out}": str(to_us)}
        try:
            self._process = subprocess.Popen(
                [numbers.get(word, word) for word in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(from_us, to_us),
                start_new_session=True,  # Ctrl-C at the terminal is not for it, and its children can be killed with it
            )
        except BaseException:
            os.close(self._requests)
            os.close(self._answers)
            raise
        finally:
            os.close(from_us)
            os.close(to_us)
        assert self._process.stdout is not None
        self._stdout = self._process.stdout
        self._printed = self._stdout.fileno()
        self._printing = True
        self._received = bytearray()
        for descriptor in (self._requests, self._answers, self._printed):
            os.set_blocking(descriptor, False)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def exchange(self, message: bytes, budget: float, output: Output) -> dict[str, Any]:
        """Send `message` (may be empty) and take the next answer within `budget` seconds. Raises Gone, Late, Full."""
        deadline = time.monotonic() + budget
        look = 0.0
        pending = memoryview(message)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._answers, selectors.EVENT_READ)
                if self._printing:
                    selector.register(self._printed, selectors.EVENT_READ)
                if pending:
                    selector.register(self._requests, selectors.EVENT_WRITE)
                while (left := deadline - time.monotonic()) > 0:
                    if time.monotonic() >= look:
                        look = time.monotonic() + _LOOK
                        self._check_memory()
                    ready = selector.select(min(left, _LOOK))
                    for key, _ in ready:
                        if key.fd == self._requests:
                            pending = self._send(pending)
                            if not pending:
                                selector.unregister(self._requests)
                        elif key.fd == self._printed:
                            if not self._read_printed(output):
                                selector.unregister(self._printed)
                        elif (answer := self._read_answer()) is not None:
                            return answer
                    if not ready and not self.alive:
                        raise Gone
                raise Late
        finally:
            for _ in range(16):  # a full pipe, and no more: a thread of the function may print for ever
                if not self._read_printed(output):
                    break

    def kill(self) -> None:
        """End the process and its children at once. Safe from any thread."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def discard(self, *, now: bool = True) -> int:
        """End it (after a short grace unless `now`) and free its descriptors; its exit code, negative for a signal."""
        if not now:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
        self.kill()
        code = self._process.wait()
        if not self._stdout.closed:
            os.close(self._requests)
            os.close(self._answers)
            self._stdout.close()
        return code

    def _check_memory(self) -> None:
        """By the peak that the kernel notes: what was taken and given back between two looks counts as well."""
        with contextlib.suppress(OSError, ValueError):
            status = Path(f"/proc/{self._process.pid}/status").read_bytes()
            _, _, rest = status.partition(b"VmHWM:")
            if rest and int(rest.split(None, 1)[0]) * 1024 > self._memory:
                raise Full

    def _send(self, pending: memoryview) -> memoryview:
        try:
            return pending[os.write(self._requests, pending) :]
        except BlockingIOError:
            return pending
        except BrokenPipeError:
            return memoryview(b"")  # it is ending: the answer's end tells so

    def _read_printed(self, output: Output) -> bool:
        """Pass on what was printed; False when there is nothing now or will be nothing more."""
        if not self._printing:
            return False
        try:
            chunk = os.read(self._printed, _CHUNK)
        except BlockingIOError:
            return False
        self._printing = bool(chunk)
        output.feed(chunk)
        return self._printing

    def _read_answer(self) -> dict[str, Any] | None:
        chunk = os.read(self._answers, _CHUNK)
        self._received += chunk
        if not chunk or len(self._received) > LARGEST_ANSWER:
            raise Gone
        if b"\n" not in chunk:
            return None
        line, _, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        try:
            answer = json.loads(line)
        except ValueError:
            raise Gone from None  # the function wrote to a descriptor that is not its own
        if not isinstance(answer, dict):
            raise Gone
        return answer
