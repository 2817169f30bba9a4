"""functions/index.py as SCF runs it: its own process, the documented environment, a real socket to coslocal."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coslocal.pytest_plugin import SECRET_KEY, Server
from coslocal.scf.clock import ManualClock
from coslocal.scf.function import Account, Function
from coslocal.scf.result import CODE_ERROR
from coslocal.scf.service import Scf
from coslocal.scf.triggers import Trigger
from derivo.events import Source, synthetic_event

from .conftest import photo

ROOT = Path(__file__).resolve().parents[2]
GOOD = "prefix: in/\nderivatives: [{name: t, to: '/out/{path}.webp', rule: imageMogr2/thumbnail/20x/format/webp}]\n"
BROKEN = "prefix: in/\nderivatives: [{name: t, to: '/out/{path}.gif', rule: imageMogr2/thumbnial/20x}]\n"


@dataclass
class Deployed:
    """The function, deployed: `lines` are the JSON lines it logged, `printed` all that it printed."""

    server: Server
    scf: Scf
    printed: list[str]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.printed if line.startswith("{")]

    def upload(self, key: str, data: bytes) -> None:
        self.server.client().put_object(Bucket=self.server.bucket, Key="/" + key, Body=data)

    def keys(self) -> list[str]:
        return [item.key for item in self.server.app.store.scan(self.server.bucket)]


Deploy = Callable[..., Deployed]


@pytest.fixture
def deploy(coslocal_server: Server, tmp_path: Path) -> Iterator[Deploy]:
    """Deploys functions/ with rule sets (name -> content) beside index.py, as the package has them."""
    running: list[Scf] = []

    def deployed(
        rules: dict[str, str],
        *,
        secret_key: str = SECRET_KEY,
        handler: str = "index.main_handler",
        files: dict[str, str] | None = None,
    ) -> Deployed:
        root = tmp_path / "code"
        shutil.copytree(ROOT / "functions", root, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "rules").mkdir()
        for name, content in rules.items():
            (root / "rules" / name).write_text(content, "utf-8")
        for name, content in (files or {}).items():
            (root / name).write_text(content, "utf-8")
        printed: list[str] = []
        function = Function(
            name="derivo",
            root=root,
            handler=handler,
            python=sys.executable,
            variables={"DERIVO_COS_SCHEME": "http", "DERIVO_COS_PROXY": coslocal_server.url},
            instances=1,
        )
        scf = Scf(
            [function],
            [Trigger(bucket=coslocal_server.bucket, prefix="in/", function="derivo")],
            account=Account(secret_id=coslocal_server.credentials[0], secret_key=secret_key),
            clock=ManualClock(),
            log=lambda request_id, line: printed.append(line),
        )
        coslocal_server.app.subscribe(scf.notify)
        running.append(scf)
        return Deployed(coslocal_server, scf, printed)

    yield deployed
    for scf in running:
        scf.close()


def test_an_upload_becomes_a_derivative(deploy: Deploy) -> None:
    function = deploy({"a.yml": GOOD})
    function.upload("in/新 品+1.jpg", photo())
    assert function.scf.drain()
    assert function.keys() == ["in/新 品+1.jpg", "out/in/新 品+1.jpg.webp"]
    assert [(line["msg"], line["written"], line["failed"]) for line in function.lines] == [("derived", 1, 0)]


def test_a_broken_rule_set_does_not_keep_the_others_and_is_named(deploy: Deploy) -> None:
    function = deploy({"a.yml": GOOD, "b.yml": BROKEN})
    function.upload("in/a.jpg", photo())
    assert function.scf.drain()
    assert function.keys() == ["in/a.jpg", "out/in/a.jpg.webp"]
    assert any("b.yml:2:" in line and "CI104" in line for line in function.printed)
    # SCF tried twice more, for the broken one's sake, and what had been made was not made again
    assert [(line["written"], line["skipped"], line["calls"]) for line in function.lines] == [
        (1, 0, 1),
        (0, 1, 0),
        (0, 1, 0),
    ]


@pytest.mark.parametrize(
    ("rules", "said"),
    [({}, "there are no rule sets"), ({"a.yml": "prefix: [\n"}, "a.yml:"), ({"a.yml": "prefixes: in/\n"}, "prefix")],
)
def test_without_one_good_rule_set_every_event_is_kept_for_a_retry(
    deploy: Deploy, rules: dict[str, str], said: str
) -> None:
    function = deploy(rules)
    result = function.scf.invoke("derivo", {"Records": []})
    assert result.status == CODE_ERROR
    assert said in result.message


RENEWING = """
import json, os
import index

