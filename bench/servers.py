"""The servers under measurement, each in a process of its own on a free loopback port."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Peers
from bench.raw import Client
from bench.setting import BUCKET, REGION, ROOT, SECRET_ID, SECRET_KEY
from coslocal.signature import sign
from coslocal.wire.address import decode

_START_SECONDS = 60.0
_URL = re.compile(r"http://127\.0\.0\.1:([0-9]+)\s")
_UNVERIFIED = (
    f"AWS4-HMAC-SHA256 Credential={SECRET_ID}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature={0:064}"
)
_HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: requests for its bucket are made with `request`, byte for byte, once and for all."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, target: str, body: bytes = b"") -> bytes:
        """`target` begins with the key's slash, percent-encoded; an empty one is the bucket."""
        return head(method, target, {"Host": f"127.0.0.1:{self.port}"}, body)


class Cos(Server):
    """coslocal; each request carries a signature, which the server verifies."""

    def request(self, method: str, target: str, body: bytes = b"") -> bytes:
        path, _, query = target.partition("?")
        now = int(time.time())
        parameters = {decode(piece.partition("=")[0]): decode(piece.partition("=")[2]) for piece in query.split("&")}
        signature = sign(
            method, decode(path), access_key=SECRET_ID, secret=SECRET_KEY, start=now - 60, end=now + 7200,
            headers={"Host": _HOST}, parameters=parameters if query else {},
        )  # fmt: skip
        return head(method, target, {"Host": _HOST, "Authorization": signature}, body)


class Moto(Server):
    """moto's server; it wants a signature and does not verify it."""

    def request(self, method: str, target: str, body: bytes = b"") -> bytes:
        headers = {"Host": f"127.0.0.1:{self.port}", "Authorization": _UNVERIFIED}
        return head(method, f"/{BUCKET}{target}", headers, body)


def head(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextlib.contextmanager
def coslocal(folder: Path, *, data: Path | None = None, qps: int | None = None) -> Iterator[Cos]:
    """`coslocal serve`, in memory unless `data` is given, with the bench's bucket; `qps`: it answers faster image
    requests with SlowDown."""
    ready = folder / "coslocal.url"
    command = [sys.executable, "-m", "coslocal", "serve", "--port", "0", "--ready-file", str(ready)]
    command += ["--bucket", BUCKET, "--region", REGION, "--credential", f"{SECRET_ID}:{SECRET_KEY}"]
    command += ["--data", str(data)] if data else []
    command += ["--qps", str(qps)] if qps else []
    with _running(command, folder / "coslocal.log", ready) as (pid, port):
        yield Cos(port=port, pid=pid)


@contextlib.contextmanager
def moto(folder: Path, peers: Peers) -> Iterator[Moto]:
    """moto's server as its own command starts it, with the bench's bucket."""
    log = folder / "moto.log"
    command = [str(peers.python.with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"]
    with _running(command, log, log) as (pid, port):
        server = Moto(port=port, pid=pid)
        with Client(port) as client:
            client.ask(server.request("PUT", ""))
        yield server


@contextlib.contextmanager
def _running(command: Sequence[str], log: Path, telling: Path) -> Iterator[tuple[int, int]]:
    """The process and its port, once it has written its URL to the file `telling`.

    The port is the server's own choice: one that was free a moment ago may be somebody else's by now. Raises
    RuntimeError with what it said when it does not come up.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while (found := _URL.search(telling.read_text(errors="replace") if telling.exists() else "")) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not serve: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.02)
        yield process.pid, int(found[1])
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
