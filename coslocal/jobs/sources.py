"""Which objects a batch job works on, and where the result of each goes (SCF 8.1, 8.7)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any

from coslocal.core import Core
from coslocal.http import Headers, Request
from coslocal.jobs.errors import JobError
from coslocal.jobs.types import BatchJob
from coslocal.storage.types import StoredObject
from coslocal.wire.address import decode, locate
from coslocal.wire.errors import InvalidURI

MOST_BYTES = 64 * 1024 * 1024  # of a manifest, a list of URLs, and one inventory file unpacked


def keys(app: Core, job: BatchJob) -> list[str]:
    """The keys that stand when it is asked, so that a batch never meets its own results. Raises JobError."""
    found: Iterator[str]
    if job.way == "Prefix":
        return [item.key for item in app.store.scan(job.bucket, prefix=job.where) if _in_time(item, job)]
    if job.way == "Manifest":
        found = _of_manifest(app, job)
    elif job.way == "UrlFile":
        found = _of_urls(app, job)
    else:
        found = iter([job.where])
    limited = (job.interval.start, job.interval.end) != (None, None)
    return [key for key in found if not limited or _is_in_time(app, job, key)]


def _is_in_time(app: Core, job: BatchJob, key: str) -> bool:
    item = app.store.get(job.bucket, key)
    return item is None or _in_time(item, job)  # one that is missing fails as a job of its own


def _in_time(item: StoredObject, job: BatchJob) -> bool:
    start, end = job.interval.start, job.interval.end
    return (start is None or item.modified >= start) and (end is None or item.modified <= end)


def output_key(job: BatchJob, key: str, input_path: str) -> str:
    """Output.Object with its wildcards filled in. `input_path` is slash or bare: whether ${InputPath} ends in a slash.

    ${ext} is the source's extension without its dot.
    """
    folder, slash, name = key.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    values = {
        "InputPath": folder + slash if input_path == "slash" else folder,
        "InputName": stem if dot else name,
        "ext": extension if dot else "",
        "InventoryTriggerJobId": job.id,
    }
    pieces = job.wish.output.object.split("${")
    filled = pieces[0]
    for piece in pieces[1:]:  # one pass: a value that looks like a wildcard stands for itself
        wildcard, brace, rest = piece.partition("}")
        filled += values[wildcard] + rest if brace and wildcard in values else "${" + piece
    return filled.removeprefix("/")


def _read(app: Core, bucket: str, key: str, what: str) -> bytes:
    item = app.store.get(bucket, key)
    if item is None:
        raise JobError("ResourceNotFound", f"There is no {what} {key} in {bucket}")
    if item.size > MOST_BYTES:
        raise JobError("InvalidContent", f"The {what} {key} has more than {MOST_BYTES} bytes")
    return app.store.whole(item.blob)


def _of_urls(app: Core, job: BatchJob) -> Iterator[str]:
    """A text of COS URLs, one a line."""
    lines = _read(app, job.bucket, job.where, "list of URLs").decode("utf-8-sig", "surrogateescape").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            address = locate(Request("GET", line.strip(), Headers()), suffixes=app.host_suffixes)
        except InvalidURI:
            raise JobError("InvalidUrl", f"Line {number} of {job.where} is no URL") from None
        if address.host.bucket != job.bucket or not address.key:
            raise JobError("InvalidUrl", f"Line {number} of {job.where} is no URL of an object in {job.bucket}")
        yield address.key


def _of_manifest(app: Core, job: BatchJob) -> Iterator[str]:
    """The rows of an inventory that are objects of this bucket; columns by fileSchema, keys URL-encoded (SCF 8.7)."""
    try:
        manifest: Any = json.loads(_read(app, job.bucket, job.where, "manifest"))
        columns = [name.strip() for name in manifest["fileSchema"].split(",")]
        files = [str(entry["key"]) for entry in manifest["files"]]
        if manifest.get("fileFormat", "CSV") != "CSV" or "Key" not in columns:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise JobError("InvalidContent", f"{job.where} is no manifest of a CSV inventory") from None
    name = job.bucket.rpartition("-")[0]
    for file in files:
        for row in _rows(_unpacked(_read(app, job.bucket, file, "inventory file"), file), file):
            entry = dict(zip(columns, row, strict=False))
            here = entry.get("Bucket", job.bucket) in (name, job.bucket)
            if here and entry.get("Key") and entry.get("IsDeleteMarker", "").lower() != "true":
                yield decode(entry["Key"])


def _rows(text: str, file: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""))
    except csv.Error:
        raise JobError("InvalidContent", f"The inventory file {file} is no CSV") from None


def _unpacked(data: bytes, file: str) -> str:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            text = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise JobError("InvalidContent", f"The inventory file {file} is not gzip") from None
    if len(text) > MOST_BYTES:
        raise JobError("InvalidContent", f"The inventory file {file} has more than {MOST_BYTES} bytes unpacked")
    return text.decode("utf-8", "surrogateescape")
