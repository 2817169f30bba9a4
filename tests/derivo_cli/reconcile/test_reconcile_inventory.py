"""A COS inventory stands for a listing: the same plan, and one that is damaged ends it."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from bench.inventory import write
from tests.derivo_cli.reconcile.conftest import Bucket

KEYS = ["in/a b.png", "in/1+1=2%.png", "in/文,\"'.png", "in/d/e.png"]
SCHEMA = "Appid, Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded"


def inventory(bucket: Bucket, encode: Callable[[str], str] = quote, **changes: Any) -> Path:
    """The inventory of the bucket as it stands, its files of three rows beside it."""
    name, _, appid = bucket.cos.bucket.rpartition("-")
    rows = [
        [appid, name, encode(item.key), str(item.size), stamp(item.modified), item.etag, "STANDARD", "false"]
        for item in bucket.cos.app.store.scan(bucket.cos.bucket)
    ]
    folder = bucket.folder / "inventory"
    folder.mkdir(exist_ok=True)
    files = []
    for first in range(0, len(rows), 3):
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows[first : first + 3])
        data = gzip.compress(text.getvalue().encode())
        (folder / f"{first}.csv.gz").write_bytes(data)
        digest = hashlib.md5(data).hexdigest()
        files.append({"key": f"inv/{first}.csv.gz", "size": len(data), "md5Checksum": digest})
    about = {"sourceAppid": appid, "sourceBucket": name, "fileFormat": "CSV", "fileSchema": SCHEMA, "files": files}
    return manifest(folder, {**about, **changes})


def manifest(folder: Path, about: dict[str, Any]) -> Path:
    """manifest.json, and its checksum beside it."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(about), "utf-8")
    path.with_suffix(".checksum").write_text(hashlib.md5(path.read_bytes()).hexdigest() + "\n", "utf-8")
    return path


def stamp(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.fixture
def full(bucket: Bucket) -> Bucket:
    bucket.put(*KEYS)
    bucket.move(60)
    bucket.function()
    bucket.move(60)
    bucket.put(KEYS[0], "in/new+.png", "out/foreign 1.txt")
    return bucket


@pytest.mark.parametrize("encode", [quote, quote_plus, lambda key: quote(key, safe="")])
def test_the_plan_is_that_of_the_listing(full: Bucket, encode: Callable[[str], str]) -> None:
    live = full.plan()
    listings = full.cos.journal.count("list_objects")
    read = full.plan("--inventory", inventory(full, encode))
    assert read == live
    assert live["classes"]["create"] == 2
    # one, for the rules in force: the objects are not listed
    assert full.cos.journal.count("list_objects") == listings + 1


def test_it_may_lie_in_a_bucket(full: Bucket) -> None:
    live, path = full.plan(), inventory(full)
    for file in path.parent.iterdir():
        full.put(f"inv/{file.name}", data=file.read_bytes())
    assert full.plan("--inventory", f"{full.address}inv/manifest.json") == live


def test_only_what_stands_now_counts(full: Bucket) -> None:
    path = inventory(full)
    about = json.loads(path.read_text("utf-8"))
    name, _, appid = full.cos.bucket.rpartition("-")
    rows = [
        f'"{appid}","{name}","in/x.png","v1","false","false","5","{stamp(0)}","e"\n',
        f'"{appid}","{name}","in/x.png","v2","true","false","5","{stamp(0)}","e"\n',
        f'"{appid}","{name}","in/y.png","v3","true","true","0","{stamp(0)}",""\n',
    ]
    data = gzip.compress("".join(rows).encode())
    (path.parent / "v.csv.gz").write_bytes(data)
    about["files"] = [{"key": "v.csv.gz", "size": 1, "md5Checksum": hashlib.md5(data).hexdigest()}]
    about["fileSchema"] = "Appid,Bucket,Key,VersionId,IsLatest,IsDeleteMarker,Size,LastModifiedDate,ETag"
    manifest(path.parent, about)
    assert full.classes("--inventory", path) == {"create": 2}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fileSchema": "Appid, Bucket, Key, Size"}, "fileSchema has no lastmodifieddate, etag"),
        ({"fileSchema": SCHEMA + ", Key"}, "names a column twice"),
        ({"fileSchema": SCHEMA + ", Crc64"}, "cannot be read as its schema says"),
        ({"fileSchema": SCHEMA.replace("Size, LastModifiedDate", "LastModifiedDate, Size")}, "as its schema says"),
        ({"fileFormat": "ORC"}, "only CSV"),
        ({"sourceBucket": "other"}, "is of other-1250000000"),
        ({"files": [{"key": "inv/0.csv.gz", "size": 1, "md5Checksum": "0" * 32}]}, "another checksum"),
        ({"files": [{"key": "inv/none.csv.gz", "size": 1, "md5Checksum": "0" * 32}]}, "fetch it beside the manifest"),
        ({"files": 7}, "is no manifest.json"),
    ],
)
def test_one_that_is_damaged_ends_the_plan(full: Bucket, changes: dict[str, Any], said: str) -> None:
    done = full.derivo("plan", full.address, "--inventory", inventory(full, **changes))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


