"""Every kind of problem: what raises it, where it points, and what is offered instead."""

from __future__ import annotations

from typing import Any

import pytest

from derivo.ci import Problem, check, check_steps, compile_steps, parse, texts
from derivo.ci.problems import CODES, ERROR
from derivo.ci.texts import encode


class Case:
    """A rule, the one problem it has, the piece of the rule it points at, and its mend."""

    def __init__(self, code: str, rule: str, piece: str, mend: str | None = None, **known: Any) -> None:
        self.code = code
        self.rule = rule
        self.piece = piece
        self.mend = mend
        self.known = known

    def __repr__(self) -> str:
        return f"{self.code} {self.rule[:50]!r}"


SYNTAX = [
    Case("CI101", "", ""),
    Case("CI101", "imageSlim|", ""),
    Case("CI102", "imageMogr2/for mat/png", " ", "format"),
    Case("CI102", "imageMogr2/format/png\n|imageSlim", "\n", "png"),
    Case("CI102", "imageMogr2/format/\x00png", "\x00", "png"),
    Case("CI103", "imagemogr2/strip", "imagemogr2", "imageMogr2"),
    Case("CI103", "?imageMogr2/strip", "?imageMogr2", "imageMogr2"),
    Case("CI103", "thumbnail/200x", "thumbnail", "imageMogr2/thumbnail"),
    Case("CI103", "imageSlim|jpeg", "jpeg"),
    Case("CI104", "imageMogr2/qualty/80", "qualty", "quality"),
    Case("CI104", "imageMogr2/resize/200x", "resize", "thumbnail"),
    Case("CI104", "imageMogr2/Format/png", "Format", "format"),
    Case("CI104", "watermark/2/text/YQ/opacity/9", "opacity", "dissolve"),
    Case("CI104", "imageView2/1/width/9", "width", "w"),
    Case("CI105", "imageMogr2/format", "format"),
    Case("CI105", "imageMogr2/thumbnail/format/png", "thumbnail"),
    Case("CI105", "imageMogr2/format//strip", "format"),
    Case("CI105", "style/", "style"),
    Case("CI106", "imageMogr2/thumbnail/200", "200", "200x"),
    Case("CI106", "imageMogr2/thumbnail/200X300", "200X300", "200x300"),
    Case("CI106", "imageMogr2/thumbnail/200*300>", "200*300>", "200x300>"),
    Case("CI106", "imageMogr2/thumbnail/200x300%3E", "200x300%3E", "200x300>"),
    Case("CI106", "imageMogr2/thumbnail/50%", "50%", "!50p"),
    Case("CI106", "imageMogr2/thumbnail/!50", "!50", "!50p"),
    Case("CI106", "imageMogr2/thumbnail/200x>", "200x>", "200x10000>"),
    Case("CI106", "imageMogr2/thumbnail/9999999999x", "9999999999", "10000x"),
    Case("CI106", "imageMogr2/rotate/left", "left"),
    Case("CI106", "imageMogr2/rotate/1.5", "1.5"),
    Case("CI106", "imageMogr2/rotate/９0", "９0"),
    Case("CI106", "imageMogr2/cut/1x2x3", "1x2x3"),
    Case("CI106", "imageMogr2/cut/1*2", "1*2", "1x2"),
    Case("CI106", "imageMogr2/crop/!600x600a20a20", "!600x600a20a20"),
    Case("CI106", "imageMogr2/blur/5", "5", "5x1"),
    Case("CI106", "imageMogr2/blur/5x1.23456", "5x1.23456"),
    Case("CI106", "imageMogr2/size-limit/15K!", "15K!", "15k!"),
    Case("CI106", "ci-process=AIImageCrop&width", "width"),
    Case("CI107", "imageMogr2/format/webpp", "webpp", "webp"),
    Case("CI107", "imageMogr2/format/WEBP", "WEBP", "webp"),
    Case("CI107", "imageMogr2/format/jxl", "jxl"),
    Case("CI107", "imageView2/1/format/avif", "avif"),
    Case("CI107", "imageMogr2/crop/3x3/gravity/centre", "centre", "center"),
    Case("CI107", "imageMogr2/crop/3x3/gravity/top-left", "top-left", "northwest"),
    Case("CI107", "imageMogr2/flip/vert", "vert", "vertical"),
    Case("CI107", "imageMogr2/pad/yes", "yes"),
    Case("CI107", "imageMogr2/ignore-error/0", "0"),
    Case("CI107", "imageView2/6/w/9", "6"),
    Case("CI107", "watermark/5/text/YQ", "5"),
    Case("CI107", "ci-process=AIImageCorp", "AIImageCorp"),
    Case("CI108", "watermark/2/text/腾讯云", "腾讯云", encode("腾讯云")),
    Case("CI108", "watermark/2/text/YQ===", "YQ===", encode("YQ===")),
    Case("CI109", "watermark/2/text/_w", "_w"),
    Case("CI109", "style/\ud800", "\ud800"),
    Case("CI110", "imageMogr2/strip/format/png/format/jpg", "format/jpg"),
    Case("CI110", "watermark/2/text/YQ/dx/1/dx/1", "dx/1"),
    Case("CI110", "ci-process=AIImageCrop&width=1&width=2", "width=2"),
    Case("CI111", "imageMogr2//strip", ""),
    Case("CI112", "|".join(["imageSlim"] * 12), "imageSlim|imageSlim"),
    Case("CI113", "imageMogr2", "imageMogr2"),
    Case("CI113", "imageView2/1", "imageView2/1"),
    Case("CI114", "watermark/2/dx/1", "watermark/2"),
    Case("CI114", "watermark/1/dx/1", "watermark/1"),
    Case("CI114", "watermark/3/text/YQ", "watermark/3"),
    Case("CI114", "watermark/3/type/3", "watermark/3"),
    Case("CI114", "watermark/4/type/1", "watermark/4"),
    Case("CI114", "imageView2/w/9", "imageView2", "imageView2/2"),
    Case("CI114", "imageMogr2/AIGCMetadata/ProduceID/YQ", "AIGCMetadata"),
    Case("CI114", "QRcode", "QRcode", "QRcode/cover/0"),
    Case("CI115", f"watermark/2/text/YQ/fill/{encode('white')}", encode("white"), encode("#FFFFFF")),
    Case("CI115", "watermark/2/text/YQ/fill/#f0f", "#f0f", encode("#FF00FF")),
    Case("CI115", f"watermark/2/text/YQ/fill/{encode('nothing')}", encode("nothing")),
    Case("CI116", "imageMogr2/strip/1", "1"),
    Case("CI116", "imageSlim/1/2", "1/2"),
    Case("CI116", "style/a/b", "b"),
    Case("CI117", "style/" + "a" * 20000, "style/" + "a" * 20000),
    Case("CI404", "imageInfo", "imageInfo"),
    Case("CI404", "ci-process=ImageInspect", "ImageInspect"),
]

