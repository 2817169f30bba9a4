"""The worked examples of the vendor's documents, as the reference lists them, give the tree they should."""

from __future__ import annotations

import pytest

from derivo.ci import parse, texts, to_text
from derivo.ci import tree as t
from derivo.ci.tree import Rule, Stage, Thumbnail

WHITE = "I0ZGRkZGRg"


def mogr(*ops: t.MogrOp) -> Stage:
    return t.ImageMogr2(ops)


def b64(text: str) -> str:
    return texts.encode(text)


THUMBNAILS = {
    "!50p": Thumbnail("percent", amount=50),
    "!50px": Thumbnail("percent-width", amount=50),
    "!x50p": Thumbnail("percent-height", amount=50),
    "200x": Thumbnail("width", width=200),
    "x200": Thumbnail("height", height=200),
    "600x600": Thumbnail("fit", 600, 600),
    "200x100>": Thumbnail("shrink", 200, 100),
    "200x100<": Thumbnail("enlarge", 200, 100),
    "!200x100r": Thumbnail("cover", 200, 100),
    "200x400!": Thumbnail("force", 200, 400),
    "35000@": Thumbnail("area", amount=35000),
}

RULES: dict[str, tuple[Stage, ...]] = {
    "imageMogr2/format/png": (mogr(t.Format("png")),),
    "imageMogr2/thumbnail/600x600/pad/1/color/IzNEM0QzRA": (
        mogr(Thumbnail("fit", 600, 600), t.Pad(True), t.Color("#3D3D3D")),
    ),
    "imageMogr2/cut/600x600x100x10": (mogr(t.Cut(600, 600, 100, 10)),),
    "imageMogr2/cut/400x400/gravity/northwest": (mogr(t.Cut(400, 400), t.Gravity("northwest")),),
    "imageMogr2/crop/300x400/gravity/center": (mogr(t.Crop(300, 400), t.Gravity("center")),),
    "imageMogr2/crop/300x": (mogr(t.Crop(width=300)),),
    "imageMogr2/crop/x300": (mogr(t.Crop(height=300)),),
    "imageMogr2/iradius/300": (mogr(t.InnerRadius(300)),),
    "imageMogr2/rradius/100": (mogr(t.RoundRadius(100)),),
    "imageMogr2/scrop/100x600": (mogr(t.SmartCrop(100, 600)),),
    "imageMogr2/rcrop/500x400/format/jpg/quality/82": (mogr(t.RatioCrop(500, 400), t.Format("jpg"), t.Quality(82)),),
    "imageMogr2/rotate/90": (mogr(t.Rotate(90)),),
    "imageMogr2/auto-orient": (mogr(t.AutoOrient()),),
    "imageMogr2/flip/vertical": (mogr(t.Flip("vertical")),),
    "imageMogr2/format/gif/cgif/10": (mogr(t.Format("gif"), t.CGif(10)),),
    "imageMogr2/egif/3": (mogr(t.EGif(3)),),
    "imageMogr2/frame/50": (mogr(t.Frame(50)),),
    "imageMogr2/format/jpg/interlace/1": (mogr(t.Format("jpg"), t.Interlace(True)),),
    "imageMogr2/quality/90!": (mogr(t.Quality(90, True)),),
    "imageMogr2/rquality/80": (mogr(t.RelativeQuality(80)),),
    "imageMogr2/lquality/80": (mogr(t.LowestQuality(80)),),
    "imageMogr2/blur/8x5": (mogr(t.Blur(8, 5)),),
    "imageMogr2/bright/-70": (mogr(t.Bright(-70)),),
    "imageMogr2/contrast/100": (mogr(t.Contrast(100)),),
    "imageMogr2/sharpen/70": (mogr(t.Sharpen(70)),),
    "imageMogr2/grayscale/1": (mogr(t.Grayscale(True)),),
    "imageMogr2/strip/format/jpg/size-limit/15k!": (mogr(t.Strip(), t.Format("jpg"), t.SizeLimit(15, "k", True)),),
    "imageMogr2/thumbnail/!50p/ignore-error/1": (mogr(Thumbnail("percent", amount=50), t.IgnoreError()),),
    f"imageMogr2/AIGCMetadata/Label/{b64('1')}/ProduceID/{b64('p')}": (mogr(t.AigcMetadata("1", produce_id="p")),),
    "imageView2/1/w/500/h/400": (t.ImageView2(1, 500, 400),),
    "imageView2/format/png": (t.ImageView2(format="png"),),
    "imageView2/2/w/500/q/85!": (t.ImageView2(2, 500, quality=t.Quality(85, True)),),
    f"watermark/1/image/{b64('http://b-1.cos.r.myqcloud.com/m.png')}/gravity/southeast": (
        t.ImageWatermark("http://b-1.cos.r.myqcloud.com/m.png", gravity="southeast"),
    ),
    f"watermark/2/text/{b64('腾讯云')}/fill/{WHITE}/fontsize/30/dx/20/dy/20": (
        t.TextWatermark("腾讯云", fontsize=30, fill="#FFFFFF", dx=20, dy=20),
    ),
    f"watermark/3/type/2/image/{b64('http://x/m.png')}/level/2": (t.BlindWatermark(2, "http://x/m.png", level=2),),
    f"watermark/3/type/3/text/{b64('abc')}/version/3.0": (t.BlindWatermark(3, text="abc", version="3.0"),),
    "watermark/4/type/3": (t.BlindExtract(3),),
    "style/brand": (t.Style("brand"),),
    "imageSlim": (t.ImageSlim(),),
    "QRcode/cover/1": (t.QrCode(True),),
    "ci-process=AIImageCrop&width=100&height=100": (t.CiProcess("AIImageCrop", (("width", "100"), ("height", "100"))),),
    "imageMogr2/thumbnail/200x|imageView2/format/png|style/a": (
        mogr(Thumbnail("width", 200)),
        t.ImageView2(format="png"),
        t.Style("a"),
    ),
}


