"""The collision proof on the rule sets that people write."""

from __future__ import annotations

import pytest

from derivo.rulesets import RuleSet
from derivo_cli.proof import prove
from tests.derivo_cli.proof.oracle import derivative, rule_set

IMAGES = [".jpg", ".png"]

ACCEPTED = {
    "the whole path": [rule_set("r", "p/", "/derived/{path}.webp", "/derived/{path}.jpg")],
    "the name in the source's folder": [rule_set("r", "p/", "{name}.webp", suffixes=[".jpg"])],
    "a folder for each derivative": [rule_set("r", "p/", "/d/{derivative}/{path}")],
    "a relative folder for each derivative": [
        rule_set("r", "p/", "thumb/{name}", "card/{name}", exclude=["**/thumb/**", "**/card/**"])
    ],
    "the extension first": [rule_set("r", "p/", "/by-type/{ext}/{dir}/{stem}.webp", suffixes=IMAGES)],
    "the extension in the middle of the name": [rule_set("r", "p/", "/d/{dir}/{ext}.{stem}.webp", suffixes=[".jpg"])],
    "folder and stem, when only one extension comes in": [
        rule_set("r", "p/", "/d/{dir}/{stem}.webp", include=["**/[!.]*.jpg"])
    ],
    "a name, when there is only one folder": [rule_set("r", "p/", "/d/{name}", include=["p/*"])],
    "a folder for each source": [rule_set("r", "p/", "/d/{path}/{name}.webp", "/d/{path}/{name}.jpg")],
    "a folder for each source, by its stem": [rule_set("r", "p/", "/d/{dir}/{stem}/{name}.webp")],
    "two rule sets whose sources are apart": [
        rule_set("r", "p/", "/d/{dir}/{name}.x"),
        rule_set("s", "q/", "/d/{path}.x"),
    ],
    "one template, sources apart by suffix": [
        rule_set("r", "", "/d/{path}", suffixes=[".jpg"], exclude=["d/**"]),
        rule_set("s", "", "/d/{path}", suffixes=[".png"], exclude=["d/**"]),
    ],
    "one template, and a final rule set that takes what it matches": [
        rule_set("r", "p/x/", "/d/{path}", final=True),
        rule_set("s", "p/", "/d/{path}"),
    ],
    "one template for small and for large sources": [
        rule_set("r", "p/", "/d/{path}", final=True, max_size=1000),
        rule_set("s", "p/", "/d/{path}"),
    ],
    "one key in two buckets": [
        rule_set("r", "p/", derivative("d", "/d/{path}", "a-1"), derivative("e", "/d/{path}", "b-1"), bucket="c-1")
    ],
    "one source, one key": [rule_set("r", "", "/d/x.webp", include=["a.jpg"])],
}


@pytest.mark.parametrize("sets", ACCEPTED.values(), ids=ACCEPTED)
def test_no_two_sources_share_a_key(sets: list[RuleSet]) -> None:
    assert prove(sets) == []


