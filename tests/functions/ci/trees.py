"""Hypothesis strategies over valid trees of the CI language."""

from __future__ import annotations

from hypothesis import strategies as st

from derivo.ci import formats, tree
from derivo.ci.tables import CI_PROCESSES, GRAVITIES

whole = st.integers
sides = whole(1, 10000)
offsets = whole(-50000, 50000)
qualities = whole(0, 100)
booleans = st.booleans()
unicode = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
colours = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}")
gravities = st.sampled_from(GRAVITIES)
decimals = st.integers(1, 499_999)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


two_sided = st.sampled_from(["fit", "shrink", "enlarge", "cover", "force"])
thumbnails = st.one_of(
    st.builds(tree.Thumbnail, form=two_sided, width=sides, height=sides),
    st.builds(tree.Thumbnail, form=st.just("width"), width=sides),
    st.builds(tree.Thumbnail, form=st.just("height"), height=sides),
    st.builds(tree.Thumbnail, form=st.just("area"), amount=whole(1, 250_000_000)),
    st.builds(
        tree.Thumbnail, form=st.sampled_from(["percent", "percent-width", "percent-height"]), amount=whole(1, 1000)
    ),
)
crops = st.one_of(
    st.builds(tree.Crop, width=sides, height=sides),
    st.builds(tree.Crop, width=sides),
    st.builds(tree.Crop, height=sides),
)
cuts = st.one_of(st.builds(tree.Cut, sides, sides), st.builds(tree.Cut, sides, sides, whole(0, 50000), whole(0, 50000)))
quality_nodes = st.builds(tree.Quality, qualities, booleans)

ops = st.one_of(
    thumbnails,
    cuts,
    crops,
    quality_nodes,
    st.builds(tree.Pad, booleans),
    st.builds(tree.Color, colours),
    st.builds(tree.Gravity, gravities),
    st.builds(tree.Dx, offsets),
    st.builds(tree.Dy, offsets),
    st.builds(tree.InnerRadius, whole(1, 24999)),
    st.builds(tree.RoundRadius, whole(1, 24999)),
    st.builds(tree.SmartCrop, sides, sides),
    st.builds(tree.RatioCrop, sides, sides),
    st.builds(tree.Rotate, whole(0, 360)),
    st.just(tree.AutoOrient()),
    st.builds(tree.Flip, st.sampled_from(["vertical", "horizontal"])),
    st.builds(tree.Format, st.sampled_from(formats.MOGR_FORMATS)),
    st.builds(tree.CGif, whole(1, 100)),
    st.builds(tree.EGif, whole(1, 10)),
    st.builds(tree.Frame, whole(1, 10000)),
    st.builds(tree.Interlace, booleans),
    st.builds(tree.RelativeQuality, qualities),
    st.builds(tree.LowestQuality, qualities),
    st.builds(tree.Blur, whole(10000, 500000).map(lambda n: n / 10000), decimals.map(lambda n: n / 10000)),
    st.builds(tree.Bright, whole(-100, 100)),
    st.builds(tree.Contrast, whole(-100, 100)),
    st.builds(tree.Sharpen, whole(10, 300)),
    st.builds(tree.Grayscale, booleans),
    st.just(tree.Strip()),
    st.builds(tree.SizeLimit, whole(1, 32768), st.just("k"), booleans),
    st.builds(tree.SizeLimit, whole(1, 32), st.just("m"), booleans),
    st.just(tree.IgnoreError()),
    st.builds(tree.AigcMetadata, unicode, maybe(unicode), maybe(unicode), reserved_code2=maybe(unicode)),
)

mogr = st.lists(ops, min_size=1, max_size=8, unique_by=type).map(lambda each: tree.ImageMogr2(tuple(each)))
view = st.builds(
    tree.ImageView2,
    whole(1, 5),
    sides,
    maybe(sides),
    maybe(st.sampled_from(formats.VIEW_FORMATS)),
    maybe(quality_nodes),
    maybe(qualities),
    maybe(qualities),
    booleans,
)
_place = {
    "gravity": maybe(gravities),
    "dx": maybe(offsets),
    "dy": maybe(offsets),
    "dissolve": maybe(whole(1, 100)),
    "batch": maybe(booleans),
    "degree": maybe(whole(0, 360)),
    "spacing": maybe(qualities),
    "scatype": maybe(whole(1, 3)),
    "spcent": maybe(whole(1, 1000)),
}
image_marks = st.builds(
    tree.ImageWatermark, image=unicode.map("http://".__add__), blogo=maybe(whole(1, 2)), **_place
) | st.builds(tree.ImageWatermark, image_key=unicode, **_place)
text_marks = st.builds(
    tree.TextWatermark,
    text=unicode,
    font=maybe(unicode),
    fontsize=maybe(sides),
    fill=maybe(colours),
    shadow=maybe(qualities),
    **_place,
)
versions = maybe(st.sampled_from(["1.0", "2.0", "3.0"]))
blind_marks = st.one_of(
    st.builds(tree.BlindWatermark, whole(1, 2), image=unicode, level=maybe(whole(1, 3)), version=versions),
    st.builds(tree.BlindWatermark, st.just(3), text=unicode, version=versions),
    st.builds(tree.BlindExtract, whole(1, 2), image=unicode, version=versions),
    st.builds(tree.BlindExtract, st.just(3), version=versions),
)
_plain = st.text(st.characters(categories=("L", "N", "P"), exclude_characters="&=|/"), min_size=1, max_size=12)
processes = st.builds(
    tree.CiProcess,
    st.sampled_from(CI_PROCESSES),
    st.dictionaries(_plain, _plain, max_size=3).map(lambda each: tuple(each.items())),
)
stages = st.one_of(
    mogr,
    mogr,
    view,
    image_marks,
    text_marks,
    blind_marks,
    st.builds(tree.Style, _plain),
    st.just(tree.ImageSlim()),
    st.builds(tree.QrCode, booleans),
    processes,
)
rules = st.lists(stages, min_size=1, max_size=4).map(lambda each: tree.Rule(tuple(each)))
