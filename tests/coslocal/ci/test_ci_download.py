"""Processing on download, and questions about images (CI 1.1, 2, 6, 9.3)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from coslocal.ci.inspect import inspect
from coslocal.http import Headers, Request, Response
from coslocal.signature import sign


@pytest.fixture
def source(draw: Any) -> bytes:
    data: bytes = draw.file(draw.turned(draw.quadrants(100, 60), 6), "jpeg", Q=80)
    return data


def get(cos: Any, key: str, query: str) -> Response:
    """GET with the query exactly as written, signed."""
    host, now = f"{cos.bucket}.cos.{cos.region}.myqcloud.com", int(cos.app.clock())
    secret = {"access_key": "AKIDlocal", "secret": "SKlocal"}
    headers = Headers(
        [("Host", host), ("Authorization", sign("GET", f"/{key}", start=now - 60, end=now + 60, **secret))]
    )
    response: Response = cos.app.handle(Request("GET", f"/{key}?{query}", headers, io.BytesIO(), 0))
    return response


def header(response: Response, name: str) -> str | None:
    return Headers(response.headers).get(name)


def body(response: Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b"".join(response.body)


def test_an_image_is_processed_on_its_way(cos: Any, source: bytes, tmp_path: Path) -> None:
    cos.put("a.jpg", source)
    cos.client().ci_get_object(
        Bucket=cos.bucket, Key="a.jpg", DestImagePath=str(tmp_path / "out"), Rule="imageMogr2/thumbnail/!50p/format/png"
    )
    info = inspect((tmp_path / "out").read_bytes())
    assert (info.format, info.width, info.height) == ("png", 50, 30)
    assert cos.keys() == ["a.jpg"] and cos.events == []


@pytest.mark.parametrize(
    "query",
    [
        "imageMogr2/thumbnail/30x30%3E|imageMogr2/rotate/90",
        "imageMogr2%2Fthumbnail%2F30x30%3E%7CimageMogr2%2Frotate%2F90=",
        "style/s",
    ],
)
def test_rules_come_bare_or_encoded(cos: Any, source: bytes, query: str) -> None:
    cos.put("a.jpg", source)
    cos.app.store.put_configuration(cos.bucket, "", "style:s", b"imageMogr2/thumbnail/30x30|imageMogr2/rotate/90")
    response = get(cos, "a.jpg", query)
    assert (response.status, header(response, "Content-Type")) == (200, "image/jpeg")
    assert (inspect(body(response)).width, inspect(body(response)).height) == (18, 30)


def test_image_info_is_all_text(cos: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    _, answer = cos.client().ci_get_image_info(Bucket=cos.bucket, Key="a.jpg")
    info = json.loads(answer)
    assert info == {
        "format": "jpeg", "width": "100", "height": "60", "size": str(len(source)), "md5": inspect(source).md5,
        "frame_count": "1", "bit_depth": "8", "vertical_dpi": info["vertical_dpi"],
        "horizontal_dpi": info["horizontal_dpi"], "photo_rgb": inspect(source).ave,
    }  # fmt: skip
    assert all(isinstance(value, str) for value in info.values())


def test_exif_and_average_colour(cos: Any, draw: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    cos.put("bare.jpg", draw.file(draw.quadrants(), "jpeg", keep="none"))
    assert json.loads(body(get(cos, "a.jpg", "exif")))["Orientation"]["val"] in ("6", "Right-top")
    assert json.loads(body(get(cos, "bare.jpg", "exif"))) == {"error": "no exif data"}
    assert json.loads(body(get(cos, "a.jpg", "imageAve"))) == {"RGB": inspect(source).ave}


def test_slim_tells_whether_it_did(cos: Any, draw: Any, source: bytes) -> None:
    cos.put("a.png", draw.file(draw.noise(60, 40), "png"))
    first = get(cos, "a.png", "imageSlim")
    assert header(first, "X-Slimflag") == "1" and len(body(first)) < len(cos.get("a.png"))
    cos.put("b.png", draw.file(draw.quadrants(), "png"))
    cos.put("c.png", body(get(cos, "b.png", "imageSlim")))
    again = get(cos, "c.png", "imageSlim")
    assert header(again, "X-Slimflag") == "2" and body(again) == cos.get("c.png")


@pytest.mark.parametrize(
    ("key", "query", "code", "number"),
    [
        ("a.jpg", "imageMogr2/oops/1", "InvalidPicOperations", "-103"),
        ("a.jpg", "style/none", "InvalidPicOperations", "-105"),
        ("a.jpg", "imageMogr2/format/heif", "InvalidImageFormat", "-441"),
        ("a.jpg", "imageMogr2/thumbnail/1x60!|imageMogr2/thumbnail/10000x", "ImageResolutionExceed", "-447"),
        ("a.txt", "imageInfo", "InvalidImageFormat", "-441"),
        ("empty.jpg", "imageInfo", "InvalidImageSource", "-40168"),
        ("a.jpg", "ci-process=ImageInspect", "InvalidPicOperations", "-103"),
    ],
)
def test_refusals_carry_the_numbers_of_downloads(
    cos: Any, source: bytes, key: str, query: str, code: str, number: str
) -> None:
    cos.put("a.jpg", source)
    cos.put("a.txt", b"hello")
    cos.put("empty.jpg", b"")
    response = get(cos, key, query)
    assert response.status == 400
    assert f"<Code>{code}</Code>".encode() in body(response)
    assert header(response, "X-ErrNo") == number


def test_a_source_above_the_limit_is_sent_elsewhere(cos: Any) -> None:
    cos.put("big.jpg", bytes(32 * 1024 * 1024 + 1))
    response = get(cos, "big.jpg", "imageMogr2/thumbnail/30x&x=1")
    assert response.status == 302
    assert header(response, "Location") == f"http://{cos.bucket}.cos.{cos.region}.myqcloud.com/big.jpg?x=1"


def test_aigc_labels_are_read(cos: Any, draw: Any, source: bytes) -> None:
    cos.put("a.jpg", source)
    assert json.loads(body(get(cos, "a.jpg", "ci-process=ImageAIGCMetadata"))) == {}
    rules = {"rules": [{"fileid": "l.jpg", "rule": "imageMogr2/AIGCMetadata/Label/MQ"}]}
    cos.client().ci_image_process(Bucket=cos.bucket, Key="a.jpg", PicOperations=json.dumps(rules))
    assert json.loads(body(get(cos, "l.jpg", "ci-process=ImageAIGCMetadata"))) == {"AIGC": {"Label": "1"}}
