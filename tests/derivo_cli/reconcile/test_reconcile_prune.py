"""derivo prune: what is proved to be ours and no source wants goes; everything else stays."""

from __future__ import annotations

import pytest

from tests.derivo_cli.reconcile.conftest import RULES, Bucket
from tests.derivo_cli.shell import PNG

KEYS = [f"in/{number}.png" for number in range(30)]
GONE = KEYS[0]
LEFT_BEHIND = {f"meta/{GONE}.json", f"out/{GONE}.s.png", f"out/{GONE}.t.png"}


@pytest.fixture
def orphaned(bucket: Bucket) -> Bucket:
    """One of thirty sources is gone and its derivatives are not; foreign files lie there; p.parquet is the plan."""
    bucket.rules("manifest: /meta/{path}.json" + RULES)
    bucket.put(*KEYS)
    bucket.function()
    bucket.put("out/foreign.txt", f"out/{GONE}.t.png.bak")
    bucket.delete(GONE)
    assert bucket.derivo("plan", bucket.address, "-o", "p.parquet").code == 0
    return bucket


def test_without_yes_it_only_tells(orphaned: Bucket) -> None:
    before = orphaned.cos.keys()
    done = orphaned.derivo("prune", "p.parquet")
    assert done.code == 1
    assert "3 would be removed" in done.out
    assert orphaned.cos.keys() == before


def test_orphans_go_and_nothing_else(orphaned: Bucket) -> None:
    before = set(orphaned.cos.keys())
    done = orphaned.derivo("prune", "p.parquet", "--yes")
    assert done.code == 0, done.out + done.err
    assert before - set(orphaned.cos.keys()) == LEFT_BEHIND
    assert orphaned.classes() == {"unknown": 2, "up-to-date": 58}
    # twice is as once
    assert orphaned.derivo("prune", "p.parquet", "--yes").code == 0
    assert before - set(orphaned.cos.keys()) == LEFT_BEHIND


def test_what_was_replaced_since_stays_and_its_manifest_too(orphaned: Bucket) -> None:
    orphaned.put(f"out/{GONE}.t.png", data=b"somebody else's")
    done = orphaned.derivo("prune", "p.parquet", "--yes")
    assert "changed: " in done.out
    assert orphaned.cos.get(f"out/{GONE}.t.png") == b"somebody else's"
    assert orphaned.cos.get(f"meta/{GONE}.json") is not None
    assert orphaned.cos.get(f"out/{GONE}.s.png") is None


def test_what_is_wanted_again_stays(orphaned: Bucket) -> None:
    before = set(orphaned.cos.keys())
    orphaned.put(GONE)
    done = orphaned.derivo("prune", "p.parquet", "--yes")
    assert "wanted again: " in done.out
    assert set(orphaned.cos.keys()) - before == {GONE}


def test_a_tenth_of_a_bucket_goes_only_by_name(bucket: Bucket) -> None:
    bucket.rules("manifest: /meta/{path}.json" + RULES)
    bucket.put(*KEYS)
    bucket.function()
    bucket.delete(*KEYS[:10])
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    before = bucket.cos.keys()
    for force in ([], ["--force", "other-1250000000"]):
        done = bucket.derivo("prune", "p.parquet", "--yes", *force)
        assert done.code == 2
        assert f"--force {bucket.cos.bucket}" in done.err
        assert bucket.cos.keys() == before
    assert bucket.derivo("prune", "p.parquet", "--yes", "--force", bucket.cos.bucket).code == 0
    assert len(bucket.cos.keys()) == len(before) - 30


def test_when_one_cannot_be_looked_at_nothing_goes(orphaned: Bucket) -> None:
    before = orphaned.cos.keys()
    orphaned.cos.faults.add("error", code="InternalError", operation="head_object", nth=2)
    done = orphaned.derivo("prune", "p.parquet", "--yes")
    assert done.code == 1
    assert "nothing was deleted" in done.err
    assert orphaned.cos.keys() == before


def test_a_plan_of_other_rules_is_refused(orphaned: Bucket) -> None:
    orphaned.rules(RULES)
    done = orphaned.derivo("prune", "p.parquet", "--yes")
    assert (done.code, "other rules" in done.err) == (2, True)
    assert orphaned.cos.get(f"out/{GONE}.t.png") != PNG