RANGES = [
    Case("CI202", "imageMogr2/thumbnail/0x", "0", "1x"),
    Case("CI202", "imageMogr2/thumbnail/-5x200!", "-5", "1x200!"),
    Case("CI203", "imageMogr2/thumbnail/200x0", "0", "200x"),
    Case("CI203", "imageMogr2/thumbnail/200x0>", "0", "200x10000>"),
    Case("CI202", "imageMogr2/thumbnail/0x200>", "0", "10000x200>"),
    Case("CI203", "imageMogr2/thumbnail/200x0!", "0", "200x"),
    Case("CI203", "imageMogr2/crop/200x0", "0", "200x1"),
    Case("CI204", "imageMogr2/thumbnail/0@", "0", "1@"),
    Case("CI205", "imageMogr2/cut/9x9x-1x0", "-1", "9x9x0x0"),
    Case("CI206", "imageMogr2/rradius/0", "0", "1"),
    Case("CI207", "imageMogr2/rotate/361", "361", "360"),
    Case("CI207", "imageMogr2/rotate/-90", "-90", "0"),
    Case("CI208", "imageMogr2/quality/101!", "101", "100!"),
    Case("CI208", "imageView2/1/w/9/lq/101", "101", "100"),
    Case("CI209", "imageMogr2/egif/11", "11", "10"),
    Case("CI209", "imageMogr2/cgif/0", "0", "1"),
    Case("CI210", "imageMogr2/sharpen/5", "5", "10"),
    Case("CI210", "imageMogr2/bright/101", "101", "100"),
    Case("CI210", "imageMogr2/blur/51x1", "51", "50x1"),
    Case("CI210", "imageMogr2/blur/3x0", "0", "3x0.1"),
    Case("CI211", "imageMogr2/size-limit/99m!", "99", "32m!"),
    Case("CI212", "watermark/2/text/YQ/dissolve/0", "0", "1"),
]

