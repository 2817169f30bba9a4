"""A checkout to deploy, and a cloud to deploy it to: coslocal behind a socket; the command's waits move its time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from qcloud_cos import CosConfig, CosS3Client
from rich.console import Console

from coslocal.app import Coslocal
from coslocal.cam import api as cam
from coslocal.dialects import Dialects
from coslocal.front import Front
from coslocal.http import NO_ANSWER, Request, Response
from coslocal.pytest_plugin import BUCKET, new_app
from coslocal.scf import actions
from coslocal.scf.clock import ManualClock
from coslocal.scf.function import Account, Function
from coslocal.scf.schedule import Policy
from coslocal.scf.service import Scf
from coslocal.server import LocalServer
from coslocal.tencentapi.api import TencentApi
from derivo_cli.commands import deploy, logs, stop
from derivo_cli.deploy.reading import Options

REGION = "ap-guangzhou"
DOMAIN = f"{BUCKET}.cos.{REGION}.myqcloud.com"
CODE = """
import json

def main_handler(event, context):
    for record in event.get("Records", []):
        key = record["cos"]["cosObject"]["key"]
        line = {"level": "info", "msg": "derived", "bucket": "b", "key": key, "written": 2}
        if "bad" in line["key"]:
            line.update(level="error", derivatives=[{"outcome": "failed(permanent, X)", "key": "derived/x"}])
        print(json.dumps(line))
        if "worse" in line["key"]:
            raise ValueError("no good")
    return {"version": context["function_version"], "event": event.get("Type")}
"""


class Tide:
    """The command's clock: each of its waits moves the cloud's time on."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._clock.advance(seconds)


