"""What coslocal offers beside the imitated API: /_coslocal/ on every host, unsigned (it listens on loopback)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from coslocal.http import Request, Response
from coslocal.wire.address import Address

if TYPE_CHECKING:
    from coslocal.app import Coslocal

PREFIX = "/_coslocal/"


def _json(value: object, status: int = 200) -> Response:
    return Response(status, [("Content-Type", "application/json")], json.dumps(value).encode() + b"\n")


def _health(app: Coslocal, address: Address) -> Response:
    return _json({"status": "ok", "region": app.region, "buckets": len(app.store.buckets())})


def _journal(app: Coslocal, address: Address) -> Response:
    """The counts and the last exchanges, `?operation=` alone, `?last=N` of them (default 100)."""
    entries = app.journal.entries(address.parameters.get("operation"))
    last = address.parameters.get("last") or "100"
    size = int(last) if last.isascii() and last.isdigit() and len(last) < 9 else 100
    bytes_in, bytes_out = app.journal.traffic()
    shown = [entry.as_json() for entry in entries[len(entries) - min(size, len(entries)) :]]
    return _json({"counts": app.journal.counts(), "bytes_in": bytes_in, "bytes_out": bytes_out, "entries": shown})


def _reset(app: Coslocal, address: Address) -> Response:
    """Forget every bucket and the journal."""
    app.store.reset()
    app.journal.clear()
    return _json({"status": "ok"})


_PAGES: dict[tuple[str, str], Callable[[Coslocal, Address], Response]] = {
    ("GET", "health"): _health,
    ("GET", "journal"): _journal,
    ("POST", "reset"): _reset,
}


def answer(app: Coslocal, request: Request, address: Address) -> Response:
    if request.method != "GET" and request.headers.get("Origin") not in (None, f"http://{address.authority}"):
        return _json({"error": "a page of another site may not do this"}, 403)
    page = _PAGES.get((request.method, address.path.removeprefix(PREFIX)))
    if page is None:
        offered = [f"{method} {PREFIX}{name}" for method, name in _PAGES]
        return _json({"error": "there is no such page", "offered": offered}, 404)
    return page(app, address)
