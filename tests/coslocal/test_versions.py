"""Buckets that keep versions, as the SDK sees them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qcloud_cos import CosServiceError

from coslocal.pytest_plugin import new_app
from coslocal.storage.types import StoredObject
from tests.coslocal import hostile


class Bench:
    def __init__(self, cos: Any) -> None:
        self.cos = cos
        self.client = cos.client()
        self.place = {"Bucket": cos.bucket}

    def keep(self, state: str = "Enabled") -> None:
        self.client.put_bucket_versioning(**self.place, Status=state)

    def put(self, key: str, body: bytes, **more: Any) -> str:
        answer = self.client.put_object(**self.place, Key=key, Body=body, **more)
        return str(answer.get("x-cos-version-id", ""))

    def get(self, key: str, **more: Any) -> bytes:
        return bytes(self.client.get_object(**self.place, Key=key, **more)["Body"].get_raw_stream().read())

    def delete(self, key: str, **more: Any) -> Any:
        return self.client.delete_object(**self.place, Key=key, **more)

    def listed(self, **more: Any) -> list[tuple[str, str, str]]:
        """(key, version, "latest"?) in the order of the answer, which the SDK parts by kind."""
        found = self.client.list_objects_versions(**self.place, **more)
        entries = [*found.get("Version", []), *found.get("DeleteMarker", [])]
        return [(entry["Key"], entry["VersionId"], entry["IsLatest"]) for entry in entries]

    def keys(self) -> list[str]:
        return [item["Key"] for item in self.client.list_objects(**self.place).get("Contents", [])]


@pytest.fixture
def bench(cos: Any) -> Bench:
    return Bench(cos)


def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(CosServiceError) as caught:
        call()
    return caught.value.get_status_code(), caught.value.get_error_code()


def test_what_is_overwritten_can_still_be_had(bench: Bench) -> None:
    assert bench.put("a", b"before") == ""
    bench.keep()
    assert bench.client.get_bucket_versioning(**bench.place) == {"Status": "Enabled"}
    first, second = bench.put("a", b"one"), bench.put("a", b"two", Metadata={"x-cos-meta-n": "2"})
    assert len({first, second, "null"}) == 3
    assert bench.get("a") == b"two"
    assert [bench.get("a", VersionId=version) for version in ("null", first, second)] == [b"before", b"one", b"two"]
    head = bench.client.head_object(**bench.place, Key="a", VersionId=first)
    assert (head["x-cos-version-id"], head["Content-Length"]) == (first, "3")
    assert bench.listed() == [("a", second, "true"), ("a", first, "false"), ("a", "null", "false")]
    assert bench.keys() == ["a"]
    assert refused(lambda: bench.get("a", VersionId="MTIz")) == (404, "NoSuchVersion")


def test_a_deleted_key_is_hidden_and_comes_back_without_its_marker(bench: Bench) -> None:
    bench.keep()
    first = bench.put("a", b"one")
    marker = bench.delete("a")
    assert marker["x-cos-delete-marker"] == "true"
    hidden = marker["x-cos-version-id"]
    assert refused(lambda: bench.get("a")) == (404, "NoSuchKey")
    assert refused(lambda: bench.get("a", VersionId=hidden)) == (405, "MethodNotAllowed")
    assert bench.get("a", VersionId=first) == b"one"
    assert (bench.keys(), bench.listed()) == ([], [("a", first, "false"), ("a", hidden, "true")])
    assert refused(lambda: bench.client.delete_bucket(**bench.place)) == (409, "BucketNotEmpty")
    assert bench.delete("a", VersionId=hidden)["x-cos-delete-marker"] == "true"
    assert bench.get("a") == b"one"
    assert bench.delete("a", VersionId=first)["x-cos-version-id"] == first
    assert bench.listed() == []
    bench.client.delete_bucket(**bench.place)


def test_events_tell_the_version_and_what_became_of_it(bench: Bench) -> None:
    bench.keep()
    first = bench.put("a", b"one")
    marker = bench.delete("a")["x-cos-version-id"]
    bench.delete("a", VersionId=marker)
    assert [(event.name.rpartition(":")[2], event.version_id) for event in bench.cos.events] == [
        ("Put", first), ("DeleteMarkerCreated", marker), ("Delete", marker),
    ]  # fmt: skip


def test_suspended_versions_overwrite_only_the_one_named_null(bench: Bench) -> None:
    bench.keep()
    first = bench.put("a", b"one")
    bench.keep("Suspended")
    assert [bench.put("a", b"two"), bench.put("a", b"three")] == ["null", "null"]
    assert bench.listed() == [("a", "null", "true"), ("a", first, "false")]
    assert bench.delete("a")["x-cos-version-id"] == "null"
    assert bench.listed() == [("a", first, "false"), ("a", "null", "true")]
    assert bench.put("a", b"four") == "null"
    assert bench.listed() == [("a", "null", "true"), ("a", first, "false")]


def test_a_bucket_that_never_kept_versions_goes_on_as_before(bench: Bench) -> None:
    bench.keep("Suspended")
    assert bench.client.get_bucket_versioning(**bench.place) == {"Status": "Suspended"}
    assert [bench.put("a", b"one"), bench.put("a", b"two")] == ["", ""]
    assert bench.listed() == [("a", "null", "true")]
    assert bench.get("a", VersionId="null") == b"two"
    assert "x-cos-version-id" not in bench.delete("a")
    assert bench.listed() == []


def test_copies_uploads_in_parts_and_results_of_images_have_versions(bench: Bench) -> None:
    photo = hostile.png()
    bench.keep()
    first, second = bench.put("a", photo), bench.put("a", b"x")
    source = {"Bucket": bench.cos.bucket, "Key": "a", "Region": bench.cos.region, "VersionId": first}
    copied = bench.client.copy_object(**bench.place, Key="b", CopySource=source)
    assert copied["x-cos-version-id"] not in (first, second)
    assert bench.get("b") == photo
    part = {
        **bench.place,
        "Key": "c",
        "UploadId": bench.client.create_multipart_upload(**bench.place, Key="c")["UploadId"],
    }
    etag = bench.client.upload_part(**part, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Part": [{"PartNumber": 1, "ETag": etag}]}
    assert bench.client.complete_multipart_upload(**part, MultipartUpload=parts)["x-cos-version-id"]
    rules = '{"is_pic_info": 0, "rules": [{"fileid": "/b", "rule": "imageMogr2/thumbnail/8x"}]}'
    bench.client.ci_image_process(**bench.place, Key="b", PicOperations=rules)
    assert [key for key, _, _ in bench.listed()].count("b") == 2


def test_many_are_deleted_at_once(bench: Bench) -> None:
    bench.keep()
    first = bench.put("a", b"one")
    bench.put("b", b"two")
    named = [{"Key": "a", "VersionId": first}, {"Key": "b"}, {"Key": "c", "VersionId": "MTIz"}]
    told = bench.client.delete_objects(**bench.place, Delete={"Object": named, "Quiet": "false"})["Deleted"]
    assert [entry["Key"] for entry in told] == ["a", "b", "c"]
    assert told[0]["VersionId"] == first
    assert told[1]["DeleteMarker"] == "true" and told[1]["DeleteMarkerVersionId"]
    assert [key for key, _, _ in bench.listed()] == ["b", "b"]


@pytest.mark.parametrize("status", ["<Status>Off</Status>", "<Status/>", ""])
def test_a_state_that_there_is_not_is_refused(core: Any, status: str) -> None:
    body = f"<VersioningConfiguration>{status}</VersioningConfiguration>".encode()
    answer = core.ask("PUT", "/?versioning", body)
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_a_marker_of_no_version_is_refused(bench: Bench) -> None:
    assert refused(lambda: bench.listed(VersionIdMarker="x")) == (400, "InvalidArgument")
    assert refused(lambda: bench.listed(KeyMarker="a", VersionIdMarker="x")) == (400, "InvalidArgument")


def test_snapshots_hold_versions(bench: Bench) -> None:
    bench.keep()
    first, _ = bench.put("a", b"one"), bench.put("a", b"two")
    bench.cos.snapshot("both")
    bench.delete("a", VersionId=first)
    bench.delete("a")
    bench.cos.restore("both")
    assert (bench.get("a"), bench.get("a", VersionId=first)) == (b"two", b"one")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("ab"), st.binary(max_size=3)),
        st.tuples(st.just("delete"), st.sampled_from("ab"), st.just(b"")),
        st.tuples(st.just("remove"), st.sampled_from("ab"), st.integers(0, 5)),
        st.tuples(st.just("mode"), st.sampled_from(["Enabled", "Suspended"]), st.just(b"")),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_any_history_is_that_of_a_list_of_versions(steps: list[Any]) -> None:
    """The store against the plainest model there is: for each key a list, the newest first; nothing else is kept."""
    app = new_app()
    bucket, store = app.store.buckets()[0].name, app.store
    model: dict[str, list[tuple[str, bytes | None]]] = {"a": [], "b": []}
    mode = ""
    call = _Calls(app, bucket)
    for step, key, value in steps:
        if step == "mode":
            mode = key if mode or key == "Enabled" else ""
            if mode:
                store.keep_versions(bucket, mode)
            continue
        line = model[key]
        if step == "remove":
            if value < len(line):
                version, _ = line.pop(value)
                assert store.delete_version(bucket, key, version) is not None
        else:
            made = call.put(key, value) if step == "put" else store.delete(bucket, key, at=1.0)
            version = made.version if made is not None else "null"
            if mode != "Enabled":
                line[:] = [entry for entry in line if entry[0] != "null"]
            if step == "put" or mode:
                line.insert(0, (version, value if step == "put" else None))
        _compare(call, model)
    blobs = {item.blob for item, _ in store.scan_versions(bucket) if item.blob}
    assert set(call.stored()) == blobs
    store.close()


class _Calls:
    def __init__(self, app: Any, bucket: str) -> None:
        self.app, self.bucket = app, bucket

    def put(self, key: str, data: bytes) -> Any:
        blob = self.app.store.take_in(io.BytesIO(data))
        item = StoredObject(
            bucket=self.bucket, key=key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=1.0
        )
        return self.app.save(item)

    def stored(self) -> list[str]:
        return list(self.app.store._blobs._bytes)


def _compare(call: _Calls, model: dict[str, list[tuple[str, bytes | None]]]) -> None:
    store, bucket = call.app.store, call.bucket
    wanted = [
        (key, version, None if body is None else body, at == 0)
        for key, line in sorted(model.items())
        for at, (version, body) in enumerate(line)
    ]
    found = [
        (item.key, item.version, None if item.is_marker else store.whole(item.blob), newest)
        for item, newest in store.scan_versions(bucket)
    ]
    assert found == wanted
    for at in range(len(found)):
        behind = [(item.key, item.version) for item, _ in store.scan_versions(bucket, after=found[at][:2])]
        assert behind == [entry[:2] for entry in found[at + 1 :]]
    for key, line in model.items():
        standing = store.get(bucket, key)
        newest = line[0][1] if line else None
        assert (None if standing is None else store.whole(standing.blob)) == newest
        assert (store.hidden_by(bucket, key) is not None) == bool(line and newest is None)