class Cut:
    """In front of the cloud: from call number `at` on nothing is answered, as for who was killed there. `after`: that
    call was carried out still."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self.at: int | None = None
        self.after = False
        self.calls: list[str] = []

    def handle(self, request: Request) -> Response:
        action = request.headers.get("X-TC-Action")
        if action is None:
            return self._front.handle(request)
        number = len(self.calls)
        self.calls.append(action)
        if self.at is None or number < self.at:
            return self._front.handle(request)
        if number == self.at and self.after:
            self._front.handle(request)
        return Response(cut=NO_ANSWER)


@dataclass
class World:
    folder: Path
    app: Coslocal
    scf: Scf
    clock: ManualClock
    cut: Cut
    server: LocalServer
    document: dict[str, Any]
    tide: Tide
    said: str = ""
    options: Options = field(default_factory=Options)

    @property
    def file(self) -> Path:
        return self.folder / "serverless.yml"

    @property
    def inputs(self) -> dict[str, Any]:
        return dict(self.document["inputs"])

    def write(self, **inputs: Any) -> None:
        """serverless.yml with these inputs over those that stand; None takes one out."""
        merged = {**self.document["inputs"], **inputs}
        self.document["inputs"] = {name: value for name, value in merged.items() if value is not None}
        self.file.write_text(yaml.safe_dump(self.document, allow_unicode=True))

    def triggers(self, *prefixes: str, timer: str | None = None, bucket: str = DOMAIN) -> None:
        events: list[dict[str, Any]] = [
            {"cos": {"parameters": {
                "bucket": bucket, "filter": {"prefix": prefix}, "events": "cos:ObjectCreated:*", "enable": True,
            }}}
            for prefix in prefixes
        ]  # fmt: skip
        if timer:
            events.append(
                {"timer": {"name": "sweep", "parameters": {"cronExpression": timer, "argument": "all", "enable": True}}}
            )
        self.write(events=events)

    def pack(self, code: str = CODE, **files: str) -> None:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in {"index.py": code, **files}.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        (self.folder / "dist").mkdir(exist_ok=True)
        (self.folder / "dist" / "function.zip").write_bytes(target.getvalue())

    def request(self, **fields: Any) -> deploy.Request:
        package = self.folder / "dist" / "function.zip"
        return deploy.Request(**{"file": self.file, "package": package, "options": self.options, "yes": True, **fields})

    def call(self, command: Callable[..., int], *arguments: Any, **named: Any) -> int:
        """Run a command; what it printed is in `said`."""
        out = io.StringIO()
        self.cut.calls.clear()
        try:
            return command(*arguments, Console(file=out, width=200), clock=self.tide, **named)
        finally:
            self.said = out.getvalue()

    def deploy(self, **fields: Any) -> int:
        return self.call(deploy.run, self.request(**fields))

    def remove(self, **fields: Any) -> int:
        return self.call(deploy.remove, self.request(**fields))

    def stop(self) -> int:
        return self.call(stop.stop, self.file, None)

    def start(self) -> int:
        return self.call(stop.start, self.file, None, call_seconds=0.5)

    def rollback(self, to: str | None = None, **fields: Any) -> int:
        return self.call(stop.rollback, self.request(**fields), to)

    def logs(self, **fields: Any) -> int:
        return self.call(logs.run, logs.Request(file=self.file, **fields))

    @property
    def writes(self) -> list[str]:
        """The calls of the last command that change something."""
        return [name for name in self.cut.calls if not name.startswith(("Get", "List"))]

    def upload(self, key: str) -> None:
        config = CosConfig(
            Region=REGION, SecretId="AKIDlocal", SecretKey="SKlocal", Scheme="http", Proxies=self.server.proxies
        )
        CosS3Client(config).put_object(Bucket=BUCKET, Key=key, Body=b"x")

    def served(self) -> list[tuple[str, str]]:
        """(key, version) of every run, once all that waits is run."""
        assert self.scf.drain()
        found = []
        for run in self.scf.runs.select(lambda run: run.result is not None and run.result.ok):
            for line in run.lines:
                if line.startswith("{"):
                    found.append((json.loads(line)["key"].rpartition("/")[2], run.version))
        return found

    def state(self) -> Any:
        """All that was deployed, but for what versions are called."""
        deployed = self.scf.functions["derivo-dev"]
        serving = deployed.version("$DEFAULT")
        assert serving is not None and serving.code is not None
        function = serving.function
        return {
            "published": function.version != "$LATEST",
            "code": serving.code.sha256,
            "description": serving.description,
            "function": (
                function.name, function.runtime, function.handler, function.memory_size, function.timeout,
                function.role, function.description, dict(function.variables), dict(function.stored),
            ),
            "triggers": sorted(map(str, self.scf.triggers)),
            "timers": sorted((timer.name, str(timer.cron), timer.message) for timer in self.scf.timers),
            "reserved": deployed.reserved,
            "policy": deployed.policy,
        }  # fmt: skip


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    running: list[tuple[Any, Scf, Coslocal]] = []

    def made(
        settling: float = 0.3, dialects: dict[str, str] | None = None, roles: tuple[str, ...] | None = None
    ) -> World:
        app, clock = new_app(), ManualClock()
        account = Account(secret_id="AKIDlocal", secret_key="SKlocal", appid=BUCKET.rpartition("-")[2])
        scf = Scf(
            [], account=account, clock=clock, settling=settling, policy=Policy(), dialects=Dialects(dialects or {}),
            template=lambda name, root: Function(name=name, root=root),
        )  # fmt: skip
        scf.start()
        app.subscribe(scf.notify)
        services = [actions.service(scf, app.store), *([] if roles is None else [cam.service(roles, REGION)])]
        cut = Cut(Front(app, TencentApi(services, credentials=app.credentials)))
        server = LocalServer(cut)
        started = server.start_in_thread()
        started.__enter__()
        running.append((started, scf, app))
        for name, value in {
            "TENCENTCLOUD_SECRETID": "AKIDlocal", "TENCENTCLOUD_SECRETKEY": "SKlocal", "DERIVO_COS_SCHEME": "http",
            "DERIVO_COS_PROXY": server.url, "DERIVO_ROLE": "derivo-role",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        (tmp_path / "functions").mkdir()
        (tmp_path / "functions" / "index.py").write_text(CODE)
        inputs = {
            "name": "${name}-${stage}", "type": "event", "region": REGION, "runtime": "Python3.10",
            "handler": "index.main_handler", "description": "Makes derivatives", "memorySize": 128, "timeout": 60,
            "role": "${env:DERIVO_ROLE}", "publicAccess": True, "src": {"src": "./", "exclude": [".env"]},
            "environment": {"variables": {"DERIVO_CALL_TIMEOUT": "60", "API_TOKEN": "s3cret"}},
        }  # fmt: skip
        document = {"component": "scf", "name": "derivo", "inputs": inputs}
        world = World(tmp_path, app, scf, clock, cut, server, document, Tide(clock))
        world.triggers("in/", "more/")
        world.pack()
        return world

    yield made
    for started, scf, app in running:
        started.__exit__(None, None, None)
        scf.close()
        app.store.close()


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()
