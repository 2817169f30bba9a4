"""The rows, in the order of the table: a name for the command line, and the function that measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bench.rows import (
    applying,
    backfill,
    cold,
    instances,
    lint,
    matching,
    memory,
    planning,
    requests,
    steady,
    thumbnails,
    traffic,
    warm,
)
from bench.setting import Setting
from bench.table import Row

ROWS: Mapping[str, Callable[[Setting], Iterator[Row]]] = {
    "lint": lint.rows,
    "match": matching.rows,
    "plan": planning.rows,
    "cold": cold.rows,
    "warm": warm.rows,
    "instances": instances.rows,
    "memory": memory.rows,
    "traffic": traffic.rows,
    "requests": requests.rows,
    "thumbnails": thumbnails.rows,
    "steady": steady.rows,
    "backfill": backfill.rows,
    "backfill-10m": backfill.ten_million,
    "apply": applying.rows,
}
