"""coslocal serve --policy: the function's keys are held to it, the account's own are not; and GetRole."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qcloud_cos import CosServiceError
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from typer.testing import CliRunner

from coslocal import cli
from coslocal.pytest_plugin import BUCKET, REGION, Cos
from tests.coslocal.scf.test_coslocal_cli import Served, lines, wait_for

FUNCTION = """
import json, os
from qcloud_cos import CosConfig, CosS3Client, CosServiceError

def main_handler(event, context):
    config = CosConfig(
        Region="ap-guangzhou", Scheme="http", Proxies={"http": os.environ["PROXY"]},
        SecretId=os.environ["TENCENTCLOUD_SECRETID"], SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"],
    )
    client, told = CosS3Client(config), []
    for key in ("out/a", "in/b"):
        try:
            client.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=b"x")
            told.append("done")
        except CosServiceError as error:
            told.append(error.get_error_code())
    with open(os.environ["OUT"], "a") as out:
        out.write(json.dumps(told) + "\\n")
"""


def policy(*actions: str) -> dict[str, Any]:
    resource = f"qcs::cos:{REGION}:uid/1250000000:{BUCKET}/out/*"
    return {"version": "2.0", "statement": [{"effect": "allow", "action": [*actions], "resource": resource}]}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "index.py").write_text(FUNCTION)
    (tmp_path / "policy.json").write_text(json.dumps(policy("name/cos:PutObject")))
    (tmp_path / "further.json").write_text(json.dumps(policy("name/cos:HeadObject")))
    options = [
        *("--bucket", BUCKET, "--function", str(tmp_path / "index.py"), "--trigger", f"bucket={BUCKET},prefix=in/"),
        *("--policy", str(tmp_path / "policy.json"), "--policy", str(tmp_path / "further.json")),
        *("--env", "PROXY={url}", "--env", f"OUT={tmp_path / 'seen'}", "--env", f"BUCKET={BUCKET}"),
        *("--role", "derivo", "--python", sys.executable, "--retries", "0"),
    ]
    one = Served(tmp_path, *options)
    yield one
    one.end()


def test_the_functions_keys_are_held_to_the_policy(served: Served, tmp_path: Path) -> None:
    served.client().put_object(Bucket=BUCKET, Key="in/a", Body=b"a")
    wait_for(lambda: lines(tmp_path / "seen"))
    assert lines(tmp_path / "seen") == [["done", "AccessDenied"]]
    served.client().delete_object(Bucket=BUCKET, Key="out/a")
    served.stop(signal.SIGTERM)


def test_the_roles_of_the_account_are_told_by_the_api(served: Served) -> None:
    http = HttpProfile(protocol="http", endpoint=served.url.removeprefix("http://"))
    client = CommonClient("cam", "2019-01-16", Credential("AKIDlocal", "SKlocal"), "", ClientProfile(httpProfile=http))
    assert client.call_json("GetRole", {"RoleName": "derivo"})["Response"]["RoleInfo"]["RoleName"] == "derivo"
    with pytest.raises(TencentCloudSDKException, match=r"InvalidParameter\.RoleNotExist"):
        client.call_json("GetRole", {"RoleName": "another"})


def test_the_fixture_gives_keys_for_a_policy(cos: Cos) -> None:
    role = cos.client(**cos.assume(policy("name/cos:PutObject")))
    role.put_object(Bucket=cos.bucket, Key="out/a", Body=b"a")
    with pytest.raises(CosServiceError, match="AccessDenied"):
        role.get_object(Bucket=cos.bucket, Key="out/a")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("{", "not JSON"), ('{"version": "1.0"}', "version")]
)
def test_a_policy_that_is_none_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "policy.json"
    if content is not None:
        file.write_text(content)
    done = CliRunner().invoke(cli.app, ["serve", "--policy", str(file)])
    assert isinstance(done.exception, cli.Stop)
    assert said in str(done.exception)
    assert done.exception.code == cli.USAGE