REFUSED = {
    "the extension is dropped": (
        [rule_set("r", "", "/d/{dir}/{stem}.webp", suffixes=IMAGES)],
        "PF201",
        ["a.jpg", "a.png", "d/a.webp"],
    ),
    "the extension is dropped, and letter case is left": (
        [rule_set("r", "", "/d/{dir}/{stem}.webp", suffixes=[".jpg"])],
        "PF201",
        ["a.jpg", "a.jpG", "d/a.webp"],
    ),
    "the extension is dropped, and a hidden file has none": (
        [rule_set("r", "p/", "/d/{dir}/{stem}.webp", include=["**/*.jpg"])],
        "PF201",
        ["p/.jpg", "p/.jpg.jpg", "d/p/.jpg.webp"],
    ),
    "the folder is dropped": (
        [rule_set("r", "p/", "/d/{name}", include=["p/*/*.jpg"])],
        "PF201",
        ["p//a.jpg", "p/a/a.jpg", "d/a.jpg"],
    ),
    "everything is dropped": ([rule_set("r", "p/", "/d/x")], "PF201", ["p//a.a", "p/a.a", "d/x"]),
    "a bare folder forgets whether there was a slash": (
        [rule_set("r", "", "/d/{dir}-{name}", include=["a.jpg", "/a.jpg"])],
        "PF201",
        ["/a.jpg", "a.jpg", "d/-a.jpg"],
    ),
    "one text, cut in two ways": (
        [rule_set("r", "p/", "/d/{stem}{ext}", include=["p/*.*", "p/a", "p/aa"])],
        "PF201",
        ["p/a.a", "p/aa", "d/aa"],
    ),
    "an output that looks like another's": (
        [rule_set("r", "p/", "/d/{path}.webp", "/d/{path}.card.webp")],
        "PF202",
        ["p/a.card", "p/a", "d/p/a.card.webp"],
    ),
    "the same template twice": (
        [rule_set("r", "p/", "/d/{path}", "/d/{dir}/{name}")],
        "PF202",
        ["p/a", "p/a", "d/p/a"],
    ),
    "two rule sets with one template": (
        [rule_set("r", "p/", "/d/{path}"), rule_set("s", "p/q/", "/d/{path}")],
        "PF202",
        ["p/q/a", "p/q/a", "d/p/q/a"],
    ),
    "a relative and an absolute template": (
        [rule_set("r", "p/", "t/{name}", exclude=["**/t/**"]), rule_set("s", "q/", "/p/t/{name}", include=["q/*"])],
        "PF202",
        ["p/a", "q/a", "p/t/a"],
    ),
    "sources of any bucket into one": (
        [rule_set("r", "p/", derivative("d", "/d/{path}", "b-1"))],
        "PF203",
        ["p/a", "p/a", "d/p/a"],
    ),
    "sources of two buckets into one": (
        [
            rule_set("r", "p/", derivative("d", "/d/{path}", "c-1"), bucket="a-1"),
            rule_set("s", "p/", derivative("d", "/d/{path}", "c-1"), bucket="b-1"),
        ],
        "PF202",
        ["p/a", "p/a", "d/p/a"],
    ),
    "Chinese": (
        [rule_set("r", "图/", "/缩/{stem}.webp", include=["图/*.jpg", "图/*.图"])],
        "PF201",
        ["图/a.jpg", "图/a.图", "缩/a.webp"],
    ),
    "a variable twice": (
        [rule_set("r", "p/", "/d/{stem}/{stem}.webp", suffixes=IMAGES)],
        "PF201",
        ["p/a.jpg", "p/a.png", "d/a/a.webp"],
    ),
}


@pytest.mark.parametrize(("sets", "code", "keys"), REFUSED.values(), ids=REFUSED)
def test_a_shared_key_is_refused_with_both_sources(sets: list[RuleSet], code: str, keys: list[str]) -> None:
    (finding,) = prove(sets)
    one, two = finding.witness
    assert (finding.code, sorted([one.key, two.key])) == (code, sorted(keys[:2]))
    assert one.derivative_key == two.derivative_key == keys[2]
    assert one.derivative_bucket == two.derivative_bucket


def test_the_mend_keeps_what_was_dropped() -> None:
    (stem,) = prove([rule_set("r", "p/", "/d/{dir}/{stem}.webp", suffixes=IMAGES)])
    (name,) = prove([rule_set("r", "p/", "/d/{name}")])
    assert "{name}" in stem.mend
    assert "{path}" in name.mend
    assert prove([rule_set("r", "p/", "/d/{dir}/{name}.webp", suffixes=IMAGES)]) == []
    assert prove([rule_set("r", "p/", "/d/{path}")]) == []


def test_two_buckets_of_a_witness_are_two() -> None:
    (finding,) = prove([rule_set("r", "p/", derivative("d", "/d/{path}", "b-1"))])
    one, two = finding.witness
    assert one.bucket != two.bucket


def test_a_variable_twice_that_cannot_be_decided_says_so() -> None:
    """No two keys collide here, which only counting the characters would show."""
    (finding,) = prove([rule_set("r", "p/", "/d/{path}-{path}")])
    assert (finding.code, finding.witness) == ("PF302", ())
    assert "once" in finding.mend


def test_a_key_that_is_never_written_is_no_witness() -> None:
    """Both sources would have the derivative key `/.`, which the plan blocks."""
    (finding,) = prove([rule_set("r", "/", "{dir}.", include=["/a.a", "/a"])])
    assert (finding.code, finding.witness) == ("PF302", ())


def test_every_derivative_names_the_first_it_meets() -> None:
    findings = prove([rule_set("r", "p/", "/d/{path}", "/d/{path}", "/d/{path}")])
    assert [(f.derivative, [step.derivative for step in f.witness]) for f in findings] == [
        ("d1", ["d0", "d1"]),
        ("d2", ["d0", "d2"]),
    ]
