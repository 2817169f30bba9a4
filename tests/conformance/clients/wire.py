"""HTTP by hand over one socket: what clients do below their libraries. Every URL is signed by the vendor's SDK."""

from __future__ import annotations

import functools
import http.client
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.conformance.python_sdk import Bench, bench, on
from tests.conformance.results import Result, attempt, checks_of, title
from tests.conformance.target import Target
from tests.conformance.workshop import Workshop

NAME = "HTTP by hand"
_PATIENCE = 30.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Line:
    """One connection to coslocal."""

    bench: Bench
    socket: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        host, _, port = self.bench.target.authority.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=_PATIENCE)

    def send(self, method: str, key: str, *headers: str, body: bytes = b"", absolute: bool = False) -> None:
        """A request line, Host and these headers, then the body as it is."""
        url = on(self.bench, "get_presigned_url")(Method=method, Key=key)
        parts = urlsplit(url)
        goal = url if absolute else f"{parts.path}?{parts.query}"
        lines = [f"{method} {goal} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode() + body)

    def answer(self, method: str = "GET") -> Answer:
        got = http.client.HTTPResponse(self.socket, method=method)
        got.begin()
        return Answer(got.status, dict(got.getheaders()), got.read())

    def ask(self, method: str, key: str, *headers: str, body: bytes = b"", absolute: bool = False) -> Answer:
        self.send(method, key, *headers, body=body, absolute=absolute)
        return self.answer(method)


def prepare(workshop: Workshop) -> str:
    return ""


def run(workshop: Workshop, target: Target) -> list[Result]:
    room = workshop.room("wire")
    return [attempt(title(check), functools.partial(one, check, target, room)) for check in CHECKS]


def one(check: object, target: Target, folder: Path) -> None:
    assert callable(check)
    line = Line(bench(target, folder))
    with line.socket:
        check(line)


def check_a_client_may_wait_for_100_continue(line: Line) -> None:
    line.send("PUT", "a", "Content-Length: 5", "Expect: 100-continue")
    interim = line.socket.recv(1000)
    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n", interim
    line.socket.sendall(b"hello")
    assert line.answer("PUT").status == 200
    assert line.ask("GET", "a").body == b"hello"


def check_a_body_may_come_in_chunks(line: Line) -> None:
    chunks = b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
    assert line.ask("PUT", "a", "Transfer-Encoding: chunked", body=chunks).status == 200
    assert line.ask("GET", "a").body == b"hello world"


def check_chunks_and_waiting_together(line: Line) -> None:
    line.send("PUT", "a", "Transfer-Encoding: chunked", "Expect: 100-continue")
    assert line.socket.recv(1000).startswith(b"HTTP/1.1 100 ")
    line.socket.sendall(b"2\r\nhi\r\n0\r\n\r\n")
    assert line.answer("PUT").status == 200


def check_header_names_keep_their_case(line: Line) -> None:
    put = line.ask("PUT", "a", "Content-Length: 1", "x-cos-meta-A: b", body=b"x")
    assert {"ETag", "Content-Length", "x-cos-request-id", "Date", "Server", "Connection"} <= set(put.headers), put
    assert {"Last-Modified", "Content-Type", "x-cos-hash-crc64ecma"} <= set(line.ask("HEAD", "a").headers)


def check_absolute_and_plain_targets(line: Line) -> None:
    assert line.ask("PUT", "a", "Content-Length: 1", body=b"x", absolute=True).status == 200
    assert line.ask("GET", "a", absolute=False).body == b"x"


def check_ranges_and_conditions(line: Line) -> None:
    etag = line.ask("PUT", "a", "Content-Length: 10", body=b"0123456789").headers["ETag"]
    part = line.ask("GET", "a", "Range: bytes=2-4")
    assert (part.status, part.headers["Content-Range"], part.body) == (206, "bytes 2-4/10", b"234")
    same = line.ask("GET", "a", f"If-None-Match: {etag}")
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", etag)
    assert line.ask("GET", "a", 'If-Match: "other"').status == 412
    assert line.ask("GET", "a", f"If-Range: {etag}", "Range: bytes=9-").body == b"9"
    assert line.ask("GET", "a", 'If-Range: "other"', "Range: bytes=9-").body == b"0123456789"
    assert line.ask("GET", "a", "Range: bytes=10-").status == 416


def check_many_requests_on_one_connection(line: Line) -> None:
    for n in range(50):
        assert line.ask("PUT", f"k{n}", "Content-Length: 3", body=b"abc").status == 200
        assert line.ask("HEAD", f"k{n}").headers["Content-Length"] == "3"
        assert line.ask("GET", "no such").status == 404


def check_a_refused_upload_leaves_the_connection_in_step(line: Line) -> None:
    refused = line.ask("PUT", "a", "Content-Length: 5", "Content-MD5: nonsense", body=b"hello")
    assert refused.status == 400 and b"InvalidDigest" in refused.body
    if refused.headers["Connection"] == "keep-alive":
        assert line.ask("GET", "a").status == 404


def check_an_error_is_xml_and_head_has_none(line: Line) -> None:
    missing = line.ask("GET", "no such")
    assert (missing.status, missing.headers["Content-Type"]) == (404, "application/xml")
    for name in (b"Code", b"Message", b"Resource", b"RequestId", b"TraceId"):
        assert missing.body.partition(b"<%s>" % name)[2].partition(b"</%s>" % name)[0]
    assert line.ask("HEAD", "no such").body == b""


CHECKS = checks_of([sys.modules[__name__]])