TOLERATED = [
    Case("CI201", "imageMogr2/thumbnail/!0p", "0", "!1p"),
    Case("CI201", "imageMogr2/thumbnail/!x2000p", "2000", "!x1000p"),
    Case("CI202", "imageMogr2/thumbnail/20000x5", "20000", "10000x5"),
    Case("CI203", "imageView2/1/w/5/h/10001", "10001", "10000"),
]

_MARK = f"watermark/1/image/{encode('http://b/m.png')}"
_HTTPS = f"image/{encode('https://b/m.png')}"

CONFLICTS = [
    Case("CI301", "imageMogr2/cgif/9/rradius/5", "rradius/5"),
    Case("CI301", "imageMogr2/iradius/5", "iradius/5", source_suffixes=(".gif",)),
    Case("CI301", "imageMogr2/blur/5x5/format/gif", "blur/5x5", source_suffixes=(".bmp",)),
    Case("CI302", "imageMogr2/format/svgc", "format/svgc", source_suffixes=(".jpg",)),
    Case("CI302", "imageMogr2/format/svgc/grayscale/1", "format/svgc", source_suffixes=(".svg",)),
    Case("CI303", "imageMogr2/frame/1/cgif/3", "frame/1", persistent=False),
    Case("CI304", "imageMogr2/thumbnail/9x9>/pad/1", "pad/1"),
    Case("CI305", f"imageMogr2/thumbnail/9x9>/color/{encode('#FFFFFF')}", f"color/{encode('#FFFFFF')}"),
    Case("CI306", "imageMogr2/thumbnail/9x9>/gravity/east", "gravity/east"),
    Case("CI307", "imageMogr2/size-limit/9k/format/png", "size-limit/9k", persistent=False, source_suffixes=(".png",)),
    Case("CI308", f"watermark/1/{_HTTPS}", _HTTPS, f"image/{encode('http://b/m.png')}"),
    Case("CI309", _MARK + "/degree/5", "degree/5"),
    Case("CI309", _MARK + "/image_key/YQ", "image_key/YQ"),
    Case("CI309", "watermark/3/type/3/text/YQ/level/1", "level/1"),
    Case("CI212", _MARK + "/scatype/3/spcent/251", "spcent/251"),
    Case("CI310", f"watermark/3/type/3/text/{encode('é')}/version/1.0", f"text/{encode('é')}"),
    Case("CI310", f"watermark/3/type/3/text/{encode('a' * 257)}", f"text/{encode('a' * 257)}"),
    Case("CI311", "imageMogr2/AIGCMetadata/Label/YQ", "AIGCMetadata/Label/YQ", source_suffixes=(".webp",)),
    Case("CI312", "imageMogr2/auto-orient/format/heic", "format/heic", source_suffixes=(".gif",)),
    Case("CI401", "imageMogr2/frame/1", "frame/1"),
    Case("CI402", "imageMogr2/auto-orient/format/astc", "format/astc"),
    Case("CI403", "imageMogr2/strip/ignore-error/1", "ignore-error/1", source_suffixes=(".png",)),
    Case("CI403", "imageView2/format/png/ignore-error/1", "ignore-error/1", source_suffixes=(".png",)),
    Case("CI405", "watermark/4/type/3", "watermark", persistent=False),
    Case("CI405", "imageMogr2/auto-orient/format/psd", "format/psd", persistent=False),
]

