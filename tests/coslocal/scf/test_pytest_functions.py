"""The fixture `scf`, as the tests of others use it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import requests

from coslocal.pytest_functions import Functions
from coslocal.pytest_plugin import Server
from coslocal.scf.function import FunctionError
from coslocal.scf.triggers import TriggerError

CODE = """
import os
from qcloud_cos import CosConfig, CosS3Client

client = CosS3Client(CosConfig(
    Region=os.environ["TENCENTCLOUD_REGION"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
    SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"], Scheme="http", Proxies={"http": os.environ["MY_COS_PROXY"]}))

def main_handler(event, context):
    if event == "ping":
        return {"pong": os.environ["NEXT"]}
    for record in event["Records"]:
        cos = record["cos"]
        bucket = cos["cosBucket"]["name"] + "-" + cos["cosBucket"]["appid"]
        key = cos["cosObject"]["key"].split("/", 3)[3]
        body = client.get_object(Bucket=bucket, Key=key)["Body"].get_raw_stream().read()
        if body == b"bad":
            raise ValueError("bad " + key)
        client.put_object(Bucket=bucket, Key=os.environ["NEXT"] + key, Body=body.upper())
        print("wrote", key)
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "index.py").write_text(textwrap.dedent(CODE), "utf-8")
    return tmp_path


def test_a_folder_is_deployed_and_runs_on_events(coslocal_server: Server, scf: Functions, code: Path) -> None:
    scf.deploy(code, prefix="in/", variables={"MY_COS_PROXY": "{url}", "NEXT": "mid/"})
    scf.deploy(code, "second", prefix="mid/", variables={"MY_COS_PROXY": "{url}", "NEXT": "out/"})
    put = coslocal_server.client().put_object
    for key, body in (("in/a b 中.txt", b"x"), ("in/z", b"bad"), ("other", b"y")):
        put(Bucket=coslocal_server.bucket, Key=key, Body=body)
    scf.settle()
    assert coslocal_server.get("out/mid/in/a b 中.txt") == b"X"
    assert coslocal_server.keys() == ["in/a b 中.txt", "in/z", "mid/in/a b 中.txt", "other", "out/mid/in/a b 中.txt"]
    assert [(letter["ErrorCode"], letter["Body"]["FunctionName"]) for letter in scf.dead] == [(430, "function")]
    assert any("bad in/z" in line for line in scf.printed)
    assert "wrote in/a b 中.txt" in scf.printed
    status = requests.get(f"{coslocal_server.url}/_coslocal/scf/status", timeout=10).json()
    assert status["idle"] and set(status["functions"]) == {"function", "second"}


def test_an_event_of_one_s_own(scf: Functions, code: Path) -> None:
    scf.deploy(code, variables={"MY_COS_PROXY": "{url}", "NEXT": "n"})
    assert scf.invoke("ping") == {"pong": "n"}
    with pytest.raises(RuntimeError, match="function ended with 430"):
        scf.invoke("nonsense")


def test_what_the_platform_would_refuse(scf: Functions, code: Path) -> None:
    with pytest.raises(FunctionError, match="timeout"):
        scf.deploy(code, timeout=10_000)
    scf.deploy(code, prefix="in/")
    with pytest.raises(TriggerError, match="overlap"):
        scf.deploy(code, "second", prefix="in/more/")
