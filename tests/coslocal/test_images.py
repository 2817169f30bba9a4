"""Cloud Infinite's doors: where processing begins, who may ask for it, and what an answer says."""

import json
from typing import Any

import pytest
import pyvips

from coslocal.operations.images import find_rule
from coslocal.wire.address import Parameters

BUCKET = "pics-1250000000"


@pytest.fixture
def picture() -> bytes:
    data: bytes = pyvips.Image.black(40, 20, bands=3).pngsave_buffer()
    return data


def operations(*rules: str, **more: Any) -> dict[str, str]:
    listed = [{"fileid": f"/out/{n}.png", "rule": rule} for n, rule in enumerate(rules)]
    return {"Pic-Operations": json.dumps({"is_pic_info": 1, "rules": listed, **more})}


HALF = "imageMogr2/thumbnail/!50p"


def test_image_process_writes_derivatives_of_a_stored_object(core: Any, picture: bytes) -> None:
    core.ask("PUT", "/in/a.png", picture)
    answer = core.ask("POST", "/in/a.png?image_process=", headers=operations(HALF, HALF))
    assert answer.status == 200
    assert [child.tag for child in answer.xml] == ["OriginalInfo", "ProcessResults"]
    assert [item.text for item in answer.xml.iterfind("ProcessResults/Object/Key")] == ["out/0.png", "out/1.png"]
    assert answer.xml.findtext("ProcessResults/Object/Width") == "20"
    assert answer.xml.findtext("OriginalInfo/ImageInfo/Width") == "40"
    assert core.ask("GET", "/out/0.png").headers["ETag"] == answer.xml.findtext("ProcessResults/Object/ETag")
    assert core.app.journal.entries("image_process")[0].rules == 2
    assert [(event.key, event.made_by_ci) for event in core.events] == [
        ("in/a.png", False),
        ("out/0.png", True),
        ("out/1.png", True),
    ]


def test_a_put_may_carry_its_rules(core: Any, picture: bytes) -> None:
    answer = core.ask("PUT", "/in/a.png", picture, operations(HALF))
    assert answer.xml.findtext("ProcessResults/Object/Height") == "10"
    assert answer.headers["ETag"] == answer.xml.findtext("OriginalInfo/ETag")
    assert core.ask("GET", "/in/a.png").body == picture
    assert [event.key for event in core.events] == ["out/0.png", "in/a.png"]


def test_so_may_the_completion_of_an_upload(core: Any, picture: bytes) -> None:
    upload = core.ask("POST", "/in/a.png?uploads").xml.findtext("UploadId")
    etag = core.ask("PUT", f"/in/a.png?partNumber=1&uploadId={upload}", picture).headers["ETag"]
    named = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()
    answer = core.ask("POST", f"/in/a.png?uploadId={upload}", body, operations(HALF))
    assert answer.xml.findtext("ImageInfo/Format") == "PNG"
    assert answer.xml.findtext("ProcessResults/Object/Key") == "out/0.png"
    assert answer.xml.findtext("ETag", "").endswith('-1"')


def test_an_unsigned_pic_operations_is_refused_before_anything_happens(core: Any, picture: bytes) -> None:
    core.ask("PUT", "/in/a.png", picture)
    core.app.store.put_configuration(
        BUCKET,
        "",
        "acl",
        json.dumps([["uri", "http://cam.qcloud.com/groups/global/AllUsers", "FULL_CONTROL"]]).encode(),
    )
    answer = core.ask("PUT", "/in/b.png", picture, operations(HALF), signed=False)
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert answer.xml.findtext("Message") == "Auth sign header must include Pic-Operations"
    assert core.ask("GET", "/in/b.png").status == 404
    assert core.ask("POST", "/in/a.png?image_process", b"", operations(HALF), signed=False).status == 403


