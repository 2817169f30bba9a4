"""derivo apply --engine ci: what fits batch jobs is made by them, looked at afterwards, and told one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo.events import Source
from derivo.plan import plan
from derivo_cli.reconcile.engines import ci, naming
from derivo_cli.reconcile.engines.batches import Batch, Batches
from tests.derivo_cli.reconcile.conftest import RULES, Bucket
from tests.derivo_cli.running import Done
from tests.derivo_cli.shell import PNG
from tests.functions.conftest import index_of
from tests.functions.test_convergence import Interrupted

COUNT = 12
KEYS = [f"in/{number % 3}/图 {number}+%.png" for number in range(COUNT)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "_FIRST_PAUSE", 0.02)


def apply(bucket: Bucket, *arguments: object) -> Done:
    return bucket.apply(bucket.address, "--engine", "ci", *arguments)


def batches(bucket: Bucket) -> int:
    return bucket.cos.journal.count("create_inventory_trigger_job")


def own(bucket: Bucket) -> set[str]:
    """What lies in the bucket of Derivo itself."""
    return {item.key for item in bucket.cos.app.store.scan(bucket.cos.bucket, prefix=".derivo/")}


@pytest.mark.parametrize("ends", ["slash", "bare"])
def test_one_job_a_derivative_makes_what_the_plan_lists(bucket: Bucket, ends: str) -> None:
    bucket.dialect("batch-input-path", ends)
    bucket.put(*KEYS)
    done = apply(bucket)
    assert done.code == 0, done.out + done.err
    assert f"{2 * COUNT} derivatives of {COUNT} sources written with {2 * COUNT} requests" in done.out
    assert (batches(bucket), bucket.requests) == (3, 0)
    assert bucket.plan()["nothing_to_do"]
    assert own(bucket) == {".derivo/specs.json"}
    assert not bucket.cos.app.jobs.records.templates(bucket.cos.bucket)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ("manifest: '/meta/{path}.json'" + RULES, "it keeps a manifest"),
        (RULES.replace("/out/{path}.t", "/out/${{x}}{path}.t"), "`${`"),
        (RULES.replace("rule: imageMogr2/thumbnail/20x", "style: brand"), "t is a style"),
    ],
)
def test_rule_sets_that_do_not_fit_are_refused_by_name_or_left_to_the_direct_engine(
    bucket: Bucket, rules: str, reason: str
) -> None:
    style = {"StyleName": "brand", "StyleBody": "imageMogr2/thumbnail/20x"}
    bucket.cos.client().ci_put_image_style(Bucket=bucket.cos.bucket, Request=style)
    bucket.rules(RULES.replace("in/", "more/").replace("/out/", "/further/"), rules)
    bucket.put(*KEYS, *(f"more/a/{n}.png" for n in range(5)))
    done = apply(bucket)
    assert (done.code, batches(bucket), bucket.requests) == (2, 0, 0)
    assert "rule set set1: " in done.err
    assert reason in done.err
    assert "set0" not in done.err
    done = apply(bucket, "--rest")
    assert done.code == 0, done.out + done.err
    assert (batches(bucket), bucket.requests >= COUNT) == (3, True)
    assert bucket.plan()["nothing_to_do"]


def test_sources_that_no_pattern_names_are_told_and_made_directly(bucket: Bucket) -> None:
    bucket.rules("suffixes: any" + RULES)
    odd = ["in/none", "in/.hidden", "in/dot.", "in/${InputName}.png"]
    bucket.put(*KEYS, *odd)
    done = apply(bucket)
    assert done.code == 1
    assert "NotForBatch: 4 sources" in done.out
    assert f"{2 * COUNT} derivatives" in done.out
    assert bucket.apply(bucket.address, "--resume").code == 0
    assert bucket.plan()["nothing_to_do"]


def test_sources_at_the_root_need_no_folder(bucket: Bucket) -> None:
    bucket.rules("suffixes: [.png]" + RULES.replace("prefix: in/", "exclude: ['out/**']"))
    bucket.put("a.png", "b.png")
    assert apply(bucket).code == 0
    assert bucket.plan()["nothing_to_do"]


def test_what_a_job_left_out_is_no_derivative_even_where_an_old_one_stands(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    assert bucket.apply().code == 0
    bucket.put(KEYS[1], data=b"no picture")
    bucket.put(KEYS[2], data=PNG + b"\0")
    done = apply(bucket)
    assert (done.code, "MissingFromAnswer: 1 sources" in done.out) == (1, True)
    again = apply(bucket, "--resume")
    assert (again.code, "MissingFromAnswer: 1 sources" in again.out) == (1, True)
    direct = bucket.apply(bucket.address, "--resume")
    assert (direct.code, "InvalidImageFormat: 1 sources" in direct.out) == (1, True)
    assert bucket.classes() == {"stale-source": 2, "up-to-date": 2 * COUNT - 2}


def test_a_source_that_went_meanwhile_is_no_failure(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    bucket.delete(*KEYS[5:8])
    assert bucket.apply("p.parquet", "--engine", "ci").code == 0
    assert bucket.plan()["nothing_to_do"]


def test_killed_while_jobs_run_it_follows_them(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put(*KEYS)
    assert bucket.derivo("plan", bucket.address, "-o", "p.parquet").code == 1
    asked = Batches.batch
    polls = iter(range(1000))

    def killed(self: Batches, **job: str) -> Batch:
        if next(polls) > 3:
            bucket.cos.app.jobs.hold()
        if bucket.cos.app.jobs.records.batches(bucket.cos.bucket)[-1].name.endswith("-1"):
            raise Interrupted
        return asked(self, **job)

    monkeypatch.setattr(Batches, "batch", killed)
    with pytest.raises(Interrupted):
        bucket.apply("p.parquet", "--engine", "ci")
    begun = batches(bucket)
    monkeypatch.setattr(Batches, "batch", asked)
    bucket.cos.app.jobs.release()
    assert bucket.apply("p.parquet", "--engine", "ci", "--resume").code == 0
    # the trial is made anew, the jobs are not
    assert batches(bucket) == begun + 1
    assert bucket.plan()["nothing_to_do"]


def test_a_service_that_is_not_open_is_told_and_nothing_is_lost(bucket: Bucket) -> None:
    bucket.dialect("job-service", "must-open")
    bucket.put(*KEYS)
    done = apply(bucket)
    assert (done.code, "stopped: " in done.out, bucket.cos.keys() != []) == (1, True, True)
    bucket.cos.client().ci_open_pic_bucket(Bucket=bucket.cos.bucket)
    assert apply(bucket, "--resume").code == 0
    assert bucket.plan()["nothing_to_do"]


def test_trouble_that_passes_is_waited_out(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    for operation in ("create_inventory_trigger_job", "describe_inventory_trigger_job", "head_object"):
        bucket.cos.faults.add("error", code="InternalError", operation=operation, times=1)
    bucket.cos.faults.add("error", code="InternalError", operation="put_object", prefix=".derivo/batch/", times=1)
    assert apply(bucket).code == 0
    assert bucket.plan()["nothing_to_do"]


def test_budgets_are_kept_and_resume_goes_on(bucket: Bucket) -> None:
    bucket.put(*KEYS)
    done = apply(bucket, "--max-requests", 2 * 5)
    assert (done.code, "--max-requests 10 is reached" in done.out) == (1, True)
    assert f"{COUNT - 5} left" in done.out
    assert apply(bucket, "--resume").code == 0
    assert bucket.plan()["nothing_to_do"]


STEMS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=20)
TEMPLATES = [
    "/o/{path}.x",
    "/o/{dir}/{stem}.{ext}",
    "/o/{dir}/{name}",
    "/o/{stem}-{ext}",
    "{stem}_s.{ext}",
    "/o/{name}",
]


@given(folders=st.lists(STEMS, min_size=1, max_size=3), stem=STEMS, ext=STEMS, to=st.sampled_from(TEMPLATES))
def test_a_pattern_gives_the_planned_key_or_says_that_it_does_not(
    folders: list[str], stem: str, ext: str, to: str
) -> None:
    key = f"{'/'.join(folders)}/{stem}.{ext}"
    index = index_of(f"derivatives:\n  - {{name: a, to: '{to}', rule: imageMogr2/strip}}\n")
    derivative = index.considered[0].derivatives[0]
    (planned,) = plan(Source(bucket="b-1", region="ap-guangzhou", key=key), index).derivatives or (None,)
    for slash in (True, False):
        output = naming.pattern(derivative, slash=slash)
        assert output is not None
        made = naming.filled(output, key, slash=slash)
        plain = "." not in ext and "${" not in key
        assert made is None or planned is None or made == planned.key
        assert made is not None or not plain
        assert naming.tried(naming.filled(naming.TRIAL, key, slash=slash) or "", naming.JOB, key) in (
            (slash,) if plain else (slash, None)
        )