def main_handler(event, context):
    os.environ["TENCENTCLOUD_SECRETKEY"] = event.get("key") or os.environ["TENCENTCLOUD_SECRETKEY"]
    before = index._client
    try:
        return index.main_handler({"Records": event["Records"]}, context)
    finally:
        print(json.dumps({"msg": "client", "kept": index._client is before}))
"""


def test_a_warm_instance_keeps_its_client_until_its_keys_are_renewed(deploy: Deploy) -> None:
    function = deploy({"a.yml": GOOD}, handler="renewing.main_handler", files={"renewing.py": RENEWING})
    function.upload("in/a.jpg", photo())
    assert function.scf.drain()
    records = synthetic_event([Source(bucket=function.server.bucket, region="ap-guangzhou", key="in/a.jpg", size=9)])
    given = (SECRET_KEY, SECRET_KEY, "expired", SECRET_KEY, SECRET_KEY)
    done = [json.loads(function.scf.invoke("derivo", {**records, "key": key}).value) for key in given]
    assert [(each["written"], each["failed"]) for each in done] == [(1, 0), (1, 0), (0, 1), (1, 0), (1, 0)]
    kept = [line["kept"] for line in function.lines if line["msg"] == "client"]
    assert kept == [False, True, True, False, False, True]


def test_missing_credentials_are_named(deploy: Deploy) -> None:
    function = deploy({"a.yml": GOOD}, secret_key="")
    result = function.scf.invoke("derivo", {"Records": []})
    assert result.status == CODE_ERROR
    assert "TENCENTCLOUD_SECRETKEY not set" in result.message
    assert "execution role" in result.message


def test_what_is_no_cos_event_is_acknowledged(deploy: Deploy) -> None:
    function = deploy({"a.yml": GOOD})
    result = function.scf.invoke("derivo", {"Type": "Timer", "TriggerName": "t", "Time": "x", "Message": ""})
    assert result.ok
    assert json.loads(result.value)["unusable"] == 1


def test_a_timer_makes_what_no_event_came_for(deploy: Deploy) -> None:
    function = deploy({"a.yml": GOOD})
    function.server.put("in/a.jpg", photo())
    event = {"Type": "Timer", "TriggerName": "sweep", "Time": "2026-11-22T10:00:00Z"}
    for _ in range(2):
        assert function.scf.invoke("derivo", {**event, "Message": f"cos://{function.server.bucket}/"}).ok
    assert function.keys() == [".derivo/sweep.json", "in/a.jpg", "out/in/a.jpg.webp"]
    assert [(line["due"], line["resting"]) for line in function.lines if line["msg"] == "swept"] == [
        (1, False),
        (0, True),
    ]


def test_nothing_heavy_is_imported(deploy: Deploy, tmp_path: Path) -> None:
    """The cold start pays for every module; this is the list of what must not come in."""
    function = deploy({"a.yml": GOOD})
    probe = tmp_path / "code" / "probe.py"
    probe.write_text(
        "import sys\nimport index\ndef main_handler(event, context):\n    return sorted(sys.modules)\n", "utf-8"
    )
    server = function.server
    with Scf(
        [
            Function(
                name="probe",
                root=probe.parent,
                handler="probe.main_handler",
                python=sys.executable,
                variables={"DERIVO_COS_SCHEME": "http", "DERIVO_COS_PROXY": server.url},
            )
        ],
        [],
        account=Account(secret_id=server.credentials[0], secret_key=SECRET_KEY),
    ) as scf:
        modules = {name.partition(".")[0] for name in json.loads(scf.invoke("probe", {}).value)}
    heavy = {"pydantic", "rich", "click", "typer", "jinja2", "aiohttp", "pyvips", "coslocal", "derivo_cli", "Crypto"}
    assert not modules & heavy
    assert {"derivo", "qcloud_cos"} <= modules
