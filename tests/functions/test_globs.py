"""Glob patterns: what each sign means, and the same answer as a plain regular expression for any pattern and key."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from derivo.globs import Any, Class, Deep, Folders, Glob, GlobError, Literal, Star, parse

MATCHES = [
    ("a/b.jpg", "a/b.jpg"),
    ("*.jpg", "猫 +%.jpg"),
    ("*.jpg", ".jpg"),
    ("?", "\n"),
    ("?", "𝒳"),
    ("*", ""),
    ("**", "a//b/\n/c"),
    ("**/raw/**", "raw/x"),
    ("**/raw/**", "a/b/raw/x/y"),
    ("**/x", "/x"),
    ("a/**/b", "a/b"),
    ("a/**/b", "a//b"),
    ("a/**/b", "a/x/y/b"),
    ("a/**/**/b", "a/b"),
    ("**/*.png", "北京/thumbnails/a.png"),
    ("/maps/*/thumbnails", "/maps/北京/thumbnails"),
    ("a**/b", "ax/y/b"),
    ("[*][?][[]", "*?["),
    ("[!a-z]", "A"),
    ("[a-]", "-"),
    ("[-a]", "-"),
    ("[一-龥]", "猫"),
]
MISSES = [
    ("*.jpg", "a/b.jpg"),
    ("*.jpg", "a.JPG"),
    ("?", ""),
    ("?", "/"),
    ("?", "ab"),
    ("[!a]", "/"),
    ("[!a]", "a"),
    ("[--0]", "/"),
    ("**/raw/**", "drawer/x"),
    ("**/raw/**", "xraw/x"),
    ("a/**/b", "a/xb"),
    ("**/b", "ab"),
    ("a", "a\n"),
]


@pytest.mark.parametrize(("pattern", "key"), MATCHES)
def test_matches(pattern: str, key: str) -> None:
    assert parse(pattern).match(key)


@pytest.mark.parametrize(("pattern", "key"), MISSES)
def test_does_not_match(pattern: str, key: str) -> None:
    assert not parse(pattern).match(key)


def test_tokens() -> None:
    assert parse("a/**/b*c**?[!x-z0]") == Glob(
        "a/**/b*c**?[!x-z0]",
        (
            Literal("a/"),
            Folders(),
            Literal("b"),
            Star(),
            Literal("c"),
            Deep(),
            Any(),
            Class(((ord("x"), ord("z")), (ord("0"), ord("0"))), negated=True),
        ),
    )


@pytest.mark.parametrize(
    ("pattern", "offset"),
    [("", 0), ("ab[cd", 2), ("a[]", 1), ("a[!]", 1), ("[z-a]", 1), ("[bz-a]", 2), ("a/***", 2), ("[/]", 1), ("é[", 1)],
)
def test_a_faulty_pattern_is_refused_at_its_character(pattern: str, offset: int) -> None:
    with pytest.raises(GlobError) as refused:
        parse(pattern)
    assert refused.value.offset == offset


def test_an_endless_pattern_is_refused() -> None:
    with pytest.raises(GlobError, match="1025 characters"):
        parse("a" * 1025)


def test_a_key_made_to_backtrack_is_answered() -> None:
    pattern = parse("**/" + "*a**a?" * 40 + "b")
    assert not pattern.match("a" * 850)
    assert pattern.match("a" * 849 + "b")


ORACLE = re.compile(
    r"(?P<folders>(?:^|(?<=/))\*\*/)|(?P<deep>\*\*)|(?P<star>\*)|(?P<any>\?)|\[(?P<no>!?)(?P<members>[^]]+)\]|(?s:.)"
)
MEANING = {"folders": "(?:.*/)?", "deep": ".*", "star": "[^/]*", "any": "[^/]"}


def oracle(pattern: str, key: str) -> bool:
    """The same language as a backtracking regular expression."""

    def translate(found: re.Match[str]) -> str:
        if found["members"]:
            return "(?!/)[" + ("^" if found["no"] else "") + found["members"] + "]"
        return MEANING.get(found.lastgroup or "") or re.escape(found[0])

    return re.fullmatch(ORACLE.sub(translate, pattern), key, re.DOTALL) is not None


SIGNS = ["*", "**", "**/", "/", "?", "a", "b", ".", "猫", "\n", "𝒳", "[ab]", "[!a]", "[a-c猫]", "[!-.]", "+"]
patterns = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=8).map("".join)
keys = st.text(alphabet="ab/.猫\n𝒳+", max_size=10) | st.text(max_size=6)


@given(patterns, keys)
@example("**/**/a", "b/a")
@example("**a**/", "/a/")
def test_the_same_answer_as_a_regular_expression(pattern: str, key: str) -> None:
    assume("***" not in pattern)
    assert parse(pattern).match(key) == oracle(pattern, key)


@given(st.text(alphabet="*?[]!-/ab", max_size=12) | st.text(max_size=12), st.text(max_size=8))
def test_any_text_is_a_pattern_or_refused_inside_itself(text: str, key: str) -> None:
    try:
        assert parse(text).match(key) in (True, False)
    except GlobError as error:
        assert 0 <= error.offset <= len(text)


@given(st.text(min_size=1, max_size=20).filter(lambda key: not set(key) & set("*?[")))
def test_a_text_without_signs_matches_itself_only(key: str) -> None:
    assert parse(key).match(key)
    assert not parse(key).match(key + "x")
