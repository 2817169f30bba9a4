"""Outputs that fire a COS trigger for nothing."""

from __future__ import annotations

from derivo_cli.proof import WARNING, Trigger, trigger_findings
from tests.derivo_cli.proof.oracle import derivative, rule_set

ALL = Trigger(None, "", "")


def test_an_output_that_no_rule_set_wants_fires_the_trigger() -> None:
    sets = [rule_set("r", "p/", "/p/small/{name}.webp", suffixes=[".jpg"])]
    (finding,) = trigger_findings(sets, [Trigger(None, "p/", "")])
    assert (finding.code, finding.level) == ("PF401", WARNING)
    assert [(step.key, step.derivative_key) for step in finding.witness] == [("p/a.jpg", "p/small/a.jpg.webp")]


def test_an_output_outside_prefix_or_suffix_is_silent() -> None:
    sets = [rule_set("r", "p/", "/d/{path}.webp", suffixes=[".jpg"])]
    assert trigger_findings(sets, [Trigger(None, "p/", ""), Trigger(None, "", ".jpg")]) == []
    assert len(trigger_findings(sets, [Trigger(None, "d/p", ".webp")])) == 1


def test_letter_case_of_a_trigger_counts() -> None:
    sets = [rule_set("r", "p/", "/d/{name}", suffixes=[".jpg"])]
    (finding,) = trigger_findings(sets, [Trigger(None, "", ".JPG")])
    assert finding.witness[0].derivative_key.endswith(".JPG")
    assert trigger_findings([rule_set("r", "p/", "/d/{name}", include=["**.jpg"])], [Trigger(None, "", ".JPG")]) == []


def test_an_output_that_a_chained_rule_set_wants_is_no_waste() -> None:
    sets = [rule_set("r", "p/", "/q/{path}"), rule_set("s", "q/", "/d/{path}", chained=True)]
    assert [f.rule_set for f in trigger_findings(sets, [ALL])] == ["s"]
    assert trigger_findings(sets, [Trigger(None, "q/", "")]) == []


def test_buckets_of_triggers() -> None:
    sets = [rule_set("r", "p/", derivative("d", "/d/{path}", "b-1"), bucket="a-1")]
    assert trigger_findings(sets, [Trigger("a-1", "", "")]) == []
    assert len(trigger_findings(sets, [Trigger("b-1", "", "")])) == 1
    assert len(trigger_findings([rule_set("r", "p/", "/d/{path}")], [Trigger("a-1", "", "")])) == 1


def test_an_output_counts_once_for_all_triggers() -> None:
    sets = [rule_set("r", "p/", "/d/{path}", "/e/{path}")]
    assert len(trigger_findings(sets, [ALL, ALL, Trigger(None, "d/", "")])) == 2
