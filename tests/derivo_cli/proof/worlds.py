"""Small random collections of rule sets, dense with near misses."""

from __future__ import annotations

import contextlib

from hypothesis import strategies as st

from derivo import globs, keys
from derivo.rulesets import RuleSet
from tests.derivo_cli.proof.oracle import derivative, rule_set

ALPHABET = "aA字./"  # 字 is a letter that only some rules name; x, y, z and all of Unicode are not named at all
_WORDS = st.text("aA字./", max_size=3)


@st.composite
def _globs(draw: st.DrawFn) -> str:
    pieces = [
        "a",
        "A",
        "字",
        ".",
        "/",
        "*",
        "**",
        "**/",
        "?",
        "[a字]",
        "[!a]",
        "[A-Z]",
        "[!.-z]",
        "a/**",
        "**/a",
        "*.a",
    ]
    text = "".join(draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=4)))
    with contextlib.suppress(globs.GlobError):
        globs.parse(text)
        return text
    return "**"


@st.composite
def _templates(draw: st.DrawFn) -> str:
    pieces = [
        "{path}",
        "{dir}",
        "{dir}/",
        "{name}",
        "{stem}",
        "{ext}",
        ".{ext}",
        "a",
        "A",
        ".",
        "/",
        "字",
        "a/",
        "/a",
        "{derivative}",
    ]
    text = "".join(draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=4)))
    if draw(st.booleans()):
        text = "/" + text
    for end in ("", "a", "{name}"):
        with contextlib.suppress(keys.TemplateError):
            keys.parse(text + end)
            return text + end
    return "/a/{path}"


_SUFFIXES = st.sampled_from([None, None, (".a",), (".a", ".字"), ("a",), ("/a",), ("",), ("字.a", "a.a")])
_USUAL = st.sampled_from(
    ["{name}.a", "/a/{path}", "/a/{path}.a", "{dir}/{stem}.{ext}", "/字/{stem}.a", "/{ext}/{dir}/{stem}.a", "a/{name}"]
)
_PREFIXES = st.sampled_from(["", "", "a", "a/", "a/a", "A/", "字", "a/字"]) | _WORDS


@st.composite
def rule_sets(draw: st.DrawFn, largest: int = 3) -> list[RuleSet]:
    made = []
    for i in range(draw(st.integers(1, largest))):
        buckets = st.sampled_from([None, None, None, "a-1", "b-1"])
        outputs = draw(st.lists(st.tuples(_USUAL | _templates(), buckets), min_size=0 if i else 1, max_size=2))
        low, high = draw(st.sampled_from([(None, None)] * 3 + [(None, 5), (6, None), (3, 6)]))
        made.append(
            rule_set(
                f"r{i}",
                draw(_PREFIXES),
                *(derivative(f"d{n}", to, bucket) for n, (to, bucket) in enumerate(outputs)),
                suffixes=draw(_SUFFIXES),
                include=draw(st.lists(_globs(), max_size=2) if draw(st.booleans()) else st.just([])),
                exclude=draw(st.lists(_globs(), max_size=2) if draw(st.booleans()) else st.just([])),
                bucket=draw(buckets),
                final=draw(st.sampled_from([False, False, True])),
                chained=draw(st.sampled_from([False, True, True])),
                min_size=low,
                max_size=high,
            )
        )
    return made
