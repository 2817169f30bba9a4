"""What a billion objects come to: the figures of docs/scale.md, of the tables of limits and prices and of Derivo's own
formats. `tools/pages.py` puts them there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from derivo.ci import limits, prices
from derivo.ci.tree import Rule
from derivo.events import Source, synthetic_event
from derivo_cli.reconcile.engines import ci, scf
from derivo_cli.reconcile.journal import Line
from derivo_cli.reconcile.pace import SHARE

SOURCES = 1_000_000_000
BYTES = 500_000
DERIVATIVES = 3
TIMEOUT = 120
CALL_SECONDS = 0.5
"""An assumption: what a processing call with its HEAD takes. Measure your own."""
LISTING_SECONDS = 0.1
"""An assumption: what a page of a listing takes."""
_KEY = "products/2026/11/22/0123456789abcdef.jpg"
_SOURCE = Source(bucket="photos-1250000000", region="ap-guangzhou", key=_KEY, size=BYTES)

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Heads and rows."""


@dataclass(frozen=True)
class Load:
    """What an engine has to do: operations that count against one of CI's limits, so many a second at the most."""

    engine: str
    operations: int
    limit: int
    abroad: int


REQUESTS = SOURCES * -(-DERIVATIVES // limits.RULES_PER_REQUEST)
DIRECT = Load("direct", REQUESTS, limits.QPS_CLOUD, limits.QPS_ABROAD)
SCF = Load("scf", REQUESTS, limits.QPS_CLOUD, limits.QPS_ABROAD)
# CI paces its own jobs, so nothing is kept back
CI = Load("ci", SOURCES * DERIVATIVES, limits.QPS_ASYNC, limits.QPS_ABROAD)


def hours() -> Table:
    """The time on each engine."""
    rows = []
    for load in (DIRECT, SCF, CI):
        share = 1.0 if load is CI else SHARE
        seconds = [load.operations / (share * limit) for limit in (load.limit, load.abroad)]
        what = "one a source, up to five derivatives" if load is not CI else "one a derivative"
        days = [f"{one / 3600:,.0f} h ({one / 86_400:,.0f} days)" for one in seconds]
        rows.append((f"`{load.engine}`", f"{load.operations:,} ({what})", f"{share * load.limit:g}/s", *days))
    return ("engine", "operations", "rate", "mainland", f"abroad ({limits.QPS_ABROAD}/s allowed)"), rows


def raised() -> Table:
    """The same where the vendor allows more."""
    rows = []
    for limit in (limits.QPS_CLOUD, 500, 1000, 3000):
        days = SOURCES / (SHARE * limit) / 86_400
        runs = SHARE * limit * CALL_SECONDS
        rows.append((f"{limit:,}/s", f"{days:,.1f} days", f"{runs:,.0f}", f"{runs * 128:,.0f} MB"))
    return ("limit of the account", "`direct`, `scf`", "calls at once", "as runs of a function of 128 MB"), rows


def cost() -> Table:
    """What CI bills."""
    rows = []
    for name, rule in (
        ("to JPEG, PNG, WebP", "imageMogr2/thumbnail/200x/format/webp"),
        ("to AVIF, HEIF, TPG", "imageMogr2/thumbnail/200x/format/avif"),
    ):
        found = prices.cost([_rule(rule)] * DERIVATIVES, BYTES, SOURCES)
        told = " + ".join(f"{line.name} {line.amount or 0:,.0f}" for line in found.lines)
        rows.append((name, told, f"{found.amount:,.0f} {found.currency}"))
    return (f"{DERIVATIVES} derivatives", "items", "together"), rows


def _rule(text: str) -> Rule:
    from derivo.ci import parse

    found = parse(text).rule
    assert found is not None
    return found


def sizes() -> Table:
    """What it takes beside CI."""
    record = len(json.dumps(synthetic_event([_SOURCE])["Records"][0], separators=(",", ":"))) + 1
    fitting, in_time = scf.EVENT_BYTES // record, int(TIMEOUT / scf.SECONDS_A_REQUEST)
    per_event = min(fitting, in_time)
    line = len(msgspec.json.encode(Line(number=SOURCES // 2, source=_KEY, calls=1, written=3, cost=1.4e-5))) + 1
    pages = (1 + DERIVATIVES) * SOURCES // limits.LIST_KEYS
    hours = pages * LISTING_SECONDS / 3600
    by_time = f"{TIMEOUT} s of time-out at {scf.SECONDS_A_REQUEST:g} s a call"
    return ("what", "how much", "of what it is made"), [
        ("pages of a listing", f"{pages:,}", f"{hours:,.0f} h one after the other: take inventories"),
        ("disk for the plan's join", f"{300 * (1 + DERIVATIVES) * SOURCES / 1e12:,.1f} TB", "300 bytes an object"),
        ("journal", f"{line * SOURCES / 1e9:,.0f} GB", f"{line} bytes a source"),
        ("memory for the journal", f"{SOURCES / 1e9:,.0f} GB", "a byte a source"),
        (
            "events (`scf`)",
            f"{-(-SOURCES // per_event):,}",
            f"{per_event} sources: {by_time}; {fitting} would fit",
        ),
        ("invocations (`scf`)", f"{SHARE * limits.QPS_CLOUD / per_event:,.1f}/s", f"{limits.INVOKE_QPS}/s are allowed"),
        ("function time (`scf`)", f"{SOURCES * CALL_SECONDS / 8:,.0f} GB-seconds", f"128 MB, {CALL_SECONDS} s a call"),
        ("batch jobs (`ci`)", f"{-(-SOURCES // ci.CELL) * DERIVATIVES:,}", f"{ci.CELL:,} sources each"),
    ]


def sweeps() -> Table:
    """What a round of self-healing costs when nothing is missing."""
    rows = []
    for sources in (10_000, 1_000_000, 100_000_000, SOURCES):
        requests = (1 + DERIVATIVES) * -(-sources // limits.LIST_KEYS)
        seconds = requests * LISTING_SECONDS
        slices = max(1, round(seconds / (TIMEOUT - 5)))
        time = f"{seconds:,.0f} s" if seconds < 3600 else f"{seconds / 3600:,.1f} h"
        rows.append((f"{sources:,}", f"{requests:,}", time, f"{slices:,}"))
    return ("sources", "requests a round", "time of the function", f"slices of {TIMEOUT} s"), rows
