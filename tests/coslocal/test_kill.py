"""A server killed in the middle of writing: what it had acknowledged stands, whole; nothing half-written is left."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from coslocal.pytest_plugin import BUCKET, new_client
from coslocal.storage.directory import open_directory

SERVE = """
import sys, time
from coslocal.app import Coslocal
from coslocal.server import LocalServer
from coslocal.storage.directory import open_directory
from coslocal.storage.types import Bucket
store = open_directory(sys.argv[1])
store.create_bucket(Bucket(name=sys.argv[2], region="ap-guangzhou", created=time.time()))
server = LocalServer(Coslocal(store, credentials={"AKIDlocal": "SKlocal"}))
server.run(lambda: print(server.url, flush=True))
"""
ENOUGH = 60


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path / "data"), BUCKET]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        client = new_client(proxies={"http": server.stdout.readline().strip()}, retry=0)
        sent: dict[str, list[str]] = {f"key {n} 中": [] for n in range(4)}
        acknowledged: dict[str, int] = {}
        enough = threading.Event()
        writers = [threading.Thread(target=_write, args=(client, key, sent[key], acknowledged, enough)) for key in sent]
        for writer in writers:
            writer.start()
        enough.wait(60)
        server.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join()
    store = open_directory(tmp_path / "data")
    for key, etags in sent.items():
        item = store.get(BUCKET, key)
        assert item is not None
        data = b"".join(store.read(item.blob))
        assert hashlib.md5(data, usedforsecurity=False).hexdigest() == item.etag
        assert item.etag in etags[acknowledged[key] :]
    blobs = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and path.parent.parent.name == "blobs"]
    assert len(blobs) == len(sent)
    assert list((tmp_path / "data" / "incoming").iterdir()) == []
    store.close()


def _write(client: Any, key: str, sent: list[str], acknowledged: dict[str, int], enough: threading.Event) -> None:
    """PUT ever new bodies until the server is gone; `acknowledged` is the place of the last that was answered."""
    while len(sent) < 10_000:
        body = os.urandom(64) * 4_000
        sent.append(hashlib.md5(body, usedforsecurity=False).hexdigest())
        try:
            client.put_object(Bucket=BUCKET, Key=key, Body=body)
        except Exception:
            return
        acknowledged[key] = len(sent) - 1
        if len(sent) > ENOUGH // 4:
            enough.set()