ADVICE = [
    Case("CI501", "imageMogr2/thumbnail/9x9>/format/webp", "imageMogr2", "imageMogr2/auto-orient"),
    Case("CI501", "imageMogr2/strip", "imageMogr2", "imageMogr2/auto-orient"),
    Case("CI501", "imageView2/format/png", "imageView2"),
    Case("CI502", "imageMogr2/auto-orient/format/webp", "format/webp", key_extension=".JPG"),
    Case("CI502", "imageMogr2/rotate/9", "imageMogr2/rotate/9", key_extension=".png", source_suffixes=(".bmp",)),
    Case("CI503", "imageMogr2/thumbnail/9x8", "thumbnail/9x8", "thumbnail/9x8>"),
    Case("CI503", "imageMogr2/thumbnail/9x", "thumbnail/9x", "thumbnail/9x10000>"),
    Case("CI503", "imageMogr2/thumbnail/!150p", "thumbnail/!150p"),
    Case("CI503", "imageMogr2/thumbnail/9x9/pad/1", "thumbnail/9x9"),
    Case("CI503", "imageView2/1/w/9", "imageView2"),
    Case("CI504", "imageMogr2/format/jpg", "format/jpg", source_suffixes=(".png",)),
    Case("CI505", "imageMogr2/auto-orient/format/avif", "format/avif"),
    Case("CI505", "imageSlim", "imageSlim"),
    Case("CI506", "imageMogr2/format/png", "format/png", source_suffixes=(".gif",)),
    Case("CI507", "imageMogr2/cgif/1", "cgif/1"),
    Case("CI508", "imageMogr2/cgif/3/egif/2", "egif/2"),
    Case("CI508", "imageMogr2/quality/80", "quality/80", source_suffixes=(".png",)),
    Case("CI508", "imageMogr2/interlace/1", "interlace/1", source_suffixes=(".png",)),
    Case("CI508", "imageMogr2/crop/3x3/gravity/center/dx/3", "dx/3"),
    Case("CI509", "imageMogr2/rotate/9|style/a", "style/a"),
    Case("CI510", "imageMogr2/size-limit/9k", "size-limit/9k"),
    Case("CI511", "imageMogr2/rotate/9/thumbnail/9x9>", "thumbnail/9x9>"),
    Case("CI512", "imageMogr2/quality/9/lquality/9", "lquality/9"),
    Case("CI513", "imageMogr2/rradius/9", "rradius/9", source_suffixes=(".jpg", ".gif")),
]

