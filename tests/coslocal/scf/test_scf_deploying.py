"""Deploying over the API with the vendor's own client: what is created really runs."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.scf.v20180416 import models
from tencentcloud.scf.v20180416.scf_client import ScfClient

from coslocal.pytest_plugin import BUCKET
from coslocal.scf.clock import ManualClock
from coslocal.scf.service import Scf
from tests.coslocal.scf.empty_cloud import DOMAIN, EmptyCloud, empty_cloud

ONE = """
import os

def main_handler(event, context):
    print("one")
    return [1, os.environ.get("WHO"), context["function_version"]]
"""
TWO = ONE.replace("one", "two").replace("[1", "[2")
PREFIX = {"event": "cos:ObjectCreated:*", "filter": {"Prefix": "in/", "Suffix": ""}}


def zipped(**files: str) -> str:
    """A package of `name` -> content, `__` standing for a dot; base64."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", ".")), content)
    return base64.b64encode(target.getvalue()).decode()


@dataclass
class Cloud:
    parts: EmptyCloud

    @property
    def scf(self) -> Scf:
        return self.parts.scf

    @property
    def clock(self) -> ManualClock:
        return self.parts.clock

    def call(self, action: str, **parameters: Any) -> Any:
        profile = ClientProfile(
            httpProfile=HttpProfile(protocol="http", endpoint=self.parts.server.url.removeprefix("http://"))
        )
        client = ScfClient(Credential("AKIDlocal", "SKlocal"), "ap-guangzhou", profile)
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps({"FunctionName": "fn", **parameters}))
        return getattr(client, action)(request)

    def refusal(self, action: str, **parameters: Any) -> str:
        with pytest.raises(TencentCloudSDKException) as failure:
            self.call(action, **parameters)
        return str(failure.value.get_code())

    def create(self, code: str = ONE, **parameters: Any) -> None:
        given = {"Runtime": "Python3.10", "Handler": "index.main_handler", "Timeout": 20, "Role": "r", **parameters}
        self.call("CreateFunction", Code={"ZipFile": zipped(index__py=code)}, **given)

    def run(self, qualifier: str = "$DEFAULT") -> Any:
        answer = self.call("Invoke", ClientContext="{}", Qualifier=qualifier)
        return json.loads(answer.Result.RetMsg)

    def status(self, qualifier: str = "$LATEST") -> str:
        return str(self.call("GetFunction", Qualifier=qualifier).Status)

    def upload(self, key: str, body: bytes = b"x") -> None:
        self.parts.upload(key, body)

    def bind(self, prefix: str = "in/", **parameters: Any) -> None:
        described = json.dumps({"event": "cos:ObjectCreated:*", "filter": {"Prefix": prefix, "Suffix": ""}})
        given = {"Qualifier": "$DEFAULT", "Enable": "OPEN", **parameters}
        self.call("CreateTrigger", Type="cos", TriggerName=DOMAIN, TriggerDesc=described, **given)

    @property
    def lines(self) -> list[str]:
        """What the function printed, oldest run first."""
        assert self.scf.drain()
        return [line for run in self.scf.runs.select(lambda run: True) for line in run.lines if line in ("one", "two")]


@pytest.fixture
def make() -> Iterator[Callable[..., Cloud]]:
    with ExitStack() as stack:

        def made(**fields: Any) -> Cloud:
            return Cloud(stack.enter_context(empty_cloud(local={"LOCAL": "yes"}, **fields)))

        yield made


@pytest.fixture
def cloud(make: Callable[..., Cloud]) -> Cloud:
    return make()


