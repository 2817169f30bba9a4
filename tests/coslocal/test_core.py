"""The core's answers, request by request: what an SDK does not show."""

import base64
import hashlib
import logging
from typing import Any
from urllib.parse import quote

import pytest

from coslocal.operations.responses import http_date
from coslocal.storage.types import Bucket

BUCKET = "pics-1250000000"
HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


# -- uploads


def test_content_md5_is_held_against_the_body(core: Any) -> None:
    assert core.ask("PUT", "/a", b"x", {"Content-MD5": md5(b"x")}).status == 200
    assert core.ask("PUT", "/b", b"x", {"Content-MD5": md5(b"y")}).code == "BadDigest"
    assert core.ask("PUT", "/b", b"x", {"Content-MD5": "not base64!"}).code == "InvalidDigest"
    assert core.ask("PUT", "/b", b"short", length=10).code == "IncompleteBody"
    assert core.ask("GET", "/b").status == 404


def test_a_key_has_850_bytes_at_most(core: Any) -> None:
    key = "中" * 283 + "a"
    assert core.ask("PUT", "/" + quote(key)).status == 200
    assert core.ask("PUT", "/" + quote(key + "b")).code == "KeyTooLong"
    assert core.ask("POST", "/" + quote(key + "b") + "?uploads").code == "KeyTooLong"


def test_the_content_type_is_guessed_when_absent_or_empty(core: Any) -> None:
    for key, sent, wanted in (
        ("a.JPG", {}, "image/jpeg"),
        ("a.webp", {}, "image/webp"),
        ("a.b/c", {}, "application/octet-stream"),
        ("x.png", {"Content-Type": ""}, "image/png"),
        ("x.png", {"Content-Type": "text/x"}, "text/x"),
    ):
        core.ask("PUT", "/" + key, b"", sent)
        assert core.ask("HEAD", "/" + key).headers["Content-Type"] == wanted


def test_no_bucket_no_object(core: Any) -> None:
    other = "none-1250000000.cos.ap-guangzhou.myqcloud.com"
    for method, target in (("PUT", "/a"), ("GET", "/a"), ("DELETE", "/a"), ("GET", "/"), ("POST", "/a?uploads")):
        answer = core.ask(method, target, host=other)
        assert (answer.status, answer.code) == (404, "NoSuchBucket"), (method, target)
    elsewhere = f"{BUCKET}.cos.ap-beijing.myqcloud.com"
    assert core.ask("GET", "/", host=elsewhere).code == "NoSuchBucket"


# -- downloads


def test_head_is_get_without_the_body(core: Any) -> None:
    core.ask("PUT", "/a", b"hello", {"x-cos-storage-class": "STANDARD_IA", "Cache-Control": "no-cache"})
    got, headed = core.ask("GET", "/a"), core.ask("HEAD", "/a")
    for answer in (got, headed):
        answer.headers.pop("x-cos-request-id")
    assert headed.headers == got.headers
    assert (got.body, headed.body) == (b"hello", b"")
    assert got.headers["x-cos-storage-class"] == "STANDARD_IA"
    missing = core.ask("HEAD", "/none")
    assert (missing.status, missing.body) == (404, b"")
    assert missing.headers["x-cos-request-id"]


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-0", 206, b"0"),
        ("bytes=5-", 206, b"56789"),
        ("bytes=-4", 206, b"6789"),
        ("bytes=-400", 206, b"0123456789"),
        ("bytes=8-400", 206, b"89"),
        ("bytes=5-4", 200, b"0123456789"),
        ("bytes=1-2,4-5", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_ranges(core: Any, asked: str, status: int, body: "bytes | None") -> None:
    core.ask("PUT", "/a", b"0123456789")
    answer = core.ask("GET", "/a", headers={"Range": asked})
    assert answer.status == status
    if body is None:
        assert (answer.code, answer.headers["Content-Range"]) == ("InvalidRange", "bytes */10")
    else:
        assert answer.body == body
        assert (answer.headers.get("Content-Range") is None) == (status == 200)


def test_conditions(core: Any) -> None:
    etag = core.ask("PUT", "/a", b"x").headers["ETag"]
    stamp, later, earlier = (http_date(core.now + n) for n in (0, 60, -60))
    for headers, status in (
        ({"If-Match": etag}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"no"'}, 412),
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'"no", {etag}'}, 304),
        ({"If-None-Match": '"no"'}, 200),
        ({"If-Modified-Since": stamp}, 304),
        ({"If-Modified-Since": later}, 304),
        ({"If-Modified-Since": earlier}, 200),
        ({"If-Unmodified-Since": earlier}, 412),
        ({"If-Unmodified-Since": stamp}, 200),
        ({"If-Modified-Since": "nonsense"}, 200),
        ({"If-Match": etag, "If-Unmodified-Since": earlier}, 200),
        ({"If-None-Match": '"no"', "If-Modified-Since": later}, 200),
    ):
        for method in ("GET", "HEAD"):
            assert core.ask(method, "/a", headers=headers).status == status, (method, headers)
    assert core.ask("GET", "/a", headers={"Range": "bytes=0-0", "If-Range": '"no"'}).status == 200
    assert core.ask("GET", "/a", headers={"Range": "bytes=0-0", "If-Range": etag}).status == 206


