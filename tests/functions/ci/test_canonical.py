"""Rules of one meaning have one canonical text; rules that may differ keep different ones."""

from __future__ import annotations

from hashlib import sha256

import pytest

from derivo.ci import canonical, parse, spec_digest
from derivo.ci.texts import encode


def canon(text: str) -> str:
    rule = parse(text).rule
    assert rule is not None
    return canonical(rule)


WHITE = encode("#FFFFFF")
GREY = encode("#3D3D3D")
MARK = "watermark/2/text/YQ"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("imageMogr2/format/jpeg", "imageMogr2/format/jpg"),
        ("imageView2/1/h/2/w/1/format/jpeg", "imageView2/1/w/1/h/2/format/jpg"),
        ("imageMogr2/strip/interlace/0", "imageMogr2/strip"),
        ("imageMogr2/strip/grayscale/0", "imageMogr2/strip"),
        ("imageMogr2/strip/rotate/0", "imageMogr2/strip"),
        ("imageMogr2/strip/rotate/360", "imageMogr2/strip"),
        (f"imageMogr2/thumbnail/9x9/pad/0/color/{WHITE}", "imageMogr2/thumbnail/9x9"),
        ("imageMogr2/thumbnail/20000x", "imageMogr2/thumbnail/10000x"),
        ("imageMogr2/thumbnail/!2000p/strip", "imageMogr2/strip"),
        ("imageMogr2/crop/3x3/gravity/Center/dx/5/dy/6", "imageMogr2/crop/3x3/gravity/center"),
        ("imageMogr2/crop/3x3/gravity/north/dx/5/dy/6", "imageMogr2/crop/3x3/gravity/north/dy/6"),
        ("imageMogr2/cgif/1", "imageMogr2/cgif/30"),
        ("imageMogr2/cgif/9/egif/2", "imageMogr2/cgif/9"),
        ("imageMogr2/interlace/0|imageMogr2/strip", "imageMogr2/strip"),
        ("imageMogr2/grayscale/0", "imageMogr2/interlace/0"),
        (f"watermark/2/gravity/SouthEast/text/YQ==/dissolve/90/dx/0/dy/0/fill/{GREY}/fontsize/13", MARK),
        (f"{MARK}/batch/0/degree/45/shadow/0/spacing/10", MARK),
        (f"{MARK}/batch/1/degree/0", f"{MARK}/batch/1"),
        (f"{MARK}/dy/7/dx/8", f"{MARK}/dx/8/dy/7"),
        ("watermark/3/level/1/image/YQ/type/2", "watermark/3/type/2/image/YQ"),
        ("ci-process=AIImageCrop&width=1&height=2", "ci-process=AIImageCrop&height=2&width=1"),
        ("imageMogr2/blur/3.0x1.50/", "imageMogr2/blur/3x1.5"),
    ],
)
def test_same_meaning_same_text(text: str, same: str) -> None:
    assert canon(text) == same
    assert canon(same) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # the order inside a stage is not documented
        ("imageMogr2/rotate/90/thumbnail/9x", "imageMogr2/thumbnail/9x/rotate/90"),
        # the default is disputed
        (f"imageMogr2/thumbnail/9x9/pad/1/color/{WHITE}", "imageMogr2/thumbnail/9x9/pad/1"),
        ("imageMogr2/crop/3x3/gravity/northwest", "imageMogr2/crop/3x3"),
        ("imageMogr2/strip|imageMogr2/rotate/9", "imageMogr2/strip/rotate/9"),
        ("imageMogr2/quality/90!", "imageMogr2/quality/90"),
        ("imageMogr2/format/yjpeg", "imageMogr2/format/jpg"),
        ("watermark/1/image_key/YQ/spacing/10", "watermark/1/image_key/YQ"),
        ("style/A", "style/a"),
    ],
)
def test_what_may_differ_stays_different(one: str, other: str) -> None:
    assert canon(one) != canon(other)


def test_the_digest_is_of_the_canonical_text() -> None:
    rule = parse("imageMogr2/format/jpeg/interlace/0").rule
    assert rule is not None
    assert spec_digest(rule) == sha256(b"imageMogr2/format/jpg").hexdigest()[:12]
