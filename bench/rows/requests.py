"""coslocal's server beside moto's: how many requests a second each answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import peers, servers
from bench.raw import rate
from bench.servers import Server
from bench.setting import ROOT, Setting
from bench.table import Goal, Row, compared
from bench.timing import in_turn

SIZE = 100_000
_BODY = bytes(range(250)) * (SIZE // 250)
_KEYS = 24  # a multiple of the clients, so that each has keys of its own: moto fails when two write one at a time
_GOAL = Goal(4, "at least")
_RAW = (
    "both servers in processes of their own, in memory; one plain client with kept-alive connections and requests that"
    " stand ready, the signature among them (coslocal verifies it, moto does not)"
)


def rows(setting: Setting) -> Iterator[Row]:
    found = peers.install()
    with servers.coslocal(setting.folder) as ours, servers.moto(setting.folder, found) as theirs:
        for clients in (1, 8):
            for method in ("PUT", "GET"):
                yield _raw(setting, ours, theirs, method, clients)
        yield from _by_sdk(setting, ours, theirs, found)


def _raw(setting: Setting, ours: Server, theirs: Server, method: str, clients: int) -> Row:
    count = setting.runs(480, 168)

    def measure(server: Server) -> Callable[[], float]:
        body = _BODY if method == "PUT" else b""
        requests = [server.request(method, f"/bench/{number}.bin", body) for number in range(_KEYS)]
        return partial(rate, server.port, requests * (count // _KEYS), clients)

    mine, others = in_turn(measure(ours), measure(theirs), setting.runs(11, 3))
    return compared(
        f"coslocal: {method} of 100 kB, {clients} client{'s' * (clients > 1)}", mine, others, unit="/s",
        against="moto", goal=_GOAL, method=f"{_RAW}; {count} requests a run",
    )  # fmt: skip


def _by_sdk(setting: Setting, ours: Server, theirs: Server, found: peers.Peers) -> Iterator[Row]:
    count = str(setting.runs(120, 60))
    boto = str(Path(peers.__file__).with_name("boto_client.py"))
    mine, others = in_turn(
        partial(_answer, [sys.executable, "-m", "bench.workers.cos_client", ours.url, count, str(SIZE)]),
        partial(_answer, [str(found.python), boto, theirs.url, count, str(SIZE)]),
        setting.runs(7, 2),
        warm_up=0,
    )
    for method in ("PUT", "GET"):
        yield compared(
            f"coslocal: {method} of 100 kB, each by its own SDK",
            [rates[method] for rates in mine], [rates[method] for rates in others],
            unit="/s", against="moto by boto3", goal=_GOAL,
            method=f"qcloud_cos on coslocal, boto3 on moto, both as they come, one client; {count} requests a run",
        )  # fmt: skip


def _answer(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[1]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    answer: dict[str, float] = json.loads(done.stdout)
    return answer
