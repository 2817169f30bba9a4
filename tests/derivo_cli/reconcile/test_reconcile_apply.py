"""derivo apply: what the plan lists is made, once, within the limits given, and goes on where it broke off."""

from __future__ import annotations

import pytest

from derivo.clock import SystemClock
from derivo_cli.reconcile.journal import Journal
from derivo_cli.reconcile.planfile import PlanFile
from tests.derivo_cli.reconcile.conftest import RULES, Bucket
from tests.derivo_cli.shell import PNG

COUNT = 40
KEYS = [f"in/{number:02}/图 {number}.png" for number in range(COUNT)]


@pytest.fixture
def full(bucket: Bucket) -> Bucket:
    bucket.put(*KEYS)
    assert bucket.apply().code == 0
    return bucket


def test_it_makes_everything_with_one_request_a_source(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    done = bucket.apply()
    assert done.code == 0, done.out + done.err
    assert bucket.requests == COUNT
    assert f"{2 * COUNT} derivatives of {COUNT} sources written" in done.out
    assert bucket.derivo("plan", bucket.address).out.endswith("plan: nothing to do\n")


def test_a_second_time_makes_no_request(full: Bucket) -> None:
    assert full.apply().code == 0
    assert full.requests == COUNT


@pytest.mark.parametrize("text", [RULES, "manifest: /meta/{path}.json" + RULES])
def test_the_plan_tells_exact_numbers_and_apply_mends_them(bucket: Bucket, text: str) -> None:
    bucket.rules(text)
    bucket.put(*KEYS)
    bucket.apply()
    bucket.delete(*(f"out/{key}.s.png" for key in KEYS[:10]))
    bucket.put(*KEYS[20:26], data=PNG + b"\0")
    bucket.put(*(f"out/foreign {number}.txt" for number in range(4)))
    assert bucket.classes() == {"create": 10, "stale-source": 12, "unknown": 4, "up-to-date": 2 * COUNT - 22}
    bucket.rules(text.replace("thumbnail/20x", "thumbnail/24x"))
    found = bucket.plan()
    wanted = {"create": 10, "stale-source": 12, "stale-spec": COUNT - 6, "unknown": 4, "up-to-date": COUNT - 16}
    assert {kind: count for kind, count in found["classes"].items() if count} == wanted
    before = bucket.requests
    assert bucket.apply().code == 0
    assert bucket.requests - before == found["requests"] == COUNT
    assert bucket.derivo("plan", bucket.address).out.endswith("plan: nothing to do\n")
    assert bucket.apply().code == 0
    assert bucket.requests - before == COUNT


def test_only_what_is_missing_is_made(full: Bucket) -> None:
    full.delete(f"out/{KEYS[3]}.s.png")
    before = full.cos.journal.count("image_process")
    assert full.apply().code == 0
    (made,) = full.cos.journal.entries("image_process")[before:]
    assert (made.key, made.rules) == (KEYS[3], 1)


def test_a_plan_in_a_file_is_carried_out_once(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    assert bucket.apply("p.parquet").code == 0
    assert bucket.requests == COUNT
    again = bucket.apply("p.parquet")
    assert (again.code, "--resume" in again.err) == (2, True)
    assert bucket.apply("p.parquet", "--resume").code == 0
    assert bucket.requests == COUNT


def test_a_plan_of_other_rules_is_refused(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    bucket.rules("# only a comment\n" + RULES)
    assert bucket.apply("p.parquet", "--dry-run").code == 0
    bucket.rules(RULES.replace("20x", "24x"))
    done = bucket.apply("p.parquet")
    assert (done.code, bucket.requests) == (2, 0)
    assert "other rules" in done.err


@pytest.mark.parametrize(("name", "content"), [("none.parquet", None), ("x.parquet", b"PAR1 no"), ("y.parquet", b"")])
def test_what_is_no_plan_is_one_line(bucket: Bucket, name: str, content: bytes | None) -> None:
    if content is not None:
        (bucket.folder / name).write_bytes(content)
    done = bucket.derivo("apply", name)
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_a_dry_run_makes_nothing(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    assert bucket.apply(bucket.address, "--dry-run").code == 0
    assert bucket.cos.keys() == sorted(KEYS)
    assert bucket.requests == 0


def test_budgets_are_kept_and_resume_goes_on(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    done = bucket.apply(bucket.address, "--max-requests", 20)
    assert (done.code, bucket.requests) == (1, 20)
    assert f"{COUNT - 20} left" in done.out
    a_source = 2 * len(PNG) * 0.01 / 2**30
    assert bucket.apply(bucket.address, "--resume", "--max-cost", 10.5 * a_source).code == 1
    assert bucket.requests == 30
    assert bucket.apply(bucket.address, "--resume").code == 0
    assert bucket.requests == COUNT
    assert not [path for path in bucket.folder.iterdir() if path.name != "rules"]


def test_what_fails_is_told_and_can_be_replayed(bucket: Bucket) -> None:
    bucket.put(*KEYS[:5])
    bucket.put("in/text.png", data=b"no picture")
    done = bucket.apply()
    assert done.code == 1
    assert "InvalidImageFormat: 1 sources, for example in/text.png" in done.out
    (records,) = bucket.folder.glob("*.failures.jsonl")
    bucket.put("in/text.png")
    assert bucket.derivo("replay", records).code == 0
    assert len(bucket.cos.keys()) == 6 + 12 + 1


def test_a_source_that_went_meanwhile_is_no_failure(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    bucket.delete(*KEYS[:5])
    assert bucket.apply("p.parquet").code == 0
    assert bucket.plan()["nothing_to_do"]


def test_when_nothing_is_allowed_it_stops_soon(bucket: Bucket) -> None:
    many = [f"in/{number}.png" for number in range(300)]
    bucket.put(*many)
    bucket.cos.faults.add("error", code="AccessDenied", operation="image_process")
    done = bucket.apply()
    assert done.code == 1
    assert bucket.requests < 150
    assert "for want of a right" in done.out


def test_throttling_loses_nothing(bucket: Bucket) -> None:
    bucket.put(*KEYS[:20])
    bucket.cos.faults.add("error", code="SlowDown", operation="image_process", probability=0.2)
    assert bucket.apply().code == 0
    assert bucket.plan()["nothing_to_do"]


def test_a_journal_has_one_apply_at_a_time(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    plan = PlanFile(bucket.folder / "p.parquet")
    running = Journal(bucket.folder / "p.journal", plan.head, SystemClock())
    own = bucket.folder / f"derivo-apply-{bucket.cos.bucket}.journal"
    other = Journal(own, plan.head, SystemClock())
    for arguments in (["p.parquet", "--resume"], [bucket.address], [bucket.address, "--resume"]):
        done = bucket.apply(*arguments)
        assert (done.code, bucket.requests) == (2, 0)
        assert "another derivo apply is at work" in done.err
    other.close()
    running.close()
    assert bucket.apply("p.parquet", "--resume").code == 0
    assert bucket.requests == COUNT


def test_own_prices_are_reckoned_with(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    a_source = 2 * len(PNG) / 2**30
    found = bucket.plan("--price", "basic=1000")
    assert found["cost"]["amount"] == pytest.approx(COUNT * 1000 * a_source)
    done = bucket.apply(bucket.address, "--price", "basic=1000", "--max-cost", 10.5 * 1000 * a_source)
    assert (done.code, bucket.requests) == (1, 10)
    wrong = bucket.derivo("apply", bucket.address, "--price", "basis=1")
    assert (wrong.code, "there is no price 'basis'" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--engine", "scf"),
        ("--function", "derivo"),
        ("--engine", "ci", "--function", "derivo"),
        ("--rest",),
        ("--engine", "ci", "--qps", 5),
        ("--engine", "other"),
    ],
)
def test_options_that_an_engine_cannot_heed_are_refused_before_anything_is_done(
    bucket: Bucket, arguments: tuple[object, ...]
) -> None:
    bucket.put(*KEYS)
    assert bucket.apply(bucket.address, *arguments).code == 2
    assert bucket.cos.keys() == sorted(KEYS)
    assert bucket.cos.journal.count() == 0
