"""Functions behind the cloud's API, with no socket: requests are built and signed by hand."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coslocal.http import Headers, Request
from coslocal.scf import actions
from coslocal.scf.clock import ManualClock
from coslocal.scf.function import Account, Function
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import TencentApi
from coslocal.tencentapi.signature3 import sign

ACCOUNT = Account(secret_id="AKIDtest", secret_key="SKtest", appid="1250000001")

HELLO = """
def main_handler(event, context):
    print("hello", event)
    if event == "bad":
        raise ValueError("bad event")
    return {"got": event}
"""


@dataclass
class Cloud:
    """`call` answers with the content of `Response`, without its RequestId."""

    scf: Scf
    api: TencentApi
    clock: ManualClock

    def send(self, body: bytes, headers: dict[str, str], *, method: str = "POST", query: str = "") -> dict[str, Any]:
        covered = {
            "Content-Type": "application/json" if method == "POST" else "application/x-www-form-urlencoded",
            "Host": "scf.tencentcloudapi.com",
        }
        timestamp = int(self.clock.now())
        authorization = sign(
            method, covered, body, service="scf", secret_id=ACCOUNT.secret_id, secret_key=ACCOUNT.secret_key,
            timestamp=timestamp, query=query,
        )  # fmt: skip
        sent = {
            **covered,
            "X-TC-Timestamp": str(timestamp),
            "X-TC-Version": "2018-04-16",
            "X-TC-Region": "ap-guangzhou",
            "Authorization": authorization,
            **headers,
        }
        pairs = [(name, value) for name, value in sent.items() if value]
        answer = self.api.handle(
            Request(method, "/" + (f"?{query}" if query else ""), Headers(pairs), io.BytesIO(body), len(body))
        )
        assert answer.status == 200
        assert dict(answer.headers)["Content-Type"] == "application/json"
        assert isinstance(answer.body, bytes)
        content = json.loads(answer.body)["Response"]
        assert content.pop("RequestId")
        return dict(content)

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        return self.send(json.dumps(parameters).encode(), {"X-TC-Action": action})

    def refusal(self, action: str, **parameters: Any) -> str:
        content = self.call(action, **parameters)
        assert set(content) == {"Error"}
        assert content["Error"]["Message"]
        return str(content["Error"]["Code"])


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """A cloud with one function `fn`: its code, its settings, and those of the Scf."""
    running: list[Scf] = []

    def deployed(code: str = HELLO, *, function: dict[str, Any] | None = None, **fields: Any) -> Cloud:
        (tmp_path / "index.py").write_text(textwrap.dedent(code), encoding="utf-8")
        clock = fields.pop("clock", None) or ManualClock()
        made = Function(**{"name": "fn", "root": tmp_path, "timeout": 20, **(function or {})})
        scf = Scf([made], account=ACCOUNT, clock=clock, **fields)
        running.append(scf)
        api = TencentApi(
            [actions.service(scf)],
            credentials={ACCOUNT.secret_id: ACCOUNT.secret_key},
            tokens=[ACCOUNT.session_token],
            clock=clock.now,
        )
        return Cloud(scf, api, clock)

    yield deployed
    for scf in running:
        scf.close()
