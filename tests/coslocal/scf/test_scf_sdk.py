"""The vendor's own client, over a socket: both ways to point it at coslocal."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from qcloud_cos import CosConfig, CosS3Client
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.scf.v20180416 import models
from tencentcloud.scf.v20180416.scf_client import ScfClient

from coslocal.app import Coslocal
from coslocal.front import Front
from coslocal.pytest_plugin import BUCKET, new_app
from coslocal.scf import actions
from coslocal.scf.function import Account, Function
from coslocal.scf.pages import add_pages
from coslocal.scf.schedule import Policy
from coslocal.scf.service import Scf
from coslocal.scf.triggers import Trigger
from coslocal.server import LocalServer
from coslocal.tencentapi.api import TencentApi

PATIENCE = 60.0

CODE = """
import os
runs = 0

def main_handler(event, context):
    global runs
    runs += 1
    print("run", runs, event)
    if event == "bad":
        raise ValueError("no good")
    return {"got": event, "region": context["tencentcloud_region"]}
"""


@dataclass
class Cloud:
    """A coslocal with one function behind one port."""

    app: Coslocal
    scf: Scf
    server: LocalServer
    way: str = "direct"

    def profile(self, **http: Any) -> ClientProfile:
        address = self.server.url.removeprefix("http://")
        where = {"direct": {"endpoint": address}, "proxy": {"proxy": self.server.url}}[self.way]
        return ClientProfile(httpProfile=HttpProfile(protocol="http", **where, **http))

    def client(self, key: str = "SKlocal", **http: Any) -> ScfClient:
        return ScfClient(Credential("AKIDlocal", key), "ap-guangzhou", self.profile(**http))

    def page(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.server.url}/_coslocal/{path}") as answer:
            return json.load(answer)

    def wait_quiet(self) -> Any:
        """As a script would: ask for the status until it is idle."""
        deadline = time.monotonic() + PATIENCE
        while not (status := self.page("scf/status"))["idle"]:
            assert time.monotonic() < deadline, status
            time.sleep(0.02)
        return status["functions"]["fn"]


@pytest.fixture(params=["direct", "proxy"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    (tmp_path / "index.py").write_text(CODE)
    app = new_app()
    account = Account(secret_id="AKIDlocal", secret_key="SKlocal")
    function = Function(name="fn", root=tmp_path, instances=1)
    trigger = Trigger(bucket=BUCKET, function="fn")
    policy = Policy(retry_interval=0.05, throttle_interval=0.05)
    with Scf([function], [trigger], account=account, policy=policy) as scf:
        app.subscribe(scf.notify)
        add_pages(app, scf)
        api = TencentApi(
            [actions.service(scf)], credentials=app.credentials, tokens=[account.session_token], journal=app.journal
        )
        with LocalServer(Front(app, api)).start_in_thread() as server:
            yield Cloud(app, scf, server, request.param)
    app.store.close()


def invoke(client: ScfClient, context: Any, **fields: Any) -> Any:
    wanted = models.InvokeRequest()
    wanted.FunctionName, wanted.ClientContext = "fn", json.dumps(context)
    for name, value in fields.items():
        setattr(wanted, name, value)
    return client.Invoke(wanted).Result


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(TencentCloudSDKException) as failure:
        call()
    assert failure.value.get_request_id()
    return str(failure.value.get_code())


def test_a_function_is_invoked_and_its_value_comes_back(cloud: Cloud) -> None:
    result = invoke(cloud.client(), {"a": "北京 😀"}, LogType="Tail")
    assert json.loads(result.RetMsg) == {"got": {"a": "北京 😀"}, "region": "ap-guangzhou"}
    assert result.InvokeResult == 0
    assert "run 1 {'a': '北京 😀'}" in result.Log

    wanted = models.InvokeFunctionRequest()
    wanted.FunctionName, wanted.Event = "fn", "[1]"
    assert json.loads(cloud.client().InvokeFunction(wanted).Result.RetMsg)["got"] == [1]
    assert cloud.app.journal.count("Invoke") == 1
    assert cloud.page("scf/status")["functions"]["fn"]["invocations"] == 2


def test_a_get_carries_the_same_call(cloud: Cloud) -> None:
    result = invoke(cloud.client(reqMethod="GET"), {"a": "北京+%"})
    assert json.loads(result.RetMsg)["got"] == {"a": "北京+%"}


def test_an_event_is_queued_retried_and_its_log_can_be_read(cloud: Cloud) -> None:
    result = invoke(cloud.client(), "bad", InvocationType="Event")
    assert (result.RetMsg, result.Log) == ("", "")
    counts = cloud.wait_quiet()
    assert {name: counts[name] for name in ("invocations", "errors", "retries", "dead_letters", "waiting")} == {
        "invocations": 3,
        "errors": 3,
        "retries": 2,
        "dead_letters": 1,
        "waiting": 0,
    }
    runs = cloud.page(f"scf/logs?request_id={result.FunctionRequestId}")["runs"]
    assert [(run["retry"], run["status"]) for run in runs] == [(0, 430), (1, 430), (2, 430)]
    assert [line for run in runs for line in run["lines"] if line.startswith("run")] == [
        f"run {number} bad" for number in (1, 2, 3)
    ]
    assert cloud.page("scf/logs?function=other")["runs"] == []
    assert len(cloud.page("scf/logs?last=2")["runs"]) == 2

    wanted = models.GetFunctionLogsRequest()
    wanted.FunctionName, wanted.FunctionRequestId = "fn", result.FunctionRequestId
    logs = cloud.client().GetFunctionLogs(wanted)
    assert logs.TotalCount == 3
    assert {entry.RetCode for entry in logs.Data} == {430}


def test_an_uploads_event_is_among_the_runs(cloud: Cloud) -> None:
    config = CosConfig(
        Region="ap-guangzhou", SecretId="AKIDlocal", SecretKey="SKlocal", Scheme="http", Proxies=cloud.server.proxies
    )
    CosS3Client(config).put_object(Bucket=BUCKET, Key="a.jpg", Body=b"x")
    assert cloud.wait_quiet()["invocations"] == 1
    (run,) = cloud.page("scf/logs?function=fn")["runs"]
    assert run["status"] == 200
    assert run["duration_ms"] > 0


def test_settings_and_descriptions(cloud: Cloud) -> None:
    client = cloud.client()
    put = models.PutReservedConcurrencyConfigRequest()
    put.FunctionName, put.ReservedConcurrencyMem = "fn", 0
    client.PutReservedConcurrencyConfig(put)
    assert json.loads(invoke(client, 1).RetMsg)["statusCode"] == 432
    delete = models.DeleteReservedConcurrencyConfigRequest()
    delete.FunctionName = "fn"
    client.DeleteReservedConcurrencyConfig(delete)
    assert invoke(client, 1).InvokeResult == 0

    update = models.UpdateFunctionEventInvokeConfigRequest()
    retry = models.RetryConfig()
    retry.RetryNum = 1
    update.AsyncTriggerConfig = models.AsyncTriggerConfig()
    update.AsyncTriggerConfig.RetryConfig, update.AsyncTriggerConfig.MsgTTL = [retry], 3600
    update.FunctionName = "fn"
    client.UpdateFunctionEventInvokeConfig(update)
    asked = models.GetFunctionEventInvokeConfigRequest()
    asked.FunctionName = "fn"
    config = client.GetFunctionEventInvokeConfig(asked).AsyncTriggerConfig
    assert (config.MsgTTL, [item.RetryNum for item in config.RetryConfig]) == (3600, [1])

    wanted = models.GetFunctionRequest()
    wanted.FunctionName = "fn"
    described = client.GetFunction(wanted)
    assert (described.FunctionName, described.Status) == ("fn", "Active")
    (trigger,) = described.Triggers
    assert trigger.TriggerName == f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"
    assert json.loads(trigger.TriggerDesc)["event"] == "cos:ObjectCreated:*"
    assert [item.FunctionName for item in client.ListFunctions(models.ListFunctionsRequest()).Functions] == ["fn"]


def test_what_the_cloud_refuses_is_refused_with_its_code(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cloud.client()
    assert refused(lambda: invoke(cloud.client(key="SKwrong"), 1)) == "AuthFailure.SignatureFailure"
    stranger = ScfClient(Credential("AKIDstranger", "SKlocal"), "ap-guangzhou", cloud.profile())
    assert refused(lambda: invoke(stranger, 1)) == "AuthFailure.SecretIdNotFound"
    with_token = ScfClient(Credential("AKIDlocal", "SKlocal", "stolen"), "ap-guangzhou", cloud.profile())
    assert refused(lambda: invoke(with_token, 1)) == "AuthFailure.TokenFailure"
    assert refused(lambda: invoke(client, 1, FunctionName="other")) == "ResourceNotFound.Function"
    assert refused(lambda: invoke(client, 1, Qualifier="7")) == "ResourceNotFound.Qualifier"
    assert refused(lambda: client.ListLayers(models.ListLayersRequest())) == "UnsupportedOperation"
    other = CommonClient("sts", "2018-08-13", Credential("AKIDlocal", "SKlocal"), "ap-guangzhou", cloud.profile())
    assert refused(lambda: other.call_json("GetCallerIdentity", {})) == "NoSuchProduct"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 400)
    assert refused(lambda: invoke(client, 1)) == "AuthFailure.SignatureExpire"


@pytest.mark.parametrize("cloud", ["proxy"], indirect=True)
def test_a_signature_of_version_1_is_refused(cloud: Cloud) -> None:
    profile = cloud.profile()
    profile.signMethod = "HmacSHA256"
    client = ScfClient(Credential("AKIDlocal", "SKlocal"), "ap-guangzhou", profile)
    assert refused(lambda: client.ListFunctions(models.ListFunctionsRequest())) == "AuthFailure.InvalidAuthorization"


def test_the_other_pages_and_the_store_stay_where_they_were(cloud: Cloud) -> None:
    """Naming the API's host reaches the API, and coslocal's own pages are there on every host."""
    request = urllib.request.Request(
        f"{cloud.server.url}/_coslocal/health", headers={"Host": "scf.tencentcloudapi.com"}
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["status"] == "ok"
    request = urllib.request.Request(cloud.server.url, headers={"Host": "scf.ap-guangzhou.tencentcloudapi.com"})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["Response"]["Error"]["Code"] == "AuthFailure.InvalidAuthorization"


def test_many_at_once_are_answered_each_with_its_own(cloud: Cloud) -> None:
    """One instance: the others meet a throttle, which is an answer too."""
    client, answers = cloud.client(), dict[int, Any]()

    def ask(number: int) -> None:
        answers[number] = json.loads(invoke(client, number).RetMsg)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    for number, answer in answers.items():
        assert answer.get("got") == number or re.search("busy", answer["errorMessage"])
