"""What may be done in the thread that serves every connection: only what waits for nothing.

Handing a request to another thread and back costs more than a small download itself. So the server does at once what
the core says it can; should that come upon something that takes its time, it is begun again in a thread of its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_here = threading.local()


class WouldWait(BaseException):
    """What is to be done at once cannot be: nothing has been done yet. No `except Exception` may take it for a bug."""


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """In this block, in this thread, `may_wait` raises WouldWait."""
    _here.at_once = True
    try:
        yield
    finally:
        _here.at_once = False


def may_wait() -> None:
    """To be called before anything that may take its time. Raises WouldWait."""
    if getattr(_here, "at_once", False):
        raise WouldWait