STEPS: list[tuple[str, object, tuple[object, ...], str | None]] = [
    ("CI601", None, (), None),
    ("CI601", [], (), None),
    ("CI601", [{"strip": True}] * 101, (), None),
    ("CI601", [{"auto_orient": False}], (), None),
    ("CI602", [{"rotate": 9}, {"rezise": {"width": 9}}], (1, "rezise"), "resize"),
    ("CI602", [{"resize": {"widht": 9, "width": 9}}], (0, "resize", "widht"), "width"),
    ("CI602", [{True: 1}], (0,), None),
    ("CI603", [["rotate"]], (0,), None),
    ("CI603", [{"rotate": "90"}], (0, "rotate"), None),
    ("CI603", [{"rotate": True}], (0, "rotate"), None),
    ("CI603", [{"strip": 1}], (0, "strip"), None),
    ("CI603", [{"watermark": {"text": 2024}}], (0, "watermark", "text"), None),
    ("CI603", [{"resize": 200}], (0, "resize"), None),
    ("CI604", [{"crop": {"width": 9}}], (0, "crop"), None),
    ("CI604", [{"resize": {}}], (0, "resize"), None),
    ("CI604", [{"resize": {"width": 9, "fit": "cover"}}], (0, "resize"), None),
    ("CI604", [{"watermark": {"gravity": "north"}}], (0, "watermark"), None),
    ("CI605", [{"resize": {"area": 9, "percent": 9}}], (0, "resize"), None),
    ("CI605", [{"resize": {"width": 9, "height": 9, "fit": "fill", "enlarge": True}}], (0, "resize"), None),
    ("CI605", [{"rotate": 9, "flip": "vertical"}], (0,), None),
    ("CI605", [{"format": "webp"}, {"format": "jpg"}], (1, "format"), None),
    ("CI605", [{"crop": {"width": 9, "height": 9, "gravity": "center", "x": 1}}], (0, "crop"), None),
    ("CI606", [{"rotate": 9}] * 11, (), None),
    ("CI202", [{"resize": {"width": 0, "height": 9}}], (0, "resize", "width"), "1"),
    ("CI106", [{"rotate": 10**5000}], (0, "rotate"), "360"),
    ("CI106", [{"blur": {"radius": float("nan"), "sigma": 1}}], (0, "blur", "radius"), None),
    ("CI107", [{"resize": {"width": 9, "height": 9, "fit": "containt"}}], (0, "resize", "fit"), "contain"),
    ("CI107", [{"format": "jpgg"}], (0, "format"), "jpg"),
    ("CI109", [{"watermark": {"text": "\ud800"}}], (0, "watermark", "text"), None),
    ("CI115", [{"watermark": {"text": "a", "color": "white"}}], (0, "watermark", "color"), "#FFFFFF"),
    ("CI117", [{"watermark": {"text": "a" * 20000}}], (), None),
    ("CI308", [{"watermark": {"image": "https://b/m"}}], (0, "watermark", "image"), "http://b/m"),
]


def piece(case: Case, problem: Problem) -> str:
    return case.rule[problem.start : problem.end]


def sole(problems: tuple[Problem, ...], code: str) -> Problem:
    assert [each.code for each in problems] == [code], problems
    return problems[0]


@pytest.mark.parametrize("case", SYNTAX, ids=repr)
def test_text_that_is_not_in_the_language(case: Case) -> None:
    parsed = parse(case.rule)
    problem = sole(parsed.problems, case.code)
    assert parsed.rule is None
    assert parsed.refused == (problem,)
    assert (piece(case, problem), problem.mend) == (case.piece, case.mend)


@pytest.mark.parametrize("case", RANGES, ids=repr)
def test_a_value_outside_its_range(case: Case) -> None:
    parsed = parse(case.rule)
    problem = sole(parsed.problems, case.code)
    assert parsed.refused == (problem,)
    assert (piece(case, problem), problem.mend) == (case.piece, case.mend)


@pytest.mark.parametrize("case", TOLERATED, ids=repr)
def test_a_value_that_ci_takes_as_another_one(case: Case) -> None:
    parsed = parse(case.rule)
    problem = sole(parsed.problems, case.code)
    assert parsed.rule is not None
    assert parsed.errors == (problem,)
    assert parsed.refused == ()
    assert (piece(case, problem), problem.mend) == (case.piece, case.mend)


