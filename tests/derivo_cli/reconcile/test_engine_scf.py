"""derivo apply --engine scf: the plan goes to the deployed function as events, at a pace, and the function makes it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.front import Front
from coslocal.journal import Journal as Asked
from coslocal.pytest_plugin import REGION, SECRET_ID, SECRET_KEY, Server, new_app
from coslocal.scf import actions
from coslocal.scf.function import Account, Function
from coslocal.scf.result import Result
from coslocal.scf.service import Scf
from coslocal.server import LocalServer
from coslocal.tencentapi.api import TencentApi
from derivo.ci import limits
from derivo.events import Source, sources
from derivo.plan import plan
from derivo_cli.reconcile.engines.scf import packed
from derivo_cli.reconcile.executing import Ledger, Unit
from tests.derivo_cli.reconcile.conftest import RULES
from tests.derivo_cli.running import Derivo, Done, runner
from tests.derivo_cli.shell import PNG
from tests.functions.conftest import index_of
from tests.functions.test_convergence import Interrupted

ROOT = Path(__file__).resolve().parents[3]
COUNT = 30
KEYS = [f"in/{number:02}/{number}.png" for number in range(COUNT)]


@dataclass
class Cloud:
    """coslocal on a socket, with the function deployed and derivo beside it. No trigger: nothing comes by itself."""

    server: Server
    scf: Scf
    derivo: Derivo
    folder: Path

    @property
    def address(self) -> str:
        return f"cos://{self.server.bucket}/"

    @property
    def asked(self) -> Asked:
        return self.server.journal

    def apply(self, *arguments: object) -> Done:
        return self.derivo("apply", self.address, "--engine", "scf", "--function", "derivo", *arguments)

    def plan(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.derivo("plan", self.address, "--json").out)
        return found


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cloud]:
    code, home = tmp_path / "code", tmp_path / "home"
    shutil.copytree(ROOT / "functions", code, ignore=shutil.ignore_patterns("__pycache__"))
    for place in (code / "rules", home / "rules"):
        place.mkdir(parents=True)
        (place / "in.yml").write_text(RULES, "utf-8")
    app = new_app()
    account = Account(secret_id=SECRET_ID, secret_key=SECRET_KEY)
    function = Function(name="derivo", root=code, python=sys.executable, timeout=20, instances=1)
    with Scf([function], [], account=account) as scf:
        api = TencentApi([actions.service(scf)], credentials=app.credentials, journal=app.journal)
        with LocalServer(Front(app, api)).start_in_thread() as server:
            function.variables.update({"DERIVO_COS_SCHEME": "http", "DERIVO_COS_PROXY": server.url})
            monkeypatch.chdir(home)
            for name, value in {
                "DERIVO_COS_SCHEME": "http",
                "DERIVO_COS_PROXY": server.url,
                "TENCENTCLOUD_REGION": REGION,
                "TENCENTCLOUD_SECRETID": SECRET_ID,
                "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            }.items():
                monkeypatch.setenv(name, value)
            yield Cloud(Server(app, server), scf, runner(monkeypatch, capsys), home)
    app.store.close()


def test_the_function_makes_what_the_plan_lists(cloud: Cloud) -> None:
    for key in KEYS:
        cloud.server.put(key, PNG)
    done = cloud.apply()
    assert done.code == 0, done.out + done.err
    assert f"{COUNT} sources with {COUNT} requests handed to the function derivo in 3 events" in done.out
    assert "derivo plan then tells" in " ".join(done.out.split())
    assert cloud.scf.drain()
    assert cloud.asked.count("image_process") == COUNT
    assert cloud.plan()["nothing_to_do"]
    assert not [path for path in cloud.folder.iterdir() if path.name != "rules"]


def test_a_budget_ends_it_and_resume_hands_over_the_rest_once(cloud: Cloud) -> None:
    for key in KEYS:
        cloud.server.put(key, PNG)
    done = cloud.apply("--max-requests", 12)
    assert (done.code, "--max-requests 12 is reached" in done.out) == (1, True)
    assert cloud.apply("--resume").code == 0
    assert cloud.scf.drain()
    assert cloud.asked.count("image_process") == COUNT
    assert cloud.plan()["nothing_to_do"]


def test_what_the_api_refuses_for_now_is_sent_again(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        cloud.server.put(key, PNG)
    taken = cloud.scf.invoke_async
    refused = Result(request_id="r", status=429, message="too many")
    answers = iter([refused, refused])
    monkeypatch.setattr(cloud.scf, "invoke_async", lambda *told, **more: next(answers, None) or taken(*told, **more))
    assert cloud.apply().code == 0
    assert cloud.scf.drain()
    assert cloud.plan()["nothing_to_do"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--function", "other"], "ResourceNotFound.Function"),
        (["--function", "derivo", "--namespace", "none"], "ResourceNotFound.Namespace"),
        ([], "--function NAME"),
    ],
)
def test_a_function_that_is_not_there_is_refused(cloud: Cloud, arguments: list[str], said: str) -> None:
    cloud.server.put(KEYS[0], PNG)
    done = cloud.derivo("apply", cloud.address, "--engine", "scf", *arguments)
    assert (done.code, said in done.err, done.err.count("\n")) == (2, True, 1)
    assert cloud.scf.drain()
    assert cloud.asked.count("image_process") == 0


def test_wrong_keys_end_it_with_one_line(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.server.put(KEYS[0], PNG)
    assert cloud.derivo("plan", cloud.address, "-o", "p.parquet").code == 1
    monkeypatch.setenv("TENCENTCLOUD_SECRETKEY", "SKwrong")
    done = cloud.derivo("apply", "p.parquet", "--engine", "scf", "--function", "derivo")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "SKwrong" not in done.err


INDEX = index_of(RULES)
KEYS_OF_ANY_SCRIPT = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=280).filter(
    lambda name: len(name.encode()) <= 800 and name not in (".", "..")
)


@given(names=st.lists(KEYS_OF_ANY_SCRIPT, max_size=60), most=st.integers(1, 30))
def test_events_hold_every_source_once_within_both_limits(names: list[str], most: int) -> None:
    bucket = "photos-1250000000"
    wanted = [Source(bucket=bucket, region=REGION, key=f"in/{name}", size=1) for name in names]
    units = [Unit(number, plan(source, INDEX), 0.0) for number, source in enumerate(wanted)]
    parcels = list(packed(iter(units), most))
    assert [unit for parcel in parcels for unit in parcel.units] == units
    for parcel in parcels:
        assert len(parcel.event) < parcel.size <= limits.ASYNC_EVENT_BYTES
        assert parcel.requests <= most or len(parcel.units) == 1
        told = sources(json.loads(parcel.event))
        assert [(item.bucket, item.key) for item in told if isinstance(item, Source)] == [
            (bucket, unit.plan.source.key) for unit in parcel.units
        ]


def test_long_keys_travel_in_more_events() -> None:
    wanted = [Source(bucket="photos-1250000000", region=REGION, key=f"in/{n}{'図' * 250}", size=1) for n in range(100)]
    units = [Unit(number, plan(source, INDEX), 0.0) for number, source in enumerate(wanted)]
    parcels = list(packed(iter(units), 1000))
    assert len(parcels) > 1
    assert all(parcel.size <= limits.ASYNC_EVENT_BYTES for parcel in parcels)


def test_killed_before_it_was_noted_one_event_is_sent_twice(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        cloud.server.put(key, PNG)
    noted, left = Ledger.hand_over, iter([False, True])

    def killed(self: Ledger, units: Sequence[Unit]) -> None:
        if next(left):
            raise Interrupted
        noted(self, units)

    monkeypatch.setattr(Ledger, "hand_over", killed)
    with pytest.raises(Interrupted):
        cloud.apply()
    monkeypatch.setattr(Ledger, "hand_over", noted)
    assert cloud.apply("--resume").code == 0
    assert cloud.asked.count("Invoke") == 3 + 1
    assert cloud.scf.drain()
    assert cloud.plan()["nothing_to_do"]