def test_a_created_function_runs_and_tells_what_it_is(cloud: Cloud) -> None:
    cloud.create(
        Environment={"Variables": [{"Key": "WHO", "Value": "me 北京"}]}, Description="d", MemorySize=256,
        PublicNetConfig={"PublicNetStatus": "ENABLE", "EipConfig": {"EipStatus": "DISABLE"}},
    )  # fmt: skip
    assert cloud.run("$LATEST") == [1, "me 北京", "$LATEST"]
    told = cloud.call("GetFunction")
    assert (told.Status, told.Runtime, told.Handler, told.Timeout) == (
        "Active",
        "Python3.10",
        "index.main_handler",
        20,
    )
    assert (told.MemorySize, told.Role, told.Description) == (256, "r", "d")
    assert [(item.Key, item.Value) for item in told.Environment.Variables] == [("WHO", "me 北京")]
    assert told.PublicNetConfig.PublicNetStatus == "ENABLE"
    assert cloud.call("GetFunctionAddress").CodeSha256
    assert cloud.refusal("CreateFunction", Code={"ZipFile": zipped(index__py=ONE)}, Runtime="Python3.10") == (
        "ResourceInUse.FunctionName"
    )


def test_code_and_configuration_change_when_the_update_is_over(make: Callable[..., Cloud]) -> None:
    cloud = make(settling=5)
    cloud.create()
    assert cloud.status() == "Creating"
    assert cloud.refusal("UpdateFunctionCode", ZipFile=zipped(index__py=TWO)) == "FailedOperation.FunctionStatusError"
    assert cloud.refusal("PublishVersion") == "FailedOperation.FunctionStatusError"
    assert cloud.refusal("Invoke") == "FailedOperation.FunctionStatusError"
    cloud.clock.advance(5)
    assert cloud.run() == [1, None, "$LATEST"]
    cloud.call("UpdateFunctionCode", ZipFile=zipped(index__py=TWO))
    assert (cloud.status(), cloud.run()) == ("Updating", [1, None, "$LATEST"])
    cloud.clock.advance(5)
    assert (cloud.status(), cloud.run()) == ("Active", [2, None, "$LATEST"])
    cloud.call("UpdateFunctionConfiguration", Environment={"Variables": [{"Key": "WHO", "Value": "x"}]}, Timeout=7)
    cloud.clock.advance(5)
    assert cloud.run() == [2, "x", "$LATEST"]
    cloud.call("UpdateFunctionConfiguration", Timeout=8)
    cloud.clock.advance(5)
    assert cloud.run() == [2, "x", "$LATEST"], "what is not named stays"
    cloud.call("DeleteFunction")
    assert cloud.status() == "Deleting"
    assert cloud.refusal("CreateFunction", Code={"ZipFile": zipped(index__py=ONE)}, Runtime="Python3.10") == (
        "ResourceInUse.FunctionName"
    )
    cloud.clock.advance(5)
    assert cloud.refusal("GetFunction") == "ResourceNotFound.Function"


