"""What is sent on purpose to break a server: it answers with one error, goes on, and has lost nothing."""

import contextlib
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.pytest_plugin import BUCKET, Server, new_app
from coslocal.server import LocalServer
from tests.coslocal.wire import HOST, Answer, ask, connection, everything, head, put, read_answer

HOST_LINE = f"Host: {HOST}\r\n".encode()
CHUNKED = b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Transfer-Encoding: chunked\r\n\r\n"


def content(server: Any) -> "dict[str, str]":
    store = server.app.store
    return {item.key: hashlib.sha256(b"".join(store.read(item.blob))).hexdigest() for item in store.scan(BUCKET)}


@pytest.fixture
def server(coslocal_server: Server) -> Iterator[Server]:
    """A server that holds something; whatever a test sends, that is still there at its end, and nothing else."""
    coslocal_server.put("precious", b"x" * 3_000_000)
    coslocal_server.put("é 中/+%//..", b"odd")
    before = content(coslocal_server)
    yield coslocal_server
    assert ask(coslocal_server.server.port, head("GET", "/precious")).body == b"x" * 3_000_000
    assert content(coslocal_server) == before


def port(server: Server) -> int:
    return server.server.port


def refused(answer: Answer, status: int = 400, code: str = "InvalidRequest") -> None:
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Connection"] == "close"


# -- what is not HTTP


@pytest.mark.parametrize(
    "lines",
    [
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nhello",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: 1, 1\r\n\r\nx",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: -1\r\n\r\n",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: +1\r\n\r\nx",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: 0x1\r\n\r\nx",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + "Content-Length: ٣\r\n\r\nabc".encode(),
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Content-Length: " + b"9" * 40 + b"\r\n\r\nx",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"PUT /a HTTP/1.1\r\n" + HOST_LINE + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"Host: other.host\r\n\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\nHost: a\n\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"X : y\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b": y\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"x-cos-meta-a: y\r\n folded\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"x-cos-meta-a: y\rSet-Cookie: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"x-cos-meta-a: y\0z\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"x-cos-meta-a: y\x01z\r\n\r\n",
        "GET /é HTTP/1.1\r\n".encode() + HOST_LINE + b"\r\n",
        b"GET /a b HTTP/1.1\r\n" + HOST_LINE + b"\r\n",
        b"GET /a HTTP/9.9\r\n" + HOST_LINE + b"\r\n",
        b"GET /a JUNK/1.1\r\n" + HOST_LINE + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"*1\r\n$4\r\nPING\r\n",
        bytes(100_000),
    ],
)  # fmt: skip
def test_what_is_not_http(server: Server, lines: bytes) -> None:
    refused(ask(port(server), lines))


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.sampled_from([b"", b"GET ", b"PUT /a HTTP/1.1\r\n", HOST_LINE]))
def test_noise(noise: bytes, begin: bytes) -> None:
    with connection(_noisy(), timeout=30) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(begin + noise + b"\r\n\r\n")
            opened.shutdown(socket.SHUT_WR)
        said = everything(opened)
    assert not said or said.startswith(b"HTTP/")
    assert b" 500 " not in said[:20]
    assert ask(_noisy(), b"GET /_coslocal/health HTTP/1.1\r\nHost: a\r\n\r\n").status == 200


@pytest.fixture(scope="module", autouse=True)
def _noise_server() -> Iterator[None]:
    app = new_app()
    with LocalServer(app).start_in_thread() as running:
        _PORTS.append(running.port)
        yield
        _PORTS.clear()
    app.store.close()


_PORTS: list[int] = []


def _noisy() -> int:
    return _PORTS[0]


# -- too much of it


