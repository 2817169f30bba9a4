"""A COS that answers at once with the right shape and does nothing, in a process of its own.

It stands in where only the client's side is measured, so that nothing of a server's own work is in the figure. It is
reached as an HTTP proxy: POST gets an UploadResult naming each rule's result, GET and HEAD one picture, PUT an ETag.
`python -m bench.stub PICTURE SECONDS` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.setting import BUCKET, REGION, ROOT
from coslocal.wire.xml import Fields, render

_ETAG = '"9f3c5d6e7a8b9c0d1e2f3a4b5c6d7e8f"'
_RESULT_ETAG = '"0a1b2c3d4e5f60718293a4b5c6d7e8f9"'  # with the source's own, CI would be taken to misname the source


@contextlib.contextmanager
def running(picture: Path, *, seconds: float = 0) -> Iterator[str]:
    """The URL of a stub that serves `picture` and takes so many `seconds` to process, while the block runs."""
    command = [sys.executable, "-m", "bench.stub", str(picture), str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def _upload_result(operations: str) -> bytes:
    """What CI answers for a Pic-Operations header."""
    results: list[tuple[str, Fields]] = [
        (
            "Object",
            [
                ("Key", rule["fileid"].removeprefix("/")),
                ("Location", f"{BUCKET}.cos.{REGION}.myqcloud.com{rule['fileid']}"),
                *(("Format", "webp"), ("Width", 200), ("Height", 150), ("Size", 9000), ("Quality", 80)),
                *(("ETag", _RESULT_ETAG), ("FrameCount", 1)),
            ],
        )
        for rule in json.loads(operations)["rules"]
    ]
    image: Fields = [("Format", "JPEG"), ("Width", 4000), ("Height", 3000), ("Quality", 88), ("Ave", "0x808080")]
    original: Fields = [("Key", "k"), ("Location", "l"), ("ETag", _ETAG), ("ImageInfo", image)]
    return render("UploadResult", [("OriginalInfo", original), ("ProcessResults", results)])


def _answer(content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nETag: {_ETAG}\r\n"
        "Connection: keep-alive\r\nServer: tencent-cos\r\nx-cos-request-id: NjRjZGY=\r\n\r\n"
    )
    return head.encode() + body


class _Stub:
    def __init__(self, picture: bytes, seconds: float) -> None:
        self._seconds = seconds
        self._picture = _answer("image/jpeg", picture)
        self._head = self._picture.removesuffix(picture)
        self._stored = _answer("application/xml", b"")
        self._processed: dict[str, bytes] = {}

    def serve(self, connection: socket.socket) -> None:
        """One connection, request by request; heads are read line by line, bodies passed over."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader, contextlib.suppress(ConnectionError):
            while line := reader.readline():
                headers = {}
                while header := reader.readline().strip():
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                reader.read(int(headers.get("content-length", 0)))
                connection.sendall(self._for(line.split(b" ", 1)[0], headers.get("pic-operations", "")))

    def _for(self, method: bytes, operations: str) -> bytes:
        if method in (b"GET", b"HEAD"):
            return self._picture if method == b"GET" else self._head
        if method != b"POST":
            return self._stored
        time.sleep(self._seconds)
        if operations not in self._processed:
            self._processed[operations] = _answer("application/xml", _upload_result(operations))
        return self._processed[operations]


def main(picture: str, seconds: str) -> None:
    stub = _Stub(Path(picture).read_bytes(), float(seconds))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=stub.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
