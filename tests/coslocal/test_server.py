"""The socket side, byte by byte."""

import contextlib
import http.client
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coslocal.events import ObjectEvent
from coslocal.pytest_plugin import BUCKET, SECRET_ID, SECRET_KEY, Server
from coslocal.rates import Rates
from coslocal.signature import sign
from coslocal.wire.address import decode
from tests.coslocal import hostile

HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"


@contextlib.contextmanager
def connection(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.server.port), timeout=20) as opened:
        yield opened


def head(method: str, target: str, headers: dict[str, str] | None = None, version: str = "1.1") -> bytes:
    """The head of a signed request for the fixture's bucket."""
    sent = {"Host": HOST, **(headers or {})}
    path = target.partition("?")[0].removeprefix(f"http://{HOST}")
    now = int(time.time())
    authorization = sign(
        method,
        decode(path),
        access_key=SECRET_ID,
        secret=SECRET_KEY,
        start=now - 60,
        end=now + 600,
        headers={"host": HOST},
    )
    lines = [f"{method} {target} HTTP/{version}", f"Authorization: {authorization}"]
    lines += [f"{name}: {value}" for name, value in sent.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answer(opened: socket.socket, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    answer = http.client.HTTPResponse(opened, method=method)
    answer.begin()
    return answer.status, dict(answer.getheaders()), answer.read()


def ask(server: Server, data: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    with connection(server) as opened:
        opened.sendall(data)
        return read_answer(opened, method)


def keys(server: Server) -> list[str]:
    return [item.key for item in server.app.store.scan(BUCKET)]


def alive(server: Server) -> bool:
    return ask(server, b"GET /_coslocal/health HTTP/1.1\r\nHost: any.host\r\n\r\n")[0] == 200


@pytest.mark.parametrize("target", ["/a%2Fb//c;d", "//a", f"http://{HOST}/x%20y", f"http://{HOST}//a"])
def test_the_raw_target_counts(coslocal_server: Server, target: str) -> None:
    status, _, _ = ask(coslocal_server, head("PUT", target, {"Content-Length": "1"}) + b"x")
    assert status == 200
    assert keys(coslocal_server) == [decode(target.removeprefix(f"http://{HOST}"))[1:]]


def test_connection_is_kept_or_closed_as_asked(coslocal_server: Server) -> None:
    with connection(coslocal_server) as opened:
        for n in range(3):
            opened.sendall(head("PUT", f"/{n}", {"Content-Length": "1"}) + b"x")
            status, headers, _ = read_answer(opened)
            assert (status, headers["Connection"]) == (200, "keep-alive")
        opened.sendall(head("GET", "/1", {"Connection": "close"}))
        status, headers, body = read_answer(opened)
        assert (status, headers["Connection"], body) == (200, "close", b"x")
        assert opened.recv(1) == b""
    with connection(coslocal_server) as opened:
        opened.sendall(head("GET", "/1", version="1.0"))
        assert read_answer(opened)[1]["Connection"] == "close"
        assert opened.recv(1) == b""


def test_requests_in_one_write_are_answered_in_order(coslocal_server: Server) -> None:
    put = head("PUT", "/a", {"Content-Length": "5"}) + b"hello"
    with connection(coslocal_server) as opened:
        opened.sendall(put + head("GET", "/a"))
        file = opened.makefile("rb")
        first = file.read(20)
        assert first.startswith(b"HTTP/1.1 200")
        rest = b""
        while b"hello" not in rest:
            rest += file.read1(65536)
        file.close()


def test_chunked_bodies(coslocal_server: Server) -> None:
    begin = head("PUT", "/a", {"Transfer-Encoding": "chunked"})
    assert ask(coslocal_server, begin + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")[0] == 200
    assert ask(coslocal_server, head("GET", "/a"))[2] == b"hello world"
    status, _, _ = ask(coslocal_server, head("PUT", "/b", {"Transfer-Encoding": "chunked"}) + b"zz\r\nhello\r\n")
    assert status == 400
    assert keys(coslocal_server) == ["a"]
    assert alive(coslocal_server)


def test_a_body_cut_short_is_never_stored(coslocal_server: Server) -> None:
    for begin in (
        head("PUT", "/cut", {"Content-Length": "100"}) + b"x" * 50,
        head("PUT", "/cut", {"Content-Length": "3000000"}) + b"x" * 2_000_000,
        head("PUT", "/cut", {"Transfer-Encoding": "chunked"}) + b"5\r\nhello\r\n",
    ):
        with connection(coslocal_server) as opened:
            opened.sendall(begin)
            opened.shutdown(socket.SHUT_WR)
            while opened.recv(65536):
                pass
    assert alive(coslocal_server)
    assert keys(coslocal_server) == []


def test_no_length_at_all(coslocal_server: Server) -> None:
    status, _, body = ask(coslocal_server, head("PUT", "/a"))
    assert status == 411 and b"<Code>MissingContentLength</Code>" in body
    assert ask(coslocal_server, head("PUT", "/a", {"Content-Length": "0"}))[0] == 200
    assert ask(coslocal_server, head("GET", "/a"))[2] == b""


def test_expect_100_continue(coslocal_server: Server) -> None:
    with connection(coslocal_server) as opened:
        opened.sendall(head("PUT", "/a", {"Content-Length": "5", "Expect": "100-continue"}))
        assert opened.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        opened.sendall(b"hello")
        assert read_answer(opened)[0] == 200
    assert ask(coslocal_server, head("GET", "/a"))[2] == b"hello"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda sent: sent.replace(b"q-signature=", b"q-signature=0"), "SignatureDoesNotMatch"),
        (lambda sent: sent.replace(b"Authorization: ", b"X: "), "AccessDenied"),
        (lambda sent: sent.replace(b"/a ", b"/a?cors "), "NotImplemented"),
    ],
)
def test_who_would_be_refused_is_not_told_to_continue(
    coslocal_server: Server, change: Callable[[bytes], bytes], code: str
) -> None:
    asked = change(head("PUT", "/a", {"Content-Length": "5", "Expect": "100-continue"}))
    with connection(coslocal_server) as opened:
        opened.sendall(asked)
        status, headers, body = read_answer(opened)
        assert status >= 400 and f"<Code>{code}</Code>".encode() in body
        assert headers["Connection"] == "close"
        assert opened.recv(1) == b""
    assert keys(coslocal_server) == []
    assert coslocal_server.journal.entries()[-1].error == code
    assert coslocal_server.journal.traffic()[0] == 0


def test_a_listener_may_ask_the_server_that_called_it(coslocal_server: Server) -> None:
    seen: list[bytes] = []

    def listener(event: ObjectEvent) -> None:
        seen.append(ask(coslocal_server, head("GET", f"/{event.key}"))[2])

    coslocal_server.app.subscribe(listener)
    assert ask(coslocal_server, head("PUT", "/a", {"Content-Length": "1"}) + b"x")[0] == 200
    assert seen == [b"x"]


def test_an_image_that_comes_of_its_name_holds_up_nobody(coslocal_server: Server) -> None:
    rule = "imageMogr2/thumbnail/8x8/format/jpg"
    coslocal_server.client().ci_put_image_style(
        Bucket=coslocal_server.bucket, Request={"StyleName": "small", "StyleBody": rule}
    )
    coslocal_server.app.rates = Rates(download=1)
    coslocal_server.put("a.png", hostile.png())
    status, headers, body = ask(coslocal_server, head("GET", "/a.png!small"))
    assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert [entry.status for entry in coslocal_server.journal.entries("get_object")] == [200]


@pytest.mark.parametrize("fault", [{}, {"effect": "latency", "seconds": 0.0}])
def test_what_is_done_at_once_is_done_alike(coslocal_server: Server, fault: dict[str, Any]) -> None:
    if fault:  # then every request has a thread of its own
        coslocal_server.faults.add_all([fault])
    assert ask(coslocal_server, head("PUT", "/a", {"Content-Length": "3"}) + b"one")[0] == 200
    assert ask(coslocal_server, head("GET", "/a", {"Range": "bytes=1-"}))[2] == b"ne"
    assert ask(coslocal_server, head("HEAD", "/a"), "HEAD")[0] == 200
    assert ask(coslocal_server, head("GET", "/none"))[0] == 404
    assert ask(coslocal_server, head("DELETE", "/a"))[0] == 204
    assert [event.name.rpartition(":")[2] for event in coslocal_server.events] == ["Put", "Delete"]
    assert coslocal_server.journal.counts() == {"delete_object": 1, "get_object": 2, "head_object": 1, "put_object": 1}


def test_a_body_labelled_gzip_is_kept_as_it_is(coslocal_server: Server) -> None:
    begin = head("PUT", "/a", {"Content-Length": "5", "Content-Encoding": "gzip"})
    assert ask(coslocal_server, begin + b"plain")[0] == 200
    _, headers, body = ask(coslocal_server, head("GET", "/a"))
    assert (headers["Content-Encoding"], body) == ("gzip", b"plain")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /a\x00b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_server_lives(coslocal_server: Server, data: bytes) -> None:
    status, _, body = ask(coslocal_server, data)
    assert status == 400
    assert b"<Code>" in body
    assert alive(coslocal_server)


def test_odd_but_legal_requests_get_an_error_document(coslocal_server: Server) -> None:
    for data in (
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: \r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: b-1.localhost\r\n\r\n",
        b"GET /" + b"%zz" * 1000 + b" HTTP/1.1\r\nHost: b-1.localhost\r\n\r\n",
        b"GET http://[::1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ):
        status, _, body = ask(coslocal_server, data)
        assert 400 <= status < 500, data
        assert b"<Code>" in body
    assert alive(coslocal_server)


def test_many_idle_connections_do_no_harm(coslocal_server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(connection(coslocal_server))
        assert alive(coslocal_server)
    assert alive(coslocal_server)


def test_a_client_that_leaves_in_the_middle_of_a_download(coslocal_server: Server) -> None:
    client: Any = coslocal_server.client()
    client.put_object(Bucket=BUCKET, Key="big", Body=b"x" * 20_000_000)
    with connection(coslocal_server) as opened:
        opened.sendall(head("GET", "/big"))
        assert len(opened.recv(1000)) > 0
    assert alive(coslocal_server)
    status, _, body = ask(coslocal_server, head("GET", "/big"))
    assert (status, len(body)) == (200, 20_000_000)
    _, headers, body = ask(coslocal_server, head("HEAD", "/big"), "HEAD")
    assert (headers["Content-Length"], body) == ("20000000", b"")


def test_the_internal_pages(coslocal_server: Server) -> None:
    coslocal_server.client().put_object(Bucket=BUCKET, Key="中", Body=b"x")
    _, _, body = ask(coslocal_server, b"GET /_coslocal/journal?operation=put_object HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b'"put_object": 1' in body and b"AKIDlocal" not in body and b"q-signature" not in body
    assert ask(coslocal_server, b"POST /_coslocal/reset HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")[0] == 200
    assert coslocal_server.app.store.buckets() == []
    assert ask(coslocal_server, b"GET /_coslocal/nothing HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 404
