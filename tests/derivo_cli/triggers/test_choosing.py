"""The triggers that are chosen: every source fires one of them, nothing written does, and the platform takes them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import event, given, settings

from coslocal.events import ObjectEvent
from coslocal.scf.triggers import Trigger, check
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.plan import plan
from derivo.rulesets import RuleSet
from derivo_cli.triggers.choosing import CREATED, REMOVED, Choice, Chosen, Impossible, Place, choose
from tests.derivo_cli.proof.oracle import derivative, rule_set
from tests.derivo_cli.proof.worlds import rule_sets

BUCKET = Place("a-1.cos.ap-guangzhou.myqcloud.com", "a-1")


def chosen(*sets: RuleSet, place: Place = BUCKET) -> Choice:
    return choose(sets, [(place, [i for i, r in enumerate(sets) if r.bucket in (None, place.name)])])


def texts(choice: Choice) -> list[tuple[str, str]]:
    return [(trigger.prefix, trigger.suffix) for trigger in choice.triggers]


def test_one_trigger_for_each_outermost_prefix() -> None:
    sets = [rule_set(f"r{n}", prefix, "/d/{path}") for n, prefix in enumerate(("b/", "a/x/", "a/", "a/y"))]
    assert texts(chosen(*sets)) == [("a/", ""), ("b/", "")]


def test_what_all_includes_begin_with_narrows_the_prefix() -> None:
    sets = [rule_set("r", "a/", "/d/{path}", include=["a/2026/**.jpg", "a/2025/**"])]
    assert texts(chosen(*sets)) == [("a/202", "")]


def test_an_output_beside_its_source_takes_the_trigger_apart_by_what_include_ends_in() -> None:
    sets = [rule_set("r", "a/", "{stem}.webp", include=["**.jpg", "**/x.png"])]
    assert texts(chosen(*sets)) == [("a/", ".jpg"), ("a/", ".png")]


def test_an_output_below_its_sources_takes_the_trigger_apart_by_what_include_begins_with() -> None:
    sets = [rule_set("r", "a/", "/a/out/{name}", include=["a/x/**", "a/y/**"])]
    assert texts(chosen(*sets)) == [("a/x/", ""), ("a/y/", "")]


def test_suffixes_without_letters_take_it_apart_too() -> None:
    sets = [rule_set("r", "a/", "{stem}.webp", suffixes=[".7", ".字"])]
    assert texts(chosen(*sets)) == [("a/", ".7"), ("a/", ".字")]


def test_letters_of_a_suffix_have_two_cases_and_a_trigger_one() -> None:
    sets = [rule_set("r", "a/", "{stem}.webp", suffixes=[".jpg"])]
    with pytest.raises(Impossible) as refused:
        chosen(*sets)
    assert "r/d0 would fire it: a/a.jpg --r/d0--> a/a.webp" in str(refused.value)
    assert "/derived/{path}" in refused.value.mend


def test_a_chained_rule_set_is_fired_by_outputs() -> None:
    sets = [rule_set("r", "a/", "/b/{path}"), rule_set("s", "b/", "/d/{path}", chained=True)]
    assert texts(chosen(*sets)) == [("a/", ""), ("b/", "")]


def test_only_what_follows_its_sources_is_told_of_removals() -> None:
    sets = [rule_set("r", "a/", "/d/{path}", on_remove="delete"), rule_set("s", "b/", "/d/s/{path}")]
    assert [(t.event, t.prefix) for t in chosen(*sets).triggers] == [(CREATED, "a/"), (CREATED, "b/"), (REMOVED, "a/")]


def test_a_rule_set_that_makes_nothing_needs_no_trigger() -> None:
    assert chosen(rule_set("r", "a/"), rule_set("s", "b/", "/d/{path}")).triggers == (Chosen(BUCKET, CREATED, "b/"),)


def test_more_than_ten_are_merged_where_no_output_lies() -> None:
    sets = [rule_set(f"r{n}", f"img/{n:02}/", "/d/{path}") for n in range(12)]
    choice = chosen(*sets)
    assert texts(choice) == [("img/0", ""), ("img/10/", ""), ("img/11/", "")]
    (merge,) = choice.merges
    assert (len(merge.old), merge.new.prefix) == (10, "img/0")


def test_an_output_keeps_prefixes_from_being_merged() -> None:
    sets = [rule_set(f"r{n}", f"img/{n:02}/", "/img/d/{path}") for n in range(12)]
    assert texts(chosen(*sets))[0] == ("img/0", "")
    sets = [rule_set(f"r{n}", f"img/{name}/", "/img/d/{path}") for n, name in enumerate("abcefghijklm")]
    with pytest.raises(Impossible, match=r"12 COS triggers are needed, a function may have 10.*fires the trigger"):
        chosen(*sets)


def test_the_whole_bucket_is_no_common_prefix() -> None:
    sets = [rule_set(f"r{n}", f"{name}/", derivative("d", "/d/{path}", "b-1")) for n, name in enumerate("abcefghijklm")]
    with pytest.raises(Impossible, match="12 COS triggers are needed"):
        chosen(*sets)


def test_thousands_of_prefixes_are_refused_at_once() -> None:
    with pytest.raises(Impossible, match="3000 COS triggers are needed"):
        chosen(*(rule_set(f"r{n}", f"img/{n:04}/", "/d/{path}") for n in range(3000)))


def test_a_derivative_in_another_bucket_fires_nothing_where_the_buckets_are_known() -> None:
    sets = [rule_set("r", "a/", derivative("d", "/a/{path}.webp", "b-1"), exclude=["**.webp"])]
    assert texts(chosen(*sets)) == [("a/", "")]
    unknown = Place("${env:BUCKET}.cos.ap-guangzhou.myqcloud.com", None)
    with pytest.raises(Impossible) as refused:
        chosen(*sets, place=unknown)
    assert "${env:BUCKET}" in refused.value.mend


def _fires(choice: Choice, bucket: str, key: str, name: str, *, any_case: bool) -> list[Trigger]:
    told = ObjectEvent(name=name, bucket=bucket, region="", key=key, size=1, etag="", time=0, request_id="")
    return [trigger for trigger in _bound(choice) if trigger.matches(told, any_case=any_case)]


def _bound(choice: Choice) -> tuple[Trigger, ...]:
    """The triggers as coslocal takes them; raises TriggerError where the platform would refuse them."""
    return check(
        Trigger(function="f", bucket=t.place.name or "", prefix=t.prefix, suffix=t.suffix, event=t.event)
        for t in choice.triggers
    )


KEYS = [
    key
    for size in range(1, 5)
    for letters in itertools.product("aA字./", repeat=size)
    if not (key := "".join(letters)).endswith("/")
]


@settings(max_examples=60, deadline=None)
@given(rule_sets())
def test_every_source_fires_one_trigger_and_no_output_any(sets: list[RuleSet]) -> None:
    index = RuleSetIndex(sets)
    try:
        choice = chosen(*sets)
    except Impossible as refused:
        event("refused")
        assert refused.mend
        return
    event(f"{len(choice.triggers)} triggers")
    if not choice.triggers:
        assert not any(plan(Source(bucket="a-1", region="", key=key), index).derivatives for key in KEYS)
        return
    for key in KEYS:
        made = plan(Source(bucket="a-1", region="", key=key), index).derivatives
        if not made:
            continue
        for any_case in (False, True):
            assert len(_fires(choice, "a-1", key, "cos:ObjectCreated:Put", any_case=any_case)) == 1
            for each in made:
                wanted = index.matching(Source(bucket=each.bucket, region="", key=each.key))
                assert wanted or not _fires(choice, each.bucket, each.key, "cos:ObjectCreated:Put", any_case=any_case)


def test_a_refusal_shows_a_real_output() -> None:
    sets = [rule_set("r", "a/", "/a/out/{name}", exclude=["a/out/**"])]
    with pytest.raises(Impossible) as refused:
        chosen(*sets)
    shown = str(refused.value).split("--")
    (made,) = plan(Source(bucket="a-1", region="", key=shown[0].split()[-1]), RuleSetIndex(sets)).derivatives
    assert shown[2] == f"> {made.key}"
