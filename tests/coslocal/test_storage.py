"""One contract, run on both stores."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.storage.crc64 import combine, crc64
from coslocal.storage.directory import DirectoryInUse, open_directory
from coslocal.storage.index import IndexedStore
from coslocal.storage.memory import open_memory
from coslocal.storage.types import BlobGone, Bucket, BucketGone, Part, StoredObject, Upload, UploadGone

B = "b-1"


@pytest.fixture(params=["memory", "directory", "directory with fsync"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexedStore]:
    opened = open_memory() if request.param == "memory" else open_directory(tmp_path, fsync="fsync" in request.param)
    opened.create_bucket(Bucket(name=B, region="r", created=1.0))
    yield opened
    opened.close()


def put(store: IndexedStore, key: str, data: bytes = b"x", **more: object) -> StoredObject:
    blob = store.take_in(io.BytesIO(data))
    item = StoredObject(
        bucket=B, key=key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=1.5,
        headers={"x-cos-meta-é": "\udcff"},
    )  # fmt: skip
    store.put(item, {"acl": "[]"})
    return item


def read(store: IndexedStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    item = store.get(B, key)
    assert item is not None
    found = b"".join(store.read(item.blob, start, length))
    if (start, length) == (0, None):
        assert store.whole(item.blob) == found
    return found


def test_an_object_comes_back_as_it_was_put(store: IndexedStore) -> None:
    item = put(store, "中/a b+%\udcff", b"hello" * 100_000)
    assert store.get(B, "中/a b+%\udcff") == item
    assert item.etag == hashlib.md5(b"hello" * 100_000).hexdigest()
    assert read(store, item.key) == b"hello" * 100_000
    assert read(store, item.key, 499_998, 100) == b"lo"
    assert read(store, item.key, 3, 4) == b"lohe"


def test_replacing_drops_the_old_bytes_and_configurations(store: IndexedStore) -> None:
    old = put(store, "a", b"old")
    store.put_configuration(B, "a", "tagging", b"t")
    standing = store.read(old.blob)
    new = put(store, "a", b"new")
    assert b"".join(standing) == b"old"  # a reader that had begun is not disturbed
    with pytest.raises(BlobGone):
        store.whole(old.blob)
    with pytest.raises(BlobGone):
        store.read(old.blob)
    assert read(store, "a") == b"new"
    assert store.configuration(B, "a", "tagging") is None
    assert store.delete(B, "a") == new
    assert store.delete(B, "a") is None
    assert store.configuration(B, "a", "acl") is None


def test_buckets(store: IndexedStore) -> None:
    assert not store.create_bucket(Bucket(name=B, region="other", created=2.0))
    assert store.bucket(B) == Bucket(name=B, region="r", created=1.0)
    put(store, "a")
    assert not store.delete_bucket(B)
    store.delete(B, "a")
    store.put_configuration(B, "", "cors", b"<x/>")
    assert store.delete_bucket(B)
    assert store.buckets() == []
    with pytest.raises(BucketGone):
        put(store, "a")
    with pytest.raises(BucketGone):
        store.put_configuration(B, "", "cors", b"")
    assert store.configuration(B, "", "cors") is None


def part(store: IndexedStore, number: int, data: bytes) -> Part:
    blob = store.take_in(io.BytesIO(data))
    return Part(number=number, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=1.0)


def whole(size: int) -> StoredObject:
    return StoredObject(bucket=B, key="w", blob="", size=size, etag="e-2", crc64="1", modified=2.0)


def test_a_multipart_upload_joins_its_parts(store: IndexedStore) -> None:
    store.start_upload(Upload(bucket=B, key="w", upload_id="u", started=1.0, configurations={"acl": "[1]"}))
    pieces = [part(store, number, bytes([64 + number]) * 300_000) for number in (1, 2, 3)]
    for piece in pieces:
        store.put_part("u", piece)
    replaced = part(store, 2, b"second")
    store.put_part("u", replaced)
    with pytest.raises(UploadGone):  # part 2 was replaced meanwhile
        store.finish_upload("u", whole(600_000), pieces[:2])
    assert store.parts("u") == [pieces[0], replaced, pieces[2]]
    item = store.finish_upload("u", whole(600_006), [pieces[0], replaced, pieces[2]])
    assert read(store, "w") == b"A" * 300_000 + b"second" + b"C" * 300_000
    assert read(store, "w", 299_999, 8) == b"AsecondC"
    assert store.configuration(B, "w", "acl") == b"[1]"
    assert store.upload("u") is None and store.parts("u") == []
    with pytest.raises(UploadGone):
        store.put_part("u", part(store, 1, b""))
    put(store, "w", b"over")
    with pytest.raises(BlobGone):
        store.read(item.blob)


def test_an_aborted_upload_leaves_nothing(store: IndexedStore) -> None:
    store.start_upload(Upload(bucket=B, key="w", upload_id="u", started=1.0))
    piece = part(store, 1, b"data")
    store.put_part("u", piece)
    assert not store.delete_bucket(B)
    store.abort_upload("u")
    with pytest.raises(BlobGone):
        b"".join(store.read(piece.blob))
    assert store.delete_bucket(B)


def test_append_wants_the_length_it_was_told(store: IndexedStore) -> None:
    item = whole(0)
    first = store.append(item, store.take_in(io.BytesIO(b"one")), expected=0)
    assert first is not None and first.size == 3
    assert store.append(item, store.take_in(io.BytesIO(b"xxx")), expected=2) is None
    for piece in (b" two", b" three"):
        standing = store.get(B, "w")
        assert standing is not None
        assert store.append(standing, store.take_in(io.BytesIO(piece)), expected=standing.size) is not None
    assert read(store, "w") == b"one two three"
    assert store.delete(B, "w") is not None


keys = (
    st.text(min_size=1, max_size=6)
    .filter(lambda key: "\ud800" not in key)
    .map(lambda key: key.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
)


@settings(max_examples=60)
@given(found=st.sets(keys, max_size=20), prefix=st.text("ab/", max_size=2), after=keys)
def test_scan_is_in_the_order_of_utf8_bytes(found: set[str], prefix: str, after: str) -> None:
    store = open_memory()
    store.create_bucket(Bucket(name=B, region="r", created=1.0))
    for key in found:
        put(store, key)
    raw: Callable[[str], bytes] = lambda key: key.encode("utf-8", "surrogateescape")  # noqa: E731
    wanted = sorted((key for key in found if key.startswith(prefix) and raw(key) > raw(after)), key=raw)
    assert [item.key for item in store.scan(B, prefix=prefix, after=after)] == wanted
    wanted = sorted((key for key in found if key.startswith(prefix) and raw(key) >= raw(after)), key=raw)
    assert [item.key for item in store.scan(B, prefix=prefix, from_key=after)] == wanted
    store.close()


def test_scan_goes_on_past_its_pages(store: IndexedStore) -> None:
    for number in range(100):
        put(store, f"{number:03}")
    assert [item.key for item in store.scan(B)] == [f"{number:03}" for number in range(100)]


def test_the_directory_remembers_and_sweeps(tmp_path: Path) -> None:
    first = open_directory(tmp_path)
    first.create_bucket(Bucket(name=B, region="r", created=1.0))
    item = put(first, "a/../../b", b"data")
    first.take_in(io.BytesIO(b"never put"))
    (tmp_path / "incoming" / "half").write_bytes(b"half")
    with pytest.raises(DirectoryInUse, match="in use"):
        open_directory(tmp_path)
    first.close()
    second = open_directory(tmp_path)
    assert second.get(B, "a/../../b") == item
    assert read(second, "a/../../b") == b"data"
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(name for name in files if not name.startswith("index.sqlite")) == sorted([item.blob, "lock"])
    second.close()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_crc_of_a_concatenation(left: bytes, right: bytes) -> None:
    assert combine(crc64(left), crc64(right), len(right)) == crc64(left + right)


def test_the_crc_s_check_value() -> None:
    assert crc64(b"123456789") == 11051210869376104954
