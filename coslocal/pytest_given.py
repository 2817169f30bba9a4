"""What the fixtures give: a coslocal with one bucket, and clients of it."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pytest loads this in every project that has coslocal installed
    from coslocal.app import Coslocal
    from coslocal.events import ObjectEvent
    from coslocal.faults import Faults
    from coslocal.journal import Journal
    from coslocal.mount import Mounted
    from coslocal.server import LocalServer

SECRET_ID, SECRET_KEY = "AKIDlocal", "SKlocal"
REGION = "ap-guangzhou"
BUCKET = "examplebucket-1250000000"


def new_app() -> Coslocal:
    """An empty coslocal in memory with one bucket."""
    from coslocal.app import Coslocal
    from coslocal.storage.memory import open_memory
    from coslocal.storage.types import Bucket

    app = Coslocal(open_memory(), credentials={SECRET_ID: SECRET_KEY}, region=REGION)
    app.store.create_bucket(Bucket(name=BUCKET, region=REGION, created=time.time()))
    return app


def new_client(*, proxies: Mapping[str, str] | None = None, retry: int = 1, **settings: Any) -> Any:
    """A CosS3Client for the credentials and region of the fixtures."""
    from qcloud_cos import CosConfig, CosS3Client

    values = {"Region": REGION, "SecretId": SECRET_ID, "SecretKey": SECRET_KEY, "Scheme": "http", **settings}
    return CosS3Client(CosConfig(Proxies=dict(proxies) if proxies else None, **values), retry=retry)


def _put(app: Coslocal, key: str, data: bytes, headers: Mapping[str, str] | None) -> None:
    from coslocal.contenttypes import content_type_of
    from coslocal.storage.types import StoredObject

    blob = app.store.take_in(io.BytesIO(data))
    kept = {"Content-Type": content_type_of(key), **(headers or {})}
    item = StoredObject(
        bucket=BUCKET, key=key, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=app.clock(),
        headers=kept,
    )  # fmt: skip
    app.save(item)


def _get(app: Coslocal, key: str) -> bytes | None:
    item = app.store.get(BUCKET, key)
    return None if item is None else app.store.whole(item.blob)


@dataclass
class _Given:
    """What both fixtures give. `put` and `get` work on the store itself: no request, no event, no signature.

    `events` are those that listeners were told of, `faults` what is to go wrong, `journal` what was asked.
    """

    app: Coslocal
    bucket: str = field(default=BUCKET, kw_only=True)
    region: str = field(default=REGION, kw_only=True)
    events: list[ObjectEvent] = field(default_factory=list, kw_only=True)

    @property
    def journal(self) -> Journal:
        return self.app.journal

    @property
    def faults(self) -> Faults:
        return self.app.faults

    def put(self, key: str, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        _put(self.app, key, data, headers)

    def get(self, key: str) -> bytes | None:
        """The object's bytes, None when there is none."""
        return _get(self.app, key)

    def keys(self) -> list[str]:
        return [item.key for item in self.app.store.scan(self.bucket)]

    def snapshot(self, name: str) -> None:
        """Keep the store as it is now under a name; costs no copy of any object."""
        self.app.store.take_snapshot(name, self.app.clock())

    def restore(self, name: str) -> None:
        """Let a snapshot stand again. Raises KeyError when there is none of the name."""
        if not self.app.store.restore_snapshot(name):
            raise KeyError(f"there is no snapshot {name!r}")

    def assume(self, policy: Mapping[str, Any]) -> dict[str, str]:
        """New keys that are held to a CAM policy (the JSON's content), as settings for `client`."""
        from coslocal.cam.policy import understood

        keys = self.app.assume(understood(policy))
        return {"SecretId": keys.secret_id, "SecretKey": keys.secret_key, "Token": keys.token}

    def reset(self, *keep: str) -> None:
        """Forget everything but what is named (buckets, snapshots, faults), also what the journal and events hold."""
        from coslocal.controls import reset

        reset(self.app, *keep)
        self.events.clear()


@dataclass
class Cos(_Given):
    """What the fixture `cos` gives: a core in the place of the network."""

    mounted: Mounted

    def client(self, **settings: Any) -> Any:
        """A real CosS3Client; `settings` go to its CosConfig, `retry` to the client."""
        return new_client(**settings)


@dataclass
class Server(_Given):
    """What the fixture `coslocal_server` gives: a real server, and how to point a client at it."""

    server: LocalServer

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def proxies(self) -> dict[str, str]:
        return self.server.proxies

    @property
    def credentials(self) -> tuple[str, str]:
        """(SecretId, SecretKey)"""
        return SECRET_ID, SECRET_KEY

    def client(self, **settings: Any) -> Any:
        """A real CosS3Client that reaches the server as its proxy."""
        return new_client(proxies=self.proxies, **settings)
