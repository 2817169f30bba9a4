"""The loop proof on the rule sets that people write: what loops is refused with a witness, look-alikes are not."""

from __future__ import annotations

import pytest

from derivo.rulesets import RuleSet
from derivo_cli.proof import prove
from tests.derivo_cli.proof.oracle import derivative, rule_set

LOOK_ALIKES = {
    "derived/ is not derive": [rule_set("r", "derive", "/derived/{path}", exclude=["derived/**"])],
    "derived/ is not derived2/": [rule_set("r", "derived2/", "/derived/{path}")],
    "the output has another suffix": [rule_set("r", "", "{name}.webp", suffixes=[".jpg"])],
    "an exclude covers the output": [rule_set("r", "", "thumb/{name}", exclude=["**/thumb/**"])],
    "an exclude covers every script": [rule_set("r", "", "/图/{path}", exclude=["图/**"])],
    "an include leaves the output out": [rule_set("r", "", "/t/{path}", include=["[!t]*/**", "*.jpg"])],
    "one folder deeper is too deep": [rule_set("r", "in/", "t/{name}", include=["in/*"])],
    "another bucket, whose rule set is elsewhere": [
        rule_set("r", "a/", derivative("d", "/a/{path}", "b-1"), bucket="a-1"),
        rule_set("s", "b/", derivative("d", "/c/{path}", "c-1"), bucket="b-1"),
    ],
    "the chain ends and was asked for": [
        rule_set("r", "a/", "/b/{path}"),
        rule_set("s", "b/", "/c/{path}", chained=True),
        rule_set("t", "c/", "/d/{path}", chained=True),
    ],
    "a cycle of rule sets that no key goes round": [
        rule_set("r", "a/", "/b/{path}.x", suffixes=[".jpg", ".y"], chained=True),
        rule_set("s", "b/", "/a/{name}.z", suffixes=[".x"], chained=True),
        rule_set("t", "a/", "/c/{name}", suffixes=[".z"], chained=True),
    ],
    "a final rule set takes the output and makes nothing": [
        rule_set("r", "", "/derived/{path}"),
        rule_set("s", "derived/", final=True),
    ],
    "the output would be no key": [rule_set("r", "a/" * 200, "{dir}/{dir}/{dir}/{name}")],
    "a rule set of one key": [rule_set("r", "", "{name}.b", include=["a.jpg"])],
    "a class without the other case": [rule_set("r", "", "/A/{path}", include=["[a-z]/**"])],
}


