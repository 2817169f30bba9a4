"""CAM policies: what they say, and what is no policy."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.cam.policy import CamPolicyError, Decision, like, read, understood

PHOTO = "qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/in/a:b*.jpg"


def policy(*statements: tuple[str, Any, Any]) -> Any:
    made = [{"effect": effect, "action": action, "resource": resource} for effect, action, resource in statements]
    return understood({"version": "2.0", "statement": made})


def test_nothing_is_allowed_unasked_and_deny_is_over_allow() -> None:
    assert policy().decide("name/cos:GetObject", PHOTO) is Decision.SILENT
    everything = ("allow", "*", "*")
    assert policy(everything).allows("name/cos:GetObject", PHOTO)
    denied = policy(everything, ("deny", ["name/cos:Put*", "name/cos:GetObject"], PHOTO))
    assert denied.decide("name/cos:GetObject", PHOTO) is Decision.DENY
    assert denied.allows("name/cos:HeadObject", PHOTO)
    beside = policy(("deny", "*", PHOTO)).beside(policy(everything))
    assert not beside.allows("name/cos:HeadObject", PHOTO)


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("name/cos:GetObject", PHOTO, True),
        ("cos:GetObject", "*", True),
        ("name/cos:Get*", "qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/in/*", True),
        ("name/cos:GetObject", "qcs::cos::uid/1250000000:photos-1250000000/*", True),
        ("name/cos:GetObject", "qcs::cos:*:uid/*:*/a:b*", True),
        ("name/cos:GetObject", "qcs:::::*", True),
        ("name/cos:GetBucket", PHOTO, False),
        ("name/cos:getobject", PHOTO, False),
        ("name/cos:GetObject", "qcs::cos:ap-beijing:uid/1250000000:photos-1250000000/in/*", False),
        ("name/cos:GetObject", "qcs::cos:ap-guangzhou:uid/1250000001:photos-1250000000/in/*", False),
        ("name/cos:GetObject", "qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/in", False),
        ("name/cos:GetObject", "qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/", False),
        ("name/cos:GetObject", "qcs::ci:ap-guangzhou:uid/1250000000:photos-1250000000/*", False),
    ],
)
def test_actions_and_resources_match_by_stars(action: str, resource: str, allowed: bool) -> None:
    assert policy(("allow", action, [resource])).allows("name/cos:GetObject", PHOTO) is allowed


@given(st.text("ab*", max_size=8), st.text("ab*", max_size=10))
def test_a_star_stands_for_any_text(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
    assert like(pattern, text) is expected


def test_many_stars_take_no_time() -> None:
    assert not like("*a" * 2000 + "b", "a" * 100_000)


def test_letters_of_names_do_not_count() -> None:
    text = '{"Version": "2.0", "Statement": {"Effect": "ALLOW", "Action": "*", "Resource": "*", "Sid": "x"}}'
    assert read(text).allows("name/cos:GetObject", PHOTO)


GOOD = {"effect": "allow", "action": "*", "resource": "*"}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([], "no JSON object"),
        ({"statement": [GOOD]}, "version"),
        ({"version": "3.0", "statement": [GOOD]}, "version"),
        ({"version": "2.0"}, "statement 1 is no JSON object"),
        ({"version": "2.0", "statement": [GOOD], "id": 1}, "does not offer `id`"),
        (
            {"version": "2.0", "statement": [GOOD, {**GOOD, "condition": {}}]},
            "statement 2: coslocal does not offer `cond",
        ),
        ({"version": "2.0", "statement": [{**GOOD, "principal": "*"}]}, "principal"),
        ({"version": "2.0", "statement": [{**GOOD, "effect": "perhaps"}]}, "effect"),
        ({"version": "2.0", "statement": [{**GOOD, "action": []}]}, "action"),
        ({"version": "2.0", "statement": [{**GOOD, "resource": [1]}]}, "resource"),
        ({"version": "2.0", "statement": [{**GOOD, "resource": "photos/*"}]}, "is no resource"),
        ({"version": "2.0", "statement": [{**GOOD, "resource": "qcs::cos:ap-guangzhou:*"}]}, "is no resource"),
    ],
)
def test_what_is_no_policy_is_refused(document: Any, said: str) -> None:
    with pytest.raises(CamPolicyError, match=re.escape(said)):
        read(document if isinstance(document, str) else json.dumps(document))
