"""Runs a function's handler in processes of its own: one event at a time each, kept warm (SCF 2.7)."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coslocal.scf.burst import Burst
from coslocal.scf.capacity import Capacity
from coslocal.scf.function import Account, Function
from coslocal.scf.output import Output
from coslocal.scf.process import Full, Gone, Late, Process
from coslocal.scf.result import EXITED, OK, OUT_OF_MEMORY, SYSTEM_ERROR, THROTTLED, TIMEOUT, TOO_MANY, Result

Log = Callable[[str, str], None]
"""Takes a request id and one line. Called from many threads."""

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
MEMORY_ALLOWANCE = 16 * 1024 * 1024
"""Bytes that an instance may take above its memory size: a local interpreter maps more than the cloud's."""


class Instance:
    """One process with the handler imported in it: module-level state survives from event to event."""

    def __init__(self, function: Function, account: Account) -> None:
        self._function = function
        self._account = account
        options = ("-I", "-S", "-B", "-u") if function.isolated else ("-u",)
        command = (function.python, *options, str(BOOTSTRAP), "{in}", "{out}", str(function.root), function.handler)
        self._memory = function.memory_size * 1024 * 1024 + MEMORY_ALLOWANCE
        self.process = Process(command, cwd=function.root, env=function.environment(account), memory=self._memory)
        self._ready = False

    def run(self, event: str, request_id: str, log: Log) -> Result:
        """Run one event, given as one line of JSON text; what is printed goes to `log`. The first run initialises.

        After a failure other than an exception in the handler the process is gone (`process.alive` is false).
        """
        output = Output(lambda line: log(request_id, line))
        began = time.monotonic()
        cold = None
        stage, budget = "the initialisation", self._function.init_timeout
        try:
            if not self._ready:
                answer = self._ask(b"", budget, output)
                if "error" in answer:
                    self.process.discard()
                    return self._result(request_id, answer, began, cold)
                self._ready = True
                cold = time.monotonic() - began
            stage, budget, began = "the handler", self._function.timeout, time.monotonic()
            context = json.dumps(self._function.context(self._account, request_id))
            message = f'{{"context": {context}, "event": {event}}}\n'
            answer = self._ask(message.encode("ascii"), budget, output)
            return self._result(request_id, answer, began, cold)
        except Late:
            self.process.discard()
            status, text = TIMEOUT, f"{stage} took longer than {budget:g} s and was stopped"
        except Full:
            self.process.discard()
            status, text = OUT_OF_MEMORY, f"{stage} needed more than {self._function.memory_size} MB and was stopped"
        except Gone:
            status, text = EXITED, f"{stage} ended the process: {_exit_text(self.process.discard(now=False))}"
        except BaseException:  # an answer may be under way that must not become the next event's
            self.process.discard()
            raise
        finally:
            output.finish()
        return Result(
            request_id=request_id,
            status=status,
            message=text,
            duration=time.monotonic() - began,
            memory=self._function.memory_size * 1024 * 1024 if status == OUT_OF_MEMORY else 0,
            cold=cold,
        )

    def _ask(self, message: bytes, budget: float, output: Output) -> dict[str, Any]:
        answer = self.process.exchange(message, budget, output)
        if answer.get("memory", 0) > self._memory:
            raise Full  # it came and went between two looks
        return answer

    @staticmethod
    def _result(request_id: str, answer: dict[str, Any], began: float, cold: float | None) -> Result:
        error = answer.get("error", {})
        return Result(
            request_id=request_id,
            status=error.get("status", OK),
            value=answer.get("value", ""),
            message=error.get("message", ""),
            trace=tuple(error.get("trace", ())),
            duration=time.monotonic() - began,
            memory=answer.get("memory", 0),
            cold=cold,
        )


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class _TooManyNew(Exception):
    """The instance would have been one too many in this minute."""


class Runner:
    """The instances of one version of a function. What its capacity has no room for is throttled with 432. `burst`
    counts the instances that start, and refuses with 429; a `capacity` given is shared with other versions."""

    def __init__(
        self, function: Function, account: Account, log: Log, *, burst: Burst | None = None,
        capacity: Capacity | None = None,
    ) -> None:  # fmt: skip
        self._function = function
        self._account = account
        self._log = log
        self._burst = burst
        self._capacity = capacity or Capacity(
            function.name, instances=function.instances, reserved=function.reserved_memory
        )
        self._lock = threading.Lock()
        self._idle: list[Instance] = []
        self._busy: set[Instance] = set()
        self._retired = False
        self._closed = False

    def run(self, event: str, request_id: str) -> Result:
        """Run one event (one line of ASCII JSON) in a warm instance, or in a new one. Never raises for the function."""
        memory = self._function.memory_size
        if (throttled := self._capacity.enter(memory)) is not None:
            return Result(request_id=request_id, status=THROTTLED, message=throttled)
        instance = None
        try:
            instance = self._take()
            if instance is None:
                return Result(request_id=request_id, status=SYSTEM_ERROR, message="coslocal is stopping")
            return instance.run(event, request_id, self._log)
        except _TooManyNew as error:
            return Result(request_id=request_id, status=TOO_MANY, message=str(error))
        except OSError as error:
            return Result(request_id=request_id, status=SYSTEM_ERROR, message=f"cannot start the function: {error}")
        finally:
            self._give_back(instance)
            self._capacity.leave(memory)

    def retire(self) -> None:
        """End what idles, and let what runs come to its end: another version has taken over."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for instance in idle:
            instance.process.discard()

    def close(self) -> None:
        """Kill what runs and end what idles. Events still running come back as failed."""
        self.retire()
        with self._lock:
            self._closed = True
            for instance in self._busy:
                instance.process.kill()

    def _take(self) -> Instance | None:
        with self._lock:
            instance = self._idle.pop() if self._idle and not self._closed else None
        if instance is not None and not instance.process.alive:  # it ended between two events
            instance.process.discard()
            instance = None
        if instance is None:
            if self._burst is not None and not self._burst.take():
                raise _TooManyNew(f"more than {self._burst.most} new instances in a minute")
            instance = Instance(self._function, self._account)
        with self._lock:
            if not self._closed:
                self._busy.add(instance)
                return instance
        instance.process.discard()
        return None

    def _give_back(self, instance: Instance | None) -> None:
        if instance is None:
            return
        with self._lock:
            self._busy.discard(instance)
            if instance.process.alive and not self._retired:
                self._idle.append(instance)
                return
        instance.process.discard()