@pytest.mark.parametrize("sets", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_look_alikes_are_accepted(sets: list[RuleSet]) -> None:
    assert [finding for finding in prove(sets) if finding.code.startswith(("PF1", "PF3"))] == []


LOOPS = {
    "the same folder": (
        [rule_set("r", "", "{name}.thumb.jpg", suffixes=[".jpg"])],
        "PF101",
        ["a.jpg", "a.jpg.thumb.jpg"],
    ),
    "the source itself": ([rule_set("r", "p/", "{name}")], "PF102", ["p/a", "p/a"]),
    "the source itself, written apart": (
        [rule_set("r", "p/", "/{dir}/{stem}.{ext}", suffixes=[".jpg"])],
        "PF102",
        ["p/a.jpg", "p/a.jpg"],
    ),
    "derived within derive": (
        [rule_set("r", "derive", "/derived/{path}")],
        "PF101",
        ["derive", "derived/derive"],
    ),
    "a second rule set": (
        [rule_set("r", "a/", "/b/{path}"), rule_set("s", "b/", "/c/{path}")],
        "PF103",
        ["a/a", "b/a/a"],
    ),
    "two hops": (
        [rule_set("r", "a/", "/b/{path}"), rule_set("s", "b/", "/a/{name}")],
        "PF101",
        ["a/a", "b/a/a", "a/a"],
    ),
    "three hops": (
        [rule_set("r", "a/", "/b/{path}"), rule_set("s", "b/", "/c/{name}"), rule_set("t", "c/", "/a/{path}.x")],
        "PF101",
        ["a/a", "b/a/a", "c/a", "a/c/a.x"],
    ),
    "three hops that say chained": (
        [
            rule_set("r", "a/", "/b/{path}", chained=True),
            rule_set("s", "b/", "/c/{name}", chained=True),
            rule_set("t", "c/", "/a/{path}.x", chained=True),
        ],
        "PF101",
        ["a/a", "b/a/a", "c/a", "a/c/a.x"],
    ),
    "a rule set that says chained to itself": (
        [rule_set("r", "a/", "{name}.x", chained=True)],
        "PF101",
        ["a/a", "a/a.x"],
    ),
    "another bucket": (
        [
            rule_set("r", "a/", derivative("d", "/b/{path}", "b-1"), bucket="a-1"),
            rule_set("s", "b/", "/c/{path}", bucket="b-1"),
        ],
        "PF103",
        ["a/a", "b/a/a"],
    ),
    "another bucket, which a rule set for all buckets matches": (
        [rule_set("r", "a/", derivative("d", "/a/{path}", "b-1"))],
        "PF101",
        ["a/a", "a/a/a"],
    ),
    "Chinese": (
        [rule_set("r", "图片/", "/缩略图/{path}"), rule_set("s", "缩略", "/x/{path}")],
        "PF103",
        ["图片/a", "缩略图/图片/a"],
    ),
    "an exclude that covers only ASCII": (
        [rule_set("r", "", "t/{name}", exclude=["[ -~]**/t/**", "t/**"])],
        "PF101",
        ["¡/a", "¡/t/a"],
    ),
    "a class of astral letters": (
        [rule_set("r", "", "/😀/{path}", include=["[😀-😂]/**"])],
        "PF101",
        ["😀/a", "😀/😀/a"],
    ),
    "letter case of suffixes": (
        [rule_set("r", "", "/{stem}.JPG", include=["*"], suffixes=[".jpg"])],
        "PF101",
        ["a.jpg", "a.JPG"],
    ),
    "a template in another order": (
        [rule_set("r", "", "/{ext}/{dir}/{stem}.png", suffixes=[".png"], exclude=["png/**"])],
        "PF101",
        ["a.pnG", "pnG/a.png"],
    ),
    "a variable twice": (
        [rule_set("r", "", "{stem}/{name}", include=["a/**/[xyz]/*.jpg"])],
        "PF101",
        ["a/x/x.jpg", "a/x/x/x.jpg"],
    ),
}


@pytest.mark.parametrize(("sets", "code", "keys"), LOOPS.values(), ids=LOOPS)
def test_loops_are_refused_with_a_witness(sets: list[RuleSet], code: str, keys: list[str]) -> None:
    finding, *_ = (finding for finding in prove(sets) if finding.code.startswith("PF1"))
    assert finding.code == code
    assert [step.key for step in finding.witness] + [finding.witness[-1].derivative_key] == keys
    assert finding.mend


def test_a_final_rule_set_of_some_sizes_does_not_protect() -> None:
    sets = [rule_set("r", "", "/d/{path}"), rule_set("s", "d/", final=True, max_size=100)]
    (finding,) = prove(sets)
    assert (finding.code, finding.witness[0].size) == ("PF101", 1)


def test_a_witness_is_a_key_that_cos_takes() -> None:
    """The shortest key that would loop has 900 bytes, so nothing loops."""
    prefix = "x" * 440
    assert prove([rule_set("r", prefix, "/{path}{path}.jpg", include=["**.jpg"])]) == []
    finding, *_ = prove([rule_set("r", prefix[:400], "/{path}{path}.jpg", include=["**.jpg"])])
    assert (finding.code, len(finding.witness[0].derivative_key)) == ("PF101", 812)


def test_what_cannot_be_decided_is_refused() -> None:
    """Two hundred thousand states are not enough to remember where all the a's were."""
    blind = "**a" + "?" * 24 + "b"
    (finding,) = prove([rule_set("r", "", "/x{path}", include=[blind])])
    assert (finding.code, finding.witness) == ("PF301", ())


def test_every_derivative_has_its_own_finding() -> None:
    sets = [rule_set("r", "", "/x/{path}", "/y/{path}", "/z/{path}", exclude=["y/**"])]
    assert [(f.code, f.derivative) for f in prove(sets)] == [("PF101", "d0"), ("PF101", "d2")]
