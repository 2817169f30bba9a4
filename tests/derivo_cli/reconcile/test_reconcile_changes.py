"""derivo plan --old: what a change of rules would touch, before it is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.derivo_cli.reconcile.conftest import RULES, Bucket
from tests.derivo_cli.reconcile.test_reconcile_inventory import inventory
from tests.derivo_cli.shell import PNG

KEYS = [f"in/{name}.png" for name in ("a", "b 文", "c'1", "d/e%2F+", "f")]
OTHER = """
prefix: in/d/
derivatives: [{name: big, to: '/big/{path}.png', rule: imageMogr2/thumbnail/30x}]
"""


@pytest.fixture
def full(bucket: Bucket) -> Bucket:
    """Five sources, and nothing made of them; the rules of now are kept in `before`."""
    bucket.put(*KEYS, "else/x.png")
    bucket.folder.joinpath("rules").rename(bucket.folder / "before")
    return bucket


def touched(bucket: Bucket, *arguments: object) -> dict[str, Any]:
    return bucket.plan("--old", "before", *arguments)


def classes(found: dict[str, Any]) -> dict[str, int]:
    return {kind: count for kind, count in found["classes"].items() if count}


def test_the_same_rules_touch_nothing(full: Bucket) -> None:
    full.rules("# the same in other words\n" + RULES.replace("thumbnail/20x", "thumbnail/20x/interlace/0"))
    found = touched(full)
    assert classes(found) == {"up-to-date": 10}
    assert found["nothing_to_do"]


def test_a_parameter_is_told_with_its_derivatives_and_their_cost(full: Bucket) -> None:
    full.rules(RULES.replace("thumbnail/20x", "thumbnail/24x"))
    found = touched(full)
    assert classes(found) == {"stale-spec": 5, "up-to-date": 5}
    assert found["changes"] == [
        {"rule_set": "set0", "name": "t", "derivatives": 5, "change": "thumbnail/20x -> thumbnail/24x"}
    ]
    assert (found["make"], found["requests"], found["bytes"]) == (5, 5, 5 * len(PNG))
    assert found["cost"]["amount"] == pytest.approx(5 * len(PNG) * 0.01 / 2**30)


def test_each_rule_set_has_its_part(full: Bucket) -> None:
    full.rules(RULES[: RULES.rindex("  -")], OTHER)
    found = touched(full)
    assert classes(found) == {"create": 1, "orphan": 5, "up-to-date": 5}
    told = {(part["kind"], part["rule_set"], part["name"]): part["count"] for part in found["parts"]}
    assert told == {("create", "set1", "big"): 1, ("orphan", "set0", "s"): 5}
    assert [(share["rule_set"], share["make"]) for share in found["rule_sets"]] == [("set1", 1)]
    printed = full.derivo("plan", full.address, "--old", "before").out
    assert "set0" in printed
    assert "set1" in printed


def test_another_key_is_a_new_derivative_and_an_orphan(full: Bucket) -> None:
    full.rules(RULES.replace("{path}.t.png", "{path}.thumb.png"))
    assert classes(touched(full)) == {"create": 5, "orphan": 5, "up-to-date": 5}


def test_a_rule_set_by_another_name_touches_nothing(full: Bucket) -> None:
    full.rules()
    (full.folder / "rules" / "renamed.yml").write_text(RULES, "utf-8")
    assert classes(touched(full)) == {"up-to-date": 10}


def test_with_a_manifest_the_others_are_made_again(full: Bucket) -> None:
    kept = "manifest: /meta/{path}.json" + RULES
    (full.folder / "before" / "set0.yml").write_text(kept, "utf-8")
    full.rules(kept.replace("thumbnail/20x", "thumbnail/24x"))
    found = touched(full)
    assert classes(found) == {"stale-spec": 5, "up-to-date": 5}
    assert (found["remade"], found["make"], found["requests"]) == (5, 10, 5)


def test_sources_that_leave_or_come(full: Bucket) -> None:
    full.rules(RULES.replace("prefix: in/", "prefix: else/"))
    assert classes(touched(full)) == {"create": 2, "orphan": 10}


def test_another_bucket(full: Bucket) -> None:
    full.other_bucket("thumbs-1250000000")
    full.rules(RULES.replace("name: t,", "name: t, bucket: thumbs-1250000000,"))
    assert classes(touched(full)) == {"create": 5, "orphan": 5, "up-to-date": 5}
    (full.folder / "before").rename(full.folder / "later")
    (full.folder / "rules").rename(full.folder / "before")
    (full.folder / "later").rename(full.folder / "rules")
    assert classes(touched(full)) == {"create": 5, "orphan": 5, "up-to-date": 5}


def test_rules_that_cannot_be_said_in_sql(full: Bucket) -> None:
    clash = "prefix: in/\nderivatives: [{name: t, to: '/in/t/{name}', rule: imageMogr2/thumbnail/20x}]"
    full.rules(clash)
    assert classes(touched(full)) == {"create": 5, "orphan": 10}


def test_what_stands_in_the_bucket_does_not_matter_and_outputs_are_not_listed(full: Bucket) -> None:
    full.rules(RULES.replace("thumbnail/20x", "thumbnail/24x"))
    before = touched(full)
    full.function()
    full.put("out/foreign.txt")
    listings = full.cos.journal.count("list_objects")
    assert touched(full) == before
    assert full.cos.journal.count("list_objects") == listings + 1


def test_an_inventory_stands_for_the_listing(full: Bucket) -> None:
    full.rules(RULES.replace("thumbnail/20x", "thumbnail/24x"))
    live = touched(full)
    listings = full.cos.journal.count("list_objects")
    assert touched(full, "--inventory", inventory(full)) == live
    assert full.cos.journal.count("list_objects") == listings


def test_a_part_of_the_bucket(full: Bucket) -> None:
    full.rules(RULES.replace("thumbnail/20x", "thumbnail/24x"))
    found = json.loads(full.derivo("plan", full.address + "in/d/", "--old", "before", "--json").out)
    assert classes(found) == {"stale-spec": 1, "up-to-date": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--old", "none"], "there is no none"), (["--old", "before", "-o", "p.parquet"], "without it")],
)
def test_a_wrong_call_is_one_line(full: Bucket, arguments: list[str], said: str) -> None:
    full.rules(RULES)
    done = full.derivo("plan", full.address, *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
    assert not Path("p.parquet").exists()
