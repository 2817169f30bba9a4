"""Requests written byte by byte to a server, and what came back, byte by byte."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coslocal.pytest_plugin import BUCKET, SECRET_ID, SECRET_KEY
from coslocal.signature import sign
from coslocal.wire.address import decode

HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return self.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


@contextlib.contextmanager
def connection(port: int, timeout: float = 30) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as opened:
        yield opened


def head(method: str, target: str, headers: Mapping[str, str] | None = None, version: str = "1.1") -> bytes:
    """The head of a request for the fixture's bucket, signed over its host."""
    now = int(time.time())
    signature = sign(
        method, decode(target.partition("?")[0]), access_key=SECRET_ID, secret=SECRET_KEY, start=now - 60,
        end=now + 600, headers={"host": HOST},
    )  # fmt: skip
    sent = {"Host": HOST, "Authorization": signature, **(headers or {})}
    lines = [f"{method} {target} HTTP/{version}", *(f"{name}: {value}" for name, value in sent.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def put(key: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    return head("PUT", key, {"Content-Length": str(len(body)), **(headers or {})}) + body


def read_answer(opened: socket.socket, method: str = "GET") -> Answer:
    answer = http.client.HTTPResponse(opened, method=method)
    answer.begin()
    return Answer(answer.status, dict(answer.getheaders()), answer.read())


def ask(port: int, data: bytes, method: str = "GET") -> Answer:
    """Send bytes on a connection of their own; a server that closes early is read all the same."""
    with connection(port) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(data)
        return read_answer(opened, method)


def everything(opened: socket.socket) -> bytes:
    """What comes until the other end closes, however it does."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while chunk := opened.recv(65536):
            found += chunk
    return found
