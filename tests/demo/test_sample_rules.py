"""The sample rule sets: sound, realistic, and all of them within what the demo can check."""

from pathlib import Path

import pytest

from demo.expect import expected
from derivo.ci import parse, tree
from derivo.events import Source
from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo.plan import plan
from derivo.rulesets import RuleSet, render

FOLDER = Path(__file__).resolve().parents[2] / "rules"
LOADED = load(str(FOLDER))
INDEX = RuleSetIndex(LOADED.rule_sets)


def keys(key: str) -> list[str]:
    source = Source(bucket="demo-1250000000", region="ap-guangzhou", key=key, size=1000)
    return [planned.key for planned in plan(source, INDEX).derivatives]


def test_there_is_nothing_to_say_against_them() -> None:
    assert [render(fault) for fault in LOADED.faults] == []
    assert sorted(rule_set.name for rule_set in LOADED.rule_sets) == ["articles", "avatars", "products"]


@pytest.mark.parametrize("rule_set", LOADED.rule_sets, ids=lambda rule_set: rule_set.name)
def test_their_examples_hold(rule_set: RuleSet) -> None:
    assert rule_set.examples
    for example in rule_set.examples:
        assert keys(example.key) == list(example.expected)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_editors_find_their_schema(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=./schema.json\n")


def test_no_derivative_is_a_source() -> None:
    for rule_set in LOADED.rule_sets:
        for example in rule_set.examples:
            assert [keys(key) for key in example.expected] == [[]] * len(example.expected)


def test_every_rule_turns_upright_first_and_strips() -> None:
    for rule_set in LOADED.rule_sets:
        for derivative in rule_set.derivatives:
            first = derivative.rule.stages[0]
            assert isinstance(first, tree.ImageMogr2)
            assert isinstance(first.ops[0], tree.AutoOrient)
            assert any(
                isinstance(stage, tree.ImageMogr2) and tree.Strip() in stage.ops for stage in derivative.rule.stages
            )


def test_requests_are_split_for_products() -> None:
    source = Source(bucket="demo-1250000000", region="ap-guangzhou", key="products/a.jpg", size=1000)
    made = plan(source, INDEX)
    assert [len(request.derivatives) for request in made.requests] == [5, 2]


def test_the_watermark_is_chinese_text() -> None:
    rules = [each for rule_set in LOADED.rule_sets if rule_set.name == "articles" for each in rule_set.derivatives]
    marks = [stage.text for each in rules for stage in each.rule.stages if isinstance(stage, tree.TextWatermark)]
    assert marks
    assert set(marks) == {"© 山水晚报"}


def test_the_demo_can_tell_the_result_of_each() -> None:
    for rule_set in LOADED.rule_sets:
        for example in rule_set.examples:
            source = Source(bucket="demo-1250000000", region="ap-guangzhou", key=example.key, size=1000)
            for planned in plan(source, INDEX).derivatives:
                assert parse(planned.rule).errors == ()
                expected(planned.rule, format="jpeg", width=1000, height=800)
