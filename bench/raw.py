"""The least of an HTTP client: sends bytes that stand ready and counts what comes back, so that a server's own speed
shows and not its client's."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CHUNK = 256 * 1024


class Client:
    """One kept-alive connection; opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def ask(self, request: bytes, *, expect: int = 200) -> int:
        """Send a whole request; the bytes of the answer's body. Raises RuntimeError on any other status."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        received = self._socket.recv(_CHUNK)
        while (end := received.find(b"\r\n\r\n")) < 0:
            more = self._socket.recv(_CHUNK)
            if not more:
                raise RuntimeError("the server closed the connection without an answer")
            received += more
        head = received[:end]
        found = _LENGTH.search(head)
        length = int(found[1]) if found and not request.startswith(b"HEAD") else 0
        left = length - (len(received) - end - 4)
        while left > 0:
            left -= len(self._socket.recv(_CHUNK)) or left
        status = int(head[9:12])
        if status != expect:
            raise RuntimeError(f"{request[:80]!r} was answered with {status}: {received[end:][:300]!r}")
        if _CLOSES.search(head):
            self._close()
        return length

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def rate(port: int, requests: Sequence[bytes], clients: int) -> float:
    """Requests a second, shared out among so many clients that send at the same time."""
    shares = [requests[at::clients] for at in range(clients)]

    def send(share: Sequence[bytes]) -> None:
        with Client(port) as client:
            for request in share:
                client.ask(request)

    started = time.perf_counter()
    together([partial(send, share) for share in shares])
    return len(requests) / (time.perf_counter() - started)


def together(works: Sequence[Callable[[], None]]) -> None:
    """Each in a thread of its own; the first error of any is raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