def test_the_manifest_itself_is_verified(full: Bucket) -> None:
    path = inventory(full)
    digest = hashlib.md5(path.read_bytes()).digest()
    checksum = path.with_suffix(".checksum")
    checksum.write_bytes(base64.b64encode(digest))
    verified = full.plan("--inventory", path)
    checksum.unlink()
    loose = full.plan("--inventory", path)
    assert [notice for notice in loose["notices"] if notice not in verified["notices"]] == [
        f"there is no {checksum}, so the manifest itself was not verified"
    ]
    checksum.write_text("0" * 32, "utf-8")
    done = full.derivo("plan", full.address, "--inventory", path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "fetch both again" in done.err


def test_one_with_a_filter_says_so(full: Bucket) -> None:
    found = full.plan("--inventory", inventory(full, listObjectCount="90", filterObjectCount="14"))
    assert "holds 14 of 90 objects" in found["notices"][0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        gzip.decompress,
        lambda data: gzip.compress(gzip.decompress(data)[:-60]),
        lambda data: gzip.compress(b"\xff\xfe," * 8),
        lambda data: gzip.compress(gzip.decompress(data).replace(b"in", b"%E7%8", 1)),
        lambda data: gzip.compress(b'"' + gzip.decompress(data)),
    ],
    ids=["truncated", "not packed", "half a row", "no text", "no UTF-8", "a quote"],
)
def test_a_file_that_is_damaged_ends_the_plan_though_its_checksum_is_right(
    full: Bucket, spoil: Callable[[bytes], bytes]
) -> None:
    path = inventory(full)
    about = json.loads(path.read_text("utf-8"))
    first = path.parent / "0.csv.gz"
    first.write_bytes(spoil(first.read_bytes()))
    about["files"][0]["md5Checksum"] = hashlib.md5(first.read_bytes()).hexdigest()
    done = full.derivo("plan", full.address, "--inventory", manifest(path.parent, about))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "0.csv.gz" in done.err


def test_one_in_a_bucket_that_lacks_a_file_or_a_right(full: Bucket) -> None:
    place = inventory(full)
    for file in place.parent.iterdir():
        full.put(f"inv/{file.name}", data=file.read_bytes())
    full.delete("inv/3.csv.gz")
    done = full.derivo("plan", full.address, "--inventory", f"{full.address}inv/manifest.json")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "inv/3.csv.gz" in done.err
    full.cos.faults.add("error", code="AccessDenied", operation="get_object", prefix="inv/0")
    done = full.derivo("plan", full.address, "--inventory", f"{full.address}inv/manifest.json")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "AccessDenied" in done.err


def test_one_that_is_not_there_is_one_line(full: Bucket) -> None:
    for place in ("none/manifest.json", f"{full.address}none/manifest.json"):
        done = full.derivo("plan", full.address, "--inventory", place)
        assert (done.code, done.err.count("\n")) == (2, 1)


def test_a_made_up_bucket_is_planned_as_it_was_made_up(bucket: Bucket) -> None:
    facts = write(bucket.folder / "made-up", 12_000)
    place = bucket.folder / "made-up"
    arguments = ("cos://bench-1250000000/", "--inventory", place / "manifest.json", "--rules", place / "rules")
    bucket.other_bucket("bench-1250000000")
    found = json.loads(bucket.derivo("plan", *arguments, "--json").out)
    assert found["sources"] == facts.sources
    told = [found["classes"][kind] for kind in ("create", "stale-source", "unknown")]
    assert told == [facts.create, facts.stale, facts.unknown]
