"""Which rule sets match: by prefix, filters and size, the longest prefix first; and the same through the index."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo import globs
from derivo.events import Source
from derivo.matching import RuleSetIndex, explain, lower_ascii
from derivo.rulesets import RuleSet, Where

HERE = Where("r.yml", 1, 1)


def rule_set(name: str = "r", **clauses: Any) -> RuleSet:
    for clause in ("include", "exclude"):
        clauses[clause] = tuple(globs.parse(text) for text in clauses.get(clause, ()))
    return RuleSet(name=name, derivatives=(), where=HERE, **clauses)


def source(key: str, size: int | None = 100, bucket: str = "photos-1") -> Source:
    return Source(bucket=bucket, region="ap-guangzhou", key=key, size=size)


@pytest.mark.parametrize(
    ("clauses", "key", "clause"),
    [
        ({}, "a", None),
        ({"prefix": "p/"}, "p/a", None),
        ({"prefix": "p/"}, "P/a", "prefix"),
        ({"prefix": "p/"}, "p", "prefix"),
        ({"suffixes": (".jpg",)}, "a.JPG", None),
        ({"suffixes": (".jpg",)}, "a.jpg.webp", "suffixes"),
        ({"suffixes": (".png", ".jpg")}, "a.jpg", None),
        ({"suffixes": (".kpg",)}, "a.\u212apg", "suffixes"),  # the Kelvin sign is no K
        ({"include": ["a/*"]}, "a/b", None),
        ({"include": ["a/*", "b/**"]}, "b/c/d", None),
        ({"include": ["a/*"]}, "a/b/c", "include"),
        ({"exclude": ["**/raw/**"]}, "raw/a", "exclude"),
        ({"exclude": ["**/raw/**"]}, "draw/a", None),
        ({"include": ["**"], "exclude": ["**"]}, "a", "exclude"),
        ({"min_size": 100, "max_size": 100}, "a", None),
        ({"min_size": 101}, "a", "min_size"),
        ({"max_size": 99}, "a", "max_size"),
        ({"bucket": "photos-1"}, "a", None),
        ({"bucket": "photos-2", "prefix": "x"}, "a", "bucket"),
        ({"prefix": "x", "suffixes": (".y",), "max_size": 1}, "a", "prefix"),
    ],
)
def test_the_first_clause_that_fails(clauses: dict[str, Any], key: str, clause: str | None) -> None:
    assert explain(rule_set(**clauses), source(key)) == clause


def test_a_source_of_unknown_size_passes_the_sizes() -> None:
    assert explain(rule_set(min_size=10, max_size=20), source("a", size=None)) is None


def test_the_longest_prefix_comes_first_then_the_name() -> None:
    index = RuleSetIndex(
        [rule_set("z"), rule_set("b", prefix="a/"), rule_set("a", prefix="a/"), rule_set("c", prefix="a/b/")]
    )
    assert [r.name for r in index.matching(source("a/b/c"))] == ["c", "a", "b", "z"]
    assert [r.name for r in index.matching(source("a/b"))] == ["a", "b", "z"]
    assert [r.name for r in index.considered] == ["c", "a", "b", "z"]


def test_final_stops_only_where_it_matches() -> None:
    index = RuleSetIndex(
        [rule_set("all"), rule_set("gif", prefix="a/", suffixes=(".gif",), final=True), rule_set("a", prefix="a")]
    )
    assert [r.name for r in index.matching(source("a/b.gif"))] == ["gif"]
    assert [r.name for r in index.matching(source("a/b.jpg"))] == ["a", "all"]


def test_only_latin_letters_lose_their_case() -> None:
    assert lower_ascii("AZaz.İÄ\u212a") == "azaz.İÄ\u212a"


prefixes = st.text(alphabet="ab/猫", max_size=4)
rule_sets = st.builds(
    rule_set,
    st.text(alphabet="xyz", min_size=1, max_size=3),
    prefix=prefixes,
    suffixes=st.none() | st.just((".a",)),
    exclude=st.sampled_from([[], ["**/b*"]]),
    min_size=st.none() | st.just(101),
    final=st.booleans(),
)


@given(st.lists(rule_sets, max_size=12), st.text(alphabet="ab/猫.", min_size=1, max_size=6))
def test_the_index_finds_what_a_scan_finds(sets: list[RuleSet], key: str) -> None:
    expected: list[RuleSet] = []
    for each in sorted(sets, key=lambda r: (-len(r.prefix), r.name)):
        if explain(each, source(key)) is None:
            expected.append(each)
            if each.final:
                break
    assert list(RuleSetIndex(sets).matching(source(key))) == expected


def test_matching_looks_only_at_rule_sets_whose_prefix_fits() -> None:
    """Rule sets that cannot be looked at without an error stand for the 100,000 that must cost nothing."""
    traps = [msgspec.structs.replace(rule_set(f"t{i}", prefix=f"p{i}/"), suffixes=(i,)) for i in range(100)]
    index = RuleSetIndex([*traps, rule_set("good", prefix="good/")])
    assert [r.name for r in index.matching(source("good/a"))] == ["good"]
