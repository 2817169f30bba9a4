"""The most memory the function's process has, by the size of the source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench import deployed, peers, stub
from bench.deployed import Deployed
from bench.pictures import photo
from bench.setting import NotMeasured, Setting
from bench.table import Goal, Row, compared
from bench.timing import in_turn

_METHOD = (
    "peak resident memory (VmHWM) of a new process that handles one event of products/, 7 derivatives; a 30 kB photo of"
    " 0.1 megapixels and a 30 MB one of 45; COS is the stub"
)


def rows(setting: Setting) -> Iterator[Row]:
    small, large = setting.folder / "small.jpg", setting.folder / "large.jpg"
    small.write_bytes(photo(400, 300))
    large.write_bytes(photo(8256, 5504, grain=10.5, quality=90))
    with stub.running(small) as at_small, stub.running(large) as at_large:
        yield _row(setting, "Derivo", _both(setting, "derivo", (small, at_small), (large, at_large)), Goal(1.02))
        try:
            handlers = _both(setting, "pillow", (small, at_small), (large, at_large))
        except NotMeasured as reason:
            yield Row(name="peak memory of the Pillow handler", why_not=str(reason))
            return
        yield _row(setting, "the Pillow handler", handlers, None)


Served = tuple[Path, str]
Handled = tuple[Deployed, Path]


def _both(setting: Setting, name: str, *served: Served) -> list[Handled]:
    """The function once for each source, talking to the stub that has it."""
    found = []
    for picture, url in served:
        folder = setting.folder / name / picture.stem
        folder.mkdir(parents=True)
        handler = deployed.derivo(folder, url) if name == "derivo" else deployed.pillow(folder, url, peers.install())
        found.append((handler, deployed.write_event(folder, "products/a.jpg", picture.stat().st_size)))
    return found


def _row(setting: Setting, who: str, handlers: list[Handled], goal: Goal | None) -> Row:
    (small, small_event), (large, large_event) = handlers
    ours, theirs = in_turn(
        partial(large.first_event, large_event),
        partial(small.first_event, small_event),
        setting.runs(7, 2),
        warm_up=0,
    )
    return compared(
        f"peak memory of {who}, 30 MB source", ours, theirs, unit="B", against="30 kB source", goal=goal, method=_METHOD
    )
