"""The core without any client: requests are built and signed by hand."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

import hypothesis
import pytest

from coslocal.app import Coslocal
from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.http import Headers, Request
from coslocal.signature import sign
from coslocal.storage.memory import open_memory
from coslocal.storage.types import Bucket
from coslocal.wire.address import decode

# No test here says how long anything may take.
hypothesis.settings.register_profile("coslocal", deadline=None)
hypothesis.settings.load_profile("coslocal")

BUCKET = "pics-1250000000"
NOW = 1_700_000_000.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    length: int | None

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def code(self) -> str:
        return self.xml.findtext("Code") or ""


@dataclass
class Core:
    """`ask` sends one request, signed over all its headers unless `signed=False`."""

    app: Coslocal
    events: list[ObjectEvent] = field(default_factory=list)
    host: str = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"
    now: float = NOW

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        signed: bool = True,
        host: str | None = None,
        length: int | None = -1,
    ) -> Answer:
        size = len(body) if length == -1 else length
        sent = {
            "Host": host or self.host,
            **({"Content-Length": str(size)} if size is not None else {}),
            **(headers or {}),
        }
        if signed:
            path = decode(target.partition("?")[0])
            start = int(self.now)
            sent["Authorization"] = sign(
                method, path, access_key="AKIDlocal", secret="SKlocal", start=start, end=start + 60, headers=sent
            )
        answer = self.app.handle(Request(method, target, Headers(list(sent.items())), io.BytesIO(body), size))
        data = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        return Answer(answer.status, dict(answer.headers), data, answer.length)


@pytest.fixture
def core() -> Iterator[Core]:
    yield from new_core()


@pytest.fixture
def core_with(request: pytest.FixtureRequest) -> Iterator[Core]:
    """Parametrised indirectly with the dialects."""
    yield from new_core(request.param)


def new_core(dialects: Mapping[str, str] | None = None) -> Iterator[Core]:
    store = open_memory()
    given = Core(None)  # type: ignore[arg-type]
    given.app = Coslocal(
        store, credentials={"AKIDlocal": "SKlocal"}, dialects=Dialects(dialects), clock=lambda: given.now
    )
    store.create_bucket(Bucket(name=BUCKET, region="ap-guangzhou", created=NOW))
    given.app.subscribe(given.events.append)
    yield given
    store.close()
