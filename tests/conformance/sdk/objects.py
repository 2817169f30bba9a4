"""Objects through the Python SDK: one by one, whole and in part, with what belongs to them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import time
from collections.abc import Iterator

import requests

from tests.conformance.python_sdk import Bench, on, refused, sdk

EVERY_SIGN = "中文→↓! \"#$%&'()*+,-./0123456789:;<=>@ABC[\\]^_`abc{|}~😀"


def check_bytes_come_back(bench: Bench) -> None:
    for body in (b"", b"\0", bytes(range(256)) * 5000):
        etag = bench.put("a", body)
        assert etag == f'"{hashlib.md5(body).hexdigest()}"'
        assert bench.get("a") == body
        assert bench.head("a")["Content-Length"] == str(len(body))


def check_a_key_may_hold_every_sign(bench: Bench) -> None:
    bench.put(EVERY_SIGN)
    assert bench.get(EVERY_SIGN) == b"body"
    assert bench.keys() == [EVERY_SIGN]
    on(bench, "delete_object")(Key=EVERY_SIGN)
    assert bench.keys() == []


def check_headers_stay_with_the_object(bench: Bench) -> None:
    bench.put(
        "a", b"x", ContentType="x/y", CacheControl="max-age=1", ContentDisposition="attachment; filename=a",
        ContentEncoding="identity", ContentLanguage="zh", Expires="Wed, 21 Oct 2026 07:28:00 GMT",
        Metadata={"x-cos-meta-a": "1", "x-cos-meta-b": "2"}, StorageClass="STANDARD_IA",
    )  # fmt: skip
    head = bench.head("a")
    for name, value in (
        ("Content-Type", "x/y"), ("Cache-Control", "max-age=1"), ("Content-Disposition", "attachment; filename=a"),
        ("Content-Encoding", "identity"), ("Content-Language", "zh"), ("Expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-cos-meta-a", "1"), ("x-cos-meta-b", "2"), ("x-cos-storage-class", "STANDARD_IA"),
    ):  # fmt: skip
        assert head.get(name) == value, (name, head)


def check_a_type_is_guessed_from_the_key(bench: Bench) -> None:
    for key, kind in (("a.jpg", "image/jpeg"), ("a.html", "text/html"), ("a", "application/octet-stream")):
        url = on(bench, "get_presigned_url")(Method="PUT", Key=key)
        requests.put(url, data=b"x", proxies={"http": bench.target.url}, timeout=30)
        assert bench.head(key)["Content-Type"] == kind


def check_a_wrong_md5_stores_nothing(bench: Bench) -> None:
    bench.put("right", b"x", EnableMD5=True)
    wrong = base64.b64encode(hashlib.md5(b"y").digest()).decode()
    refused(400, "BadDigest", bench.put, "wrong", b"x", ContentMD5=wrong)
    refused(400, "InvalidDigest", bench.put, "wrong", b"x", ContentMD5="nonsense")
    assert bench.keys() == ["right"]


def check_streams_of_unknown_length_are_taken(bench: Bench) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(300):
            yield b"x" * 10_000

    bench.client.put_object(Bucket=bench.bucket, Key="chunked", Body=pieces())
    assert bench.head("chunked")["Content-Length"] == "3000000"
    bench.client.put_object(Bucket=bench.bucket, Key="file", Body=io.BytesIO(b"y" * 100))
    assert bench.get("file") == b"y" * 100


def check_what_is_labelled_gzip_stays_packed(bench: Bench) -> None:
    packed = gzip.compress(b"hello")
    bench.put("a", packed, ContentEncoding="gzip")
    got = bench.client.get_object(Bucket=bench.bucket, Key="a")
    assert got["Content-Encoding"] == "gzip"
    assert got["Body"].get_raw_stream().read(decode_content=False) == packed


def check_ranges(bench: Bench) -> None:
    bench.put("a", b"0123456789")
    for asked, wanted in (("bytes=0-0", b"0"), ("bytes=2-4", b"234"), ("bytes=8-", b"89"), ("bytes=-3", b"789")):
        got = bench.client.get_object(Bucket=bench.bucket, Key="a", Range=asked)
        assert got["Body"].get_raw_stream().read() == wanted
        assert got["Content-Range"].endswith("/10") and got["Content-Length"] == str(len(wanted))
    assert bench.get("a", Range="bytes=5-100") == b"56789"
    refused(416, "InvalidRange", bench.get, "a", Range="bytes=10-")


def check_conditions(bench: Bench) -> None:
    etag = bench.put("a")
    past, future = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"
    assert bench.get("a", IfMatch=etag) == bench.get("a", IfModifiedSince=past) == b"body"
    assert bench.get("a", IfUnmodifiedSince=future) == bench.get("a", IfNoneMatch='"other"') == b"body"
    refused(412, "PreconditionFailed", bench.get, "a", IfMatch='"other"')
    refused(412, "PreconditionFailed", bench.get, "a", IfUnmodifiedSince=past)
    for same in ({"IfNoneMatch": etag}, {"IfModifiedSince": bench.head("a")["Last-Modified"]}):
        assert "Content-Length" not in bench.head("a", **same)  # 304; get_object cannot read it


def check_answers_can_be_overridden(bench: Bench) -> None:
    bench.put("a")
    got = bench.client.get_object(
        Bucket=bench.bucket, Key="a", ResponseContentType="text/x", ResponseContentLanguage="de",
        ResponseExpires="Wed, 21 Oct 2099 07:28:00 GMT", ResponseCacheControl="no-cache",
        ResponseContentDisposition="attachment", ResponseContentEncoding="identity",
    )  # fmt: skip
    assert (got["Content-Type"], got["Content-Language"], got["Cache-Control"]) == ("text/x", "de", "no-cache")
    assert (got["Content-Disposition"], got["Content-Encoding"]) == ("attachment", "identity")


def check_what_is_not_there(bench: Bench) -> None:
    refused(404, "NoSuchKey", bench.get, "a")
    refused(404, "NoSuchResource", bench.head, "a")
    assert not on(bench, "object_exists")(Key="a")
    assert on(bench, "delete_object")(Key="a") is not None
    refused(404, "NoSuchBucket", bench.client.put_object, Bucket="no-such-1250000000", Key="a", Body=b"")
    assert not bench.client.bucket_exists(Bucket="no-such-1250000000")


def check_many_are_deleted_at_once(bench: Bench) -> None:
    names = [f"k{n:04}" for n in range(1000)]
    for name in names[:20]:
        bench.put(name)
    answer = on(bench, "delete_objects")(Delete={"Object": [{"Key": name} for name in names], "Quiet": "false"})
    assert len(answer["Deleted"]) == 1000 and "Error" not in answer
    assert bench.keys() == []
    quiet = on(bench, "delete_objects")(Delete={"Object": [{"Key": EVERY_SIGN}], "Quiet": "true"})
    assert "Deleted" not in quiet


def check_copies_keep_or_replace_what_belongs_to_an_object(bench: Bench) -> None:
    bench.put(EVERY_SIGN, b"hello", Metadata={"x-cos-meta-a": "1"}, ContentType="a/b", Tagging="k=v")
    copy, source = on(bench, "copy_object"), bench.source(EVERY_SIGN)
    etag = copy(Key="copy", CopySource=source)["ETag"]
    assert bench.get("copy") == b"hello" and etag == bench.head("copy")["ETag"]
    head = bench.head("copy")
    assert (head["x-cos-meta-a"], head["Content-Type"], head["x-cos-tagging-count"]) == ("1", "a/b", "1")
    copy(Key="new", CopySource=source, CopyStatus="Replaced", Metadata={"x-cos-meta-b": "2"}, ContentType="c/d")
    head = bench.head("new")
    assert "x-cos-meta-a" not in head and (head["x-cos-meta-b"], head["Content-Type"]) == ("2", "c/d")
    refused(412, "PreconditionFailed", copy, Key="never", CopySource=source, CopySourceIfMatch='"other"')
    refused(404, "NoSuchKey", copy, Key="never", CopySource=bench.source("no such"))
    bench.client.copy(Bucket=bench.bucket, Key="smart", CopySource=source)
    assert bench.get("smart") == b"hello"


def check_class_and_metadata_change_in_place(bench: Bench) -> None:
    bench.put("a", b"x", Metadata={"x-cos-meta-a": "1"})
    on(bench, "change_object_storage_class")(Key="a", StorageClass="STANDARD_IA")
    assert bench.head("a")["x-cos-storage-class"] == "STANDARD_IA"
    on(bench, "update_object_meta")(Key="a", Metadata={"x-cos-meta-b": "2"})
    head = bench.head("a")
    assert head["x-cos-meta-b"] == "2" and bench.get("a") == b"x"


def check_appends_grow_an_object(bench: Bench) -> None:
    append = on(bench, "append_object")
    first = append(Key="log", Position=0, Data=b"one ")
    second = append(Key="log", Position=first["x-cos-next-append-position"], Data=b"two")
    assert (second["x-cos-next-append-position"], bench.get("log")) == ("7", b"one two")
    assert bench.head("log")["x-cos-object-type"] == "appendable"
    refused(409, "PositionNotEqualToLength", append, Key="log", Position=3, Data=b"x")
    bench.put("plain")
    refused(409, "ObjectNotAppendable", append, Key="plain", Position=4, Data=b"x")


def check_tags_of_an_object(bench: Bench) -> None:
    bench.put("a")
    refused(404, "NoSuchTagSet", on(bench, "get_object_tagging"), Key="a")
    tags = [{"Key": "k", "Value": "v"}, {"Key": "中", "Value": ""}]
    on(bench, "put_object_tagging")(Key="a", Tagging={"TagSet": {"Tag": tags}})
    got = on(bench, "get_object_tagging")(Key="a")["TagSet"]["Tag"]
    assert [(tag["Key"], tag["Value"] or "") for tag in got] == [("k", "v"), ("中", "")]
    on(bench, "delete_object_tagging")(Key="a")
    assert "x-cos-tagging-count" not in bench.head("a")


def check_an_archived_object_is_restored(bench: Bench) -> None:
    bench.put("a", b"x", StorageClass="ARCHIVE")
    request = {"Days": 1, "CASJobParameters": {"Tier": "Expedited"}}
    on(bench, "restore_object")(Key="a", RestoreRequest=request)
    assert 'ongoing-request="false"' in bench.head("a")["x-cos-restore"]
    assert bench.get("a") == b"x"


def check_an_archived_object_cannot_be_read(bench: Bench) -> None:
    bench.put("a", b"x", StorageClass="DEEP_ARCHIVE")
    refused(403, "InvalidObjectState", bench.get, "a")
    assert bench.head("a")["x-cos-storage-class"] == "DEEP_ARCHIVE"


def check_encryption_at_rest_is_told(bench: Bench) -> None:
    put = bench.client.put_object(Bucket=bench.bucket, Key="a", Body=b"x", ServerSideEncryption="AES256")
    assert put["x-cos-server-side-encryption"] == "AES256"
    got = bench.client.get_object(Bucket=bench.bucket, Key="a")
    assert got["x-cos-server-side-encryption"] == "AES256"


def check_a_customers_key_opens_its_object_only(bench: Bench) -> None:
    mine, other = (_customer_key(letter) for letter in "ab")
    put = bench.client.put_object(Bucket=bench.bucket, Key="a", Body=b"secret", **mine)
    assert put["x-cos-server-side-encryption-customer-algorithm"] == "AES256"
    assert bench.get("a", **mine) == b"secret"
    assert bench.head("a", **mine)["Content-Length"] == "6"
    refused(400, "InvalidRequest", bench.get, "a")
    refused(403, "AccessDenied", bench.get, "a", **other)
    from_mine = {f"CopySource{name}": value for name, value in mine.items()}
    on(bench, "copy_object")(Key="b", CopySource=bench.source("a"), **other, **from_mine)
    assert bench.get("b", **other) == b"secret"
    refused(400, "InvalidRequest", on(bench, "copy_object"), Key="c", CopySource=bench.source("a"))


def _customer_key(letter: str) -> dict[str, str]:
    key = (letter * 32).encode()
    return {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": base64.b64encode(key).decode(),
        "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


def check_a_symbolic_link_leads_to_its_target(bench: Bench) -> None:
    bench.put("target", b"hello", ContentType="a/b")
    bench.client.put_symlink(Bucket=bench.bucket, SymlinkName="link", SymlinkTarget="target")
    assert bench.client.get_symlink(Bucket=bench.bucket, SymlinkName="link")["x-cos-symlink-target"] == "target"
    assert bench.get("link") == b"hello"
    assert bench.head("link")["Content-Type"] == "a/b"
    refused(404, "NoSuchKey", bench.client.get_symlink, Bucket=bench.bucket, SymlinkName="no such")


def check_presigned_urls_work_until_they_end(bench: Bench) -> None:
    proxies = {"http": bench.target.url}
    url = on(bench, "get_presigned_url")
    key = "预签名 +&=?#.txt"
    assert requests.put(url(Method="PUT", Key=key), data=b"x", proxies=proxies, timeout=30).status_code == 200
    assert requests.get(on(bench, "get_presigned_download_url")(Key=key), proxies=proxies, timeout=30).content == b"x"
    assert requests.delete(url(Method="GET", Key=key), proxies=proxies, timeout=30).status_code == 403
    short = url(Method="GET", Key=key, Expired=1)
    time.sleep(2)
    late = requests.get(short, proxies=proxies, timeout=30)
    assert late.status_code == 403 and "expired" in late.text.lower()
    override = url(Method="GET", Key=key, Params={"response-content-type": "text/x"})
    assert requests.get(override, proxies=proxies, timeout=30).headers["Content-Type"] == "text/x"
    tampered = override.replace("text%2Fx", "text%2Fy")
    assert requests.get(tampered, proxies=proxies, timeout=30).status_code == 403


def check_nobody_reads_unless_everyone_may(bench: Bench) -> None:
    bench.put("a")
    anonymous = sdk(bench.target, SecretId=None, SecretKey=None, Anonymous=True)
    refused(403, "AccessDenied", anonymous.get_object, Bucket=bench.bucket, Key="a")
    on(bench, "put_object_acl")(Key="a", ACL="public-read")
    assert anonymous.get_object(Bucket=bench.bucket, Key="a")["Body"].get_raw_stream().read() == b"body"
    refused(403, "AccessDenied", anonymous.put_object, Bucket=bench.bucket, Key="a", Body=b"")


def check_a_wrong_secret_is_refused(bench: Bench) -> None:
    wrong = sdk(bench.target, SecretKey="wrong")
    refused(403, "SignatureDoesNotMatch", wrong.put_object, Bucket=bench.bucket, Key="a", Body=b"")
    unknown = sdk(bench.target, SecretId="unknown")
    refused(403, "InvalidAccessKeyId", unknown.put_object, Bucket=bench.bucket, Key="a", Body=b"")
    with_token = sdk(bench.target, Token="any")
    with_token.put_object(Bucket=bench.bucket, Key="a", Body=b"")


def check_an_address_in_place_of_a_proxy(bench: Bench) -> None:
    address, _, port = bench.target.authority.rpartition(":")
    direct = sdk(bench.target, Proxies=None, IP=address, Port=int(port), ServiceDomain=bench.target.authority)
    direct.put_object(Bucket=bench.bucket, Key="a b", Body=b"x")
    assert bench.get("a b") == b"x"
    assert bench.bucket in [item["Name"] for item in direct.list_buckets()["Buckets"]["Bucket"]]


def check_one_connection_after_the_other(bench: Bench) -> None:
    short = sdk(bench.target, KeepAlive=False)
    assert short.put_object(Bucket=bench.bucket, Key="a", Body=b"x")["Connection"] == "close"
