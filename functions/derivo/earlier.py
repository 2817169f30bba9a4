"""What earlier tries of an event made, so that its retry does only what is missing: a warm instance remembers it, and a
failure record tells it to every instance. Neither is believed by itself: what it says stands where ETags of source and
derivative say the same (standing.py), so that one that is out of date costs a few HEADs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from derivo import failures
from derivo.calls import Calls
from derivo.events import Source
from derivo.manifest import Made, made
from derivo.outcomes import Work
from derivo.plan import Plan

# Sources and derivatives that an instance remembers, of the events that failed last: some 3 MB.
MOST = 5_000


class Noted:
    """What one invocation works on, and what was kept of those before it."""

    def __init__(self, kept: Optional[dict[tuple[str, str], Made]] = None) -> None:
        self._kept = {} if kept is None else kept
        self._works: list[tuple[Source, Work]] = []

    def note(self, source: Source, work: Work) -> None:
        """What became of a source."""
        self._works.append((source, work))

    def tell(self, source: Source) -> Optional[Made]:
        """What was made of the source for an event that failed, be it nothing; None: no such event is known."""
        return self._kept.get((source.bucket, source.key))

    def places(self) -> set[tuple[str, str]]:
        """The sources, by bucket and key."""
        return {(source.bucket, source.key) for source, _ in self._works}

    def made(self) -> dict[tuple[str, str], Made]:
        """What was made of each source. Nothing does not take the place of something."""
        found: dict[tuple[str, str], Made] = {}
        for source, work in self._works:
            place = (source.bucket, source.key)
            known = made(source, work)
            before = found.get(place) or self._kept.get(place)
            found[place] = known if known.derivatives or before is None else before
        return found


class Memory:
    """What an instance made for events that ended in an exception. It outlives an invocation, and is empty while
    nothing fails."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[tuple[str, str], Made] = {}

    @contextmanager
    def event(self) -> Iterator[Noted]:
        """Around the work on one event: what it notes is kept when it raises, and else forgotten, since the event does
        not come again."""
        noted = Noted(self._kept)
        try:
            yield noted
        except BaseException:
            found = noted.made()
            self._forget(noted)  # the latest go last
            self._kept.update(found)
            while sum(1 + len(known.derivatives) for known in self._kept.values()) > self._most:
                del self._kept[next(iter(self._kept))]
            raise
        self._forget(noted)

    def _forget(self, noted: Noted) -> None:
        for place in noted.places() if self._kept else ():
            self._kept.pop(place, None)


class Records:
    """The failure records of a source, by its rule sets' `on_failure`."""

    def __init__(self, plan: Plan, calls: Calls) -> None:
        self._plan = plan
        self._calls = calls
        self._found: dict[str, bytes] = {}

    def read(self) -> list[Made]:
        """What the records of an earlier try tell. One GET a record."""
        source = self._plan.source
        told: list[Made] = []
        for key in self._plan.failure_keys:
            data = self._calls.get(source.bucket, key)
            if not isinstance(data, bytes):
                continue
            record = failures.parse(data)
            if record is not None and (record.source.bucket, record.source.key) == (source.bucket, source.key):
                self._found[key] = data
                if record.made is not None:
                    told.append(record.made)
        return told

    def settle(self, work: Work, invocation: str) -> list[str]:
        """Write what failed; where nothing did and the source stands, clear away what was read, unless another run has
        written it anew meanwhile. Returns a text for each record that could not be written."""
        source = self._plan.source
        data = failures.build(source, work, invocation) if self._plan.failure_keys else None
        missing = []
        for key in self._plan.failure_keys:
            if data is not None:
                headers = {"ContentType": "application/json"}
                failure = self._calls.put(source.bucket, key, data, headers, least=1.0)
                if failure is not None:
                    missing.append(f"{key}: {failure.code}")
            elif not work.gone and key in self._found and self._calls.get(source.bucket, key) == self._found[key]:
                self._calls.clear_away(source.bucket, key)
        return missing
