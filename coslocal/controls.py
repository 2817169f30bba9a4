"""The internal pages that every coslocal has: its state, faults, snapshots, what happened, and a fresh start.

| page | does |
|---|---|
| GET health | the region and how many buckets there are |
| GET journal | counts, bytes and the last requests: `?operation=`, `?last=` (100) |
| GET events | the last events that listeners were told of: `?bucket=`, `?prefix=`, `?last=` (100) |
| GET faults | the faults that stand and what they did |
| POST faults | adds a fault, a list of them, or `{"seed": N, "faults": [...]}`, which also begins the counts again |
| POST faults/release | tells the events that faults hold back |
| DELETE faults | no fault any more |
| GET snapshots | the named snapshots |
| POST snapshots/NAME | takes one, in place of one that had the name |
| PUT snapshots/NAME | lets it stand again |
| DELETE snapshots/NAME | drops it |
| POST reset | forgets all that is here, and the events that wait for functions: `?keep=buckets,snapshots,faults` |
"""

from __future__ import annotations

import json
from typing import Any

from coslocal import eventlog
from coslocal.core import Core
from coslocal.faultshapes import FaultError
from coslocal.http import Response
from coslocal.internal import PageError, Pages, Visit, answer_json
from coslocal.storage.types import Snapshot

_KEPT = ("buckets", "snapshots", "faults")
_MOST_IN_A_NAME = 200


def _health(visit: Visit) -> Response:
    app = visit.app
    return answer_json({"status": "ok", "region": app.region, "buckets": len(app.store.buckets())})


def _journal(visit: Visit) -> Response:
    journal = visit.app.journal
    bytes_in, bytes_out = journal.traffic()
    entries = [entry.as_json() for entry in _last(visit, journal.entries(visit.parameter("operation")))]
    return answer_json({"counts": journal.counts(), "bytes_in": bytes_in, "bytes_out": bytes_out, "entries": entries})


def _events(visit: Visit) -> Response:
    bucket, prefix = visit.parameter("bucket"), visit.parameter("prefix") or ""
    found = [
        event for event in visit.app.events.entries() if bucket in (None, event.bucket) and event.key.startswith(prefix)
    ]
    shown = [eventlog.as_json(event) for event in _last(visit, found)]
    return answer_json({"count": len(found), "events": shown})


def _last(visit: Visit, entries: list[Any]) -> list[Any]:
    return entries[len(entries) - min(visit.count("last", 100), len(entries)) :]


def _faults(visit: Visit) -> Response:
    return answer_json(visit.app.faults.as_json())


def _add_faults(visit: Visit) -> Response:
    try:
        given = json.loads(visit.body())
    except (ValueError, RecursionError) as error:
        raise PageError(f"the body is not JSON: {error}") from None
    seed, faults = None, given if isinstance(given, list) else [given]
    if isinstance(given, dict) and "faults" in given:
        seed, faults = given.get("seed"), given["faults"]
        if unknown := sorted(given.keys() - {"seed", "faults"}):
            raise PageError(f"beside faults only a seed may stand, not {', '.join(unknown)}")
        if not isinstance(faults, list) or not isinstance(seed, int | None):
            raise PageError("faults must be a list, and seed a whole number")
    try:
        visit.app.faults.add_all(faults)
    except FaultError as error:
        raise PageError(str(error)) from None
    if seed is not None:
        visit.app.faults.restart(seed)
    return _faults(visit)


def _release(visit: Visit) -> Response:
    return answer_json({"released": visit.app.faults.release()})


def _clear_faults(visit: Visit) -> Response:
    visit.app.faults.clear()
    return answer_json({"status": "ok"})


def _snapshots(visit: Visit) -> Response:
    return answer_json({"snapshots": [_shown(snapshot) for snapshot in visit.app.store.snapshots()]})


def _shown(snapshot: Snapshot) -> dict[str, object]:
    return {
        "name": snapshot.name, "taken": snapshot.taken, "buckets": snapshot.buckets, "objects": snapshot.objects,
        "bytes": snapshot.bytes,
    }  # fmt: skip


def _name(visit: Visit) -> str:
    if len(visit.rest) > _MOST_IN_A_NAME or not visit.rest.isprintable():
        raise PageError(f"a snapshot's name is text of at most {_MOST_IN_A_NAME} characters")
    return visit.rest


def _take(visit: Visit) -> Response:
    visit.app.store.take_snapshot(_name(visit), visit.app.clock())
    return _snapshots(visit)


def _restore(visit: Visit) -> Response:
    if not visit.app.store.restore_snapshot(_name(visit)):
        raise _no_snapshot(visit)
    return answer_json({"status": "ok"})


def _drop(visit: Visit) -> Response:
    if not visit.app.store.drop_snapshot(_name(visit)):
        raise _no_snapshot(visit)
    return answer_json({"status": "ok"})


def _no_snapshot(visit: Visit) -> PageError:
    names = [snapshot.name for snapshot in visit.app.store.snapshots()]
    return PageError(f"there is no snapshot {visit.rest!r}; there are {', '.join(names) or 'none'}", 404)


def _reset(visit: Visit) -> Response:
    kept = [word for word in (visit.parameter("keep") or "").split(",") if word]
    if unknown := [word for word in kept if word not in _KEPT]:
        raise PageError(f"keep takes {', '.join(_KEPT)}, not {unknown[0]!r}")
    reset(visit.app, *kept)
    return answer_json({"status": "ok"})


def reset(app: Core, *keep: str) -> None:
    """Forget everything but what is named: buckets, snapshots, faults."""
    for forget in app.forgetting:
        forget()
    if "faults" not in keep:
        app.faults.close()
        app.faults.restart()
    app.store.reset(keep_buckets="buckets" in keep, keep_snapshots="snapshots" in keep)
    app.journal.clear()
    app.events.clear()


def standard_pages() -> Pages:
    pages = Pages()
    for method, name, page in (
        ("GET", "health", _health), ("GET", "journal", _journal), ("GET", "events", _events),
        ("GET", "faults", _faults), ("POST", "faults", _add_faults), ("POST", "faults/release", _release),
        ("DELETE", "faults", _clear_faults), ("GET", "snapshots", _snapshots), ("POST", "snapshots/", _take),
        ("PUT", "snapshots/", _restore), ("DELETE", "snapshots/", _drop), ("POST", "reset", _reset),
    ):  # fmt: skip
        pages.add(method, name, page)
    return pages
