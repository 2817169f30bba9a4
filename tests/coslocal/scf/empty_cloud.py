"""A cloud that has a bucket and no function as yet: coslocal behind a socket, on a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from qcloud_cos import CosConfig, CosS3Client

from coslocal.app import Coslocal
from coslocal.cam import api as cam
from coslocal.dialects import Dialects
from coslocal.front import Front
from coslocal.http import Handler
from coslocal.pytest_plugin import BUCKET, new_app
from coslocal.scf import actions
from coslocal.scf.clock import ManualClock
from coslocal.scf.function import Account, Function
from coslocal.scf.schedule import Policy
from coslocal.scf.service import Scf
from coslocal.server import LocalServer
from coslocal.tencentapi.api import TencentApi

REGION = "ap-guangzhou"
DOMAIN = f"{BUCKET}.cos.{REGION}.myqcloud.com"


@dataclass
class EmptyCloud:
    app: Coslocal
    scf: Scf
    clock: ManualClock
    server: LocalServer

    def upload(self, key: str, body: bytes = b"x") -> None:
        config = CosConfig(
            Region=REGION, SecretId="AKIDlocal", SecretKey="SKlocal", Scheme="http", Proxies=self.server.proxies
        )
        CosS3Client(config).put_object(Bucket=BUCKET, Key=key, Body=body)


@contextmanager
def empty_cloud(
    *,
    settling: float = 0.0,
    dialects: Mapping[str, str] | None = None,
    local: Mapping[str, str] | None = None,
    roles: Sequence[str] | None = None,
    before: Callable[[Handler], Handler] = lambda handler: handler,
) -> Iterator[EmptyCloud]:
    """`local` are variables over those that are deployed; `roles` None: the account does not tell of its roles;
    `before` puts something in front of all that is answered."""
    app, clock = new_app(), ManualClock()
    account = Account(secret_id="AKIDlocal", secret_key="SKlocal", appid=BUCKET.rpartition("-")[2])
    with Scf(
        [], account=account, clock=clock, settling=settling, policy=Policy(), dialects=Dialects(dict(dialects or {})),
        template=lambda name, root: Function(name=name, root=root, local=local or {}),
    ) as scf:  # fmt: skip
        scf.start()
        app.subscribe(scf.notify)
        services = [actions.service(scf, app.store), *([] if roles is None else [cam.service(roles, REGION)])]
        server = LocalServer(before(Front(app, TencentApi(services, credentials=app.credentials))))
        with server.start_in_thread():
            yield EmptyCloud(app, scf, clock, server)
    app.store.close()
