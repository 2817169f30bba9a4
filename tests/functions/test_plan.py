"""The plan: what a source should have, in how many requests, and what cannot be made."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from derivo import keys
from derivo.ci import limits
from derivo.ci.tree import Rule, Style
from derivo.events import Source
from derivo.loading import load_text
from derivo.matching import RuleSetIndex
from derivo.plan import Plan, plan, requests_for
from derivo.rulesets import Derivative, RuleSet, Where

HERE = Where("r.yml", 1, 1)
BUCKET = "photos-1250000001"


def source(key: str = "p/a b.jpg", size: int | None = 100) -> Source:
    return Source(bucket=BUCKET, region="ap-guangzhou", key=key, size=size)


def derivative(name: str, to: str, bucket: str | None = None) -> Derivative:
    return Derivative(
        name=name, to=keys.parse(to), rule=Rule((Style("s"),)), spec="0a", bucket=bucket, where=HERE, rule_where=HERE
    )


def planned(*derivatives: Derivative, of: Source | None = None, **clauses: Any) -> Plan:
    return plan(of or source(), RuleSetIndex([RuleSet(name="r", derivatives=derivatives, where=HERE, **clauses)]))


def many(count: int) -> list[Derivative]:
    return [derivative(f"d{i}", f"/d/{{path}}.{i}") for i in range(count)]


def test_a_plan_from_a_rule_set_as_it_is_written() -> None:
    rule_set, faults = load_text(
        """
prefix: p/
derivatives:
  - name: thumb
    to: /derived/{path}.thumb.webp
    rule: imageMogr2/auto-orient/format/webp
  - name: brand
    to: small/{stem}-{derivative}.{ext}
    bucket: other-1250000001
    style: 品牌
""",
        "shop.yml",
    )
    assert rule_set is not None, faults
    made = plan(source(), RuleSetIndex([rule_set]))
    assert [(d.rule_set, d.name, d.bucket, d.key, d.rule) for d in made.derivatives] == [
        (
            "shop",
            "thumb",
            BUCKET,
            "derived/p/a b.jpg.thumb.webp",
            "imageMogr2/auto-orient/format/webp",
        ),
        ("shop", "brand", "other-1250000001", "p/small/a b-brand.jpg", "style/品牌"),
    ]
    (request,) = made.requests
    assert request.derivatives == made.derivatives
    assert request.pic_operations == (
        '{"is_pic_info":1,"rules":['
        '{"fileid":"/derived/p/a b.jpg.thumb.webp","rule":"imageMogr2/auto-orient/format/webp"},'
        '{"bucket":"other-1250000001","fileid":"/p/small/a b-brand.jpg","rule":"style/\\u54c1\\u724c"}]}'
    )


def test_five_derivatives_are_one_request_and_six_are_two() -> None:
    assert [len(r.derivatives) for r in planned(*many(5)).requests] == [5]
    assert [len(r.derivatives) for r in planned(*many(6)).requests] == [5, 1]
    assert planned().requests == ()


def test_a_source_that_no_rule_set_matches_has_an_empty_plan() -> None:
    made = planned(*many(3), prefix="q/")
    assert (made.derivatives, made.blocked, made.requests) == ((), (), ())


def reasons(made: Plan) -> list[tuple[str, str]]:
    return [(b.derivative.name, b.reason) for b in made.blocked]


def test_what_cannot_be_made_is_blocked_and_the_rest_is_made() -> None:
    made = planned(
        derivative("good", "/d/{path}"),
        derivative("same", "/{path}"),
        derivative("again", "/d/{dir}/{name}"),
        derivative("elsewhere", "/{path}", "other-1"),
        derivative("gap", "/d/{ext}/{name}"),
        of=source("p/a"),
    )
    assert [d.name for d in made.derivatives] == ["good", "elsewhere"]
    assert reasons(made) == [("same", "overwrites_source"), ("again", "collides"), ("gap", "bad_key")]


def test_keys_that_cos_cannot_hold() -> None:
    assert reasons(planned(derivative("d", "/{path}.webp"), of=source("é" * 425))) == [("d", "key_too_long")]
    assert reasons(planned(derivative("d", "/d/{path}"), of=source("a/../b"))) == [("d", "bad_key")]
    assert reasons(planned(derivative("d", "/d/{path}"), of=source("a//b"))) == []


def test_a_source_that_ci_cannot_read_is_blocked() -> None:
    assert reasons(planned(derivative("d", "/d/{path}"), of=source(size=limits.SOURCE_BYTES))) == []
    too_large = planned(derivative("d", "/d/{path}"), of=source(size=limits.SOURCE_BYTES + 1))
    assert reasons(too_large) == [("d", "source_too_large")]
    assert too_large.requests == ()
    assert reasons(planned(derivative("d", "/d/{path}"), of=source(size=None))) == []


def test_the_digest_is_that_of_what_is_made_in_whatever_order() -> None:
    first, second = derivative("a", "/a/{path}"), derivative("b", "/b/{path}")
    digest = planned(first, second).digest
    assert len(digest) == 16
    assert planned(second, first).digest == digest
    assert planned(first).digest != digest
    assert planned(first, derivative("b", "/c/{path}")).digest != digest
    assert planned(first, derivative("b", "/b/{path}", "other-1")).digest != digest


TEMPLATES = [
    "/d/{path}", "/{path}", "{name}.w", "/{dir}/{ext}/{stem}.{ext}", "/x", "/{ext}{stem}", "{derivative}/{spec}",
    "/{dir}y",
]  # fmt: skip
templates = st.sampled_from(TEMPLATES)
derivatives = st.builds(derivative, st.sampled_from("abcdefghi"), templates, st.none() | st.just("other-1"))
source_keys = st.text(st.characters(), min_size=1, max_size=30) | st.text("a/.%", min_size=1, max_size=900)


@given(st.lists(derivatives, max_size=12), source_keys, st.none() | st.integers(0, 2**40))
def test_every_derivative_is_planned_or_blocked_and_every_request_is_sound(
    wanted: list[Derivative], key: str, size: int | None
) -> None:
    made = planned(*wanted, of=source(key, size))
    assert len(made.derivatives) + len(made.blocked) == len(wanted)
    assert len(made.requests) == -(-len(made.derivatives) // 5)
    assert [d for request in made.requests for d in request.derivatives] == list(made.derivatives)
    places = [(d.bucket, d.key) for d in made.derivatives]
    assert len(set(places)) == len(places)
    assert (BUCKET, key) not in places
    for request in made.requests:
        assert request.pic_operations.isascii()
        sent = json.loads(request.pic_operations)["rules"]
        assert [keys.resolve_fileid(rule["fileid"], key) for rule in sent] == [d.key for d in request.derivatives]
    assert requests_for(made.source, made.derivatives) == made.requests
