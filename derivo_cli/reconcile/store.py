"""The temporary database of one plan: listings go in row by row, the diff comes out; the disk holds what memory cannot.

A bucket is a number: 0 is the sources' own. Sizes are bytes, times COS's Last-Modified, ETags without quotes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derivo_cli.exits import Stop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "384MB"
# Each has buffers of its own, so that more of them would need more memory.
THREADS = min(4, os.cpu_count() or 1)
# A join needs memory for a part of its rows at least, so large ones are done in passes over parts of the keys.
ROWS_A_PASS = 15_000_000
BATCH = 20_000

Row = tuple[Any, ...]
Part = Callable[[str], str]

_WANTED = (
    "source VARCHAR, size UBIGINT, etag VARCHAR, modified TIMESTAMP, item USMALLINT, bucket UTINYINT, key VARCHAR,"
    " blocked VARCHAR"
)

TABLES = {
    # `raw`: as an inventory wrote the key, where that holds a plus
    "objects": "bucket UTINYINT, key VARCHAR, size UBIGINT, etag VARCHAR, modified TIMESTAMP, raw VARCHAR",
    # what rules want: `item` is a number of Items; `blocked` the reason why it cannot be made
    "wanted": _WANTED,
    # what the rules of before wanted: `item` is a number of their Items
    "before": _WANTED,
    "items": "item USMALLINT, rule_set VARCHAR, name VARCHAR, spec VARCHAR, since TIMESTAMP, with_manifest BOOLEAN,"
    " derivative BOOLEAN",
    # which rule an item has had from when on
    "epochs": "item USMALLINT, since TIMESTAMP, spec VARCHAR",
    # what manifests name: `standing`, the manifest lies where its rule set puts it today
    "made": "source VARCHAR, source_etag VARCHAR, rule_set VARCHAR, name VARCHAR, bucket UTINYINT, key VARCHAR,"
    " etag VARCHAR, spec VARCHAR, standing BOOLEAN, manifest VARCHAR",
    "manifests": "key VARCHAR, etag VARCHAR, modified TIMESTAMP, source VARCHAR, source_etag VARCHAR, standing BOOLEAN",
    # what stands among the outputs and is not wanted
    "unwanted": "bucket UTINYINT, key VARCHAR, etag VARCHAR, size UBIGINT",
    # what differs, a row of the plan each
    "work": "class VARCHAR, why VARCHAR, rule_set VARCHAR, name VARCHAR, bucket UTINYINT, key VARCHAR, etag VARCHAR,"
    " source VARCHAR, source_size UBIGINT, source_etag VARCHAR, spec VARCHAR, old_spec VARCHAR, item USMALLINT,"
    " modified TIMESTAMP",
}


class Store:
    """A DuckDB database in a folder that is the caller's to remove."""

    def __init__(self, folder: Path, memory: str = MEMORY) -> None:
        self.folder = folder
        self.connection = connect(folder / "plan.duckdb", folder / "spill", memory)
        # nobody opens the file again: nothing need be on the disk for good
        self.run("SET fsync_mode = 'NONE'")
        # half the work of looking for the best compression of each column, at a third of the bytes
        self.run("SET force_compression = 'zstd'")
        self.run("BEGIN")
        for name, columns in TABLES.items():
            self.run(f"CREATE TABLE {name} ({columns})")
        self.run("COMMIT")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Raises Stop where the disk or the memory is used up."""
        import duckdb

        try:
            self.connection.execute(sql, list(parameters))
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise Stop(
                f"the plan's temporary database, of some 100 bytes an object in {self.folder}, cannot go on; set TMPDIR"
                f" to a larger disk: {str(error).partition(chr(10))[0]}"
            ) from None

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row:
        """The only row of an answer."""
        row = self.connection.execute(sql, list(parameters)).fetchone()
        assert row is not None
        return tuple(row)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of an answer, a batch at a time in memory; other statements may run meanwhile."""
        cursor = self.connection.cursor()
        cursor.execute(sql, list(parameters))
        while batch := cursor.fetchmany(BATCH):
            yield from batch
        cursor.close()

    def passes(self, table: str = "objects") -> Iterator[Part]:
        """The parts of all texts, as many as the table needs: SQL over a column that holds for those of the part."""
        (rows,) = self.one(f"SELECT count(*) FROM {table}")
        count = 1 + rows // ROWS_A_PASS
        return (partial(_in_part, number, count) for number in range(count))

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Append rows to a table, a batch at a time."""
        types = [column.split()[1] for column in TABLES[table].split(",")]
        columns = ", ".join(f"unnest(${at}::{kind}[])" for at, kind in enumerate(types, 1))
        pending = iter(rows)
        while batch := list(islice(pending, BATCH)):
            self.run(f"INSERT INTO {table} SELECT {columns}", [list(column) for column in zip(*batch, strict=True)])

    def close(self) -> None:
        self.connection.close()


def _in_part(number: int, count: int, column: str) -> str:
    return f"hash({column}) % {count} = {number}" if count > 1 else "true"


def connect(
    database: Path | str, spill: Path | None = None, memory: str = MEMORY, *, ordered: bool = False
) -> DuckDBPyConnection:
    """DuckDB with so much memory, spilling to a folder; `ordered`: rows come out as they went in, at the price of
    memory. Raises Stop where it is not installed."""
    try:
        import duckdb  # 25 MB: only these commands need it
    except ModuleNotFoundError:
        raise Stop('duckdb is not installed; pip install "derivo[cli]"') from None
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "threads": THREADS,
        "preserve_insertion_order": ordered,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if spill is not None:
        settings["temp_directory"] = str(spill)
    connection = duckdb.connect(str(database), config=settings)
    connection.execute("SET enable_progress_bar = false")
    return connection