def test_overrides_cannot_break_out_of_their_header(core: Any) -> None:
    core.ask("PUT", "/a", b"x", {"Content-Type": "a/b"})
    answer = core.ask("GET", "/a?response-content-type=c%2Fd&response-expires=")
    assert answer.headers["Content-Type"] == "c/d"
    injected = core.ask("GET", "/a?response-content-disposition=x%0d%0aSet-Cookie:%20a")
    assert (injected.status, injected.code) == (400, "InvalidArgument")


# -- errors


def test_the_error_document(core: Any) -> None:
    answer = core.ask("GET", "/%E4%B8%AD/%00%1b%ff")
    assert [child.tag for child in answer.xml] == ["Code", "Message", "Resource", "RequestId", "TraceId"]
    assert all(child.text for child in answer.xml)
    assert answer.xml.findtext("RequestId") == answer.headers["x-cos-request-id"]
    assert answer.xml.findtext("TraceId") == answer.headers["x-cos-trace-id"]
    assert answer.headers["Content-Type"] == "application/xml"


def test_anonymous_requests_are_denied(core: Any) -> None:
    core.ask("PUT", "/a", b"x")
    for method, target in (
        ("GET", "/a"),
        ("GET", "/"),
        ("PUT", "/b"),
        ("DELETE", "/a"),
        ("GET", "/none"),
        ("PUT", "/"),
    ):
        answer = core.ask(method, target, signed=False)
        assert (answer.status, answer.code) == (403, "AccessDenied")
    assert core.ask("GET", "/", signed=False, host="service.cos.myqcloud.com").status == 403


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/?vod", 501, "NotImplemented"),
        ("GET", "/?nonsense", 501, "NotImplemented"),
        ("PUT", "/a?nonsense", 501, "NotImplemented"),
        ("POST", "/a?select", 501, "NotImplemented"),
        ("POST", "/", 400, "MalformedPOSTRequest"),
        ("POST", "/a", 405, "MethodNotAllowed"),
        ("DELETE", "/a?append", 405, "MethodNotAllowed"),
        ("PATCH", "/a", 405, "MethodNotAllowed"),
    ],
)
def test_what_is_not_offered_says_so(core: Any, method: str, target: str, status: int, code: str) -> None:
    answer = core.ask(method, target)
    assert (answer.status, answer.code) == (status, code)


def test_an_unknown_parameter_of_a_download_is_ignored(core: Any) -> None:
    core.ask("PUT", "/a", b"x")
    assert core.ask("GET", "/a?v=123&_").body == b"x"


def test_a_bug_is_answered_with_500_and_logged(core: Any, caplog: pytest.LogCaptureFixture) -> None:
    core.app.store.close()
    with caplog.at_level(logging.ERROR):
        answer = core.ask("GET", "/a")
    assert (answer.status, answer.code) == (500, "InternalError")
    assert "bug in get_object" in caplog.text


# -- hosts


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        f"{BUCKET}.cos.ap-guangzhou.tencentcos.cn",
        f"{BUCKET}.pic.ap-guangzhou.myqcloud.com",
        f"{BUCKET}.localhost:9000",
        f"{BUCKET}.cos.ap-guangzhou.localhost:9000",
        f"{BUCKET}.my.domain:80",
        f"{BUCKET.upper()}.LOCALHOST",
    ],
)
def test_hosts_of_a_bucket(core: Any, host: str) -> None:
    assert core.ask("HEAD", "/", host=host).headers.get("x-cos-bucket-region") == "ap-guangzhou"


