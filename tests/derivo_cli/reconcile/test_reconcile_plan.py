"""derivo plan: exactly what the bucket lacks under its rules, and on what grounds."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from derivo_cli.reconcile import specs
from tests.derivo_cli.reconcile.conftest import RULES, Bucket
from tests.derivo_cli.shell import PNG

KEYS = [f"in/{name}.png" for name in ("a", "b 文", "c'1", "d/e%2F+", "f")]
MANIFEST = "manifest: /meta/{path}.json" + RULES


@pytest.fixture
def full(bucket: Bucket) -> Bucket:
    """Five sources with all that the function makes of them, a minute later each."""
    bucket.put(*KEYS)
    bucket.move(60)
    bucket.function()
    bucket.move(60)
    return bucket


@pytest.fixture
def proved(bucket: Bucket) -> Bucket:
    """The same under a rule set with manifests."""
    bucket.rules(MANIFEST)
    bucket.put(*KEYS)
    bucket.move(60)
    bucket.function()
    bucket.move(60)
    return bucket


def test_an_empty_bucket_lacks_nothing(bucket: Bucket) -> None:
    assert bucket.classes() == {}
    done = bucket.derivo("plan", bucket.address)
    assert done.code == 0
    assert done.out.endswith("plan: nothing to do\n")


def test_what_is_no_source_lacks_nothing(bucket: Bucket) -> None:
    bucket.put("else/a.png", "in/")
    bucket.put("in/empty.png", data=b"")
    assert bucket.classes() == {}


def test_new_sources_lack_everything(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    found = bucket.plan()
    assert (found["sources"], found["derivatives"], found["make"], found["requests"]) == (5, 10, 10, 5)
    assert found["classes"]["create"] == 10
    assert found["bytes"] == 10 * len(PNG)
    assert found["cost"]["amount"] == pytest.approx(10 * len(PNG) * 0.01 / 2**30)
    assert found["minutes"] == pytest.approx(5 / 100 / 60)


def test_a_source_with_more_than_five_takes_two_requests(bucket: Bucket) -> None:
    many = "".join(
        f"  - {{name: d{n}, to: '/out/{{path}}.{n}.png', rule: imageMogr2/thumbnail/{n}x}}\n" for n in range(9, 15)
    )
    bucket.rules("prefix: in/\nderivatives:\n" + many)
    bucket.put(*KEYS)
    assert bucket.plan()["requests"] == 10


def test_what_stands_is_up_to_date(full: Bucket) -> None:
    found = full.plan()
    assert {kind: n for kind, n in found["classes"].items() if n} == {"up-to-date": 10}
    assert found["by_time"] == 10
    assert full.derivo("plan", full.address).out.endswith("plan: nothing to do\n")


def test_time_tells_what_is_missing_and_what_is_older_than_its_source(full: Bucket) -> None:
    full.delete("out/in/a.png.t.png")
    full.put(KEYS[1], KEYS[3])
    assert full.classes() == {"create": 1, "stale-source": 4, "up-to-date": 5}


def test_of_the_same_second_is_not_stale(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    bucket.function()
    assert bucket.classes() == {"up-to-date": 10}


def test_foreign_files_among_the_outputs_are_told_and_no_orphans(full: Bucket) -> None:
    full.put("out/readme.txt", "out/in/a.png.t.webp", "elsewhere/x.txt")
    assert full.classes() == {"unknown": 2, "up-to-date": 10}
    assert full.plan()["nothing_to_do"]


def test_without_provenance_a_derivative_of_a_gone_source_is_unknown(full: Bucket) -> None:
    full.delete(KEYS[0])
    assert full.classes() == {"unknown": 2, "up-to-date": 8}


def test_a_part_of_the_bucket(full: Bucket) -> None:
    full.put("in/d/new.png", "in/new.png", "out/in/d/foreign.txt")
    found = json.loads(full.derivo("plan", full.address + "in/d/", "--json").out)
    assert {kind: n for kind, n in found["classes"].items() if n} == {"create": 2, "up-to-date": 2}
    assert found["objects"] == {full.cos.bucket: 5}


def test_a_rule_that_changed_is_told_by_time_with_its_parameter(full: Bucket) -> None:
    client, index = full.client, full.index
    specs.record(client, full.cos.bucket, full.cos.region, index)
    full.rules(RULES.replace("thumbnail/20x", "thumbnail/24x"))
    found = full.plan()
    assert found["classes"]["stale-spec"] == 5
    assert found["classes"]["up-to-date"] == 5
    assert found["changes"] == [
        {"rule_set": "set0", "name": "t", "derivatives": 5, "change": "thumbnail/20x -> thumbnail/24x"}
    ]
    # noted as in force, what was made before stays stale and what is made since is not
    full.move(60)
    specs.record(client, full.cos.bucket, full.cos.region, full.index)
    full.move(60)
    full.put("in/new.png")
    full.move(60)
    full.delete("out/in/a.png.t.png")
    full.function_for("in/new.png", KEYS[1])
    found = full.plan()
    assert {kind: n for kind, n in found["classes"].items() if n} == {"create": 1, "stale-spec": 3, "up-to-date": 8}
    assert found["changes"][0]["change"] == "thumbnail/20x -> thumbnail/24x"


def test_a_rule_that_came_back_is_a_change_too(full: Bucket) -> None:
    other = RULES.replace("thumbnail/20x", "thumbnail/24x")
    for text in (RULES, other, RULES):
        full.rules(text)
        specs.record(full.client, full.cos.bucket, full.cos.region, full.index)
        full.move(60)
    assert full.classes() == {"stale-spec": 5, "up-to-date": 5}


def test_a_comment_or_another_spelling_is_no_change(full: Bucket) -> None:
    specs.record(full.client, full.cos.bucket, full.cos.region, full.index)
    full.rules("# new\n" + RULES.replace("thumbnail/20x", "thumbnail/20x/interlace/0"))
    assert full.classes() == {"up-to-date": 10}


def test_manifests_decide_where_they_are(proved: Bucket) -> None:
    found = proved.plan()
    assert {kind: n for kind, n in found["classes"].items() if n} == {"up-to-date": 10}
    assert found["by_time"] == 0


def test_a_manifest_tells_source_and_rule(proved: Bucket) -> None:
    proved.put(KEYS[0], data=PNG + b"\0")
    assert proved.classes() == {"stale-source": 2, "up-to-date": 8}
    proved.rules(MANIFEST.replace("thumbnail/20x", "thumbnail/24x"))
    found = proved.plan()
    # both would do for the first source; its other derivatives are made again with it
    assert {kind: n for kind, n in found["classes"].items() if n} == {
        "stale-source": 2,
        "stale-spec": 4,
        "up-to-date": 4,
    }
    assert (found["remade"], found["make"], found["requests"]) == (4, 10, 5)


def test_the_same_bytes_again_are_the_same_source(proved: Bucket) -> None:
    proved.put(KEYS[0])
    assert proved.classes() == {"up-to-date": 10}
    assert proved.classes("--no-manifests") == {"stale-source": 2, "up-to-date": 8}


def test_an_object_that_the_manifest_does_not_name_is_made_again(proved: Bucket) -> None:
    proved.put("out/in/a.png.t.png", data=b"somebody else's")
    found = proved.plan()
    assert found["classes"]["stale-source"] == 1
    assert [part["why"] for part in found["parts"]] == ["altered"]


def test_a_missing_manifest_is_missing(proved: Bucket) -> None:
    proved.delete("meta/in/a.png.json")
    found = proved.plan()
    assert found["classes"]["up-to-date"] == 10
    assert (found["manifests"], found["make"], found["requests"]) == (1, 2, 1)


def test_orphans_are_proved_by_their_manifest(proved: Bucket) -> None:
    proved.delete(KEYS[0])
    # of the gone source: two derivatives and the manifest itself
    assert proved.classes() == {"orphan": 3, "up-to-date": 8}
    # one that was replaced since is nobody's
    proved.put("out/in/a.png.t.png", data=b"somebody else's")
    assert proved.classes() == {"orphan": 2, "unknown": 1, "up-to-date": 8}


def test_a_derivative_that_the_rules_dropped_is_an_orphan(proved: Bucket) -> None:
    proved.rules(MANIFEST[: MANIFEST.rindex("  -")])
    assert proved.classes() == {"orphan": 5, "up-to-date": 5}


def test_a_key_with_its_rules_digest_proves_itself(bucket: Bucket) -> None:
    before = "prefix: in/\nderivatives: [{name: t, to: '/out/{path}.{spec}.png', rule: imageMogr2/thumbnail/20x}]"
    bucket.rules(before)
    bucket.put(*KEYS)
    bucket.function()
    specs.record(bucket.client, bucket.cos.bucket, bucket.cos.region, bucket.index)
    bucket.move(60)
    bucket.put("out/in/x.png.0123456789ab.png")
    bucket.rules(before.replace("20x", "24x"))
    assert bucket.classes() == {"create": 5, "orphan": 5, "unknown": 1}


@pytest.mark.parametrize("dialect", [("original-etag", "result"), ("result-etag", "sha1")])
def test_answers_whose_etags_are_of_another_kind_cannot_make_it_go_on_for_ever(
    bucket: Bucket, dialect: tuple[str, str]
) -> None:
    bucket.dialect(*dialect)
    bucket.rules(MANIFEST)
    bucket.put(*KEYS)
    bucket.move(60)
    bucket.function()
    bucket.move(60)
    assert bucket.classes() == {"up-to-date": 10}
    bucket.put(KEYS[0], data=PNG + b"\0")
    bucket.rules(MANIFEST.replace("thumbnail/20x", "thumbnail/24x"))
    assert bucket.classes() == {"stale-source": 2, "stale-spec": 4, "up-to-date": 4}


def test_own_outputs_are_no_sources_unless_chained(bucket: Bucket) -> None:
    loop = "prefix: in/\nderivatives: [{name: t, to: '/in/t/{name}', rule: imageMogr2/thumbnail/20x}]"
    bucket.rules(loop)
    bucket.put("in/a.png", "in/t/b.png")
    # in/t/b.png is what a source in/b.png would have
    assert bucket.plan()["sources"] == 1


def test_what_cannot_be_made_is_blocked(bucket: Bucket) -> None:
    bucket.put("in/" + "x" * 841 + ".png")
    bucket.put("in/a.png")
    found = bucket.plan()
    assert {kind: n for kind, n in found["classes"].items() if n} == {"create": 2, "blocked": 2}
    assert "key_too_long" in {part["why"] for part in found["parts"]}


def test_derivatives_in_another_bucket(bucket: Bucket) -> None:
    bucket.other_bucket("thumbs-1250000000")
    bucket.rules(RULES.replace("name: t,", "name: t, bucket: thumbs-1250000000,"))
    bucket.put(*KEYS)
    bucket.move(60)
    bucket.function()
    found = bucket.plan()
    assert found["classes"]["up-to-date"] == 10
    assert found["objects"] == {bucket.cos.bucket: 10, "thumbs-1250000000": 5}


def test_the_file_holds_a_row_for_each_difference(full: Bucket, tmp_path: Path) -> None:
    full.delete("out/in/a.png.t.png")
    full.put(KEYS[1], "out/x.txt")
    assert full.derivo("plan", full.address, "-o", "it's.parquet").code == 1
    rows = duckdb.execute("SELECT class, bucket, key, source FROM 'it''s.parquet' ORDER BY key").fetchall()
    name = full.cos.bucket
    assert rows == [
        ("create", name, "out/in/a.png.t.png", "in/a.png"),
        ("stale-source", name, "out/in/b 文.png.s.png", "in/b 文.png"),
        ("stale-source", name, "out/in/b 文.png.t.png", "in/b 文.png"),
        ("unknown", name, "out/x.txt", ""),
    ]


def test_nothing_but_reading(proved: Bucket) -> None:
    before, keys = proved.requests, proved.cos.keys()
    proved.delete("out/in/a.png.t.png")
    proved.plan()
    assert proved.requests == before
    assert proved.cos.keys() == [key for key in keys if key != "out/in/a.png.t.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["cos://photos/"], 2, "full name"),
        (["cos://nowhere-1250000000/"], 1, "NoSuchBucket"),
        (["cos://examplebucket-1250000000/", "--rules", "none"], 2, "there is no none"),
        (["cos://examplebucket-1250000000/", "-o", "none/x.parquet"], 2, "cannot be written"),
    ],
)
def test_a_wrong_call_is_one_line(bucket: Bucket, arguments: list[str], code: int, said: str) -> None:
    done = bucket.derivo("plan", *arguments)
    assert done.code == code
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_key_without_permission_is_one_line(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENCENTCLOUD_SECRETKEY", "wrong")
    done = bucket.derivo("plan", bucket.address)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "SignatureDoesNotMatch" in done.err


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ({"operation": "list_objects"}, "cos://examplebucket-1250000000/in/: "),
        ({"operation": "list_objects", "bucket": "thumbs-1250000000"}, "cos://thumbs-1250000000/out/: "),
        ({"operation": "get_object"}, "cos://examplebucket-1250000000/: "),
    ],
    ids=["the bucket", "a bucket of derivatives", "the manifests"],
)
def test_a_right_that_is_wanting_is_named_with_the_bucket(bucket: Bucket, fault: dict[str, str], place: str) -> None:
    bucket.other_bucket("thumbs-1250000000")
    bucket.rules(MANIFEST.replace("name: t,", "name: t, bucket: thumbs-1250000000,"))
    bucket.put(*KEYS)
    bucket.function()
    bucket.cos.faults.add("error", code="AccessDenied", **fault)
    done = bucket.derivo("plan", bucket.address)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert place in done.err
    assert "derivo policy --for apply" in done.err


# --- keys to which no fileid leads


@pytest.mark.parametrize("rules", [RULES, MANIFEST])
def test_what_no_request_can_make_is_blocked_where_that_is_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, rules: str
) -> None:
    bucket.rules(rules)
    bucket.dialect("fileid-path", "normalised")
    monkeypatch.setenv("DERIVO_FILEID_PATH", "normalised")
    bucket.put("in/a.png", "in//b.png")
    assert bucket.classes() == {"create": 2, "blocked": 2}
    assert bucket.apply().code == 0
    found = bucket.plan()
    assert found["nothing_to_do"]
    assert found["classes"]["blocked"] == 2
    assert not any("//" in key for key in bucket.cos.keys() if not key.startswith("in/"))  # noqa: SIM118


def test_where_it_is_not_told_the_plan_says_that_it_may_be_wrong(bucket: Bucket) -> None:
    bucket.put("in/a.png", "in//b.png")
    (notice,) = (text for text in bucket.plan()["notices"] if "//" in text)
    assert notice.startswith("2 derivatives to be made have `//` in their keys")
    bucket.delete("in//b.png")
    assert not any("//" in text for text in bucket.plan()["notices"])


def test_a_wrong_address_is_told_before_a_region_that_is_missing(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENCENTCLOUD_REGION")
    for address, said in (("photos", "not a COS address"), (bucket.address, "no region")):
        done = bucket.derivo("plan", address)
        assert done.code == 2
        assert said in done.err