@pytest.mark.parametrize(
    "lines",
    [
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + HOST_LINE + b"\r\n",
        b"G" * 1_000_000 + b" /a HTTP/1.1\r\n" + HOST_LINE + b"\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"X" * 1_000_000 + b": y\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST_LINE + b"X: y\r\n" * 100_000 + b"\r\n",
        CHUNKED + b"f" * 1_000_000,
        CHUNKED + b"f" * 30 + b"\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"0\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_lines_and_heads_have_an_end(server: Server, lines: bytes) -> None:
    with connection(port(server)) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(lines)
        said = everything(opened)
    assert said.startswith(b"HTTP/1.") and b" 400 " in said[:20]


def test_a_header_of_60_kb_is_taken(server: Server) -> None:
    """Five long watermarks fit into Pic-Operations."""
    answer = ask(port(server), head("GET", "/none", {"X-Long": "y" * 60_000}))
    assert (answer.status, answer.code) == (404, "NoSuchKey")


def test_a_body_above_the_limit_is_refused_unread(server: Server) -> None:
    for more in ({}, {"Expect": "100-continue"}):
        answer = ask(port(server), head("PUT", "/big", {"Content-Length": str(5 * 1024**3 + 1), **more}))
        refused(answer, 400, "EntityTooLarge")


def test_a_coding_for_the_transfer_is_not_offered(server: Server) -> None:
    refused(ask(port(server), head("PUT", "/a", {"Transfer-Encoding": "gzip, chunked"})), 501, "NotImplemented")


# -- bodies that do not come as they should


@pytest.mark.parametrize("announced", ["100", "3000000", "chunked"])
@pytest.mark.parametrize("how", ["half closed", "closed", "reset"])
def test_a_body_cut_short_is_never_stored(server: Server, announced: str, how: str) -> None:
    if announced == "chunked":
        data = head("PUT", "/cut", {"Transfer-Encoding": "chunked"}) + b"1000\r\n" + b"x" * 4096 + b"\r\n20\r\nhalf"
    else:
        data = head("PUT", "/cut", {"Content-Length": announced}) + b"x" * (int(announced) // 2)
    with connection(port(server)) as opened:
        opened.sendall(data)
        if how == "half closed":
            opened.shutdown(socket.SHUT_WR)
            everything(opened)
        elif how == "reset":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert ask(port(server), head("GET", "/cut")).status == 404


@pytest.mark.parametrize(
    "chunks", [b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloworld\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
               b"5 \nhello\r\n0\r\n\r\n", b"\r\n\r\n", b"5;\r\nhell"],
)  # fmt: skip
def test_chunks_that_are_none(server: Server, chunks: bytes) -> None:
    with connection(port(server)) as opened:
        opened.sendall(head("PUT", "/cut", {"Transfer-Encoding": "chunked"}) + chunks)
        opened.shutdown(socket.SHUT_WR)
        said = everything(opened)
    assert not said or b" 400 " in said[:20]


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n", b"5\r\nhelloworld\r\n", b"f" * 30, b"0\r\nno trailer\r\n\r\n", b"0\r\nX: " + b"x" * 100_000],
)  # fmt: skip
def test_a_body_that_breaks_while_it_is_read_is_answered_at_once(server: Server, chunks: bytes) -> None:
    with connection(port(server)) as opened:
        opened.sendall(head("PUT", "/cut", {"Transfer-Encoding": "chunked", "Expect": "100-continue"}))
        assert opened.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # now it waits for the body
        opened.sendall(b"3\r\nabc\r\n")
        with contextlib.suppress(ConnectionError):
            opened.sendall(chunks)
        refused(read_answer(opened), 400, "IncompleteBody")
        assert everything(opened) == b""


def test_wrong_sums_and_lengths_through_the_socket(server: Server) -> None:
    for headers, code in (
        ({"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, "BadDigest"),
        ({"Content-MD5": "nonsense"}, "InvalidDigest"),
        ({"Content-MD5": "eA=="}, "InvalidDigest"),
    ):
        answer = ask(port(server), put("/precious", b"over", headers))
        assert (answer.status, answer.code) == (400, code)


def test_expect_100_continue(server: Server) -> None:
    with connection(port(server)) as opened:
        opened.sendall(head("PUT", "/precious", {"Content-Length": "5", "Expect": "100-continue", "If-Match": "x",
                                                 "Content-MD5": "nonsense"}))  # fmt: skip
        assert opened.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        opened.sendall(b"hello")
        assert read_answer(opened).code == "InvalidDigest"
    with connection(port(server)) as opened:  # of those who waited and left
        opened.sendall(head("PUT", "/left", {"Content-Length": "5", "Expect": "100-continue"}))
        opened.recv(65536)
    answer = ask(port(server), head("PUT", "/precious", {"Content-Length": "2", "Expect": "100-continue",
                                                         "Content-MD5": "nonsense"}, "1.0") + b"hi")  # fmt: skip
    assert answer.code == "InvalidDigest"  # HTTP/1.0 knows of no 100


def test_empty_objects(server: Server) -> None:
    for framing in ({"Content-Length": "0"}, {"Transfer-Encoding": "chunked"}):
        data = head("PUT", "/empty", framing) + (b"0\r\n\r\n" if "Transfer-Encoding" in framing else b"")
        answer = ask(port(server), data)
        assert answer.headers["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
        assert ask(port(server), head("GET", "/empty")).body == b""
        assert ask(port(server), head("GET", "/empty", {"Range": "bytes=0-0"})).code == "InvalidRange"
        assert ask(port(server), head("DELETE", "/empty")).status == 204


# -- nothing sent can write a header of the answer


@pytest.mark.parametrize(
    "target",
    [
        "/precious?response-content-type=a%0d%0aX-Evil:%201",
        "/precious?response-content-disposition=a%0aX-Evil:%201",
        "/precious?response-expires=%00",
        "/precious%0d%0aX-Evil:%201",
        "/%0d%0aX-Evil:%201/?uploads",
        "/precious?imageMogr2/thumbnail/%0d%0aX-Evil:%201",
        "/?prefix=%0d%0aX-Evil:%201&encoding-type=%0d%0aX-Evil:%201",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_header_of_the_answer_can_be_written(server: Server, target: str, method: str) -> None:
    with connection(port(server)) as opened:
        opened.sendall(head(method, target, {"Connection": "close", "Origin": "http://a"}))
        said = everything(opened)
    begin = said.partition(b"\r\n\r\n")[0]
    assert not any(line.lower().startswith(b"x-evil") for line in begin.split(b"\r\n"))
    assert begin.startswith((b"HTTP/1.1 4", b"HTTP/1.1 2"))


@pytest.mark.parametrize("value", ["tab\there", "é 中", "\udcff\udc80", "a" * 2000, " ", '"; a=b', "\x7f"])
def test_metadata_comes_back_as_it_was_sent_or_is_refused(server: Server, value: str) -> None:
    answer = ask(port(server), put("/meta", b"", {"x-cos-meta-a": value}))
    if answer.status == 200:
        with connection(port(server)) as opened:
            opened.sendall(head("HEAD", "/meta", {"Connection": "close"}))
            said = everything(opened)
        wanted = value.strip().encode("utf-8", "replace" if "\udcff" in value else "strict")
        found = [line for line in said.split(b"\r\n") if line.lower().startswith(b"x-cos-meta-a")]
        assert not found or "\udcff" in value or found[0].partition(b": ")[2] == wanted
        assert ask(port(server), head("DELETE", "/meta")).status == 204
    else:
        assert answer.status == 400


# -- many, slow and impatient


def test_a_thousand_requests_in_one_write(server: Server) -> None:
    with connection(port(server)) as opened:
        sender = threading.Thread(target=opened.sendall, args=(head("HEAD", "/precious") * 999 + head(
            "GET", "/none", {"Connection": "close"}),))  # fmt: skip
        sender.start()
        said = everything(opened)
        sender.join()
    assert said.count(b"HTTP/1.1 200 OK") == 999
    assert b"HTTP/1.1 404" in said


def test_several_hundred_at_once(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connection(port(server))) for _ in range(400)]
        for number, each in enumerate(opened):
            each.sendall(head("GET", "/precious", {"Range": f"bytes={number}-{number + 9}"}))
        assert all(read_answer(each).body == b"x" * 10 for each in opened)
        for each in opened:
            each.sendall(b"GET /half")
        assert ask(port(server), head("HEAD", "/precious"), "HEAD").status == 200


def test_slow_clients_do_not_hold_up_others(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        # more than there are threads, each in the middle of something
        for number in range(100):
            slow = stack.enter_context(connection(port(server)))
            begun = head("PUT", f"/slow{number}", {"Content-Length": "1000"}) + b"x"
            slow.sendall(begun if number % 2 else b"GET /pre")
        for _ in range(50):
            taking = stack.enter_context(connection(port(server)))
            taking.sendall(head("GET", "/precious"))
        assert ask(port(server), head("GET", "/precious", {"Range": "bytes=0-4"})).body == b"xxxxx"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", ""), (b"GET / HT", ""), (b"GET / HTTP/1.1\r\nHost: a\r\n", ""),
        (head("PUT", "/slow", {"Content-Length": "10"}) + b"abc", "RequestTimeout"),
        (head("PUT", "/slow", {"Transfer-Encoding": "chunked"}) + b"5\r\nhel", "RequestTimeout"),
    ],
)  # fmt: skip
def test_a_silent_client_loses_its_connection(sent: bytes, code: str) -> None:
    app = new_app()
    with LocalServer(app, patience=0.2).start_in_thread() as running, connection(running.port) as opened:
        opened.sendall(sent)
        said = everything(opened)
        assert said.partition(b"<Code>")[2].partition(b"</Code>")[0].decode() == code
    assert list(app.store.scan(BUCKET)) == []
    app.store.close()


def test_one_that_takes_nothing_loses_it_too() -> None:
    app = new_app()
    with LocalServer(app, patience=0.2).start_in_thread() as running:
        with connection(running.port) as opened:
            opened.sendall(put("/big", bytes(30_000_000)))
            read_answer(opened)
            opened.sendall(head("GET", "/big"))
            time.sleep(0.6)
            assert len(everything(opened)) < 30_000_000
        assert ask(running.port, head("GET", "/big")).body == bytes(30_000_000)
    app.store.close()
