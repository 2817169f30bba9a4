"""Fixtures for anyone who tests code against Tencent COS: install coslocal, and they are there.

def test_upload(cos):                         # no socket: mounted under the SDK's requests session
    client = cos.client()                     # a real qcloud_cos.CosS3Client
    client.put_object(Bucket=cos.bucket, Key="a.txt", Body=b"hello")
    assert cos.get("a.txt") == b"hello"
    assert cos.events[0].name == "cos:ObjectCreated:Put"
    assert cos.journal.count("put_object") == 1

def test_bad_weather(cos):                    # real failures on demand, the same ones for the same seed
    cos.faults.add("reset", when="after", operation="put_object", times=1)
    cos.faults.add("delay", seconds=60, prefix="in/")
    ...
    cos.faults.release()                      # the events held back come now

def test_from_a_known_start(cos):
    cos.snapshot("seeded")
    ...
    cos.restore("seeded")

def test_least_privilege(cos):
    role = cos.client(**cos.assume(json.load(open("policy.json"))))   # held to a CAM policy
    with pytest.raises(CosServiceError):      # AccessDenied
        role.delete_object(Bucket=cos.bucket, Key="a.txt")

def test_any_client(coslocal_server):         # a real server on a free loopback port
    run_my_tool(env={"http_proxy": coslocal_server.url})

def test_my_function(coslocal_server, scf):   # a folder with index.py, deployed as a function with a trigger
    scf.deploy("src/thumbnails", prefix="in/", variables={"MY_COS_PROXY": "{url}"})
    coslocal_server.client().put_object(Bucket=coslocal_server.bucket, Key="in/a.jpg", Body=photo)
    scf.settle()                              # retries take no time
    assert coslocal_server.get("out/a.jpg") and not scf.dead
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from coslocal.pytest_given import BUCKET, REGION, SECRET_ID, SECRET_KEY, Cos, Server, new_app, new_client

if TYPE_CHECKING:
    from coslocal.app import Coslocal
    from coslocal.pytest_functions import Functions

__all__ = ["BUCKET", "REGION", "SECRET_ID", "SECRET_KEY", "Cos", "Server", "new_app", "new_client"]


@pytest.fixture
def cos(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cos]:
    """An empty coslocal with one bucket, mounted under `requests` (and so under the SDK) for this test."""
    from coslocal.mount import mount

    app = new_app()
    given = Cos(app, mount(app, monkeypatch))
    app.subscribe(given.events.append)
    yield given
    _end(app)


def _end(app: Coslocal) -> None:
    app.faults.close()
    app.jobs.close()
    app.store.close()


@pytest.fixture
def coslocal_server() -> Iterator[Server]:
    """A coslocal with one bucket, on a free loopback port for this test."""
    from coslocal.server import LocalServer

    app = new_app()
    with LocalServer(app).start_in_thread() as server:
        given = Server(app, server)
        app.subscribe(given.events.append, prompt=True)
        yield given
        app.faults.close()  # a request that waits must not hold up the server's end
    _end(app)


@pytest.fixture
def scf(coslocal_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """Functions behind the events of `coslocal_server`: none until one is deployed."""
    from coslocal.pytest_functions import Functions

    given = Functions(coslocal_server, tmp_path_factory.mktemp("scf"))
    yield given
    given.close()
