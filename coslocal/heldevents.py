"""Events on their way to the listeners: held back until a time, until others have passed, or until released."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from coslocal.events import ObjectEvent

Tell = Callable[[ObjectEvent], None]


@dataclass(eq=False)
class _Held:
    event: ObjectEvent
    tell: Tell
    due: float
    behind: int | None  # how many others must still pass; None when it waits for its time alone


class HeldEvents:
    """What is held back, in the order in which it came. Events are told outside the lock, in the calling thread.

    Where the clock is the machine's a timer tells them in time; on a clock that tests move, `tick` does.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: list[_Held] = []
        self._timer: threading.Timer | None = None

    def __len__(self) -> int:
        return len(self._held)

    def tell(self, event: ObjectEvent, tell: Tell) -> None:
        """Tell an event now, and whatever waited for it to pass."""
        tell(event)
        if not self._held:
            return
        with self._lock:
            for item in self._held:
                if item.behind:
                    item.behind -= 1
        self.tick()

    def hold(self, event: ObjectEvent, tell: Tell, *, seconds: float, behind: int | None = None) -> None:
        """Tell an event after so many seconds, or once `behind` others have been told before that."""
        with self._lock:
            self._held.append(_Held(event, tell, self._clock() + seconds, behind))
            self._set_timer()

    def tick(self) -> int:
        """Tell what is due by now; how many that were."""
        if not self._held:
            return 0
        now = self._clock()
        return self._let_go(lambda item: item.due <= now or item.behind == 0)

    def release(self) -> int:
        """Tell everything that is held; how many that were."""
        return self._let_go(lambda item: True)

    def forget(self) -> None:
        """Tell none of it ever."""
        with self._lock:
            self._held.clear()
            self._set_timer()

    def _let_go(self, chosen: Callable[[_Held], bool]) -> int:
        with self._lock:
            going = [item for item in self._held if chosen(item)]
            self._held = [item for item in self._held if item not in going]
            self._set_timer()
        for item in going:
            item.tell(item.event)
        return len(going)

    def _set_timer(self) -> None:
        """Under the lock: wake when the first is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held:
            wait = min(item.due for item in self._held) - self._clock()
            self._timer = threading.Timer(max(wait, 0.0), self.tick)
            self._timer.daemon = True
            self._timer.start()
