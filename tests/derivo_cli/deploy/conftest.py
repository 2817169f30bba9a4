"""A checkout to deploy, and a cloud to deploy it to: coslocal behind a socket; the command's waits move its time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from coslocal.app import Coslocal
from coslocal.http import NO_ANSWER, Handler, Request, Response
from coslocal.scf.clock import ManualClock
from coslocal.scf.service import Scf
from derivo_cli.commands import deploy, logs, stop
from derivo_cli.deploy.reading import Options
from tests.coslocal.scf.empty_cloud import DOMAIN, REGION, EmptyCloud, empty_cloud

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

    def time(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._clock.advance(seconds)


class Cut:
    """In front of the cloud: from call number `at` on nothing is answered, as for who was killed there. `after`: that
    call was carried out still."""

    def __init__(self, front: Handler) -> None:
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

    def refusal(self, request: Request) -> Response | None:
        return None

    def is_quick(self, request: Request) -> bool:
        return False


@dataclass
class World:
    folder: Path
    parts: EmptyCloud
    cut: Cut
    document: dict[str, Any]
    tide: Tide
    said: str = ""
    options: Options = field(default_factory=Options)

    @property
    def app(self) -> Coslocal:
        return self.parts.app

    @property
    def scf(self) -> Scf:
        return self.parts.scf

    @property
    def clock(self) -> ManualClock:
        return self.parts.clock

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
        self.parts.upload(key)

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
    cuts: list[Cut] = []

    def cut(front: Handler) -> Handler:
        cuts.append(Cut(front))
        return cuts[-1]

    def made(settling: float = 0.3, **fields: Any) -> World:
        parts = stack.enter_context(empty_cloud(settling=settling, before=cut, **fields))
        for name, value in {
            "TENCENTCLOUD_SECRETID": "AKIDlocal", "TENCENTCLOUD_SECRETKEY": "SKlocal", "DERIVO_COS_SCHEME": "http",
            "DERIVO_COS_PROXY": parts.server.url, "DERIVO_ROLE": "derivo-role",
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
        world = World(tmp_path, parts, cuts[-1], document, Tide(parts.clock))
        world.triggers("in/", "more/")
        world.pack()
        return world

    with ExitStack() as stack:
        yield made


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()
