"""Bad input ends in one documented error, before it costs anything (CI 7, 9)."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coslocal.ci.inspect import inspect
from coslocal.ci.render import render
from coslocal.ci.source import check_limits
from coslocal.ci.types import ImageError
from derivo.ci import limits
from derivo.ci.texts import encode

RULE = "imageMogr2/thumbnail/40x/format/png"


def refused(call: Any) -> ImageError:
    with pytest.raises(ImageError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "InvalidImageSource"),
        (b"hello, this is text", "InvalidImageFormat"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "InvalidImageFormat"),
        (b"%PDF-1.4", "InvalidImageFormat"),
        (b"8BPS\0\1", "InvalidImageFormat"),
        (b"\xff\xd8\xffjunk", "InvalidImageSource"),
        (b"\x89PNG\r\n\x1a\n", "InvalidImageSource"),
        (b"GIF89a", "InvalidImageSource"),
        (b"BM" + bytes(80), "InvalidImageSource"),
        (b"#?RADIANCE\n", "InvalidImageFormat"),  # formats of libvips's untrusted loaders
        (b"P6 2 2 255\n" + bytes(12), "InvalidImageFormat"),
    ],
)
def test_what_is_no_image(surroundings: Any, data: bytes, code: str) -> None:
    for error in (refused(lambda: inspect(data)), refused(lambda: render(data, RULE, surroundings()))):
        assert (error.code, error.status) == (code, 400)
        assert error.number < 0


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "gif", "avif"])
@pytest.mark.parametrize("rule", [RULE, "imageMogr2/rotate/90", "imageMogr2/format/jpg"])
def test_truncated_files(draw: Any, surroundings: Any, format: str, rule: str) -> None:
    whole = draw.file(draw.noise(200, 150), format)
    error = refused(lambda: render(whole[: len(whole) * 2 // 3], rule, surroundings()))
    assert error.code == "InvalidImageSource"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_files_are_processed_or_refused(draw: Any, surroundings: Any, data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["jpeg", "png", "webp", "gif", "tiff", "avif"]))
    damaged = bytearray(draw.file(draw.gradient(40, 30), format))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    for call in (inspect, lambda found: render(found, RULE, surroundings())):
        try:
            call(bytes(damaged))
        except ImageError as error:
            assert error.code in ("InvalidImageSource", "InvalidImageFormat", "ImageResolutionExceed")


NUMBER = st.sampled_from(
    ["0", "1", "7", "30", "50", "100", "500", "20000", "999999999999999999999", "-9", "1.5", "x", ""]
)
GEOMETRY = st.builds(
    "{}{}x{}{}".format, st.sampled_from(["", "!"]), NUMBER, NUMBER, st.sampled_from(["", "!", ">", "r"])
)
OPERATION = st.one_of(
    st.builds("{}/{}".format, st.sampled_from(["thumbnail", "cut", "crop", "scrop", "rcrop", "blur"]), GEOMETRY),
    st.builds(
        "{}/{}".format,
        st.sampled_from(
            ["rotate", "iradius", "rradius", "bright", "contrast", "sharpen", "cgif", "egif", "quality", "dx"]
        ),
        NUMBER,
    ),
    st.sampled_from(["auto-orient", "flip/vertical", "gravity/east", "format/png", "format/jpg", "pad/1", "strip"]),
)
STAGE = st.one_of(
    st.lists(OPERATION, min_size=1, max_size=3).map(lambda ops: "imageMogr2/" + "/".join(ops)),
    st.builds("imageView2/{}/w/{}".format, st.integers(0, 6), NUMBER),
    st.builds(
        f"watermark/2/text/{encode('永')}/dx/{{}}/fontsize/{{}}/degree/{{}}/batch/1".format, NUMBER, NUMBER, NUMBER
    ),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rule=st.lists(STAGE, min_size=1, max_size=3).map("|".join), moving=st.booleans())
def test_any_rule_gives_an_image_or_one_documented_error(draw: Any, surroundings: Any, rule: str, moving: bool) -> None:
    still = draw.file(draw.gradient(60, 40), "png")
    source = draw.animation(60, 40, [(255, 0, 0), (0, 0, 255)]) if moving else still
    try:
        rendered = render(source, rule, surroundings())
    except ImageError as error:
        assert error.code in ("InvalidPicOperations", "ImageResolutionExceed", "ImageTooLarge")
        assert error.status == 400
    else:
        info = inspect(rendered.data)
        assert (info.width, info.height, info.format) == (rendered.width, rendered.height, rendered.format)


@pytest.mark.parametrize(
    "rule",
    [
        "imageMogr2/cut/{0}x{0}",
        "imageMogr2/crop/{0}x{0}",
        "imageMogr2/cut/9x9/dx/{0}",
        "imageMogr2/rcrop/{0}x1",
        "imageMogr2/thumbnail/{0}@",
        "imageView2/2/w/{0}/h/1",
        "watermark/2/text/QQ/dx/{0}",
        "watermark/2/text/QQ/fontsize/{0}",
    ],
)
@pytest.mark.parametrize("number", ["4294967296", "9" * 30])
def test_enormous_numbers(draw: Any, surroundings: Any, rule: str, number: str) -> None:
    try:
        render(draw.file(draw.gradient(60, 40), "png"), rule.format(number), surroundings())
    except ImageError as error:
        assert error.code in ("InvalidPicOperations", "ImageResolutionExceed")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nearly nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(50_001, 1), (1, 50_001), (50_000, 5_001), (20_000, 20_000)])
def test_bombs_are_refused_by_their_header(surroundings: Any, width: int, height: int) -> None:
    bomb = png_header(width, height)
    for error in (refused(lambda: inspect(bomb)), refused(lambda: render(bomb, RULE, surroundings()))):
        assert error.code == "ImageResolutionExceed"


@pytest.mark.parametrize(
    ("width", "height", "frames", "format", "fine"),
    [
        (50_000, 5_000, 1, "jpeg", True),
        (50_001, 1, 1, "jpeg", False),
        (50_000, 5_001, 1, "png", False),
        (16_383, 10, 1, "webp", True),
        (16_384, 10, 1, "webp", False),
        (1000, 833, 300, "gif", True),
        (1000, 834, 300, "gif", False),
        (1, 1, 301, "gif", False),
    ],
)
def test_limits(width: int, height: int, frames: int, format: str, fine: bool) -> None:
    if fine:
        check_limits(width, height, frames, format)
    else:
        assert refused(lambda: check_limits(width, height, frames, format)).code == "ImageResolutionExceed"


def test_too_many_bytes_are_refused_unread(draw: Any, surroundings: Any) -> None:
    large = draw.file(draw.plain(8, 8, 1, 2, 3), "jpeg") + bytes(limits.SOURCE_BYTES)
    error = refused(lambda: render(large, RULE, surroundings()))
    assert (error.code, error.number) == ("ImageTooLarge", -60996)


@pytest.mark.parametrize(
    "rule",
    [
        "imageMogr2/thumbnail/!1000p",
        "imageMogr2/thumbnail/10000x",
        f"watermark/2/text/{encode('x')}|imageMogr2/thumbnail/!1000p",
    ],
)
def test_results_above_the_limits_are_refused_before_they_are_made(draw: Any, surroundings: Any, rule: str) -> None:
    source = draw.file(draw.plain(20, 6000, 1, 2, 3), "png")
    assert refused(lambda: render(source, rule, surroundings())).code == "ImageResolutionExceed"


def test_webp_results_have_their_own_limit(draw: Any, surroundings: Any) -> None:
    source = draw.file(draw.plain(17_000, 10, 1, 2, 3), "png")
    assert refused(lambda: render(source, "imageMogr2/format/webp", surroundings())).code == "ImageResolutionExceed"


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "imageMogr2/thumbnial/200x",
        "imageMogr2/thumbnail/abc",
        "bogus/1",
        "imageMogr2/quality/900",
        "imageMogr2/format/exe",
        "|",
        "|".join(["imageMogr2/strip"] * 11),
        "QRcode/cover/1",
        "watermark/3/type/3/text/" + encode("a"),
        "watermark/4/type/3",
        "ci-process=AISuperResolution",
        "imageMogr2/blur/60x5",
    ],
)
def test_rules_that_ci_or_coslocal_would_not_take(draw: Any, surroundings: Any, rule: str) -> None:
    error = refused(lambda: render(draw.file(draw.plain(8, 8, 1, 2, 3), "png"), rule, surroundings()))
    assert (error.code, error.number, error.status) == ("InvalidPicOperations", -60998, 400)
    assert error.message


def test_what_is_not_offered_is_logged(draw: Any, surroundings: Any, caplog: pytest.LogCaptureFixture) -> None:
    refused(lambda: render(draw.file(draw.plain(8, 8, 1, 2, 3), "png"), "QRcode/cover/1", surroundings()))
    assert "not offered by coslocal: QRcode" in caplog.text


def test_styles(draw: Any, run: Any, surroundings: Any) -> None:
    source = draw.file(draw.quadrants(), "png")
    styles = {"half": "imageMogr2/thumbnail/!50p", "loop": "style/loop", "bad": "imageMogr2/oops"}
    assert run(source, "style/half", styles=styles).size == (50, 30)
    assert run(source, "style/half|imageMogr2/rotate/90", styles=styles).size == (30, 50)
    unknown = refused(lambda: render(source, "style/none", surroundings(styles=styles)))
    assert (unknown.code, unknown.number) == ("InvalidPicOperations", -60967)
    assert "another style" in refused(lambda: render(source, "style/loop", surroundings(styles=styles))).message
    assert "style 'bad'" in refused(lambda: render(source, "style/bad", surroundings(styles=styles))).message


@pytest.mark.parametrize(
    "rule",
    [
        "imageMogr2/rradius/900/ignore-error/1",
        "imageMogr2/quality/900/ignore-error/1",
        "imageMogr2/format/heif/ignore-error/1|imageMogr2/strip",
    ],
)
def test_ignore_error_gives_the_source_back(draw: Any, run: Any, rule: str) -> None:
    source = draw.file(draw.quadrants(), "png")
    seen = run(source, rule)
    assert seen.rendered.data == source
    assert seen.rendered.warnings[0].startswith("ignore-error: ")


def test_ignore_error_gives_even_a_text_back(surroundings: Any) -> None:
    rendered = render(b"hello", "imageMogr2/thumbnail/20x/ignore-error/1", surroundings())
    assert (rendered.data, rendered.width, rendered.content_type) == (b"hello", 0, "")


def test_what_ci_tolerates_is_done_as_ci_does_it(draw: Any, run: Any) -> None:
    source = draw.file(draw.quadrants(), "png")
    assert run(source, "imageMogr2/thumbnail/!5000p").size == (100, 60)
    assert run(draw.file(draw.plain(100, 1, 1, 2, 3), "png"), "imageMogr2/thumbnail/20000x").size == (10_000, 100)


def test_aigc_labels_are_written_and_read_back(draw: Any, run: Any) -> None:
    from coslocal.ci.operations import aigc
    from coslocal.ci.source import examine

    producer = '腾讯 "x" & <y>'
    rule = f"imageMogr2/strip/AIGCMetadata/Label/{encode('1')}/ContentProducer/{encode(producer)}"
    for format in ("jpg", "png", "avif"):
        seen = run(draw.file(draw.quadrants(), "png"), f"{rule}|imageMogr2/format/{format}")
        assert seen.rendered.aigc == {"Label": "1", "ContentProducer": producer}
        assert aigc.read(examine(seen.rendered.data).header.xmp) == seen.rendered.aigc
    with pytest.raises(ImageError, match="not for webp"):
        run(draw.file(draw.quadrants(), "png"), f"{rule}|imageMogr2/format/webp")
    with pytest.raises(ImageError, match="not on download"):
        run(draw.file(draw.quadrants(), "png"), rule, persistent=False)
