"""Steps compile to rules that do the same, in the order of the steps, whatever order CI keeps inside one stage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivo.ci import check_steps, compile_steps, formats, limits, parse, to_text
from derivo.ci.tables import GRAVITIES
from derivo.ci.texts import encode
from derivo.ci.tree import ImageMogr2


def compiled(*steps: dict[str, Any]) -> str:
    result = compile_steps(list(steps))
    assert result.problems == ()
    assert result.rule is not None
    return to_text(result.rule)


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        ({"auto_orient": True}, "imageMogr2/auto-orient"),
        ({"resize": {"width": 600, "height": 400}}, "imageMogr2/thumbnail/600x400>"),
        ({"resize": {"width": 600}}, "imageMogr2/thumbnail/600x10000>"),
        ({"resize": {"height": 400, "fit": "contain"}}, "imageMogr2/thumbnail/10000x400>"),
        ({"resize": {"width": 600, "enlarge": True}}, "imageMogr2/thumbnail/600x"),
        ({"resize": {"height": 400, "enlarge": True}}, "imageMogr2/thumbnail/x400"),
        (
            {"resize": {"width": 6, "height": 4, "enlarge": True}},
            "imageMogr2/thumbnail/6x4>|imageMogr2/thumbnail/6x4<",
        ),
        (
            {"resize": {"width": 6, "height": 4, "fit": "cover"}},
            "imageMogr2/thumbnail/!6x4r|imageMogr2/crop/6x4/gravity/center",
        ),
        (
            {"resize": {"width": 6, "height": 4, "fit": "cover", "gravity": "North"}},
            "imageMogr2/thumbnail/!6x4r|imageMogr2/crop/6x4/gravity/north",
        ),
        ({"resize": {"width": 6, "height": 4, "fit": "fill"}}, "imageMogr2/thumbnail/6x4!"),
        ({"resize": {"area": 35000}}, "imageMogr2/thumbnail/35000@"),
        ({"resize": {"percent": 50}}, "imageMogr2/thumbnail/!50p"),
        ({"crop": {"width": 6, "height": 4}}, "imageMogr2/cut/6x4x0x0/gravity/northwest"),
        ({"crop": {"width": 6, "height": 4, "gravity": "south", "y": 9}}, "imageMogr2/cut/6x4x0x9/gravity/south"),
        ({"rotate": 90}, "imageMogr2/rotate/90"),
        ({"flip": "horizontal"}, "imageMogr2/flip/horizontal"),
        ({"blur": {"radius": 8, "sigma": 2.5}}, "imageMogr2/blur/8x2.5"),
        ({"sharpen": 70}, "imageMogr2/sharpen/70"),
        ({"brightness": -20}, "imageMogr2/bright/-20"),
        ({"contrast": 20}, "imageMogr2/contrast/20"),
        ({"grayscale": True}, "imageMogr2/grayscale/1"),
        ({"format": "webp", "quality": 80}, "imageMogr2/format/webp/quality/80"),
        ({"strip": True, "interlace": True, "format": "jpg"}, "imageMogr2/strip/interlace/1/format/jpg"),
        ({"watermark": {"image": "logos/a b.png"}}, f"watermark/1/image_key/{encode('logos/a b.png')}"),
        (
            {"watermark": {"image": "http://b/m", "tile": True, "rotate": 30, "scale": {"by": "area", "permille": 9}}},
            f"watermark/1/image/{encode('http://b/m')}/scatype/3/spcent/9/batch/1/degree/30",
        ),
        (
            {"watermark": {"text": "© 云", "size": 20, "color": "#ff0000", "gravity": "north", "opacity": 60, "dy": 5}},
            f"watermark/2/text/{encode('© 云')}/fontsize/20/fill/{encode('#FF0000')}/dissolve/60/gravity/north/dy/5",
        ),
    ],
)
def test_each_step(step: dict[str, Any], rule: str) -> None:
    text = compiled(step)
    assert parse(text).rule == parse(rule).rule


def test_steps_are_executed_in_their_order() -> None:
    assert compiled({"rotate": 90}, {"resize": {"width": 9}}, {"rotate": 5}) == (
        "imageMogr2/rotate/90|imageMogr2/thumbnail/9x10000>|imageMogr2/rotate/5"
    )


def test_how_the_file_is_written_comes_last_wherever_it_stands() -> None:
    assert compiled({"format": "png"}, {"strip": True}, {"rotate": 9}) == "imageMogr2/rotate/9/format/png/strip"
    assert compiled({"format": "png"}, {"watermark": {"text": "a"}}) == "watermark/2/text/YQ|imageMogr2/format/png"


def test_a_switch_that_is_off_does_nothing() -> None:
    assert compiled({"auto_orient": False}, {"rotate": 9}, {"strip": False}) == "imageMogr2/rotate/9"


def test_what_ci_takes_as_another_value_is_told_and_still_compiled() -> None:
    result = compile_steps([{"resize": {"width": 20000}}])
    assert [each.problem.code for each in result.problems] == ["CI202"]
    assert result.problems[0].problem.tolerated
    assert result.rule is not None


def test_all_faults_of_steps_are_told_at_once() -> None:
    result = compile_steps([{"rotate": 400}, {"blurr": 1}, {"sharpen": "x"}, {"format": "jpg", "quality": 101}])
    assert [each.path for each in result.problems] == [(0, "rotate"), (1, "blurr"), (2, "sharpen"), (3, "quality")]


def test_the_members_of_a_map_point_at_themselves() -> None:
    result = compile_steps([{"watermark": {"text": "a", "opacity": 60}}])
    assert result.origins[(0, "dissolve")] == (0, "watermark", "opacity")


numbers = st.integers(1, 200)
gravities = st.sampled_from(GRAVITIES)
resized = st.fixed_dictionaries({"width": numbers}, optional={"height": numbers, "enlarge": st.booleans()})
covered = st.fixed_dictionaries({"width": numbers, "height": numbers, "fit": st.just("cover")})
cropped = st.fixed_dictionaries({"width": numbers, "height": numbers}, optional={"x": numbers})
text_marks = st.fixed_dictionaries(
    {"text": st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=9)},
    optional={"gravity": gravities, "dx": numbers, "tile": st.booleans(), "opacity": st.integers(1, 100)},
)
members = {
    "auto_orient": st.booleans(),
    "rotate": st.integers(0, 360),
    "grayscale": st.booleans(),
    "sharpen": st.integers(10, 300),
    "resize": resized | covered,
    "crop": cropped,
    "watermark": text_marks,
}
valid = st.lists(st.one_of(st.fixed_dictionaries({name: each}) for name, each in members.items()), max_size=4)
endings = st.fixed_dictionaries(
    {"format": st.sampled_from([name for name in formats.MOGR_FORMATS if name not in ("svgc", "astc")])},
    optional={"quality": st.integers(0, 100), "strip": st.booleans(), "interlace": st.booleans()},
)


@settings(max_examples=200, deadline=None)
@given(valid, endings)
def test_valid_steps_give_a_rule_without_conflict(steps: list[dict[str, Any]], ending: dict[str, Any]) -> None:
    result = compile_steps([*steps, ending])
    assert result.problems == ()
    assert result.rule is not None
    assert len(result.rule.stages) <= limits.STAGES
    assert parse(to_text(result.rule)).rule == result.rule
    found = check_steps(result)
    assert not [each for each in found if each.problem.level == "error"]
    assert not [each for each in found if each.problem.code == "CI511"]
    for stage in result.rule.stages[:-1]:
        assert not isinstance(stage, ImageMogr2) or len(stage.ops) <= 2


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["cover", "webp"])
names = st.sampled_from(
    [
        "resize",
        "crop",
        "rotate",
        "flip",
        "watermark",
        "format",
        "quality",
        "blur",
        "width",
        "height",
        "fit",
        "text",
        "image",
        "scale",
        "by",
        "radius",
        "sigma",
        "strip",
        "area",
        "gravity",
    ]
)
yaml = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | scalars, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(yaml | st.lists(st.dictionaries(names, yaml, max_size=2), max_size=5))
def test_anything_that_yaml_can_hold_gives_a_rule_or_problems(steps: object) -> None:
    result = compile_steps(steps)
    assert (result.rule is None) == any(not each.problem.tolerated for each in result.problems)
    if result.rule is not None:
        again = parse(to_text(result.rule))
        assert again.rule == result.rule
        assert again.refused == ()
