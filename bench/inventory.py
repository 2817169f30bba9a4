"""A COS inventory of a bucket that nobody has: sources, three derivatives each, and some of all that can be wrong.

`python -m bench.inventory FOLDER --sources 1000000` writes manifest.json and CSV.gz files beside it, and the rule set.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.setting import APPID, BUCKET

RULES = """prefix: products/
suffixes: [.jpg, .jpeg, .png]
derivatives:
  - {name: thumb, to: "/derived/{path}.thumb.webp", rule: imageMogr2/thumbnail/200x200>/format/webp}
  - {name: card, to: "/derived/{path}.card.webp", rule: imageMogr2/thumbnail/600x600>/format/webp}
  - {name: zoom, to: "/derived/{path}.zoom.webp", rule: imageMogr2/thumbnail/1600x1600>/format/webp}
"""
SCHEMA = "Appid, Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded"
SOURCES_A_FILE = 250_000

# one source in so many
MISSING, STALE, FOREIGN = 1_000, 2_000, 10_000


@dataclass(frozen=True)
class Facts:
    """What a plan of the inventory must say."""

    sources: int
    create: int
    stale: int
    unknown: int


def write(folder: Path, sources: int) -> Facts:
    """Write an inventory; the same number gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for first in range(0, sources, SOURCES_A_FILE):
        name = f"{first // SOURCES_A_FILE:05}.csv.gz"
        data = _packed(folder / "rows.csv", range(first, min(first + SOURCES_A_FILE, sources)))
        (folder / name).write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        files.append(
            {"key": f"cos_bucket_inventory/{APPID}/{BUCKET}/all/{name}", "size": len(data), "md5Checksum": digest}
        )
    about = {
        "sourceAppid": APPID,
        "sourceBucket": BUCKET.removesuffix(f"-{APPID}"),
        "destinationAppid": APPID,
        "destinationBucket": "inventories",
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": files,
    }
    manifest = json.dumps(about).encode()
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.checksum").write_text(hashlib.md5(manifest, usedforsecurity=False).hexdigest(), "utf-8")
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "products.yml").write_text(RULES, "utf-8")
    return Facts(sources, _every(sources, MISSING), 3 * _every(sources, STALE, 1), _every(sources, FOREIGN, 2))


def _every(count: int, step: int, offset: int = 0) -> int:
    return len(range(offset, count, step))


_ROWS = """
SELECT '{appid}', '{name}', url_encode(key), size, strftime(day, '%Y-%m-%dT%H:%M:%S.000Z'), md5(key),
    'STANDARD', 'false'
FROM (
    SELECT unnest(list_filter([
        {{key: key, size: 400000 + n % 1000, day: if(n % {stale} = 1, DATE '2026-03-01', DATE '2026-01-01')}},
        if(n % {missing} = 0, NULL, {{key: 'derived/' || key || '.thumb.webp', size: 20000, day: DATE '2026-02-01'}}),
        {{key: 'derived/' || key || '.card.webp', size: 20000, day: DATE '2026-02-01'}},
        {{key: 'derived/' || key || '.zoom.webp', size: 20000, day: DATE '2026-02-01'}},
        if(n % {foreign} = 2, {{key: 'derived/' || key || '.txt', size: 10, day: DATE '2026-02-01'}}, NULL)
    ], lambda row: row IS NOT NULL), recursive := true)
    FROM (SELECT n, format('products/{{:03d}}/{{:09d}} 灯.jpg', n % 977, n) AS key FROM range({first}, {last}) t(n))
)
"""


def _packed(path: Path, numbers: range) -> bytes:
    """The rows of these sources as CSV.gz; `path` is for the rows in between."""
    rows = _ROWS.format(
        appid=APPID, name=BUCKET.removesuffix(f"-{APPID}"), stale=STALE, missing=MISSING, foreign=FOREIGN,
        first=numbers.start, last=numbers.stop,
    )  # fmt: skip
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT csv, HEADER false, FORCE_QUOTE *)")
    data = gzip.compress(path.read_bytes(), compresslevel=1, mtime=0)
    path.unlink()
    return data


def command(folder: Path, sources: Annotated[int, typer.Option(help="How many sources.")] = 1_000_000) -> None:
    print(write(folder, sources))


if __name__ == "__main__":
    typer.run(command)