@pytest.mark.parametrize("case", CONFLICTS + ADVICE, ids=repr)
def test_what_a_tree_tells(case: Case) -> None:
    parsed = parse(case.rule)
    assert parsed.rule is not None
    assert parsed.problems == ()
    found = check(parsed.rule, spans=parsed.spans, **case.known)
    problem = next(each for each in found if each.code == case.code)
    assert (piece(case, problem), problem.mend) == (case.piece, case.mend)
    # without the text's own places, offsets count in the printed rule
    unplaced = check(parsed.rule, **case.known)
    assert [each.code for each in unplaced] == [each.code for each in found]


@pytest.mark.parametrize(("code", "steps", "path", "mend"), STEPS)
def test_faults_of_steps(code: str, steps: object, path: tuple[object, ...], mend: str | None) -> None:
    compiled = compile_steps(steps)
    assert compiled.rule is None
    assert [(each.path, each.problem.code, each.problem.mend) for each in compiled.problems] == [(path, code, mend)]


def test_every_code_is_shown_here_and_only_codes_of_the_table_are() -> None:
    cases = {case.code for case in SYNTAX + RANGES + TOLERATED + CONFLICTS + ADVICE} | {row[0] for row in STEPS}
    assert cases == {row.code for row in CODES}
    assert len({row.code for row in CODES}) == len(CODES)
    assert [row.code for row in CODES] == sorted(row.code for row in CODES)


def test_the_message_of_a_height_of_zero() -> None:
    problem = parse("imageMogr2/thumbnail/200x0/format/webp").problems[0]
    assert (problem.code, problem.level) == ("CI203", ERROR)
    assert problem.message == "thumbnail height 0 is outside 1..10000"
    assert problem.start == len("imageMogr2/thumbnail/200x")


def test_all_faults_of_a_rule_are_told_at_once() -> None:
    text = "imageMogr2/thumbnail/0x/qualty/80/rotate/400|watermark/2/text/YQ/gravity/nort"
    assert [each.code for each in parse(text).problems] == ["CI202", "CI104", "CI207", "CI107"]


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ("imageMogr2/auto-orient/thumbnail/200x200>/format/webp/quality/80", {"key_extension": ".webp"}),
        ("imageMogr2/thumbnail/200x200>", {}),
        ("imageMogr2/auto-orient|imageMogr2/strip/format/png", {"key_extension": ".PNG"}),
        ("imageMogr2/format/webp", {"source_suffixes": (".png", ".gif"), "key_extension": "webp"}),
        ("imageMogr2/thumbnail/9x9>/strip", {"source_suffixes": (".png",)}),
        ("imageMogr2/rradius/9", {"source_suffixes": (".jpg", ".png")}),
        ("imageMogr2/format/svgc", {"source_suffixes": (".svg",), "key_extension": ".svg"}),
        ("imageMogr2/frame/1", {"persistent": False}),
        ("imageMogr2/grayscale/1/ignore-error/1", {"keep_original_on_error": True}),
        ("style/brand", {"key_extension": ".jpg"}),
        ("imageMogr2/rotate/90", {"key_extension": ".txt"}),
    ],
)
def test_rules_without_fault(rule: str, known: dict[str, Any]) -> None:
    parsed = parse(rule)
    assert parsed.problems == ()
    assert parsed.rule is not None
    assert check(parsed.rule, **known) == ()


def test_checks_of_steps_point_into_the_steps() -> None:
    compiled = compile_steps([{"resize": {"width": 9}}, {"watermark": {"text": "a", "rotate": 5}}, {"format": "avif"}])
    found = {each.problem.code: (each.path, each.problem.mend) for each in check_steps(compiled, key_extension=".jpg")}
    assert found == {
        "CI309": ((1, "watermark", "rotate"), None),
        "CI501": ((2, "format"), "auto_orient: true"),
        "CI502": ((2, "format"), None),
        "CI505": ((2, "format"), None),
    }


@pytest.mark.parametrize("text", ["#fff", "FFFFFF", "#ffffff", "white"])
def test_the_nearest_colour(text: str) -> None:
    assert texts.nearest_colour(text) == "#FFFFFF"