@pytest.mark.parametrize("core_with", [{"failed-put": "keep-original"}, {"failed-put": "drop-original"}], indirect=True)
def test_a_put_whose_processing_fails_keeps_or_drops_the_original(core_with: Any) -> None:
    kept = core_with.app.dialects["failed-put"] == "keep-original"
    answer = core_with.ask("PUT", "/in/a.png", b"no picture", operations(HALF))
    assert 400 <= answer.status < 500 and answer.code
    assert core_with.ask("GET", "/in/a.png").status == (200 if kept else 404)
    assert [event.key for event in core_with.events] == (["in/a.png"] if kept else [])


@pytest.mark.parametrize("core_with", [{"error-status": "ok-with-error"}], indirect=True)
def test_an_image_error_may_come_under_200(core_with: Any) -> None:
    core_with.ask("PUT", "/in/a.png", b"no picture")
    answer = core_with.ask("POST", "/in/a.png?image_process", b"", operations(HALF))
    assert (answer.status, answer.xml.tag) == (200, "Error")


@pytest.mark.parametrize("core_with", [{"result-events": "no"}], indirect=True)
def test_results_may_raise_no_events(core_with: Any, picture: bytes) -> None:
    core_with.ask("PUT", "/in/a.png", picture, operations(HALF))
    assert [event.key for event in core_with.events] == ["in/a.png"]


def test_rules_on_download(core: Any, picture: bytes) -> None:
    core.ask("PUT", "/a.png", picture, {"x-cos-acl": "public-read"})
    for query in (HALF, "imageMogr2%2Fthumbnail%2F%2150p=", "imageMogr2/thumbnail/!50p%7CimageMogr2/format/jpg"):
        answer = core.ask("GET", f"/a.png?{query}", signed=False)
        assert answer.status == 200
        assert pyvips.Image.new_from_buffer(answer.body, "").width == 20
        headed = core.ask("HEAD", f"/a.png?{query}", signed=False)
        assert (headed.status, headed.body, headed.length) == (200, b"", len(answer.body))
    assert json.loads(core.ask("GET", "/a.png?imageInfo").body)["width"] == "40"
    assert core.ask("GET", "/a.png?exif").status == 200
    assert core.ask("GET", "/a.png?imageMogr2/thumbnail/nonsense").status == 400
    assert core.ask("GET", "/none.png?imageMogr2/thumbnail/!50p").code == "NoSuchKey"


def test_styles_by_query_and_by_separator(core: Any, picture: bytes) -> None:
    core.ask("PUT", "/a.png", picture)
    body = f"<AddStyle><StyleName>half</StyleName><StyleBody>{HALF}</StyleBody></AddStyle>".encode()
    assert core.ask("PUT", "/?style", body, host=f"{BUCKET}.pic.ap-guangzhou.myqcloud.com").status == 200
    for target in ("/a.png?style/half", "/a.png!half", "/a.png-half", "/a.png_half", "/a.png/half"):
        answer = core.ask("GET", target)
        assert answer.status == 200, target
        assert pyvips.Image.new_from_buffer(answer.body, "").width == 20
    core.ask("PUT", "/a.png!half", b"an object of that very name")
    assert core.ask("GET", "/a.png!half").body == b"an object of that very name"
    assert core.ask("GET", "/a.png!none").status == 404


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("watermark/2/text/aGk=/fill/I0Z=&q-ak=x", "watermark/2/text/aGk=/fill/I0Z"),
        ("v=1&imageView2%2F1%2Fw%2F5=", "imageView2/1/w/5"),
        ("imageSlim", "imageSlim"),
        ("ci-process=ImageAIGCMetadata", "ci-process=ImageAIGCMetadata"),
        ("style/caf%C3%A9", "style/café"),
        ("styles=1&watermark=2&exifs", None),
        ("", None),
    ],
)
def test_where_a_rule_stands_in_a_query(query: str, rule: "str | None") -> None:
    assert find_rule(Parameters(query)) == rule
