"""The cloud of a schedule: coslocal in memory on virtual time, under the real SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import qcloud_cos.cos_auth
import qcloud_cos.cos_client
import requests
from requests.adapters import HTTPAdapter

from coslocal.app import Coslocal
from coslocal.cam.guard import Keys
from coslocal.ci.inspect import inspect
from coslocal.ci.render import render
from coslocal.ci.types import ImageError, Surroundings
from coslocal.dialects import Dialects
from coslocal.http import Request, Response
from coslocal.mount import Mounted
from coslocal.pytest_plugin import SECRET_ID, SECRET_KEY
from coslocal.storage.memory import open_memory
from coslocal.storage.types import Bucket, StoredObject
from derivo import settings
from derivo.cos import Cos as Client
from derivo.fileids import Fileids
from tests.chaos import worlds

START = 1_800_000_000.0
"""Unix seconds at which every schedule begins."""

Send = Callable[[Request, float], Response]


class _Gate:
    """What stands under the SDK: each request goes to `send`, with its time-out in seconds."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.timeout = 0.0

    def handle(self, request: Request) -> Response:
        return self._send(request, self.timeout)


class Cloud(Coslocal):
    """coslocal whose objects are seen as they are saved. `saving` is called before each save, and may let time pass."""

    def __init__(self, dialects: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._last = 0
        super().__init__(
            open_memory(),
            credentials={SECRET_ID: SECRET_KEY},
            region=worlds.REGION,
            dialects=Dialects(dialects),
            clock=lambda: max(clock(), self._last + 1.0),
            images=_IMAGES,  # type: ignore[arg-type]
        )
        self.saving: Callable[[StoredObject], None] = lambda item: None
        for name in (worlds.BUCKET, worlds.MIRROR):
            self.store.create_bucket(Bucket(name=name, region=worlds.REGION, created=START))

    def save(self, item: StoredObject, configurations: Mapping[str, str] | None = None) -> StoredObject:
        """No two objects are written in one second: COS tells no finer time, so that two that were cannot be told apart
        (docs/chaos.md)."""
        self.saving(item)
        self._last = int(self.clock())
        return super().save(replace(item, modified=float(self._last)), configurations)

    def saved(self, key: str) -> StoredObject | None:
        """What stands there now, and was not saved one by one like all others."""
        item = self.store.get(worlds.BUCKET, key)
        self._last = max(self._last, int(item.modified)) if item is not None else self._last
        return item

    def standing(self) -> dict[tuple[str, str], StoredObject]:
        """Every object, by bucket and key."""
        return {
            (bucket, item.key): item for bucket in (worlds.BUCKET, worlds.MIRROR) for item in self.store.scan(bucket)
        }

    def bytes_of(self, item: StoredObject) -> bytes:
        return b"".join(self.store.read(item.blob))


def client(
    *, keys: Keys | None = None, dialects: Mapping[str, str] | None = None, fileids: Fileids | None = None
) -> Client:
    """Derivo's client, with the keys of a role, else with the owner's; with `dialects`, told by its settings how this
    COS takes fileids."""
    secret_id, secret_key, token = keys or (SECRET_ID, SECRET_KEY, "")
    told = settings.Settings(scheme="http", secret_id=secret_id, secret_key=secret_key, token=token)
    if dialects is not None:
        forms = Dialects(dialects)
        told = msgspec.structs.replace(told, fileid_encoding=forms["fileid-encoding"], fileid_path=forms["fileid-path"])
    return Client(told, fileids)


class _Time:
    """What the SDK has instead of the module `time`: it signs with the one and waits between its own tries with the
    other."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.time = clock

    def sleep(self, seconds: float) -> None: ...


@contextmanager
def under_sdk(send: Send, clock: Callable[[], float]) -> Iterator[None]:
    """Every request of the SDK goes to `send` with its time-out in seconds; signatures are of the virtual time."""

    gate = _Gate(send)
    mounted = Mounted(gate)  # type: ignore[arg-type]

    def sent(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        limits = options.get("timeout")
        gate.timeout = float((limits[1] if isinstance(limits, tuple) else limits) or 30.0)
        return mounted.send(adapter, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", sent)
        # nothing leaves this process, and looking for proxies is a tenth of a request's time
        patch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: {})
        for module in (qcloud_cos.cos_auth, qcloud_cos.cos_client):
            patch.setattr(module, "time", _Time(clock))
        yield


class _Watched(Dialects):
    """Dialects, and which of them were asked for."""

    def __init__(self, dialects: Dialects) -> None:
        super().__init__()
        self._watched = dialects
        self.asked: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self.asked.setdefault(name, self._watched[name])


class _Images:
    """What stands for coslocal's processes that decode: pixels are the costly part, and the same again and again, so
    each is made once, in this process, for the dialects that have a part in it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], list[tuple[dict[str, str], Any]]] = {}

    def render(self, data: bytes, rule: str, surroundings: Surroundings) -> Any:
        # the rules of schedules have no watermarks, and name no style that exists
        def make(dialects: Dialects) -> Any:
            return render(data, rule, replace(surroundings, dialects=dialects))

        return self._once(make, surroundings.dialects, "render", data, rule, surroundings.persistent)

    def inspect(self, data: bytes, dialects: Dialects) -> Any:
        return self._once(lambda watched: inspect(data, watched), dialects, "inspect", data)

    def _once(self, make: Callable[[Dialects], Any], dialects: Dialects, *named: Any) -> Any:
        known = self._known.setdefault(named, [])
        found = next((made for asked, made in known if all(dialects[n] == choice for n, choice in asked.items())), None)
        if found is None:
            watched = _Watched(dialects)
            try:
                found = make(watched)
            except ImageError as error:
                found = error
            known.append((watched.asked, found))
        if isinstance(found, ImageError):
            raise ImageError(found.code, found.message, number=found.number, status=found.status)
        return found


_IMAGES = _Images()
