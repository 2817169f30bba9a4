"""Whole buckets: the rate that `derivo apply` reaches against a limit that is enforced."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

from bench import servers
from bench.command import derivo
from bench.pictures import photo
from bench.raw import Client, together
from bench.servers import Cos
from bench.setting import BUCKET, Setting
from bench.table import Goal, Row, Spread

_QPS = 50
_UPLOADERS = 4
_RULES = """
prefix: in/
immutable: true
derivatives:
  - {name: thumb, to: '/out/{path}.thumb.webp', rule: imageMogr2/thumbnail/32x/format/webp}
"""


def rows(setting: Setting) -> Iterator[Row]:
    sources = setting.runs(1_500, 500)
    (setting.folder / "rules").mkdir()
    (setting.folder / "rules" / "in.yml").write_text(_RULES, "utf-8")
    with servers.coslocal(setting.folder, qps=_QPS) as server:
        _fill(server, sources)
        plan, rules = str(setting.folder / "plan.parquet"), ["--rules", str(setting.folder / "rules")]
        derivo(["plan", f"cos://{BUCKET}/", "-o", plan, *rules], setting.folder, server.url, good=(1,))
        derivo(["apply", plan, "--qps", str(_QPS), *rules], setting.folder, server.url, good=(0,))
        calls = _calls(server)
        derivo(["plan", f"cos://{BUCKET}/", *rules], setting.folder, server.url, good=(0,))
    made = [call["time"] for call in calls if call["status"] == 200]
    if len(made) != sources:
        raise RuntimeError(f"{len(made)} calls made something of {sources} sources")
    yield Row(
        name=f"apply: rate reached of {_QPS} requests/s allowed",
        method=f"`derivo apply --qps {_QPS}` in a new process over {sources:,} sources of coslocal, which answers"
        f" faster requests with SlowDown (to {len(calls) - len(made)} here); calls that were carried out, from the"
        " first to the last, by coslocal's journal; `derivo plan` then has nothing to do",
        goal=Goal(0.95 * _QPS, "at least", unit="/s"),
        runs=1,
        ours=Spread.of([(len(made) - 1) / (max(made) - min(made))], "/s"),
    )


def _fill(server: Cos, sources: int) -> None:
    picture = photo(64, 48)

    def put(share: int) -> None:
        with Client(server.port) as client:
            for number in range(share, sources, _UPLOADERS):
                client.ask(server.request("PUT", f"/in/{number % 10}/{number}.jpg", picture), expect=200)

    together([partial(put, share) for share in range(_UPLOADERS)])


def _calls(server: Cos) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server.url}/_coslocal/journal?operation=image_process&last=100000") as answer:
        found: list[dict[str, Any]] = json.load(answer)["entries"]
    return found