@pytest.mark.parametrize(("form", "node"), THUMBNAILS.items())
def test_each_form_of_thumbnail(form: str, node: Thumbnail) -> None:
    assert parse(f"imageMogr2/thumbnail/{form}").rule == Rule((mogr(node),))


@pytest.mark.parametrize(("text", "stages"), RULES.items())
def test_examples_give_their_tree_and_print_as_they_were(text: str, stages: tuple[Stage, ...]) -> None:
    parsed = parse(text)
    assert parsed.problems == ()
    assert parsed.rule == Rule(stages)
    again = parse(to_text(Rule(stages)))
    assert again.rule == Rule(stages)


@pytest.mark.parametrize(
    ("written", "same"),
    {
        "watermark/2/text/YQ/dissolve/40/": "watermark/2/text/YQ/dissolve/40",
        " QRcode/cover/1 ": "QRcode/cover/1",
        "watermark/2/text/YQ==": "watermark/2/text/YQ",
        f"watermark/2/text/YQ/fill/{WHITE}==": f"watermark/2/text/YQ/fill/{WHITE}",
        "watermark/2/text/Pz8+": "watermark/2/text/Pz8-",
        "imageMogr2/crop/3x3/gravity/NorthWest": "imageMogr2/crop/3x3/gravity/northwest",
        "imageMogr2/thumbnail/0200x": "imageMogr2/thumbnail/200x",
        f"watermark/2/text/YQ/fill/{b64('#abcdef')}": f"watermark/2/text/YQ/fill/{b64('#ABCDEF')}",
        "imageMogr2/blur/8.0x2.50": "imageMogr2/blur/8x2.5",
    }.items(),
)
def test_spellings_that_ci_takes_as_well(written: str, same: str) -> None:
    parsed = parse(written)
    assert parsed.problems == ()
    assert parsed.rule is not None
    assert to_text(parsed.rule) == same


def test_ten_stages_are_allowed_and_eleven_are_not() -> None:
    assert parse("|".join(["imageSlim"] * 10)).problems == ()
    assert [each.code for each in parse("|".join(["imageSlim"] * 11)).problems] == ["CI112"]


def test_spans_tell_where_operations_stand() -> None:
    text = "imageMogr2/thumbnail/200x/strip|style/brand"
    spans = parse(text).spans
    pieces = {path: text[start:end] for path, (start, end) in spans.items()}
    assert pieces[(0, "thumbnail")] == "thumbnail/200x"
    assert pieces[(0, "strip")] == "strip"
    assert pieces[(0,)] == "imageMogr2/thumbnail/200x/strip"
    assert pieces[(1, "style")] == "style/brand"
