"""coslocal's memory while it serves thousands of requests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench import servers
from bench.pictures import photo
from bench.raw import Client, together
from bench.servers import Cos
from bench.setting import Setting
from bench.table import Goal, Row, compared

_CLIENTS = 8
_FIRST = 1_000


def rows(setting: Setting) -> Iterator[Row]:
    last = setting.runs(10_000, 3_000)
    with servers.coslocal(setting.folder, data=setting.folder / "data") as server:
        mix = _mix(server)
        with Client(server.port) as client:
            for request, expect in mix:  # every kind once, so that all that is loaded at first use is there
                client.ask(request, expect=expect)
        _send(server, mix, _FIRST)
        before = _resident(server.pid)
        _send(server, mix, last - _FIRST)
        yield compared(
            f"coslocal: memory after {last:,} requests", [_resident(server.pid)], [before],
            unit="B", against=f"after {_FIRST:,}", goal=Goal(1.05),
            method=f"resident memory (VmRSS) of a server on a folder; {_CLIENTS} clients send PUT, GET, HEAD, listings,"
            " thumbnails and a missing key over a fixed set of keys; its journal and log of events keep the last 2,000",
        )  # fmt: skip


def _mix(server: Cos) -> list[tuple[bytes, int]]:
    """One of each kind of request, and the status it must have."""
    picture = photo(640, 480)
    return [
        *[(server.request("PUT", f"/steady/{n}.bin", bytes(20_000)), 200) for n in range(3)],
        (server.request("PUT", "/steady/a.jpg", picture), 200),
        *[(server.request("GET", f"/steady/{n}.bin"), 200) for n in range(3)],
        (server.request("HEAD", "/steady/1.bin"), 200),
        (server.request("GET", "/steady/a.jpg?imageMogr2%2Fthumbnail%2F100x"), 200),
        (server.request("GET", "/?prefix=steady%2F"), 200),
        (server.request("GET", "/steady/none.bin"), 404),
    ]


def _send(server: Cos, mix: list[tuple[bytes, int]], count: int) -> None:
    def send(share: int) -> None:
        with Client(server.port) as client:
            for request, expect in itertools.islice(itertools.cycle(mix), share, share + count // _CLIENTS):
                client.ask(request, expect=expect)

    together([partial(send, share) for share in range(_CLIENTS)])


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) * 1024.0 for line in status.splitlines() if line.startswith("VmRSS"))
