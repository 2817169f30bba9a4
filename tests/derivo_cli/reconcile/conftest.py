"""A bucket of coslocal under the rule sets of a folder, and derivo typed beside it. Time stands still unless it is
moved: COS tells seconds, and what happens within one is not told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coslocal.dialects import Dialects
from coslocal.pytest_plugin import REGION, SECRET_ID, SECRET_KEY, Cos
from coslocal.storage.types import Bucket as Stored
from derivo import settings
from derivo.clock import Deadline, SystemClock
from derivo.cos import Cos as Client
from derivo.derive import derive
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.plan import plan
from derivo_cli import rules
from tests.derivo_cli.running import Derivo, Done, runner
from tests.derivo_cli.shell import PNG

RULES = """
prefix: in/
derivatives:
  - {name: t, to: '/out/{path}.t.png', rule: imageMogr2/thumbnail/20x}
  - {name: s, to: '/out/{path}.s.png', rule: imageMogr2/thumbnail/10x}
"""


@dataclass
class Bucket:
    """The bucket, its rules, and the commands."""

    cos: Cos
    folder: Path
    derivo: Derivo
    move: Callable[[float], None]

    @property
    def address(self) -> str:
        return f"cos://{self.cos.bucket}/"

    def rules(self, *files: str) -> None:
        """The rule sets, instead of those before: set0, set1, ..."""
        place = self.folder / "rules"
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        for number, text in enumerate(files):
            (place / f"set{number}.yml").write_text(text, "utf-8")

    def put(self, *keys: str, data: bytes = PNG) -> None:
        for key in keys:
            self.cos.put(key, data)

    def delete(self, *keys: str) -> None:
        for key in keys:
            self.cos.client().delete_object(Bucket=self.cos.bucket, Key="/" + key)

    def plan(self, *arguments: object) -> dict[str, Any]:
        """The plan, as JSON tells it. Its exit code says the same."""
        done = self.derivo("plan", self.address, "--json", *arguments)
        assert done.err == ""
        found: dict[str, Any] = json.loads(done.out)
        assert done.code == (0 if found["nothing_to_do"] else 1)
        return found

    def classes(self, *arguments: object) -> dict[str, int]:
        """The classes of the plan that are not empty."""
        return {kind: count for kind, count in self.plan(*arguments)["classes"].items() if count}

    def apply(self, *arguments: object) -> Done:
        """Bring the bucket to what the rules say; some time passes before and after."""
        self.move(60)
        done = self.derivo("apply", *(arguments or (self.address,)))
        self.move(60)
        return done

    @property
    def client(self) -> Client:
        return Client(settings.read())

    @property
    def index(self) -> RuleSetIndex:
        return rules.index(self.folder / "rules")

    def function(self) -> None:
        """What the deployed function makes of every source, as the rules are now."""
        self.function_for(*self.cos.keys())

    def function_for(self, *keys: str) -> None:
        for key in keys:
            made = plan(Source(bucket=self.cos.bucket, region=REGION, key=key), self.index)
            derive(made, self.client, Deadline(SystemClock(), 60))

    def dialect(self, name: str, value: str) -> None:
        self.cos.app.dialects = Dialects({name: value})

    def other_bucket(self, name: str) -> None:
        self.cos.app.store.create_bucket(Stored(name=name, region=REGION, created=self.cos.app.clock()))

    @property
    def requests(self) -> int:
        """Processing calls so far."""
        return self.cos.journal.count("image_process")


@pytest.fixture
def bucket(cos: Cos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bucket:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DERIVO_COS_SCHEME", "http")
    monkeypatch.setenv("TENCENTCLOUD_REGION", REGION)
    monkeypatch.setenv("TENCENTCLOUD_SECRETID", SECRET_ID)
    monkeypatch.setenv("TENCENTCLOUD_SECRETKEY", SECRET_KEY)
    now = [cos.app.clock()]
    monkeypatch.setattr(cos.app, "clock", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    made = Bucket(cos, tmp_path, runner(monkeypatch, capsys), move)
    made.rules(RULES)
    return made