def test_versions_stay_as_they_were_and_the_default_alias_says_which_one_triggers_reach(
    make: Callable[..., Cloud],
) -> None:
    cloud = make(settling=5)
    cloud.create()
    cloud.clock.advance(5)
    cloud.bind()
    cloud.upload("in/a")
    assert cloud.call("PublishVersion", Description="first").FunctionVersion == "1"
    assert cloud.status("1") == "Publishing"
    point = {"Name": "$DEFAULT", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": []}}
    assert cloud.refusal("UpdateAlias", **point) == "FailedOperation.FunctionVersionStatusNotActive"
    cloud.clock.advance(5)
    cloud.call("UpdateAlias", **point)
    assert cloud.call("GetAlias", Name="$DEFAULT").FunctionVersion == "1"
    cloud.call("UpdateFunctionCode", ZipFile=zipped(index__py=TWO))
    cloud.clock.advance(5)
    cloud.upload("in/b")
    assert cloud.lines == ["one", "one"]
    assert cloud.run("1") == cloud.run() == [1, None, "1"]
    assert cloud.run("$LATEST") == [2, None, "$LATEST"]
    cloud.call("UpdateAlias", Name="$DEFAULT", FunctionVersion="$LATEST")
    cloud.upload("in/c")
    assert cloud.lines[-1] == "two"
    listed = cloud.call("ListVersionByFunction")
    assert [(item.Version, item.Description, item.Status) for item in listed.Versions] == [
        ("$LATEST", "", "Active"),
        ("1", "first", "Active"),
    ]
    hashes = {cloud.call("GetFunctionAddress", Qualifier=name).CodeSha256 for name in ("1", "$LATEST")}
    assert len(hashes) == 2
    assert cloud.call("GetFunctionLogs", Qualifier="1").TotalCount == 3
    cloud.call("CreateAlias", Name="canary", FunctionVersion="1")
    assert [item.Name for item in cloud.call("ListAliases").Aliases] == ["$DEFAULT", "canary"]
    cloud.call("DeleteAlias", Name="canary")
    assert cloud.refusal("GetAlias", Name="canary") == "ResourceNotFound.Alias"
    assert cloud.refusal("DeleteAlias", Name="$DEFAULT") == "InvalidParameterValue.Alias"
    assert cloud.refusal("UpdateAlias", Name="$DEFAULT", FunctionVersion="9") == "ResourceNotFound.FunctionVersion"


@pytest.mark.parametrize("desc", ["sent", "with-bucket"])
def test_triggers_fire_until_they_are_deleted(make: Callable[..., Cloud], desc: str) -> None:
    cloud = make(dialects={"trigger-desc": desc})
    cloud.create()
    cloud.upload("in/before")
    cloud.bind()
    cloud.bind("other/", Enable="CLOSE")
    cloud.upload("in/a")
    cloud.upload("other/a")
    assert cloud.lines == ["one"]
    listed = cloud.call("ListTriggers", Limit=1)
    assert (listed.TotalCount, len(listed.Triggers)) == (2, 1)
    told = {json.loads(item.TriggerDesc)["filter"]["Prefix"]: item for item in cloud.call("ListTriggers").Triggers}
    assert {prefix: item.Enable for prefix, item in told.items()} == {"in/": 1, "other/": 0}
    gone = told["in/"]
    cloud.call("DeleteTrigger", Type="cos", TriggerName=DOMAIN, TriggerDesc=gone.TriggerDesc, Qualifier=gone.Qualifier)
    cloud.upload("in/b")
    assert cloud.lines == ["one"]
    assert (
        cloud.refusal("DeleteTrigger", Type="cos", TriggerName=DOMAIN, TriggerDesc=gone.TriggerDesc)
        == "ResourceNotFound.Trigger"
    )


def test_a_timer_fires_until_it_is_deleted(cloud: Cloud) -> None:
    cloud.create()
    described = {"Type": "timer", "TriggerName": "sweep", "TriggerDesc": "0 */5 * * * * *", "Qualifier": "$DEFAULT"}
    cloud.call("CreateTrigger", Enable="OPEN", CustomArgument="all", **described)
    assert cloud.refusal("CreateTrigger", **described) == "ResourceInUse.TriggerName"
    cloud.clock.advance(600)
    assert cloud.lines == ["one", "one"]
    (told,) = cloud.call("GetFunction").Triggers
    assert (json.loads(told.TriggerDesc), told.CustomArgument) == ({"cron": "0 */5 * * * * *"}, "all")
    cloud.call("DeleteTrigger", Type="timer", TriggerName="sweep", Qualifier="$DEFAULT")
    cloud.clock.advance(600)
    assert len(cloud.lines) == 2


def test_deleting_a_function_takes_its_triggers_and_events_along(cloud: Cloud) -> None:
    cloud.create()
    cloud.bind()
    cloud.call("PutReservedConcurrencyConfig", ReservedConcurrencyMem=0)
    cloud.upload("in/a")
    assert cloud.scf.functions["fn"].wait_quiet(30)
    cloud.call("DeleteFunction")
    cloud.upload("in/b")
    cloud.create()
    assert cloud.call("ListTriggers").TotalCount == 0
    assert cloud.lines == []


def test_what_waits_while_it_is_stopped_is_run_when_it_goes_on(cloud: Cloud) -> None:
    cloud.create()
    cloud.bind()
    cloud.call("PutReservedConcurrencyConfig", ReservedConcurrencyMem=0)
    cloud.upload("in/a")
    assert cloud.scf.functions["fn"].wait_quiet(30)
    assert cloud.scf.status()["functions"]["fn"]["invocations"] == 0
    cloud.call("PutReservedConcurrencyConfig", ReservedConcurrencyMem=1280)
    assert cloud.lines == ["one"]


def test_without_a_role_there_are_no_credentials_and_local_variables_are_not_told(cloud: Cloud) -> None:
    shows = """
import os

def main_handler(event, context):
    return ["TENCENTCLOUD_SECRETID" in os.environ, os.environ.get("LOCAL")]
"""
    cloud.create(shows, Role=None)
    assert cloud.run() == [False, "yes"]
    cloud.call("UpdateFunctionConfiguration", Role="r")
    assert cloud.run() == [True, "yes"]
    assert cloud.call("GetFunction").Environment.Variables == []


def test_the_code_may_lie_in_a_bucket_and_its_folder_is_read_only(cloud: Cloud) -> None:
    package = base64.b64decode(zipped(**{"index__py": ONE, "sub/more__txt": "y"}))
    cloud.upload("code/fn.zip", package)
    name = BUCKET.rpartition("-")[0]
    code = {"CosBucketName": name, "CosObjectName": "/code/fn.zip"}
    cloud.call("CreateFunction", Code=code, Runtime="Python3.10")
    assert cloud.run()[0] == 1
    root = cloud.scf.functions["fn"].function.root
    assert {path.stat().st_mode & 0o222 for path in [root, *root.rglob("*")]} == {0}
    missing = {"CosBucketName": name, "CosObjectName": "/code/none.zip"}
    assert cloud.refusal("CreateFunction", FunctionName="other", Code=missing, Runtime="Python3.10") == (
        "ResourceNotFound.CosObject"
    )


@pytest.mark.parametrize(
    ("files", "why"),
    [({"other__py": ONE}, "index.py"), ({"../index__py": ONE}, "outside"), ({"/index__py": ONE}, "outside")],
)
def test_code_that_cannot_run_fails_after_the_call(cloud: Cloud, files: dict[str, str], why: str) -> None:
    bad = zipped(**files)
    cloud.call("CreateFunction", Code={"ZipFile": bad}, Runtime="Python3.10")
    told = cloud.call("GetFunction")
    assert (told.Status, why in told.StatusDesc, why in told.StatusReasons[0].ErrorMessage) == (
        "CreateFailed",
        True,
        True,
    )
    assert cloud.refusal("Invoke") == "FailedOperation.FunctionStatusError"
    assert cloud.refusal("CreateTrigger", Type="timer", TriggerName="t", TriggerDesc="0 0 * * * * *") == (
        "FailedOperation.FunctionStatusError"
    )
    cloud.call("DeleteFunction")
    cloud.create()
    cloud.call("UpdateFunctionCode", ZipFile=bad)
    assert (cloud.status(), cloud.run()[0]) == ("UpdateFailed", 1)
    cloud.call("UpdateFunctionCode", ZipFile=zipped(index__py=TWO))
    assert (cloud.status(), cloud.run()[0]) == ("Active", 2)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Code": {}}, "InvalidParameterValue.Code"),
        ({"Code": {"ZipFile": "%%%"}}, "InvalidParameterValue.ZipFileBase64BinasciiError"),
        ({"Code": {"ZipFile": base64.b64encode(b"no zip").decode()}}, "InvalidParameterValue.ZipFile"),
        ({"Code": {"CosBucketName": "b", "CosObjectName": "x"}}, "InvalidParameterValue.CosObjectName"),
        ({"Runtime": "Nodejs18.15"}, "InvalidParameterValue.Runtime"),
        ({"FunctionName": "1fn"}, "InvalidParameterValue.FunctionName"),
        ({"Handler": "index"}, "InvalidParameterValue.Handler"),
        ({"MemorySize": 100}, "InvalidParameterValue.MemorySize"),
        ({"Timeout": 901}, "InvalidParameterValue.Timeout"),
        ({"Description": "x" * 1001}, "InvalidParameterValue.Description"),
        (
            {"Environment": {"Variables": [{"Key": "SCF_X", "Value": ""}]}},
            "InvalidParameterValue.EnvironmentSystemProtect",
        ),
        (
            {"Environment": {"Variables": [{"Key": "A", "Value": "x" * 5000}]}},
            "InvalidParameterValue.EnvironmentExceededLimit",
        ),
        ({"Namespace": "other"}, "ResourceNotFound.Namespace"),
        ({"Type": "HTTP"}, "UnsupportedOperation"),
        ({"VpcConfig": {"VpcId": "vpc-1", "SubnetId": "subnet-1"}}, "UnsupportedOperation"),
    ],
)
def test_what_the_cloud_refuses_to_create(cloud: Cloud, parameters: dict[str, Any], code: str) -> None:
    given = {"Code": {"ZipFile": zipped(index__py=ONE)}, "Runtime": "Python3.10", **parameters}
    assert cloud.refusal("CreateFunction", **given) == code
    assert cloud.scf.functions == {}


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"TriggerName": "nowhere-1250000001.cos.ap-guangzhou.myqcloud.com"}, "ResourceNotFound.Cos"),
        ({"TriggerName": f"{BUCKET}.cos.ap-shanghai.myqcloud.com"}, "InvalidParameterValue.TriggerName"),
        ({"TriggerDesc": "{"}, "InvalidParameterValue.TriggerDesc"),
        ({"TriggerDesc": '{"event": "cos:Created"}'}, "InvalidParameterValue.TriggerDesc"),
        (
            {"TriggerDesc": json.dumps({**PREFIX, "filter": {"Suffix": "jpg"}})},
            "InvalidParameterValue.TriggerDesc",
        ),
        (
            {"TriggerDesc": json.dumps({**PREFIX, "filter": {"Prefix": "in/sub/"}})},
            "InvalidParameterValue.CosNotifyRuleConflict",
        ),
        ({"Qualifier": "7"}, "ResourceNotFound.Qualifier"),
        ({"Type": "ckafka"}, "UnsupportedOperation.Trigger"),
        ({"Type": "timer", "TriggerName": "t", "TriggerDesc": "often"}, "InvalidParameterValue.TriggerDesc"),
        ({"FunctionName": "other"}, "ResourceNotFound.Function"),
    ],
)
def test_what_the_cloud_refuses_to_bind(cloud: Cloud, parameters: dict[str, Any], code: str) -> None:
    cloud.create()
    cloud.bind()
    given = {"Type": "cos", "TriggerName": DOMAIN, "TriggerDesc": json.dumps(PREFIX), **parameters}
    assert cloud.refusal("CreateTrigger", **given) == code
    assert cloud.call("ListTriggers").TotalCount == 1


def test_an_eleventh_trigger_is_one_too_many(cloud: Cloud) -> None:
    cloud.create()
    for number in range(10):
        cloud.bind(f"in{number}/")
    with pytest.raises(TencentCloudSDKException, match=r"at most 10"):
        cloud.bind("in/")


def test_runs_of_the_version_before_come_to_their_end(cloud: Cloud, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    slow = (
        "import os, time\ndef main_handler(event, context):\n"
        f"    open({str(begun)!r}, 'w').close()\n"
        f"    while not os.path.exists({str(go)!r}): time.sleep(0.01)\n    print('one')\n"
    )
    cloud.create(slow)
    cloud.call("Invoke", InvocationType="Event", ClientContext="{}")
    deadline = time.monotonic() + 30
    while not begun.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    cloud.call("UpdateFunctionCode", ZipFile=zipped(index__py=TWO))
    assert cloud.run()[0] == 2
    go.touch()
    assert sorted(cloud.lines) == ["one", "two"]
