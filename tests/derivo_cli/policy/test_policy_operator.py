"""An operator's commands, and the function's self-healing, under the rights that derivo policy prints for them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from coslocal.cam.policy import CamPolicy, understood
from coslocal.pytest_plugin import BUCKET, REGION
from coslocal.scf.event import envelope, record
from derivo.clock import SystemClock
from derivo.cos import Cos as Client
from derivo.handle import Summary, handle
from derivo.settings import Settings
from derivo_cli import policy
from derivo_cli.policy import Who, statements
from derivo_cli.policy_places import deployed
from derivo_cli.serverless import Deployment, TimerTrigger
from tests.derivo_cli.reconcile.conftest import RULES, Bucket, bucket

__all__ = ["bucket"]

KEPT = "manifest: /meta/{path}.json\non_failure: /failures/" + RULES
KEYS = [f"in/{number}.png" for number in range(20)]
SWEEP = {"Type": "Timer", "TriggerName": "sweep", "Time": "2026-11-22T10:00:00Z", "Message": f"cos://{BUCKET}/"}


def granted(bucket: Bucket, who: Who = Who.FUNCTION, timers: Iterable[TimerTrigger] = ()) -> CamPolicy:
    rule_sets = bucket.index.considered
    place = deployed(Deployment({}, (), tuple(timers)), rule_sets, {}, buckets=[BUCKET], region=REGION)
    return understood(policy.document(statements(rule_sets, place, who), REGION))


def invoke(bucket: Bucket, rights: CamPolicy, event: object) -> Summary:
    """The function, held to a policy."""
    keys = bucket.cos.app.assume(rights)
    client = Client(Settings(scheme="http", secret_id=keys.secret_id, secret_key=keys.secret_key, token=keys.token))
    return handle(
        event, {"time_limit_in_ms": 60_000}, client=client, rule_sets=bucket.index, clock=SystemClock(),
        log=lambda _: None, region=REGION,
    )  # fmt: skip


def refused(bucket: Bucket) -> list[str]:
    return [f"{e.operation} {e.key}" for e in bucket.cos.journal.entries() if e.error == "AccessDenied"]


def test_plan_apply_prune_status_and_replay_need_no_more(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.rules(KEPT)
    bucket.put(*KEYS)
    bucket.cos.client().put_object(Bucket=BUCKET, Key="in/bad.png", Body=b"no picture")
    told = bucket.cos.events[-1]
    assert invoke(bucket, granted(bucket), envelope(record(told, target="q", dialects=bucket.cos.app.dialects))).failed
    keys = bucket.cos.app.assume(granted(bucket, Who.APPLY))
    monkeypatch.setenv("TENCENTCLOUD_SECRETID", keys.secret_id)
    monkeypatch.setenv("TENCENTCLOUD_SECRETKEY", keys.secret_key)
    assert bucket.derivo("status", bucket.address).code == 1
    bucket.put("in/bad.png")
    assert bucket.derivo("replay", f"{bucket.address}failures/").code == 0
    assert bucket.apply().code == 0
    assert bucket.plan()["nothing_to_do"]
    bucket.cos.app.store.delete(BUCKET, KEYS[0])
    bucket.derivo("plan", bucket.address, "-o", "p.parquet")
    assert bucket.derivo("prune", "p.parquet", "--yes").code == 0
    assert bucket.cos.get(f"meta/{KEYS[0]}.json") is None
    assert refused(bucket) == []


def test_self_healing_needs_the_timers_rights_and_no_more(bucket: Bucket) -> None:
    bucket.rules(KEPT)
    bucket.put(*KEYS)
    invoke(bucket, granted(bucket), SWEEP)
    assert refused(bucket)  # without a timer nobody may list
    bucket.cos.journal.clear()
    summary = invoke(bucket, granted(bucket, timers=[TimerTrigger("sweep", "", "", True)]), SWEEP)
    assert (summary.written, summary.failed) == (60, 0)
    assert refused(bucket) == []
    assert bucket.cos.get(".derivo/sweep.json") is not None