@pytest.mark.parametrize(
    "host", ["service.cos.myqcloud.com", "cos.ap-guangzhou.myqcloud.com", "127.0.0.1:9000", "localhost:1", "[::1]:80"]
)
def test_hosts_of_the_service(core: Any, host: str) -> None:
    answer = core.ask("GET", "/", host=host)
    assert [item.text for item in answer.xml.iterfind("Buckets/Bucket/Name")] == [BUCKET]
    assert core.ask("GET", "/a/b", host=host).code == "InvalidURI"


def test_the_service_list_can_be_narrowed_and_paged(core: Any) -> None:
    core.app.store.create_bucket(Bucket(name="abc-1", region="ap-beijing", created=0.0))
    core.app.store.create_bucket(Bucket(name="xyz-1", region="ap-beijing", created=0.0))
    host = "cos.ap-beijing.myqcloud.com"
    answer = core.ask("GET", "/?max-keys=1", host=host)
    assert [item.text for item in answer.xml.iterfind("Buckets/Bucket/Name")] == ["abc-1"]
    assert answer.xml.findtext("NextMarker") == "abc-1"
    answer = core.ask("GET", "/?max-keys=1&marker=abc-1", host=host)
    assert [item.text for item in answer.xml.iterfind("Buckets/Bucket/Name")] == ["xyz-1"]
    assert answer.xml.findtext("IsTruncated") == "false"


def test_a_host_without_an_appid_is_still_a_bucket(core: Any) -> None:
    answer = core.ask("GET", "/", host="nosuchbucket.cos.ap-guangzhou.myqcloud.com")
    assert (answer.status, answer.code) == (404, "NoSuchBucket")
    assert core.ask("PUT", "/", host="nosuchbucket.cos.ap-guangzhou.myqcloud.com").code == "InvalidBucketName"


# -- documents


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete>",
        b"not xml",
        b"<Other/>",
        b"<Delete/>",
        b"<Delete><Object/></Delete>",
        b'<!DOCTYPE Delete [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>',
        b'<!DOCTYPE Delete SYSTEM "file:///etc/passwd"><Delete><Object><Key>a</Key></Object></Delete>',
        b"<Delete>" * 1000 + b"</Delete>" * 1000,
        b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>",
        b"<?xml version='1.0' encoding='nonsense'?><Delete/>",
    ],
)
def test_hostile_documents_are_malformed_and_change_nothing(core: Any, body: bytes) -> None:
    core.ask("PUT", "/a", b"x")
    answer = core.ask("POST", "/?delete", body, {"Content-MD5": md5(body)})
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert core.ask("GET", "/a").status == 200


def test_a_huge_document_is_refused(core: Any) -> None:
    body = b"<Delete>" + b" " * 5_000_000 + b"</Delete>"
    assert core.ask("POST", "/?delete", body, {"Content-MD5": md5(body)}).code == "InvalidRequest"


def test_multi_delete(core: Any) -> None:
    for key in ("a", "%20b%20", "c"):
        core.ask("PUT", "/" + key, b"x")
    body = b"<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object><Object><Key> b </Key></Object></Delete>"
    assert core.ask("POST", "/?delete", body).code == "InvalidRequest"
    assert core.ask("POST", "/?delete", body, {"Content-MD5": md5(b"other")}).code == "BadDigest"
    assert list(core.ask("POST", "/?delete", body, {"Content-MD5": md5(body)}).xml) == []
    assert [item.text for item in core.ask("GET", "/").xml.iterfind("Contents/Key")] == ["c"]
    assert [event.key for event in core.events if event.name == "cos:ObjectRemove:Delete"] == ["a", " b "]


def test_inventories_are_many(core: Any) -> None:
    body = b"<InventoryConfiguration><Id>one</Id><IsEnabled>True</IsEnabled></InventoryConfiguration>"
    assert core.ask("PUT", "/?inventory&id=one", body).status == 200
    assert core.ask("GET", "/?inventory&id=one").body == body.replace(b"True", b"true")
    assert core.ask("GET", "/?inventory").xml.findtext("InventoryConfiguration/Id") == "one"
    assert core.ask("DELETE", "/?inventory&id=one").status == 204
    assert core.ask("GET", "/?inventory&id=one").code == "NoSuchInventoryConfiguration"
    assert core.ask("PUT", "/?lifecycle", b"<Wrong/>").code == "MalformedXML"


# -- events and the journal


