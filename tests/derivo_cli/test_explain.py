"""derivo explain: why a key gets these derivatives, or none; in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from derivo.events import Source
from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo.plan import plan
from tests.derivo_cli.running import Derivo

BUCKET = "cos://photos-1250000000"
MAKES = (
    "derivatives: [{name: %s, to: '/d/%s/{path}.webp', rule: imageMogr2/auto-orient/thumbnail/200x200>/format/webp}]\n"
)
RULE_SETS = {
    "all": "",
    "bucket": "bucket: other-1250000000\n",
    "deep": "prefix: in/deep/\nfinal: true\n",
    "exclude": "prefix: in/\nexclude: ['**/raw/**', '**/*.gif']\n",
    "include": "prefix: in/\ninclude: ['in/*']\n",
    "large": "prefix: in/\nmin_size: 1000\n",
    "small": "prefix: in/\nmax_size: 1KiB\n",
    "suffixes": "prefix: in/\nsuffixes: [.png]\n",
}


@pytest.fixture(autouse=True)
def rule_sets(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    for name, keys in RULE_SETS.items():
        (folder / f"{name}.yml").write_text(keys + MAKES % (name, name), "utf-8")


def explained(derivo: Derivo, key: str, *options: str) -> dict[str, Any]:
    done = derivo("explain", f"{BUCKET}/{key}", "--json", *options)
    assert (done.code, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


def failed(found: dict[str, Any]) -> dict[str, str | None]:
    return {item["rule_set"]: item["failed"] for item in found["considered"]}


@pytest.mark.parametrize(
    ("key", "size", "rule_set", "clause", "detail"),
    [
        ("in/a.jpg", None, "bucket", "bucket", "it is for other-1250000000"),
        ("out/a.jpg", None, "suffixes", "prefix", "the key does not begin with 'in/'"),
        ("in/a.jpg", None, "suffixes", "suffixes", "the key ends in none of .png"),
        ("in/b/a.jpg", None, "include", "include", "the key matches none of 'in/*'"),
        ("in/a.gif", None, "exclude", "exclude", "the key matches '**/*.gif'"),
        ("in/a.jpg", "999", "large", "min_size", "999 bytes are under 1000"),
        ("in/a.jpg", "1025", "small", "max_size", "1025 bytes are over 1024"),
        ("in/deep/a.jpg", None, "all", "final", "deep matched before it and is final"),
    ],
)
def test_the_first_clause_that_fails_is_told(
    derivo: Derivo, key: str, size: str | None, rule_set: str, clause: str, detail: str
) -> None:
    options = ("--size", size) if size else ()
    item = next(each for each in explained(derivo, key, *options)["considered"] if each["rule_set"] == rule_set)
    assert (item["matches"], item["failed"], item["detail"]) == (False, clause, detail)
    text = derivo("explain", f"{BUCKET}/{key}", *options)
    row = " ".join(next(line for line in text.out.splitlines() if line.split()[1:2] == [rule_set]).split())
    assert row.startswith(f"no {rule_set} ")
    assert f"{clause}:" in row


def test_every_rule_set_is_considered_in_the_order_of_matching(derivo: Derivo) -> None:
    found = explained(derivo, "in/a.jpg")
    index = RuleSetIndex(load("rules").rule_sets)
    assert list(failed(found)) == [rule_set.name for rule_set in index.considered]
    assert [item["rule_set"] for item in found["considered"] if item["matches"]] == [
        "exclude",
        "include",
        "large",
        "small",
        "all",
    ]


def test_the_derivatives_are_those_of_the_plan(derivo: Derivo) -> None:
    found = explained(derivo, "in/a.jpg", "--size", "500")
    source = Source(bucket="photos-1250000000", region="ap-guangzhou", key="in/a.jpg", size=500)
    made = plan(source, RuleSetIndex(load("rules").rule_sets))
    assert [(item["rule_set"], item["key"], item["rule"], item["spec"]) for item in found["derivatives"]] == [
        (item.rule_set, item.key, item.rule, item.spec) for item in made.derivatives
    ]
    assert found["requests"] == [json.loads(request.pic_operations) for request in made.requests]
    assert found["plan"] == made.digest


def test_the_members_of_the_json(derivo: Derivo) -> None:
    found = explained(derivo, "in/a.png", "--size", "500")
    assert list(found) == [
        "bucket", "key", "size", "considered", "derivatives", "requests", "plan", "cost", "seconds_at_the_limit",
    ]  # fmt: skip
    assert list(found["considered"][0]) == ["rule_set", "prefix", "matches", "failed", "detail"]
    assert list(found["derivatives"][0]) == [
        "rule_set", "name", "bucket", "key", "rule", "canonical", "spec", "blocked",
    ]  # fmt: skip
    assert list(found["requests"][0]) == ["is_pic_info", "rules"]
    assert list(found["cost"]) == ["amount", "currency", "lines", "complete"]


def test_more_than_five_derivatives_are_two_requests(derivo: Derivo) -> None:
    for number in range(6):
        Path(f"rules/more{number}.yml").write_text("prefix: six/\n" + MAKES % ("t", number), "utf-8")
    found = explained(derivo, "six/a.jpg")
    assert [len(request["rules"]) for request in found["requests"]] == [5, 2]


def test_as_text(derivo: Derivo) -> None:
    done = derivo("explain", f"{BUCKET}/out/a.jpg", "--size", "1073741824")
    assert done.code == 0
    assert "cannot be made: source_too_large" in done.out
    done = derivo("explain", f"{BUCKET}/out/a.jpg", "--size", "10000000")
    lines = [line.rstrip() for line in done.out.splitlines()]
    assert lines[0] == "cos://photos-1250000000/out/a.jpg"
    assert "  all/all -> cos://photos-1250000000/d/all/out/a.jpg.webp" in lines
    assert "requests: 1 (POST ?image_process, header Pic-Operations)" in lines
    request = json.loads(lines[lines.index("requests: 1 (POST ?image_process, header Pic-Operations)") + 1])
    assert request["rules"][0]["fileid"] == "/d/all/out/a.jpg.webp"
    assert lines[-2:] == [
        "cost: 0.00009313 USD an image, 93.13 a million",
        "  basic: 10000000 bytes, 0.00009313 USD (price of 2023-07: 0.01 a GiB)",
    ]


def test_without_a_size_the_cost_is_not_known(derivo: Derivo) -> None:
    assert "cost: give --size BYTES;" in derivo("explain", f"{BUCKET}/out/a.jpg").out
    assert explained(derivo, "out/a.jpg")["cost"]["complete"] is False


def test_a_price_of_your_own(derivo: Derivo) -> None:
    done = derivo("explain", f"{BUCKET}/out/a.jpg", "--size", "1000000000", "--price", "basic=1")
    assert done.code == 0
    found = explained(derivo, "out/a.jpg", "--size", "10000000", "--price", "basic=0.02")
    assert found["cost"]["amount"] == pytest.approx(2 * 10_000_000 / 2**30 / 100)


@pytest.mark.parametrize("price", ["basic", "basic=", "=1", "bsic=1", "basic=-1", "basic=nan", "basic=x"])
def test_a_price_that_is_none(derivo: Derivo, price: str) -> None:
    done = derivo("explain", f"{BUCKET}/out/a.jpg", "--price", price)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("derivo: --price")


def test_no_rule_set_matches(derivo: Derivo) -> None:
    done = derivo("explain", f"{BUCKET}/readme.txt")
    assert done.code == 0
    assert done.out.rstrip().endswith("no derivatives")
    assert explained(derivo, "readme.txt")["derivatives"] == []


@pytest.mark.parametrize(
    "key",
    [
        "产品/茶壶 50%+1.JPG",
        "a//b.jpg",
        "%2Fa.jpg",
        "صورة/ع.jpg",
        "🖼.jpg",
        "[bold]a[/bold].jpg",
        "in?a=b#c.jpg",
        "a:b.jpg",
    ],
)
def test_a_key_is_taken_as_it_stands(derivo: Derivo, key: str) -> None:
    found = explained(derivo, key)
    assert found["key"] == key
    assert found["derivatives"][0]["key"] == f"d/all/{key}.webp"
    text = derivo("explain", f"{BUCKET}/{key}").out
    assert text.splitlines()[0] == f"{BUCKET}/{key}"
    assert f"all/all -> {BUCKET}/d/all/{key}.webp" in text


def test_what_cannot_be_made_says_why(derivo: Derivo) -> None:
    key = "k" * 840 + ".jpg"
    found = explained(derivo, key)
    assert found["derivatives"][0]["blocked"] == "key_too_long: the key is 855 bytes long; COS allows 850"
    assert found["requests"] == []
    assert "cannot be made: key_too_long" in derivo("explain", f"{BUCKET}/{key}").out


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("photos/a.jpg", "write cos://BUCKET-APPID/KEY"),
        ("s3://photos-1250000000/a.jpg", "write cos://BUCKET-APPID/KEY"),
        ("cos://photos/a.jpg", "write it with its appid: cos://photos-1250000000/a.jpg"),
        ("cos://photos-1250000000", "names no object"),
        ("cos://photos-1250000000/", "names no object"),
        ("cos://photos-1250000000/\udcff.jpg", "not UTF-8"),
    ],
)
def test_an_address_that_is_none(derivo: Derivo, address: str, said: str) -> None:
    done = derivo("explain", address)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize("size", ["-1", "1MB", "x"])
def test_a_size_that_is_none(derivo: Derivo, size: str) -> None:
    done = derivo("explain", f"{BUCKET}/a.jpg", "--size", size)
    assert (done.code, done.out) == (2, "")


def test_rules_with_an_error_explain_nothing(derivo: Derivo) -> None:
    Path("rules/bad.yml").write_text("prefix: [", "utf-8")
    done = derivo("explain", f"{BUCKET}/a.jpg")
    assert (done.code, done.out) == (1, "")
    assert "rules/bad.yml:1:1: error RS105" in done.err


def test_rules_that_are_not_there(derivo: Derivo) -> None:
    done = derivo("explain", f"{BUCKET}/a.jpg", "--rules", "elsewhere")
    assert done == (2, "", "derivo: there is no elsewhere; name the folder of your rule sets, or one file\n")


@pytest.mark.parametrize(
    ("key", "told", "said"),
    [
        ("a b+c.jpg", {}, None),
        ("a%20b.jpg", {}, "derivo probe tells"),
        ("a%20b.jpg", {"DERIVO_FILEID_ENCODING": "plain"}, None),
        ("x//b.jpg", {"DERIVO_FILEID_ENCODING": "plain"}, "derivo probe tells"),
        ("x//b.jpg", {"DERIVO_FILEID_PATH": "literal"}, None),
        ("x//b.jpg", {"DERIVO_FILEID_PATH": "normalised"}, "will fail with bad_key"),
    ],
)
def test_keys_that_cos_may_read_in_another_way_are_told(
    derivo: Derivo, monkeypatch: pytest.MonkeyPatch, key: str, told: dict[str, str], said: str | None
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    out = derivo("explain", f"{BUCKET}/out/{key}").out
    words = [each for each in ("derivo probe tells", "will fail with bad_key") if each in out]
    assert words == ([said] if said else [])


def test_requests_are_shown_as_they_are_sent(derivo: Derivo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVO_FILEID_ENCODING", "urlencoded")
    (request,) = explained(derivo, "out/茶.jpg")["requests"]
    assert all("%E8%8C%B6" in rule["fileid"] for rule in request["rules"])
