"""A new process and its first event."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench import deployed, peers, stub
from bench.deployed import Deployed
from bench.pictures import photo
from bench.setting import Setting
from bench.table import Goal, Row, compared
from bench.timing import in_turn, timed

_KEY = "avatars/1029/me.jpg"
_METHOD = (
    "wall time of whole processes (python -S, byte code compiled, an environment as the cloud's); the stub answers at"
    " once, so neither the network nor CI's own work is in it; a 30 kB photo"
)


def rows(setting: Setting) -> Iterator[Row]:
    picture = setting.folder / "photo.jpg"
    picture.write_bytes(photo(400, 300))
    with stub.running(picture) as url:
        function = deployed.derivo(setting.folder, url)
        yield _against_import(function, setting, picture)
        yield _without_byte_code(function, setting, picture)
        handler = deployed.pillow(setting.folder, url, peers.install())
        yield _against_pillow(function, handler, setting, picture)


def _against_import(function: Deployed, setting: Setting, picture: Path) -> Row:
    event = deployed.write_event(setting.folder, _KEY, picture.stat().st_size)
    ours, theirs = in_turn(
        partial(timed, partial(function.first_event, event)),
        partial(timed, partial(function.run, ["-c", "import qcloud_cos"])),
        setting.runs(25, 7),
    )
    return compared(
        "cold start: process to first event", ours, theirs, unit="s", goal=Goal(1.25),
        against="python -c 'import qcloud_cos'",
        method=f"{_METHOD}; the event of avatars/, 4 derivatives: one processing call and the HEAD of verification",
    )  # fmt: skip


def _without_byte_code(function: Deployed, setting: Setting, picture: Path) -> Row:
    event = deployed.write_event(setting.folder, _KEY, picture.stat().st_size)
    ours, theirs = _first_events(deployed.sources_only(setting.folder, function), function, event, setting.runs(9, 3))
    return compared(
        "cold start of a package of sources only", ours, theirs, unit="s", against="with byte code",
        method=f"{_METHOD}; both packages are Derivo's own; a new process compiles what it imports and keeps nothing",
    )  # fmt: skip


def _against_pillow(function: Deployed, handler: Deployed, setting: Setting, picture: Path) -> Row:
    event = deployed.write_event(setting.folder, "products/a.jpg", picture.stat().st_size)
    ours, theirs = _first_events(function, handler, event, setting.runs(15, 5))
    return compared(
        "cold start against the Pillow handler", ours, theirs, unit="s", against="Pillow handler",
        method=f"{_METHOD}; the event of products/, 7 derivatives: 2 calls and a HEAD, or a download and 7 uploads",
    )  # fmt: skip


def _first_events(one: Deployed, other: Deployed, event: Path, runs: int) -> tuple[list[float], list[float]]:
    ours, theirs = (partial(timed, partial(each.first_event, event)) for each in (one, other))
    return in_turn(ours, theirs, runs)
