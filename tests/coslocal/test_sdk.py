"""The real SDK against coslocal: over a socket as its proxy, and mounted under its requests session."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import pyvips
import requests
from qcloud_cos import CosServiceError

KEYS = [
    "a.txt",
    "目录/图片 1.jpg",
    "with space/and+plus/100%.png",
    "a//b//c.gif",
    "//two-leading",
    "semi;colon&amp=1?q#f",
    "percent%2Fencoded%20once",
    "😀/Ünïcödé/~tilde'quote\"",
    "dot/./../dots",
    "trailing/",
]


@pytest.fixture(params=["socket", "mounted"])
def given(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue({"socket": "coslocal_server", "mounted": "cos"}[request.param])


@pytest.fixture
def client(given: Any) -> Any:
    return given.client()


@pytest.fixture
def bucket(given: Any) -> str:
    return str(given.bucket)


def sdk_key(key: str) -> str:
    """The SDK takes one leading slash away."""
    return "/" + key if key.startswith("/") else key


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_text_and_comes_back_as_it_was(given: Any, client: Any, bucket: str, key: str) -> None:
    client.put_object(Bucket=bucket, Key=sdk_key(key), Body=b"body of " + key.encode())
    got = client.get_object(Bucket=bucket, Key=sdk_key(key), KeySimplifyCheck=False)
    assert got["Body"].get_raw_stream().read() == b"body of " + key.encode()
    assert [item["Key"] for item in client.list_objects(Bucket=bucket)["Contents"]] == [key]
    assert [item.key for item in given.app.store.scan(bucket)] == [key]
    assert client.head_object(Bucket=bucket, Key=sdk_key(key))["Content-Length"] == str(8 + len(key.encode()))
    client.delete_object(Bucket=bucket, Key=sdk_key(key))
    assert list(given.app.store.scan(bucket)) == []


def test_headers_keep_the_case_that_clients_look_for(client: Any, bucket: str) -> None:
    put = client.put_object(Bucket=bucket, Key="a", Body=b"123456789", Metadata={"x-cos-meta-Who": "me"})
    assert put["ETag"] == '"25f9e794323b453885f5181f1b624d0b"'
    assert put["x-cos-hash-crc64ecma"] == "11051210869376104954"
    head = client.head_object(Bucket=bucket, Key="a")
    assert (head["ETag"], head["x-cos-meta-Who"], head["Server"]) == (put["ETag"], "me", "tencent-cos")
    assert {"Last-Modified", "x-cos-request-id", "Date", "Content-Length", "Content-Type"} <= set(head)


def test_ranges_and_conditions(client: Any, bucket: str) -> None:
    etag = client.put_object(Bucket=bucket, Key="a", Body=b"0123456789")["ETag"]
    read: Callable[..., bytes] = lambda **more: (  # noqa: E731
        client.get_object(Bucket=bucket, Key="a", **more)["Body"].get_raw_stream().read()
    )
    assert read(Range="bytes=2-4") == b"234"
    assert read(Range="bytes=-3") == b"789"
    assert read(Range="bytes=8-") == b"89"
    assert read(IfMatch=etag) == b"0123456789"
    for more, status in (({"Range": "bytes=10-"}, 416), ({"IfMatch": '"x"'}, 412)):
        with pytest.raises(CosServiceError) as caught:
            read(**more)
        assert caught.value.get_status_code() == status
    assert "Content-Length" not in client.head_object(Bucket=bucket, Key="a", IfNoneMatch=etag)  # 304


def test_errors_have_the_shape_that_the_sdk_reads(client: Any, bucket: str) -> None:
    with pytest.raises(CosServiceError) as caught:
        client.get_object(Bucket=bucket, Key="no/such")
    error = caught.value
    assert (error.get_error_code(), error.get_status_code()) == ("NoSuchKey", 404)
    assert error.get_request_id() and error.get_trace_id() and error.get_resource_location().endswith("/no/such")
    with pytest.raises(CosServiceError) as caught:
        client.head_object(Bucket=bucket, Key="no/such")
    assert (caught.value.get_error_code(), caught.value.get_status_code()) == ("NoSuchResource", 404)
    with pytest.raises(CosServiceError) as caught:
        client.list_objects(Bucket="nosuch-1250000000")
    assert caught.value.get_error_code() == "NoSuchBucket"


def test_buckets_come_and_go(client: Any, bucket: str) -> None:
    client.create_bucket(Bucket="second-1250000000")
    with pytest.raises(CosServiceError) as caught:
        client.create_bucket(Bucket="second-1250000000")
    assert (caught.value.get_status_code(), caught.value.get_error_code()) == (409, "BucketAlreadyOwnedByYou")
    listed = client.list_buckets()["Buckets"]["Bucket"]
    assert [item["Name"] for item in listed] == [bucket, "second-1250000000"]
    assert client.head_bucket(Bucket=bucket)["x-cos-bucket-region"] == "ap-guangzhou"
    client.put_object(Bucket="second-1250000000", Key="a", Body=b"")
    with pytest.raises(CosServiceError) as caught:
        client.delete_bucket(Bucket="second-1250000000")
    assert caught.value.get_error_code() == "BucketNotEmpty"
    client.delete_object(Bucket="second-1250000000", Key="a")
    client.delete_bucket(Bucket="second-1250000000")
    with pytest.raises(CosServiceError):
        client.head_bucket(Bucket="second-1250000000")


def test_a_big_file_goes_up_in_parts_and_comes_down_whole(given: Any, client: Any, bucket: str, tmp_path: Any) -> None:
    data = bytes(range(256)) * (5 * 4096 + 1)
    (tmp_path / "big").write_bytes(data)
    done = client.upload_file(
        Bucket=bucket, Key="big file", LocalFilePath=str(tmp_path / "big"), PartSize=1, MAXThread=3
    )
    assert done["ETag"].endswith('-6"')
    assert given.app.journal.count("upload_part") == 6
    client.download_file(Bucket=bucket, Key="big file", DestFilePath=str(tmp_path / "down"), PartSize=2, MAXThread=2)
    assert hashlib.sha256((tmp_path / "down").read_bytes()).digest() == hashlib.sha256(data).digest()


def test_parts_and_uploads_are_listed_and_aborted(client: Any, bucket: str) -> None:
    started = client.create_multipart_upload(Bucket=bucket, Key="中/a b", ContentType="image/x")
    upload = started["UploadId"]
    etag = client.upload_part(Bucket=bucket, Key="中/a b", Body=b"x" * 10, PartNumber=1, UploadId=upload)["ETag"]
    parts = client.list_parts(Bucket=bucket, Key="中/a b", UploadId=upload)["Part"]
    assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in parts] == [("1", "10", etag)]
    uploads = client.list_multipart_uploads(Bucket=bucket, Prefix="中/")["Upload"]
    assert [(item["Key"], item["UploadId"]) for item in uploads] == [("中/a b", upload)]
    client.abort_multipart_upload(Bucket=bucket, Key="中/a b", UploadId=upload)
    with pytest.raises(CosServiceError) as caught:
        client.list_parts(Bucket=bucket, Key="中/a b", UploadId=upload)
    assert caught.value.get_error_code() == "NoSuchUpload"


def test_copies(given: Any, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="源 +.txt", Body=b"hello", Metadata={"x-cos-meta-a": "1"}, ContentType="a/b")
    source = {"Bucket": bucket, "Key": "源 +.txt", "Region": "ap-guangzhou"}
    client.copy_object(Bucket=bucket, Key="copied", CopySource=source)
    assert client.head_object(Bucket=bucket, Key="copied")["x-cos-meta-a"] == "1"
    client.copy(Bucket=bucket, Key="copied too", CopySource=source)
    client.copy_object(
        Bucket=bucket, Key="copied", CopySource=source, CopyStatus="Replaced", Metadata={"x-cos-meta-b": "2"}
    )
    head = client.head_object(Bucket=bucket, Key="copied")
    assert "x-cos-meta-a" not in head and head["x-cos-meta-b"] == "2"
    upload = client.create_multipart_upload(Bucket=bucket, Key="whole")["UploadId"]
    part = client.upload_part_copy(
        Bucket=bucket, Key="whole", PartNumber=1, UploadId=upload, CopySource=source, CopySourceRange="bytes=1-3"
    )
    named = {"Part": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(Bucket=bucket, Key="whole", UploadId=upload, MultipartUpload=named)
    assert client.get_object(Bucket=bucket, Key="whole")["Body"].get_raw_stream().read() == b"ell"


def test_many_objects_are_deleted_at_once(given: Any, client: Any, bucket: str) -> None:
    keys = ["a", " b ", "c&<d>", "中"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    named = {"Object": [{"Key": key} for key in [*keys, "missing"]], "Quiet": "false"}
    done = client.delete_objects(Bucket=bucket, Delete=named)
    assert len(done["Deleted"]) == 5
    assert list(given.app.store.scan(bucket)) == []


def test_listing_pages_and_folders(client: Any, bucket: str) -> None:
    for key in ["a/1", "a/2", "b", "c/x/y", "c/z", "d e"]:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    first = client.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=2)
    assert first["IsTruncated"] == "true"
    assert [item["Prefix"] for item in first["CommonPrefixes"]] == ["a/"]
    second = client.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=2, Marker=first["NextMarker"])
    assert [item["Prefix"] for item in second["CommonPrefixes"]] == ["c/"]
    assert [item["Key"] for item in second["Contents"]] == ["d e"]
    spaced = client.list_objects(Bucket=bucket, Prefix="d e", EncodingType="")
    assert [item["Key"] for item in spaced["Contents"]] == ["d e"]
    inside = client.list_objects(Bucket=bucket, Delimiter="/", Prefix="c/")
    assert [item["Key"] for item in inside["Contents"]] == ["c/z"]


def test_a_presigned_url_needs_no_header(client: Any, bucket: str, given: Any) -> None:
    key = "预签名 a+b.txt"
    url = client.get_presigned_url(Method="PUT", Bucket=bucket, Key=key, Expired=60, Params={"x-cos-who": "me/you"})
    proxies = getattr(given, "proxies", None)
    assert requests.put(url, data=b"signed", proxies=proxies, timeout=10).status_code == 200
    url = client.get_presigned_url(Method="GET", Bucket=bucket, Key=key, Expired=60)
    assert requests.get(url, proxies=proxies, timeout=10).content == b"signed"
    assert requests.get(url.replace("q-signature=", "q-signature=0"), proxies=proxies, timeout=10).status_code == 403
    assert requests.put(url, data=b"x", proxies=proxies, timeout=10).status_code == 403
    override = client.get_presigned_url(
        Method="GET", Bucket=bucket, Key=key, Params={"response-content-type": "text/x"}
    )
    assert requests.get(override, proxies=proxies, timeout=10).headers["Content-Type"] == "text/x"


def test_acl_opens_an_object_to_everyone(client: Any, bucket: str, given: Any) -> None:
    proxies = getattr(given, "proxies", None)
    address = f"http://{bucket}.cos.ap-guangzhou.myqcloud.com/a"
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert requests.get(address, proxies=proxies, timeout=10).status_code == 403
    client.put_object_acl(Bucket=bucket, Key="a", ACL="public-read")
    assert requests.get(address, proxies=proxies, timeout=10).content == b"x"
    assert requests.put(address, data=b"y", proxies=proxies, timeout=10).status_code == 403
    assert client.get_object_acl(Bucket=bucket, Key="a")["CannedACL"] == "public-read"
    client.put_object_acl(Bucket=bucket, Key="a", ACL="default")
    assert requests.get(address, proxies=proxies, timeout=10).status_code == 403
    client.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert client.get_bucket_acl(Bucket=bucket)["CannedACL"] == "public-read-write"
    assert requests.get(address, proxies=proxies, timeout=10).content == b"x"
    assert requests.put(address, data=b"y", proxies=proxies, timeout=10).status_code == 200


def test_append_grows_an_object(client: Any, bucket: str) -> None:
    first = client.append_object(Bucket=bucket, Key="log", Position=0, Data=b"one ")
    second = client.append_object(Bucket=bucket, Key="log", Position=first["x-cos-next-append-position"], Data=b"two")
    assert second["x-cos-next-append-position"] == "7"
    assert client.get_object(Bucket=bucket, Key="log")["Body"].get_raw_stream().read() == b"one two"
    with pytest.raises(CosServiceError) as caught:
        client.append_object(Bucket=bucket, Key="log", Position=3, Data=b"x")
    assert caught.value.get_status_code() == 409


def test_stored_configurations_come_back_and_go(client: Any, bucket: str) -> None:
    rule = {"ID": "1", "AllowedOrigin": ["http://a.com"], "AllowedMethod": ["GET"], "AllowedHeader": ["*"]}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRule": [rule]})
    assert client.get_bucket_cors(Bucket=bucket)["CORSRule"][0]["AllowedOrigin"] == ["http://a.com"]
    client.delete_bucket_cors(Bucket=bucket)
    with pytest.raises(CosServiceError) as caught:
        client.get_bucket_cors(Bucket=bucket)
    assert (caught.value.get_status_code(), caught.value.get_error_code()) == (404, "NoSuchCORSConfiguration")
    client.put_bucket_versioning(Bucket=bucket, Status="Suspended")
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    tags = {"TagSet": {"Tag": [{"Key": "k", "Value": "v"}]}}
    client.put_object(Bucket=bucket, Key="a", Body=b"")
    client.put_object_tagging(Bucket=bucket, Key="a", Tagging=tags)
    assert client.get_object_tagging(Bucket=bucket, Key="a")["TagSet"]["Tag"] == [{"Key": "k", "Value": "v"}]
    assert client.head_object(Bucket=bucket, Key="a")["x-cos-tagging-count"] == "1"


def test_styles_are_saved_and_named(client: Any, bucket: str) -> None:
    client.ci_put_image_style(Bucket=bucket, Request={"StyleName": "small", "StyleBody": "imageMogr2/thumbnail/!50p"})
    rules = client.ci_get_image_style(Bucket=bucket, Request={"StyleName": "small"})[1]["StyleRule"]
    assert rules == {"StyleName": "small", "StyleBody": "imageMogr2/thumbnail/!50p"}
    client.ci_delete_image_style(Bucket=bucket, Request={"StyleName": "small"})
    assert "StyleRule" not in client.ci_get_image_style(Bucket=bucket, Request={"StyleName": "small"})[1]


def test_a_stream_of_unknown_length_is_taken(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="a", Body=io.BytesIO(b"x" * 3_000_000))
    assert client.head_object(Bucket=bucket, Key="a")["Content-Length"] == "3000000"


def test_a_wrong_secret_is_refused(given: Any, bucket: str) -> None:
    for settings, code in (
        ({"SecretKey": "wrong"}, "SignatureDoesNotMatch"),
        ({"SecretId": "x"}, "InvalidAccessKeyId"),
    ):
        with pytest.raises(CosServiceError) as caught:
            given.client(**settings).put_object(Bucket=bucket, Key="a", Body=b"x")
        assert (caught.value.get_status_code(), caught.value.get_error_code()) == (403, code)
    assert list(given.app.store.scan(bucket)) == []


def test_images_through_the_sdk(given: Any, client: Any, bucket: str) -> None:
    picture = pyvips.Image.black(40, 20, bands=3).pngsave_buffer()
    rules = [{"fileid": "/出 a+.png", "rule": "imageMogr2/thumbnail/!50p"}]
    operations = json.dumps({"is_pic_info": 1, "rules": rules})
    _, done = client.ci_put_object(Bucket=bucket, Key="in/源.png", Body=picture, PicOperations=operations)
    assert done["ProcessResults"]["Object"]["Key"] == "出 a+.png"
    assert done["OriginalInfo"]["ImageInfo"]["Format"] == "PNG"
    rules[0]["fileid"] = "/two.png"
    _, done = client.ci_image_process(Bucket=bucket, Key="in/源.png", PicOperations=json.dumps({"rules": rules}))
    assert done["ProcessResults"]["Object"]["Width"] == "20"
    assert [item.key for item in given.app.store.scan(bucket)] == ["in/源.png", "two.png", "出 a+.png"]
    assert given.app.journal.count("image_process") == 1
    got = client.ci_get_object(Bucket=bucket, Key="in/源.png", DestImagePath="/dev/null", Rule="imageMogr2/rotate/90")
    assert got["Content-Type"] == "image/png"
    raw = json.dumps({"rules": [{"fileid": "/三.png", "rule": "imageMogr2/rotate/90"}]}, ensure_ascii=False).encode()
    client.ci_image_process(Bucket=bucket, Key="in/源.png", PicOperations=raw)
    assert given.app.store.get(bucket, "三.png") is not None
