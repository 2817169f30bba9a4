"""`make stress`: what takes too long for the suite. Ten thousand connections at once, and a gigabyte each way.

Prints what it saw; ends with 1 when something was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from coslocal.pytest_plugin import BUCKET
from tests.coslocal.wire import connection, head, put, read_answer

CONNECTIONS = 10_000
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GIGABYTE = 1024**3

SERVE = """
import sys, time
from coslocal.app import Coslocal
from coslocal.server import LocalServer
from coslocal.storage.directory import open_directory
from coslocal.storage.types import Bucket
store = open_directory(sys.argv[1])
store.create_bucket(Bucket(name=sys.argv[2], region="ap-guangzhou", created=time.time()))
server = LocalServer(Coslocal(store, credentials={"AKIDlocal": "SKlocal"}))
server.run(lambda: print(server.port, flush=True))
"""


@contextlib.contextmanager
def server() -> Iterator[tuple[int, int]]:
    """(port, process id) of a server with a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", SERVE, str(Path(folder) / "data"), BUCKET]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline()), process.pid
            finally:
                process.terminate()


def most_memory(process: int) -> float:
    """The most that a process has held so far, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _connect(port: int, at_once: asyncio.Semaphore) -> Pair:
    async with at_once:
        return await asyncio.open_connection("127.0.0.1", port)


async def _ask(pair: Pair, number: int) -> bool:
    reader, writer = pair
    writer.write(head("GET", "/kept", {"Range": f"bytes={number}-{number + 9}", "Connection": "close"}))
    said = await reader.read()
    writer.close()
    return said.startswith(b"HTTP/1.1 206") and said.endswith(b"x" * 10)


async def _many(port: int) -> tuple[float, float, int]:
    """Seconds until all are connected, seconds until all are answered, how many were answered rightly."""
    at_once = asyncio.Semaphore(500)
    begun = time.monotonic()
    pairs = await asyncio.gather(*(_connect(port, at_once) for _ in range(CONNECTIONS)))
    connected = time.monotonic()
    right = await asyncio.gather(*(_ask(pair, number) for number, pair in enumerate(pairs)))
    return connected - begun, time.monotonic() - connected, sum(right)


def many_connections() -> bool:
    """Ten thousand clients, all connected before the first asks."""
    with server() as (port, process):
        with connection(port) as opened:
            opened.sendall(put("/kept", b"x" * 20_000))
            read_answer(opened)
        before = most_memory(process)
        connecting, answering, right = asyncio.run(_many(port))
        say(
            f"{CONNECTIONS} connections at once: {connecting:.1f} s to connect, {answering:.1f} s to answer, "
            f"{right} answered rightly; memory {before:.0f} MB before, {most_memory(process):.0f} MB at most"
        )
        with connection(port) as opened:
            opened.sendall(head("GET", "/kept"))
            return right == CONNECTIONS and read_answer(opened).body == b"x" * 20_000


def a_gigabyte() -> bool:
    """One PUT and one GET of a gigabyte."""
    block = bytes(1024 * 1024)
    digest = hashlib.md5(usedforsecurity=False)
    with server() as (port, process), connection(port, timeout=600) as opened:
        before = most_memory(process)
        begun = time.monotonic()
        opened.sendall(head("PUT", "/big", {"Content-Length": str(GIGABYTE)}))
        for _ in range(GIGABYTE // len(block)):
            opened.sendall(block)
            digest.update(block)
        etag = read_answer(opened).headers["ETag"].strip('"')
        put_memory, put_seconds = most_memory(process), time.monotonic() - begun
        opened.sendall(head("GET", "/big", {"Connection": "close"}))
        size = -1
        while chunk := opened.recv(1024 * 1024):
            size += len(chunk) if size >= 0 else len(chunk.partition(b"\r\n\r\n")[2]) + 1
        say(
            f"1 GB: PUT {put_seconds:.1f} s; memory {before:.0f} MB before, {put_memory:.0f} MB at most after the PUT, "
            f"{most_memory(process):.0f} MB after the GET"
        )
        return (etag, size) == (digest.hexdigest(), GIGABYTE)


def main() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 500:
        say(f"this machine lets a process have {hard} open files: ten thousand connections need more")
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    right = [each() for each in (many_connections, a_gigabyte)]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
