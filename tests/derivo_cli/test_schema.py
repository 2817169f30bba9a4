"""The JSON Schema of rule sets says what the reader says: no editor shows an error where lint has none, and only what
is not of the structure is left to lint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from derivo import rulekeys
from derivo.ci import compile_steps
from derivo.ci.steptables import MAP, OUTPUT, STEPS, Member
from derivo.loading import load_text
from derivo.rulekeys import DERIVATIVE_KEYS, RULE_SET_KEYS
from derivo.rulesets import ERROR
from derivo_cli import schema
from tests.derivo_cli.schemas import accepts

ROOT = Path(__file__).resolve().parents[2]

# What the reader refuses beyond the structure of a file: codes, or their beginnings, by the key where they arise.
LEFT_TO_LINT = {
    "include": ("RS302",),
    "exclude": ("RS302",),
    "min_size": ("RS211",),
    "max_size": ("RS211",),
    "examples": ("RS307",),
    "derivatives": ("RS208",),
    "to": ("RS301",),
    "manifest": ("RS301", "RS308"),
    "on_failure": ("RS309",),
    "style": ("RS306",),
    "rule": ("CI",),
    # CI601: the steps do nothing; CI605: x with gravity center; CI212: permille over 250 by area
    "steps": ("CI3", "CI4", "CI601", "CI605", "CI212"),
}


def errors(document: object) -> list[str]:
    """The codes of the errors that the reader finds. JSON is YAML, so no kind of value is lost on the way."""
    _, faults = load_text(json.dumps(document, ensure_ascii=False), "r.yml")
    return [fault.code for fault in faults if fault.level == ERROR]


def agree(document: object, key: str) -> None:
    found = errors(document)
    if accepts(document):
        assert [code for code in found if not code.startswith(LEFT_TO_LINT.get(key, ("-",)))] == []
    else:
        assert found


def with_steps(*steps: object) -> dict[str, Any]:
    return {"derivatives": [{"name": "t", "to": "/d/{path}", "steps": list(steps)}]}


BASE = with_steps({"rotate": 90})

SIDES = (0, 1, 10_000, 10_001, 50_000, 50_001, 250_000_000, 250_000_001)
SMALL = (-101, -100, -1, 9, 10, 50, 51, 100, 101, 250, 300, 301, 360, 361, 1000, 1001)
numbers = st.sampled_from([*SIDES, *SMALL, -50_001, -50_000, 10**15 - 1, 10**15, 10**30])
KEYS = ("", "a", "/a", "a/", "a/b", "a..b/../c", ".jpg", "jpg", "./a", "**", "[", "photos-1250000000", "photos", "A-1")
SIZES = ("0", "10", "010", "10MB", "10 MiB", "1.5GB", "10XB", "0x1F", "2026-11-22", "no", "yes", "null", "any")
TEMPLATES = (
    "{path}",
    "/d/{path}.webp",
    "{pth}",
    "{path",
    "{{path}}",
    "{dir}/{stem}.{ext}",
    "{spec}",
    "/a/",
    "/../",
    "keep",
    "thumb",
    "Thumb",
    "t\n",
)
STEP_WORDS = ("contain", "cover", "fill", "Center", "northwest", "middle", "webp", "Webp", "svgc", "horizontal", "area")
MARK_WORDS = ("#FF0000", "#ff00", "red", "http://b/m.png", "https://b/m.png", "by", "imageMogr2/strip", "style/x")
words = st.sampled_from([*KEYS, *SIZES, *TEMPLATES, *STEP_WORDS, *MARK_WORDS])
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"), max_size=9
)
decimals = st.integers(1, 600_000).filter(lambda n: n % 10_000).map(lambda n: n / 10_000)
scalars = st.none() | st.booleans() | numbers | decimals | words | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)


def test_the_file_is_what_derivo_schema_prints() -> None:
    kept = (ROOT / "rules" / "schema.json").read_text("utf-8")
    assert kept == schema.text(), "refresh it: derivo schema > rules/schema.json"


def test_it_is_a_schema_of_its_draft() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.yml")), ids=lambda path: path.name)
def test_the_samples_are_valid_and_point_at_the_schema(path: Path) -> None:
    content = path.read_text("utf-8")
    assert content.startswith("# yaml-language-server: $schema=./schema.json\n")
    assert accepts(yaml.safe_load(content))
    assert errors(yaml.safe_load(content)) == []


def test_every_property_says_what_it_is() -> None:
    def properties(found: object) -> list[Any]:
        if isinstance(found, dict):
            own = found.get("properties", {}) if "additionalProperties" in found else {}
            return [*own.values(), *(each for value in found.values() for each in properties(value))]
        return [each for item in found for each in properties(item)] if isinstance(found, list) else []

    found = properties(schema.schema())
    assert len(found) > 50
    assert all(each["description"].endswith(".") for each in found)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([*RULE_SET_KEYS, "prefx"]), anything)
def test_rule_set_keys_are_read_alike(key: str, value: object) -> None:
    agree({**BASE, key: value}, key)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([*DERIVATIVE_KEYS, "nam"]), anything)
def test_derivative_keys_are_read_alike(key: str, value: object) -> None:
    derivative = {"name": "t", "to": "/d/{path}", **({} if key in rulekeys.WAYS else {"style": "s"}), key: value}
    agree({"derivatives": [derivative]}, key)


@settings(max_examples=100, deadline=None)
@given(st.sets(st.sampled_from(list(DERIVATIVE_KEYS))))
def test_what_a_derivative_needs_is_read_alike(names: set[str]) -> None:
    whole = {"name": "t", "to": "/d/{path}", "bucket": "b-1", "rule": "imageMogr2/rotate/9", "style": "s",
             "steps": [{"rotate": 9}], "keep_original_on_error": True}  # fmt: skip
    document = {"derivatives": [{name: whole[name] for name in names}]}
    assert accepts(document) == (errors(document) == [])


def value_for(member: Member) -> st.SearchStrategy[Any]:
    """Values for a member: right and wrong ones, and maps of its own members."""
    if member.kind != MAP:
        return scalars
    inner = {name: value_for(each) for name, each in member.members.items()}
    likely = {name: st.sampled_from(GOOD[name]) | each if name in GOOD else each for name, each in inner.items()}
    maps = st.lists(st.sampled_from(list(inner)), max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: likely[name] for name in names})
    )
    return maps | st.fixed_dictionaries({name: likely[name] for name in member.needs}) | anything


# values that let a map come as far as its forms
GOOD: dict[str, list[Any]] = {
    "width": [1, 600],
    "height": [1, 600],
    "fit": ["contain", "cover", "fill"],
    "gravity": ["center", "SouthEast"],
    "text": ["© 云"],
    "image": ["logo.png"],
    "radius": [1, 2.5],
    "sigma": [0.0001, 3],
    "by": ["width"],
    "permille": [1],
    "size": [20],
    "opacity": [50],
}


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_steps_are_read_alike(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*STEPS, *OUTPUT]))
    agree(with_steps({name: data.draw(value_for({**STEPS, **OUTPUT}[name]))}), "steps")


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*STEPS, *OUTPUT]), st.just(True) | st.just(20) | st.just("webp"), max_size=3))
def test_which_names_share_a_step_is_read_alike(step: dict[str, object]) -> None:
    agree(with_steps(step), "steps")


@pytest.mark.parametrize(
    ("step", "right"),
    [
        ({"resize": {}}, False),
        ({"resize": {"fit": "contain"}}, False),
        ({"resize": {"width": 6}}, True),
        ({"resize": {"height": 6, "fit": "contain", "enlarge": True}}, True),
        ({"resize": {"width": 6, "gravity": "center"}}, False),
        ({"resize": {"width": 6, "fit": "cover"}}, False),
        ({"resize": {"width": 6, "height": 6, "fit": "cover", "gravity": "North"}}, True),
        ({"resize": {"width": 6, "height": 6, "fit": "cover", "enlarge": True}}, False),
        ({"resize": {"width": 6, "height": 6, "fit": "fill"}}, True),
        ({"resize": {"height": 6, "fit": "fill"}}, False),
        ({"resize": {"area": 6}}, True),
        ({"resize": {"area": 6, "width": 6}}, False),
        ({"resize": {"area": 6, "percent": 6}}, False),
        ({"resize": {"percent": 6, "fit": "contain"}}, False),
        ({"crop": {"width": 6}}, False),
        ({"blur": {"radius": 0.5, "sigma": 1}}, False),
        ({"watermark": {}}, False),
        ({"watermark": {"text": "a", "shadow": 5}}, True),
        ({"watermark": {"image": "a", "shadow": 5}}, False),
        ({"watermark": {"image": "a", "text": "a"}}, False),
        ({"watermark": {"image": "a", "scale": {"by": "width"}}}, False),
        ({"watermark": {"image": "https://b/a.png"}}, False),
        ({"watermark": {"image": "http://b/a.png"}}, True),
        ({"watermark": {"text": "a", "color": "#FF00GG"}}, False),
        ({"watermark": {"text": "a", "color": "#ff0099"}}, True),
        ({"rotate": 9, "flip": "vertical"}, False),
        ({"rotate": 9, "format": "webp"}, False),
        ({"flip": "vertical", "strip": True}, False),
        ({"format": "webp", "quality": 80}, True),
        ({}, False),
    ],
    ids=str,
)
def test_the_forms_of_a_step_are_read_alike(step: dict[str, Any], right: bool) -> None:
    assert accepts(with_steps(step)) == right
    assert (errors(with_steps(step)) == []) == right
    assert (compile_steps([step]).problems == ()) == right


@pytest.mark.parametrize(
    ("keys", "right"),
    [
        ({"examples": {"a": []}}, True),
        ({"examples": {"a": ["b", "c/d"]}}, True),
        ({"examples": {"a": ["/b"]}}, False),
        ({"examples": {"a": [1]}}, False),
        ({"examples": {"a": "b"}}, False),
        ({"examples": {"/a": []}}, False),
        ({"examples": {"": []}}, False),
        ({"min_size": 10**15 - 1}, True),
        ({"min_size": 10**15}, False),
        ({"max_size": "10 MiB"}, True),
        ({"suffixes": "any"}, True),
        ({"suffixes": "all"}, False),
        ({"suffixes": []}, False),
        ({"include": []}, False),
        ({"exclude": []}, True),
        ({"exclude": ["a" * 1024]}, True),
        ({"exclude": ["a" * 1025]}, False),
        ({"prefix": "a\n"}, True),
        ({"bucket": "photos-1250000000\n"}, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_values_of_rule_set_keys_are_read_alike(keys: dict[str, Any], right: bool) -> None:
    assert accepts({**BASE, **keys}) == right
    assert (errors({**BASE, **keys}) == []) == right


def test_lists_have_the_lengths_that_the_reader_wants() -> None:
    for count in (0, 1, 100, 101):
        document = with_steps(*[{"format": "webp"}] * count)
        assert accepts(document) == (0 < count <= 100)
        assert ("CI601" in errors(document)) == (not accepts(document))
