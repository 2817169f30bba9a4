"""Multipart uploads and big objects through the Python SDK, resumed ones too."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from tests.conformance.python_sdk import Bench, on, refused, sdk

MB = 1024 * 1024


def _data(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def check_parts_become_an_object(bench: Bench) -> None:
    data = [_data(MB), _data(MB + 1), b"end"]
    started = on(bench, "create_multipart_upload")(
        Key="中/a b", ContentType="x/y", Metadata={"x-cos-meta-a": "1"}, StorageClass="STANDARD_IA", ACL="public-read"
    )
    upload = {"Key": "中/a b", "UploadId": started["UploadId"]}
    put = on(bench, "upload_part")
    etags = {n: put(Body=data[n - 1], PartNumber=n, **upload)["ETag"] for n in (3, 1, 2)}
    parts = on(bench, "list_parts")(**upload)["Part"]
    assert [(part["PartNumber"], part["ETag"]) for part in parts] == [(str(n), etags[n]) for n in (1, 2, 3)]
    listed = {"Part": [{"PartNumber": n, "ETag": etags[n]} for n in (1, 2, 3)]}
    done = on(bench, "complete_multipart_upload")(MultipartUpload=listed, **upload)
    whole = b"".join(data)
    joined = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in data)).hexdigest()
    assert done["ETag"] == f'"{joined}-3"' and bench.get("中/a b") == whole
    head = bench.head("中/a b")
    assert (head["Content-Type"], head["x-cos-meta-a"], head["x-cos-storage-class"]) == ("x/y", "1", "STANDARD_IA")
    assert on(bench, "get_object_acl")(Key="中/a b")["CannedACL"] == "public-read"
    assert bench.get("中/a b", Range=f"bytes={MB - 1}-{MB}") == whole[MB - 1 : MB + 1]
    refused(404, "NoSuchUpload", on(bench, "list_parts"), **upload)


def check_lists_of_parts_and_uploads_have_pages(bench: Bench) -> None:
    ids = {key: on(bench, "create_multipart_upload")(Key=key)["UploadId"] for key in ("a/1", "a/2", "b")}
    for n in (1, 2, 3):
        on(bench, "upload_part")(Key="b", Body=b"x", PartNumber=n, UploadId=ids["b"])
    page = on(bench, "list_parts")(Key="b", UploadId=ids["b"], MaxParts=2)
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == ("true", "2")
    rest = on(bench, "list_parts")(Key="b", UploadId=ids["b"], PartNumberMarker=2)
    assert [part["PartNumber"] for part in rest["Part"]] == ["3"]
    listed = on(bench, "list_multipart_uploads")(Delimiter="/")
    assert [item["Prefix"] for item in listed["CommonPrefixes"]] == ["a/"]
    assert [item["UploadId"] for item in listed["Upload"]] == [ids["b"]]
    first = on(bench, "list_multipart_uploads")(MaxUploads=1)
    assert (first["IsTruncated"], first["NextKeyMarker"]) == ("true", "a/1")
    for key, upload in ids.items():
        on(bench, "abort_multipart_upload")(Key=key, UploadId=upload)
    assert "Upload" not in on(bench, "list_multipart_uploads")()


def check_wrong_parts_are_refused(bench: Bench) -> None:
    upload = {"Key": "a", "UploadId": on(bench, "create_multipart_upload")(Key="a")["UploadId"]}
    etags = [on(bench, "upload_part")(Body=b"x", PartNumber=n, **upload)["ETag"] for n in (1, 2)]
    complete = on(bench, "complete_multipart_upload")
    for code, chosen in (
        ("InvalidPart", [(3, etags[0])]),
        ("InvalidPart", [(1, '"0123"')]),
        ("InvalidPartOrder", [(2, etags[1]), (1, etags[0])]),
        ("EntityTooSmall", [(1, etags[0]), (2, etags[1])]),
    ):
        parts = {"Part": [{"PartNumber": n, "ETag": etag} for n, etag in chosen]}
        refused(400, code, complete, MultipartUpload=parts, **upload)
    refused(404, "NoSuchUpload", on(bench, "upload_part"), Key="a", Body=b"", PartNumber=1, UploadId="no")


def check_files_go_up_and_down_in_parts(bench: Bench) -> None:
    data = _data(6 * MB + 7)
    path = bench.file("up", data)
    done = on(bench, "upload_file")(Key="big", LocalFilePath=path, PartSize=1, MAXThread=3, EnableMD5=True)
    assert done["ETag"].endswith('-7"')
    down = bench.folder / "down"
    on(bench, "download_file")(Key="big", DestFilePath=str(down), PartSize=2, MAXThread=3, EnableCRC=True)
    assert down.read_bytes() == data
    for size in (0, MB):
        on(bench, "upload_file")(Key="small", LocalFilePath=bench.file("small", data[:size]))
        assert bench.get("small") == data[:size]


def check_an_upload_is_resumed(bench: Bench) -> None:
    data = _data(3 * MB)
    path = bench.file("up", data)
    started = on(bench, "create_multipart_upload")(Key="big")["UploadId"]
    on(bench, "upload_part")(Key="big", Body=data[:MB], PartNumber=1, UploadId=started)
    on(bench, "upload_file")(Key="big", LocalFilePath=path, PartSize=1)
    assert bench.get("big") == data
    assert "Upload" not in on(bench, "list_multipart_uploads")()  # it was that upload that was finished


def check_a_download_is_resumed(bench: Bench) -> None:
    data = _data(21 * MB)
    on(bench, "upload_file")(Key="big", LocalFilePath=bench.file("up", data), PartSize=5)
    down = bench.folder / "down"
    for _ in range(2):
        on(bench, "download_file")(Key="big", DestFilePath=str(down), PartSize=1)
        assert down.read_bytes() == data


def check_buffers_go_up_in_parts(bench: Bench) -> None:
    path = bench.file("up", _data(3 * MB))
    with Path(path).open("rb") as body:
        on(bench, "upload_file_from_buffer")(Key="buffer", Body=body, MaxBufferSize=2, PartSize=1)
    assert bench.get("buffer") == Path(path).read_bytes()
    on(bench, "put_object_from_local_file")(Key="whole", LocalFilePath=path)
    assert bench.get("whole") == Path(path).read_bytes()


def check_big_objects_are_copied_in_parts(bench: Bench) -> None:
    data = _data(5 * MB)
    bench.put("big", data)
    other = sdk(bench.target, Region="ap-shanghai")
    other.create_bucket(Bucket=f"sh-{bench.bucket}")
    other.get_conf().set_copy_part_threshold_size(MB)
    other.copy(Bucket=f"sh-{bench.bucket}", Key="copy", CopySource=bench.source("big"), PartSize=2, MAXThread=2)
    head = other.head_object(Bucket=f"sh-{bench.bucket}", Key="copy")
    assert head["ETag"].endswith('-3"')
    got = other.get_object(Bucket=f"sh-{bench.bucket}", Key="copy")["Body"].get_raw_stream().read()
    assert got == data
    assert head["x-cos-hash-crc64ecma"] == bench.head("big")["x-cos-hash-crc64ecma"]


def check_a_range_is_copied_as_a_part(bench: Bench) -> None:
    bench.put("source", b"0123456789")
    upload = {"Key": "copy", "UploadId": on(bench, "create_multipart_upload")(Key="copy")["UploadId"]}
    copy = on(bench, "upload_part_copy")
    source = bench.source("source")
    etag = copy(PartNumber=1, CopySource=source, CopySourceRange="bytes=2-5", **upload)["ETag"]
    parts = {"Part": [{"PartNumber": 1, "ETag": etag}]}
    on(bench, "complete_multipart_upload")(MultipartUpload=parts, **upload)
    assert bench.get("copy") == b"2345"
