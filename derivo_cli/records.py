"""What failed and waits to be mended: dead letters of SCF, and the failure records in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from derivo import failures
from derivo.cos import Cos
from derivo.events import synthetic_event
from derivo_cli.exits import Stop
from derivo_cli.url import CosUrl

_SECONDS = 60.0
# Where records lie when nobody says otherwise: what docs and samples use.
FOLDER = "failures/"


@dataclass(frozen=True)
class Waiting:
    """An event that waits: `place` tells where it was found; `record_key` is the object to remove once it is done."""

    place: str
    event: Any
    record_key: str = ""
    record: failures.Record | None = None


def in_file(path: Path) -> Iterator[Waiting]:
    """Dead letters, events or failure records of a file: one JSON value, or one a line. Raises Stop for another."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path}: {error}") from None
    try:
        yield _waiting(str(path), json.loads(text))
        return
    except ValueError:
        pass
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield _waiting(f"{path}:{number}", json.loads(line))
            except ValueError as error:
                raise Stop(f"{path}:{number}: not JSON: {error}") from None


def _waiting(place: str, value: Any) -> Waiting:
    record = failures.parse(json.dumps(value).encode()) if isinstance(value, dict) and "failure" in value else None
    if record is not None:
        return Waiting(place, synthetic_event([record.source]), record=record)
    return Waiting(place, value)


def in_bucket(client: Cos, target: CosUrl, region: str) -> Iterator[Waiting]:
    """The failure records under a prefix. Objects that are none are passed over: the prefix may hold other things."""
    for item in client.list(bucket=target.bucket, region=region, prefix=target.key or FOLDER, timeout=_SECONDS):
        data = client.get(bucket=target.bucket, region=region, key=item.key, timeout=_SECONDS)
        record = failures.parse(data) if data is not None else None
        if record is not None:
            place = f"cos://{target.bucket}/{item.key}"
            yield Waiting(place, synthetic_event([record.source]), record_key=item.key, record=record)
