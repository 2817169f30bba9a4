"""Named snapshots of a store, and deletions that wait for readers: one contract, run on both stores."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.storage.directory import open_directory
from coslocal.storage.index import IndexedStore
from coslocal.storage.memory import MemoryBlobs, open_memory
from coslocal.storage.types import BlobGone, Bucket, Part, StoredObject, Upload

B = "b-1"


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexedStore]:
    opened = open_memory() if request.param == "memory" else open_directory(tmp_path)
    opened.create_bucket(Bucket(name=B, region="r", created=1.0))
    yield opened
    opened.close()


def put(store: IndexedStore, key: str, data: bytes) -> StoredObject:
    blob = store.take_in(io.BytesIO(data))
    item = StoredObject(
        bucket=B, key=key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=1.5
    )
    store.put(item, {"tagging": key})
    return item


def put_in_parts(store: IndexedStore, key: str, pieces: list[bytes]) -> None:
    store.start_upload(Upload(bucket=B, key=key, upload_id=key, started=1.0))
    parts = []
    for number, piece in enumerate(pieces, 1):
        blob = store.take_in(io.BytesIO(piece))
        part = Part(number=number, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=1.0)
        store.put_part(key, part)
        parts.append(part)
    size = sum(map(len, pieces))
    whole = StoredObject(bucket=B, key=key, blob="", size=size, etag="e-2", crc64="1", modified=2.0)
    store.finish_upload(key, whole, parts)


def content(store: IndexedStore) -> dict[str, bytes]:
    return {item.key: b"".join(store.read(item.blob)) for item in store.scan(B)} if store.bucket(B) else {}


def test_a_snapshot_comes_back_as_often_as_wanted(store: IndexedStore) -> None:
    put(store, "中", b"one")
    put_in_parts(store, "w", [b"a" * 10, b"b" * 10])
    store.put_configuration(B, "", "cors", b"<x/>")
    store.take_snapshot("seed", 7.0)
    before = content(store)
    for _ in range(2):
        put(store, "中", b"two")
        put(store, "w", b"over")
        put(store, "new", b"new")
        store.delete_configuration(B, "", "cors")
        assert store.restore_snapshot("seed")
        assert content(store) == before
        assert store.configuration(B, "", "cors") == b"<x/>"
        assert store.configuration(B, "中", "tagging") == "中".encode()
    store.reset(keep_snapshots=True)
    assert store.buckets() == []
    assert store.restore_snapshot("seed")
    assert content(store) == before


def test_snapshots_are_listed_replaced_and_dropped(store: IndexedStore) -> None:
    item = put(store, "a", b"12345")
    store.take_snapshot("x", 1.0)
    put(store, "b", b"1")
    store.take_snapshot("x", 2.0)
    (listed,) = store.snapshots()
    assert (listed.name, listed.taken, listed.buckets, listed.objects, listed.bytes) == ("x", 2.0, 1, 2, 6)
    store.delete(B, "a")
    assert b"".join(store.read(item.blob)) == b"12345"  # the snapshot has it
    assert store.drop_snapshot("x") and not store.drop_snapshot("x")
    assert not store.restore_snapshot("x")
    with pytest.raises(BlobGone):
        store.read(item.blob)


def test_an_upload_that_was_under_way_is_under_way_again(store: IndexedStore) -> None:
    store.start_upload(Upload(bucket=B, key="w", upload_id="u", started=1.0))
    blob = store.take_in(io.BytesIO(b"part"))
    part = Part(number=1, blob=blob.name, size=4, etag=blob.md5, crc64=blob.crc64, modified=1.0)
    store.put_part("u", part)
    store.take_snapshot("x", 1.0)
    store.abort_upload("u")
    store.restore_snapshot("x")
    assert store.parts("u") == [part]
    store.finish_upload("u", StoredObject(bucket=B, key="w", blob="", size=4, etag="e", crc64="1", modified=1), [part])
    assert content(store) == {"w": b"part"}


def test_a_reset_may_keep_the_buckets(store: IndexedStore) -> None:
    put(store, "a", b"x")
    store.start_upload(Upload(bucket=B, key="w", upload_id="u", started=1.0))
    store.put_configuration(B, "", "cors", b"<x/>")
    store.take_snapshot("x", 1.0)
    store.reset(keep_buckets=True)
    assert content(store) == {} and store.uploads(B) == [] and store.snapshots() == []
    assert store.configuration(B, "", "cors") == b"<x/>"
    assert store.configuration(B, "a", "tagging") is None


@pytest.mark.parametrize("parts", [2, 150])
@pytest.mark.parametrize("end", ["overwritten", "deleted", "reset"])
def test_a_reader_is_not_disturbed(store: IndexedStore, parts: int, end: str) -> None:
    pieces = [bytes([number]) * 100 for number in range(parts)]
    put_in_parts(store, "w", pieces)
    item = store.get(B, "w")
    assert item is not None
    reader, unread = store.read(item.blob), store.read(item.blob, 150)
    assert next(reader) == pieces[0]
    if end == "overwritten":
        put(store, "w", b"over")
    elif end == "deleted":
        store.delete(B, "w")
    else:
        store.reset()
    assert b"".join(reader) == b"".join(pieces[1:])
    assert b"".join(unread) == b"".join(pieces)[150:]
    with pytest.raises(BlobGone):
        store.read(item.blob)


def test_what_readers_held_is_deleted_when_they_end(tmp_path: Path) -> None:
    store = open_directory(tmp_path)
    store.create_bucket(Bucket(name=B, region="r", created=1.0))
    put_in_parts(store, "w", [b"a", b"b", b"c"])
    item = store.get(B, "w")
    assert item is not None
    readers = [store.read(item.blob) for _ in range(3)]
    store.delete(B, "w")
    next(readers[0])
    b"".join(readers[1])
    assert len(blobs(tmp_path)) == 3
    del readers
    assert blobs(tmp_path) == []
    store.close()


def blobs(root: Path) -> list[Path]:
    return [path for path in (root / "blobs").rglob("*") if path.is_file()]


def test_snapshots_outlive_the_process(tmp_path: Path) -> None:
    first = open_directory(tmp_path)
    first.create_bucket(Bucket(name=B, region="r", created=1.0))
    put(first, "a", b"kept")
    first.take_snapshot("x", 1.0)
    first.reset(keep_snapshots=True)
    first.close()
    second = open_directory(tmp_path)
    assert second.restore_snapshot("x")
    assert content(second) == {"a": b"kept"}
    second.close()


# What stands, or what a snapshot holds: the contents of each object's blobs.
World = dict[str, tuple[bytes, ...]]
steps = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abc"), st.binary(min_size=1, max_size=3)),
    st.tuples(st.just("parts"), st.sampled_from("abc"), st.binary(min_size=2, max_size=4)),
    st.tuples(st.just("append"), st.sampled_from("abc"), st.binary(min_size=1, max_size=3)),
    st.tuples(st.just("delete"), st.sampled_from("abc"), st.just(b"")),
    st.tuples(st.sampled_from(["take", "restore", "drop"]), st.sampled_from("xy"), st.just(b"")),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=25))
def test_any_history_leaves_what_stands_and_is_kept_and_no_stray_blob(history: list[tuple[str, str, bytes]]) -> None:
    blobs = MemoryBlobs()
    store = IndexedStore(blobs, ":memory:")
    store.create_bucket(Bucket(name=B, region="r", created=1.0))
    standing: World = {}
    kept: dict[str, World] = {}
    for number, (step, name, data) in enumerate(history):
        standing = _do(store, step, name, data + b"#%d" % number, standing, kept)
        assert content(store) == {key: b"".join(value) for key, value in standing.items()}
    assert [snapshot.name for snapshot in store.snapshots()] == sorted(kept)
    wanted = {piece for world in (standing, *kept.values()) for value in world.values() for piece in value}
    assert blobs.sweep(set()) == len(wanted)
    store.close()


def _do(store: IndexedStore, step: str, name: str, data: bytes, standing: World, kept: dict[str, World]) -> World:
    if step == "put":
        put(store, name, data)
        return {**standing, name: (data,)}
    if step == "parts":
        pieces = (data[:1] + data, data)
        put_in_parts(store, name, list(pieces))
        return {**standing, name: pieces}
    if step == "append":
        return _append(store, name, data, standing)
    if step == "delete":
        store.delete(B, name)
        return {key: value for key, value in standing.items() if key != name}
    if step == "take":
        store.take_snapshot(name, 1.0)
        kept[name] = standing
    elif step == "drop":
        assert store.drop_snapshot(name) == (kept.pop(name, None) is not None)
    elif store.restore_snapshot(name):
        return kept[name]
    return standing


def _append(store: IndexedStore, name: str, data: bytes, standing: World) -> World:
    size = len(b"".join(standing.get(name, ())))
    base = StoredObject(bucket=B, key=name, blob="", size=size, etag="e", crc64="1", modified=1.0)
    assert store.append(base, store.take_in(io.BytesIO(data)), expected=size) is not None
    return {**standing, name: (*standing.get(name, ()), data)}
