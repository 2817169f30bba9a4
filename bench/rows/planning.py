"""plan(): what thinking costs, beside all the waiting."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.setting import BUCKET, REGION, ROOT, Setting
from bench.table import Row, Spread
from bench.timing import timed
from derivo.events import Source
from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo.plan import plan

_KEYS = ("products/2026/lamp 14.jpg", "avatars/1029/me.png", "articles/2026/11/harbour.jpg", "products/raw/x.jpg")
_REPEAT = 200


def rows(setting: Setting) -> Iterator[Row]:
    index = RuleSetIndex(load(str(ROOT / "rules")).rule_sets)
    for key in _KEYS:
        source = Source(bucket=BUCKET, region=REGION, key=key, size=300_000)
        made = plan(source, index)
        seconds = [timed(partial(plan, source, index), _REPEAT) for _ in range(setting.runs(31, 11))]
        yield Row(
            name=f"plan of {key} ({len(made.derivatives)} derivatives)",
            method=f"plan(source, index) of the sample rule sets, {_REPEAT} calls a run",
            runs=len(seconds),
            ours=Spread.of(seconds, "s"),
        )
