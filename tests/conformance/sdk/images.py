"""Cloud Infinite through the Python SDK: each derivative is decoded and looked at."""

from __future__ import annotations

import json
from typing import Any

import pyvips

from tests.conformance.python_sdk import Bench, on, refused

SIZE = (400, 300)


def picture(suffix: str = ".png") -> bytes:
    """400x300, left half red, right half blue."""
    width, height = SIZE
    left = pyvips.Image.black(width // 2, height, bands=3).linear(0, [255, 0, 0])
    right = pyvips.Image.black(width // 2, height, bands=3).linear(0, [0, 0, 255])
    whole = left.join(right, "horizontal").cast("uchar").copy(interpretation="srgb")
    return bytes(whole.write_to_buffer(suffix))


def facts(data: bytes) -> tuple[str, int, int]:
    """(format, width, height) of what was really written."""
    image = pyvips.Image.new_from_buffer(data, "")
    return image.get("vips-loader").removesuffix("load_buffer"), image.width, image.height


def operations(*rules: tuple[str, str], info: int = 1) -> str:
    named = [{"fileid": fileid, "rule": rule} for fileid, rule in rules]
    return json.dumps({"is_pic_info": info, "rules": named})


def _objects(data: dict[str, Any]) -> list[dict[str, str]]:
    found = data["ProcessResults"]["Object"]
    return found if isinstance(found, list) else [found]


def check_a_put_makes_its_derivatives(bench: Bench) -> None:
    wanted = operations(
        ("small.webp", "imageMogr2/thumbnail/100x/format/webp"), ("/root.jpg", "imageView2/1/w/50/h/50/format/jpg")
    )
    response, data = on(bench, "ci_put_object")(Key="in/a b.png", Body=picture(), PicOperations=wanted)
    assert response["ETag"] == data["OriginalInfo"]["ETag"]
    assert [item["Key"] for item in _objects(data)] == ["in/small.webp", "root.jpg"]
    assert facts(bench.get("in/a b.png")) == ("png", *SIZE)
    assert facts(bench.get("in/small.webp")) == ("webp", 100, 75)
    assert facts(bench.get("root.jpg")) == ("jpeg", 50, 50)
    for item in _objects(data):
        head = bench.head(item["Key"])
        assert (head["ETag"], head["Content-Length"]) == (item["ETag"], item["Size"])


def check_a_stored_object_gets_its_derivatives(bench: Bench) -> None:
    bench.put("目录/原图.png", picture())
    rules = [(f"/out/{n}.jpg", f"imageMogr2/thumbnail/{n}x/format/jpg") for n in (10, 20, 30, 40, 50)]
    _, data = on(bench, "ci_image_process")(Key="目录/原图.png", PicOperations=operations(*rules))
    assert [item["Key"] for item in _objects(data)] == [fileid[1:] for fileid, _ in rules]
    assert [item["Width"] for item in _objects(data)] == ["10", "20", "30", "40", "50"]
    assert data["OriginalInfo"]["ImageInfo"]["Width"] == "400"
    assert facts(bench.get("out/50.jpg"))[0] == "jpeg"


def check_a_file_on_disk_too(bench: Bench) -> None:
    path = bench.file("a.png", picture())
    wanted = operations(("b.png", "imageMogr2/rotate/90"))
    on(bench, "ci_put_object_from_local_file")(Key="a.png", LocalFilePath=path, PicOperations=wanted)
    assert facts(bench.get("b.png")) == ("png", 300, 400)


def check_downloads_are_processed(bench: Bench) -> None:
    bench.put("a.png", picture())
    for rule, wanted in (
        ("imageMogr2/thumbnail/!50p", ("png", 200, 150)),
        ("imageMogr2/thumbnail/100x100>/format/webp", ("webp", 100, 75)),
        ("imageView2/1/w/60/h/60", ("png", 60, 60)),
        ("imageMogr2/cut/50x40x10x10|imageMogr2/format/jpg", ("jpeg", 50, 40)),
    ):
        down = bench.folder / "down"
        on(bench, "ci_get_object")(Key="a.png", DestImagePath=str(down), Rule=rule)
        assert facts(down.read_bytes()) == wanted, rule
    head = bench.client.get_object(Bucket=bench.bucket, Key="a.png")
    assert head["Content-Type"] == "image/png"


def check_questions_about_an_image(bench: Bench) -> None:
    bench.put("a.png", picture())
    info = json.loads(on(bench, "ci_get_image_info")(Key="a.png")[1])
    assert (info["format"], info["width"], info["height"]) == ("png", "400", "300")
    assert info["size"] == str(len(picture()))
    ave = json.loads(on(bench, "ci_get_image_ave_info")(Key="a.png")[1])
    assert ave["RGB"].startswith("0x") and len(ave["RGB"]) == 8
    assert json.loads(on(bench, "ci_get_image_exif_info")(Key="a.png")[1]) is not None


def check_a_saved_style(bench: Bench) -> None:
    bench.put("a.png", picture())
    on(bench, "ci_put_image_style")(Request={"StyleName": "half", "StyleBody": "imageMogr2/thumbnail/!50p"})
    named = on(bench, "ci_get_image_style")(Request={"StyleName": "half"})[1]["StyleRule"]
    assert named == {"StyleName": "half", "StyleBody": "imageMogr2/thumbnail/!50p"}
    down = bench.folder / "down"
    on(bench, "ci_get_object")(Key="a.png", DestImagePath=str(down), Rule="style/half")
    assert facts(down.read_bytes()) == ("png", 200, 150)
    on(bench, "ci_image_process")(Key="a.png", PicOperations=operations(("b.png", "style/half")))
    assert facts(bench.get("b.png")) == ("png", 200, 150)
    on(bench, "ci_delete_image_style")(Request={"StyleName": "half"})
    assert "StyleRule" not in (on(bench, "ci_get_image_style")(Request={"StyleName": "half"})[1] or {})


def check_a_label_of_ai_made_images(bench: Bench) -> None:
    bench.put("a.png", picture())
    rule = "imageMogr2/AIGCMetadata/Label/MQ==/ProduceID/YWJj"
    on(bench, "ci_image_process")(Key="a.png", PicOperations=operations(("b.png", rule)))
    _, data = on(bench, "ci_get_image_aigc_metadata")(Key="b.png")
    assert data["AIGC"]["Label"] == "1"


def check_what_is_no_image_is_refused(bench: Bench) -> None:
    bench.put("a.png", b"no image")
    bench.put("b.png", picture())
    process = on(bench, "ci_image_process")
    for key, rule in (("a.png", "imageMogr2/thumbnail/10x"), ("b.png", "imageMogr2/thumbnail/nonsense")):
        with_rule = operations(("c.png", rule))
        try:
            process(Key=key, PicOperations=with_rule)
        except Exception as error:
            assert 400 <= error.get_status_code() < 500 and error.get_error_code() not in ("", "Unknown")  # type: ignore[attr-defined]
        else:
            raise AssertionError(f"{rule} on {key} was not refused")
    refused(404, "NoSuchKey", process, Key="no such", PicOperations=operations(("c.png", "imageMogr2/thumbnail/10x")))
    refused(404, "NoSuchResource", bench.head, "c.png")
