"""How many runs of one function may go on at once, over all of its versions."""

from __future__ import annotations

import threading


class Capacity:
    """`instances` runs at most, and no more than fit into `reserved` MB: None is no reserve, 0 stops the function
    (SCF 1.7, 2.7). Thread-safe; `reserved` may be changed at any time and holds from the next run."""

    def __init__(self, name: str, *, instances: int, reserved: int | None = None) -> None:
        self._name = name
        self._instances = instances
        self.reserved = reserved
        self._lock = threading.Lock()
        self._running = 0
        self._memory = 0

    @property
    def running(self) -> int:
        with self._lock:
            return self._running

    def enter(self, memory: int) -> str | None:
        """Begin a run that counts as `memory` MB; or why none may begin (the platform's own wording: 583/35311)."""
        with self._lock:
            if self.reserved is not None and self._memory + memory > self.reserved:
                return f"Function [ {self._name} ] concurrency exceeded reserved quota {self.reserved} MB"
            if self._running >= self._instances:
                return f"all {self._instances} instances are busy"
            self._running += 1
            self._memory += memory
            return None

    def leave(self, memory: int) -> None:
        with self._lock:
            self._running -= 1
            self._memory -= memory
