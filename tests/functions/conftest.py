"""The function under test: the real library and SDK, coslocal mounted underneath, events as SCF would send them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pyvips

from coslocal.http import Request, Response
from coslocal.mount import mount
from coslocal.pytest_plugin import REGION, SECRET_ID, SECRET_KEY, Cos
from coslocal.scf.event import envelope, record
from derivo import settings
from derivo.breaker import Budget
from derivo.cos import Cos as Client
from derivo.earlier import Memory
from derivo.fileids import Fileids
from derivo.handle import Summary, handle
from derivo.loading import load_text
from derivo.matching import RuleSetIndex

THUMB_AND_CARD = """
prefix: in/
derivatives:
  - name: thumb
    to: /out/{path}.thumb.webp
    rule: imageMogr2/auto-orient/thumbnail/64x64>/strip/format/webp/quality/80
  - name: card
    to: /out/{path}.card.png
    rule: imageMogr2/auto-orient/thumbnail/!32x32r|imageMogr2/crop/32x32/gravity/center/format/png
"""


def index_of(*files: str) -> RuleSetIndex:
    """Rule sets as written; every one must be free of errors."""
    made = []
    for number, text in enumerate(files):
        rule_set, faults = load_text(text, f"rules/set{number}.yml")
        assert rule_set is not None, faults
        made.append(rule_set)
    return RuleSetIndex(made)


def photo(width: int = 120, height: int = 80, suffix: str = ".jpg") -> bytes:
    """A small picture, red on the left and blue on the right."""
    left = pyvips.Image.black(width // 2, height, bands=3).linear(1, [220, 30, 30])
    right = pyvips.Image.black(width - width // 2, height, bands=3).linear(1, [30, 30, 220])
    image = left.join(right, "horizontal").cast("uchar").copy(interpretation="srgb")
    data: bytes = image.write_to_buffer(suffix)
    return data


class TestClock:
    """A clock that moves only when somebody sleeps, so that back-off takes no time."""

    __test__ = False

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time() + self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Function:
    """The deployed function, so to speak: `run(event)` is one invocation, `lines` are what it logged; with `memory` all
    are of one instance, else each is of a new one."""

    cos: Cos
    rule_sets: RuleSetIndex
    budget_ms: int = 60_000
    clock: TestClock = field(default_factory=TestClock)
    lines: list[dict[str, Any]] = field(default_factory=list)
    budget: Budget | None = None
    fileids: Fileids | None = None
    memory: Memory | None = None
    sweep_hours: float = 24.0

    @property
    def client(self) -> Client:
        return Client(settings.Settings(scheme="http", secret_id=SECRET_ID, secret_key=SECRET_KEY), self.fileids)

    def run(self, event: Any) -> Summary:
        context = {"time_limit_in_ms": self.budget_ms, "request_id": "invocation-1"}
        with (self.memory or Memory()).event() as noted:
            return handle(
                event,
                context,
                client=self.client,
                rule_sets=self.rule_sets,
                clock=self.clock,
                log=self.lines.append,
                region=REGION,
                budget=self.budget,
                noted=noted,
                sweep_hours=self.sweep_hours,
            )

    def upload(self, key: str, data: bytes) -> dict[str, Any]:
        """Put an object with the SDK; returns the record of its creation event."""
        self.cos.client().put_object(Bucket=self.cos.bucket, Key="/" + key, Body=data)
        made = [event for event in self.cos.events if event.key == key and not event.made_by_ci][-1]
        return record(
            made, target="qcs:0:scf:ap-guangzhou:appid/1250000000:default.fn.$DEFAULT", dialects=self.cos.app.dialects
        )

    def outcomes(self) -> dict[str, str]:
        """Derivative key -> outcome, over all lines."""
        return {item["key"]: item["outcome"] for line in self.lines for item in line.get("derivatives", [])}


@pytest.fixture
def function(cos: Cos) -> Function:
    return Function(cos, index_of(THUMB_AND_CARD))


def event_of(*records: dict[str, Any]) -> dict[str, Any]:
    """The event as it arrives: through JSON."""
    made: dict[str, Any] = json.loads(json.dumps(envelope(*records)))
    return made


Twist = Callable[[Response], Response]


class Twisted:
    """coslocal behind a bad line: answers to processing calls are twisted, one twist a call, while there are any."""

    def __init__(self, cos: Cos, monkeypatch: pytest.MonkeyPatch) -> None:
        self._app = cos.app
        self.twists: list[Twist] = []
        mount(self, monkeypatch)  # type: ignore[arg-type]

    def handle(self, request: Request) -> Response:
        response = self._app.handle(request)
        if "image_process" in request.target and self.twists:
            return self.twists.pop(0)(response)
        return response


@pytest.fixture
def twisted(cos: Cos, monkeypatch: pytest.MonkeyPatch) -> Twisted:
    return Twisted(cos, monkeypatch)