def test_each_way_of_creating_has_its_event(core: Any) -> None:
    core.ask("PUT", "/a%20b", b"hello", {"x-cos-meta-A": "1", "Content-Type": "t/x", "Cache-Control": "no"})
    core.ask("PUT", "/copied", headers={"x-cos-copy-source": f"{HOST}/a%20b"})
    upload = core.ask("POST", "/whole?uploads").xml.findtext("UploadId")
    etag = core.ask("PUT", f"/whole?partNumber=1&uploadId={upload}", b"data").headers["ETag"]
    named = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    core.ask("POST", f"/whole?uploadId={upload}", named.encode())
    core.ask("DELETE", "/a%20b")
    core.ask("DELETE", "/never")
    core.ask("PUT", "/refused", b"x", {"Content-MD5": md5(b"y")})
    assert [(event.name, event.key, event.size) for event in core.events] == [
        ("cos:ObjectCreated:Put", "a b", 5),
        ("cos:ObjectCreated:Copy", "copied", 5),
        ("cos:ObjectCreated:CompleteMultipartUpload", "whole", 4),
        ("cos:ObjectRemove:Delete", "a b", 5),
    ]
    event = core.events[0]
    assert dict(event.meta) == {"x-cos-meta-A": "1", "Content-Type": "t/x"}
    assert (event.bucket, event.region, event.time) == (BUCKET, "ap-guangzhou", int(core.now))
    assert event.request_headers["Authorization"].startswith("q-sign-algorithm")
    assert event.request_id == core.app.journal.entries("put_object")[0].request_id


def test_a_failing_listener_does_no_harm(core: Any, caplog: pytest.LogCaptureFixture) -> None:
    core.app.subscribe(lambda event: 1 // 0)
    assert core.ask("PUT", "/a", b"x").status == 200
    assert "a listener failed" in caplog.text


def test_the_journal_counts_by_operation(core: Any) -> None:
    core.ask("PUT", "/a", b"hello")
    core.ask("GET", "/a")
    core.ask("GET", "/none")
    journal = core.app.journal
    assert journal.counts() == {"get_object": 2, "put_object": 1}
    assert journal.count() == 3 and journal.count("image_process") == 0
    assert journal.entries("put_object")[0].bytes_in == 5
    assert [(entry.status, entry.error, entry.key) for entry in journal.entries("get_object")] == [
        (200, "", "a"),
        (404, "NoSuchKey", "none"),
    ]
    journal.clear()
    assert journal.count() == 0


def test_a_page_of_another_site_cannot_reset(core: Any) -> None:
    for origin, status in (("http://evil.com", 403), (f"http://{HOST}", 200)):
        assert core.ask("POST", "/_coslocal/reset", headers={"Origin": origin}, signed=False).status == status


# -- CORS


def test_preflight_and_marks(core: Any) -> None:
    rules = (
        b"<CORSConfiguration><CORSRule><AllowedOrigin>http://*.a.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"
        b"<AllowedMethod>GET</AllowedMethod><AllowedHeader>x-cos-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
        b"<MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    )
    asked = {"Origin": "http://www.a.com", "Access-Control-Request-Method": "PUT"}
    assert core.ask("OPTIONS", "/a", headers=asked, signed=False).status == 403
    assert core.ask("PUT", "/?cors", rules).status == 200
    allowed = core.ask("OPTIONS", "/a", headers={**asked, "Access-Control-Request-Headers": "X-Cos-A"}, signed=False)
    assert allowed.status == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "http://www.a.com"
    assert allowed.headers["Access-Control-Allow-Headers"] == "X-Cos-A"
    assert allowed.headers["Access-Control-Max-Age"] == "5"
    for refused in ({"Origin": "http://b.com"}, {"Access-Control-Request-Headers": "other"}):
        assert core.ask("OPTIONS", "/a", headers={**asked, **refused}, signed=False).status == 403
    for target in ("/?uploads&prefix=a", "/a?uploadId=1&partNumber=1", "/a?acl", "/a?nonsense"):
        assert core.ask("OPTIONS", target, headers=asked, signed=False).status == 200
    marked = core.ask("GET", "/a", headers={"Origin": "http://www.a.com"})
    assert (marked.status, marked.headers["Access-Control-Expose-Headers"]) == (404, "ETag")
    assert "Access-Control-Allow-Origin" not in core.ask("GET", "/a", headers={"Origin": "http://b.com"}).headers
