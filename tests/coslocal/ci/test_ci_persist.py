"""Pic-Operations through the real SDK: what is stored, answered and announced (CI 1)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from qcloud_cos import CosServiceError

from coslocal.ci.inspect import inspect
from coslocal.dialects import Dialects
from coslocal.storage.types import Bucket
from derivo.ci.texts import encode

THUMB = {"fileid": "/derived/a.webp", "rule": "imageMogr2/thumbnail/50x/format/webp"}
BAD_RULE = {"fileid": "bad.jpg", "rule": "imageMogr2/oops/1"}
FAILING = {"fileid": "bad.jpg", "rule": "imageMogr2/rradius/500"}


@pytest.fixture
def source(draw: Any) -> bytes:
    data: bytes = draw.file(draw.quadrants(100, 60), "jpeg", Q=80)
    return data


def process(cos: Any, key: str, *rules: dict[str, str], info: int = 1) -> Any:
    """The decoded UploadResult; results always as a list."""
    header = json.dumps({"is_pic_info": info, "rules": list(rules)})
    _, data = cos.client().ci_image_process(Bucket=cos.bucket, Key=key, PicOperations=header)
    return data


def results(data: Any) -> list[Any]:
    found = (data["ProcessResults"] or {}).get("Object", [])
    return found if isinstance(found, list) else [found]


def refused(call: Callable[[], Any]) -> CosServiceError:
    with pytest.raises(CosServiceError) as caught:
        call()
    error: CosServiceError = caught.value
    return error


def with_dialects(cos: Any, **chosen: str) -> None:
    cos.app.dialects = Dialects({name.replace("_", "-"): value for name, value in chosen.items()})


def test_results_are_stored_and_described(cos: Any, source: bytes) -> None:
    cos.put("in/北 京+%.jpg", source)
    data = process(cos, "in/北 京+%.jpg", THUMB, {"fileid": "b.png", "rule": "imageMogr2/format/png"})
    first, second = results(data)
    stored = cos.get("derived/a.webp")
    info = inspect(stored)
    assert (info.format, info.width, info.height) == ("webp", 50, 30)
    host = f"{cos.bucket}.cos.{cos.region}.myqcloud.com"
    assert first == {
        "Key": "derived/a.webp", "Location": f"{host}/derived/a.webp", "Format": "webp", "Width": "50", "Height": "30",
        "Size": str(len(stored)), "Quality": "80", "ETag": f'"{info.md5}"', "FrameCount": "1",
    }  # fmt: skip
    assert (second["Key"], second["Format"], second["Quality"]) == ("in/b.png", "png", "100")
    original = data["OriginalInfo"]
    assert (original["Key"], original["Location"]) == ("in/北 京+%.jpg", f"{host}/in/北 京+%.jpg")
    assert original["ETag"] == f'"{inspect(source).md5}"'
    assert original["ImageInfo"] == {
        "Format": "JPEG", "Width": "100", "Height": "60", "Quality": "80", "Ave": inspect(source).ave,
        "Orientation": "1", "FrameCount": "1",
    }  # fmt: skip
    assert cos.client().head_object(Bucket=cos.bucket, Key="derived/a.webp")["Content-Type"] == "image/webp"


def test_results_raise_events_as_objects_do(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    process(cos, "a.jpg", THUMB)
    (event,) = cos.events
    assert (event.name, event.key, event.made_by_ci) == ("cos:ObjectCreated:Put", "derived/a.webp", True)
    with_dialects(cos, result_events="no")
    process(cos, "a.jpg", THUMB)
    assert len(cos.events) == 1


def test_put_with_pic_operations(cos: Any, source: bytes) -> None:
    header = json.dumps({"is_pic_info": 1, "rules": [THUMB]})
    response, data = cos.client().ci_put_object(Bucket=cos.bucket, Key="a.jpg", Body=source, PicOperations=header)
    assert response["ETag"] == f'"{inspect(source).md5}"'
    assert results(data)[0]["Key"] == "derived/a.webp"
    assert cos.keys() == ["a.jpg", "derived/a.webp"]
    assert sorted((event.key, event.made_by_ci) for event in cos.events) == [("a.jpg", False), ("derived/a.webp", True)]


def test_a_result_may_overwrite_its_source(cos: Any, source: bytes) -> None:
    cos.put("x/a.jpg", source)
    data = process(cos, "x/a.jpg", {"fileid": "a.jpg", "rule": "imageMogr2/thumbnail/10x"})
    assert inspect(cos.get("x/a.jpg")).width == 10
    assert data["OriginalInfo"]["ETag"] == results(data)[0]["ETag"] == f'"{inspect(cos.get("x/a.jpg")).md5}"'
    assert data["OriginalInfo"]["ImageInfo"]["Width"] == "100"


def test_another_bucket(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    cos.app.store.create_bucket(Bucket(name="other-1250000000", region="ap-beijing", created=time.time()))
    data = process(cos, "a.jpg", {**THUMB, "bucket": "other-1250000000"})
    assert results(data)[0]["Location"] == "other-1250000000.cos.ap-beijing.myqcloud.com/derived/a.webp"
    assert cos.app.store.get("other-1250000000", "derived/a.webp") is not None
    assert cos.keys() == ["a.jpg"]
    error = refused(lambda: process(cos, "a.jpg", {**THUMB, "bucket": "nosuch-1250000000"}))
    assert (error.get_error_code(), error.get_status_code()) == ("NoSuchBucket", 404)


def test_image_info_only_when_asked_for_by_dialect(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    assert "ImageInfo" not in process(cos, "a.jpg", THUMB, info=0)["OriginalInfo"]
    with_dialects(cos, pic_info_zero="include-image-info", format_case="upper")
    data = process(cos, "a.jpg", THUMB, info=0)
    assert data["OriginalInfo"]["ImageInfo"]["Format"] == "JPEG"
    assert results(data)[0]["Format"] == "WEBP"


@pytest.mark.parametrize("bad", [BAD_RULE, FAILING, {**THUMB, "fileid": "x/"}, {**THUMB, "rule": "style/none"}])
def test_nothing_is_stored_unless_every_rule_is_done(cos: Any, source: bytes, bad: dict[str, str]) -> None:
    cos.put("a.jpg", source)
    error = refused(lambda: process(cos, "a.jpg", THUMB, bad))
    assert (error.get_error_code(), error.get_status_code()) == ("InvalidPicOperations", 400)
    assert cos.keys() == ["a.jpg"] and cos.events == []


def test_failed_results_are_left_out_by_dialect(cos: Any, source: bytes) -> None:
    with_dialects(cos, partial_failure="omit")
    cos.put("a.jpg", source)
    assert [item["Key"] for item in results(process(cos, "a.jpg", FAILING, THUMB))] == ["derived/a.webp"]
    assert results(process(cos, "a.jpg", FAILING)) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"hello", "InvalidImageFormat"), (b"", "InvalidImageSource"), (b"\xff\xd8\xff", "InvalidImageSource")],
)
def test_sources_that_are_no_images(cos: Any, data: bytes, code: str) -> None:
    cos.put("a.jpg", data)
    for dialect in ("refuse", "omit"):
        with_dialects(cos, partial_failure=dialect)
        assert refused(lambda: process(cos, "a.jpg", THUMB)).get_error_code() == code
    assert cos.keys() == ["a.jpg"]


def test_ignore_error_stores_the_source_itself(cos: Any) -> None:
    cos.put("a.txt", b"hello", {"Content-Type": "text/plain"})
    data = process(cos, "a.txt", {"fileid": "b.txt", "rule": "imageMogr2/thumbnail/9x/ignore-error/1"})
    assert cos.get("b.txt") == b"hello"
    assert "ImageInfo" not in data["OriginalInfo"] and results(data)[0]["Size"] == "5"


def test_missing_sources_and_headers(cos: Any, source: bytes) -> None:
    assert refused(lambda: process(cos, "nothing.jpg", THUMB)).get_error_code() == "NoSuchKey"
    cos.put("a.jpg", source)
    assert results(process(cos, "a.jpg")) == []
    six = refused(lambda: process(cos, "a.jpg", *[THUMB] * 6))
    assert six.get_error_code() == "InvalidPicOperations"
    client = cos.client()
    broken = refused(lambda: client.ci_image_process(Bucket=cos.bucket, Key="a.jpg", PicOperations="{"))
    assert broken.get_error_code() == "InvalidPicOperations"


def test_sources_above_the_limit_are_not_read(cos: Any) -> None:
    cos.put("a.jpg", bytes(32 * 1024 * 1024 + 1))
    assert refused(lambda: process(cos, "a.jpg", THUMB)).get_error_code() == "ImageTooLarge"


def test_a_saved_style(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    cos.app.store.put_configuration(cos.bucket, "", "style:small", b"imageMogr2/thumbnail/!10p")
    assert results(process(cos, "a.jpg", {"fileid": "s.jpg", "rule": "style/small"}))[0]["Width"] == "10"


def test_aigc_labels_are_answered(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    rule = f"imageMogr2/AIGCMetadata/Label/{encode('1')}/ProduceID/{encode('42')}"
    data = process(cos, "a.jpg", {"fileid": "l.jpg", "rule": rule})
    assert results(data)[0]["AIGCMetadata"] == {"Label": "1", "ProduceID": "42"}


def mark(where: str) -> dict[str, str]:
    return {"fileid": "m.png", "rule": f"imageMogr2/format/png|watermark/1/image/{encode(where)}/dissolve/100"}


def test_watermark_images_come_from_the_bucket(cos: Any, draw: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    cos.put("logo.png", draw.file(draw.plain(20, 10, 0, 0, 0), "png"))
    url = f"http://{cos.bucket}.cos.{cos.region}.myqcloud.com/logo.png"
    private = refused(lambda: process(cos, "a.jpg", mark(url)))
    assert (private.get_error_code(), "private" in private.get_error_msg()) == ("InvalidImageSource", True)
    signed = cos.client().get_presigned_url(Method="GET", Bucket=cos.bucket, Key="logo.png", Expired=600)
    assert results(process(cos, "a.jpg", mark(signed)))[0]["Key"] == "m.png"
    cos.client().put_object_acl(Bucket=cos.bucket, Key="logo.png", ACL="public-read")
    smaller = process(cos, "a.jpg", mark(f"{url}?imageMogr2/thumbnail/10x"))
    assert results(smaller)[0]["Key"] == "m.png"
    by_key = {"fileid": "k.png", "rule": f"watermark/1/image_key/{encode('logo.png')}"}
    assert results(process(cos, "a.jpg", by_key))[0]["Key"] == "k.png"


@pytest.mark.parametrize(
    "where",
    [
        "http://examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com/nothing.png",
        "http://other-1250000000.cos.ap-guangzhou.myqcloud.com/logo.png",
        "http://example.com/logo.png",
        "http://[",
    ],
)
def test_watermark_images_that_cannot_be_had(cos: Any, source: bytes, where: str) -> None:
    cos.put("a.jpg", source)
    code = refused(lambda: process(cos, "a.jpg", mark(where))).get_error_code()
    assert code in ("InvalidImageSource", "InvalidPicOperations")


def test_signatures_of_watermark_urls_are_told_to_nobody(
    cos: Any, source: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    cos.put("a.jpg", source)
    cos.put("logo.png", b"hello")
    signed = cos.client().get_presigned_url(Method="GET", Bucket=cos.bucket, Key="logo.png", Expired=600)
    caplog.set_level("DEBUG", "coslocal")
    error = refused(lambda: process(cos, "a.jpg", mark(signed)))
    assert "logo.png" in error.get_error_msg() and "q-sign" not in error.get_error_msg()
    told = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("coslocal"))
    assert "a.jpg -> m.png failed" in told
    assert "q-sign" not in told and encode(signed)[60:90] not in told


def test_archived_sources_must_be_restored_first(cos: Any, source: bytes) -> None:
    cos.client().put_object(Bucket=cos.bucket, Key="a.jpg", Body=source, StorageClass="ARCHIVE")
    assert refused(lambda: process(cos, "a.jpg", THUMB)).get_error_code() == "InvalidObjectState"


def test_metadata_of_the_request_goes_to_the_results(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    header = json.dumps({"rules": [THUMB]})
    cos.client().ci_image_process(
        Bucket=cos.bucket, Key="a.jpg", PicOperations=header, Metadata={"x-cos-meta-aigctag": "yes"}
    )
    assert cos.client().head_object(Bucket=cos.bucket, Key="derived/a.webp")["x-cos-meta-aigctag"] == "yes"
