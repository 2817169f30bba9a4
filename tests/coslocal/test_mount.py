"""The fixture that others use, and the mount below it."""

import time
from typing import Any

import pytest
import requests
from qcloud_cos import CosClientError

from coslocal.mount import mount
from coslocal.pytest_plugin import Cos, new_app


def test_the_fixture_s_own_store(cos: Cos) -> None:
    cos.put("a b.png", b"x", {"x-cos-meta-a": "1"})
    assert cos.get("a b.png") == b"x" and cos.get("none") is None
    assert cos.keys() == ["a b.png"]
    assert cos.events == [] and cos.journal.count() == 0
    head = cos.client().head_object(Bucket=cos.bucket, Key="a b.png")
    assert (head["Content-Type"], head["x-cos-meta-a"]) == ("image/png", "1")
    assert cos.journal.count("head_object") == 1
    cos.client().put_object(Bucket=cos.bucket, Key="new", Body=b"y")
    assert [event.name for event in cos.events] == ["cos:ObjectCreated:Put"]


def test_failures_before_and_after_the_effect(cos: Cos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the SDK's pause between tries
    cos.mounted.fail(ConnectionResetError("gone"))
    with pytest.raises(CosClientError):
        cos.client(retry=0).put_object(Bucket=cos.bucket, Key="before", Body=b"x")
    cos.mounted.fail(ConnectionResetError("gone"), after_effect=True)
    with pytest.raises(CosClientError):
        cos.client(retry=0).put_object(Bucket=cos.bucket, Key="after", Body=b"x")
    assert cos.keys() == ["after"]
    cos.mounted.fail(ConnectionResetError("gone"), times=2)
    cos.client(retry=2).put_object(Bucket=cos.bucket, Key="retried", Body=b"x")
    assert cos.keys() == ["after", "retried"]


def test_it_mounts_through_pytest_mock_too(mocker: Any) -> None:
    app = new_app()
    mount(app, mocker)
    assert requests.get("http://anything/_coslocal/health", timeout=1).json()["status"] == "ok"
    app.store.close()


def test_any_kind_of_body_reaches_the_core(cos: Cos) -> None:
    address = f"https://{cos.bucket}.cos.ap-guangzhou.myqcloud.com/a"
    cos.client().put_bucket_acl(Bucket=cos.bucket, ACL="public-read-write")
    for body in (b"abc", "abc", iter([b"a", b"", b"bc"])):
        assert requests.put(address, data=body, timeout=1).status_code == 200
        assert cos.get("a") == b"abc"
    with requests.get(address, stream=True, timeout=1) as answer:
        assert b"".join(answer.iter_content(2)) == b"abc"
    assert requests.head(address, timeout=1).headers["Content-Length"] == "3"
