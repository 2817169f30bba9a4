"""What each run printed and how it ended, with the platform's own lines around it: the last runs only.

The shape of these lines is not documented; they are as captured in public (2021, 2022): START, Init Report, Response or
ERROR, END, Report, each with the request id.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coslocal.scf.function import Function
from coslocal.scf.result import SYSTEM_ERROR, Result

MOST_RUNS = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""Of the lines of all runs together; the oldest runs are forgotten first."""
MOST_OF_A_RUN = 1024 * 1024
"""Bytes of the lines of one run; what it prints beyond is not kept."""
_A_LINE = 64  # bytes that a line takes beside its text
_LONGEST_VALUE = 8 * 1024
_MEGABYTE = 1024 * 1024


@dataclass
class Run:
    """One attempt at an event. `retry` counts from 0; `result` is None while it runs; `started` is unix seconds."""

    function: str
    version: str
    request_id: str
    retry: int
    started: float
    result: Result | None = None
    lines: list[str] = field(default_factory=list)
    size: int = 0
    full: bool = False

    def as_json(self) -> dict[str, Any]:
        done = self.result
        return {
            "function": self.function,
            "version": self.version,
            "request_id": self.request_id,
            "retry": self.retry,
            "started": self.started,
            "status": done.status if done else None,
            "duration_ms": round(done.duration * 1000, 3) if done else None,
            "memory": done.memory if done else None,
            "lines": list(self.lines),
        }


class RunLog:
    """The last runs of all functions. Thread-safe. Attempts at one event follow each other, so that a line belongs to
    the newest run of its request id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = deque[Run]()
        self._newest: dict[str, Run] = {}
        self._size = 0

    def begin(self, function: Function, request_id: str, retry: int, started: float) -> Run:
        run = Run(function=function.name, version=function.version, request_id=request_id, retry=retry, started=started)
        with self._lock:
            self._runs.append(run)
            self._newest[request_id] = run
            self._put(run, f"START RequestId:{request_id}")
        return run

    def write(self, request_id: str, line: str) -> None:
        """Note a line that a running function printed."""
        with self._lock:
            run = self._newest.get(request_id)
            if run is not None and not run.full:
                run.full = run.size + len(line) > MOST_OF_A_RUN
                self._put(run, "[the rest is not kept]" if run.full else line)

    def end(self, run: Run, function: Function, result: Result) -> None:
        with self._lock:
            run.result = result
            for line in _closing(run.request_id, function, result):
                self._put(run, line)

    def of(self, request_id: str) -> list[Run]:
        """The attempts at one event, oldest first."""
        return self.select(lambda run: run.request_id == request_id)

    def select(self, wanted: Callable[[Run], bool]) -> list[Run]:
        """The runs that are wanted, oldest first."""
        with self._lock:
            return [run for run in self._runs if wanted(run)]

    def _put(self, run: Run, line: str) -> None:
        if self._newest.get(run.request_id) is not run:
            return  # forgotten while it ran
        run.lines.append(line)
        size = len(line) + _A_LINE
        run.size += size
        self._size += size
        while len(self._runs) > MOST_RUNS or (self._size > MOST_BYTES and len(self._runs) > 1):
            old = self._runs.popleft()
            self._size -= old.size
            if self._newest.get(old.request_id) is old:
                del self._newest[old.request_id]


def _closing(request_id: str, function: Function, result: Result) -> list[str]:
    memory = f"Memory:{function.memory_size}MB MemUsage:{result.memory / _MEGABYTE:.6f}MB"
    milliseconds = round(result.duration * 1000)
    lines = []
    if result.cold is not None:
        lines.append(f"Init Report RequestId:{request_id} Coldstart:{round(result.cold * 1000)}ms {memory}")
    if result.ok:
        lines.append(f"Response RequestId:{request_id} RetMsg:{result.value[:_LONGEST_VALUE]}")
    else:
        lines.append(f"ERROR RequestId:{request_id} Result:{json.dumps(result.body(), ensure_ascii=False)}")
    lines.append(f"END RequestId:{request_id}")
    lines.append(f"Report RequestId:{request_id} Duration:{milliseconds}ms {memory}")
    return lines


class Tally:
    """How often things happened to a function since it was deployed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counter[str]()

    def add(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def note(self, result: Result, *, retry: int) -> None:
        """Count one attempt: what ran is an invocation, what was refused a throttle or a system error."""
        if result.is_platforms:
            self.add("system_errors" if result.status == SYSTEM_ERROR else "throttles")
            return
        self.add("invocations")
        if retry:
            self.add("retries")
        if not result.ok:
            self.add("errors")

    def as_json(self) -> dict[str, int]:
        names = ("invocations", "errors", "retries", "throttles", "system_errors", "dead_letters")
        with self._lock:
            return {name: self._counts[name] for name in names}
