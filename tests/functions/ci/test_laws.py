"""Laws of the CI language that hold for every tree and every text."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from derivo.ci import canonical, parse, spec_digest, to_text
from derivo.ci.tables import MOGR, VIEW, WATERMARKS
from derivo.ci.tree import ImageMogr2, Interlace, Rule
from tests.functions.ci import trees


@settings(max_examples=300, deadline=None)
@given(trees.rules)
def test_what_is_printed_is_read_back_as_the_same_tree(rule: Rule) -> None:
    parsed = parse(to_text(rule))
    assert parsed.problems == ()
    assert parsed.rule == rule


@settings(max_examples=200, deadline=None)
@given(trees.rules)
def test_the_canonical_text_is_a_valid_rule_and_its_own_canonical_text(rule: Rule) -> None:
    text = canonical(rule)
    parsed = parse(text)
    assert parsed.problems == ()
    assert parsed.rule is not None
    assert canonical(parsed.rule) == text
    assert spec_digest(parsed.rule) == spec_digest(rule)


@settings(max_examples=100, deadline=None)
@given(trees.rules)
def test_every_span_holds_the_name_it_is_filed_under(rule: Rule) -> None:
    text = to_text(rule)
    for path, (start, end) in parse(text).spans.items():
        piece = text[start:end]
        assert "|" not in piece
        if len(path) == 2:
            assert piece.startswith(str(path[1]))


words = st.sampled_from(
    [
        "imageMogr2",
        "imageView2",
        "watermark",
        "style",
        "QRcode",
        "imageSlim",
        "ci-process=",
        "/",
        "|",
        "x",
        "!",
        "1",
        "0",
    ]
    + ["200x200>", "webp", "I0ZGRkZGRg", " ", "\n", "&", "=", "-", "\ud800", "９", "Ω", *MOGR, *VIEW]
    + [name for family in WATERMARKS.values() for name in family.table]
)
noise = st.lists(words | st.text(max_size=3), max_size=25).map("/".join) | st.lists(words, max_size=25).map("".join)


@settings(max_examples=400, deadline=None)
@given(noise | st.text())
@example("imageMogr2/thumbnail/" + "9" * 10000 + "x")
@example("|" * 16000)
@example("imageMogr2" + "/ab" * 5000)
@example("imageMogr2/" + " /" * 8000)
@example("imageMogr2/blur/" + "1" * 400 + "." + "1" * 400 + "x")
def test_any_text_gives_a_tree_or_problems_inside_the_text(text: str) -> None:
    parsed = parse(text)
    assert (parsed.rule is not None) or parsed.errors
    assert len(parsed.problems) <= 50
    for problem in parsed.problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert "\n" not in problem.message
    if parsed.rule is not None and not parsed.errors:
        again = parse(to_text(parsed.rule))
        assert again.rule == parsed.rule
        assert not again.errors


@settings(max_examples=400, deadline=None)
@given(noise)
def test_putting_a_mend_in_place_removes_that_problem(text: str) -> None:
    for problem in parse(text).problems:
        if problem.mend is None:
            continue
        left = max(text.rfind("/", 0, problem.start), text.rfind("|", 0, problem.start)) + 1
        ends = [at for at in (text.find("/", problem.end), text.find("|", problem.end)) if at >= 0]
        mended = text[:left] + problem.mend + text[min(ends, default=len(text)) :]
        again = {(each.code, each.start) for each in parse(mended).problems}
        assert (problem.code, problem.start) not in again


def test_a_rule_without_effect_has_one_canonical_text() -> None:
    assert canonical(Rule((ImageMogr2((Interlace(False),)),))) == "imageMogr2/interlace/0"
    rule = parse("imageMogr2/grayscale/0|imageMogr2/pad/0/rotate/360").rule
    assert rule is not None
    assert canonical(rule) == "imageMogr2/interlace/0"
