"""The core mounted under `requests`, and so under the COS SDK: real signatures and real XML, no socket.

def test_it(mocker):
    app = Coslocal(open_memory(), credentials={"AKIDlocal": "SKlocal"})
    mounted = mount(app, mocker)              # or pytest's monkeypatch
    ...
    mounted.fail(ConnectionResetError("gone"), times=2)   # the next two requests fail before the effect
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from coslocal.app import Coslocal
from coslocal.http import NO_ANSWER, Headers, Request, Response, first_bytes


class Mounted:
    """A core in the place of the network: every request that `requests` makes in this process reaches it."""

    def __init__(self, app: Coslocal) -> None:
        self.app = app
        self._failures: list[tuple[Exception, bool]] = []

    def fail(self, error: Exception, *, times: int = 1, after_effect: bool = False) -> None:
        """Let the next `times` requests raise requests.ConnectionError, before the core acts or once it has acted."""
        self._failures += [(error, after_effect)] * times

    def send(
        self, adapter: HTTPAdapter, request: requests.PreparedRequest, *_: object, **options: Any
    ) -> requests.Response:
        """What stands for HTTPAdapter.send."""
        error, after_effect = self._failures.pop(0) if self._failures else (None, False)
        if error is not None and not after_effect:
            raise requests.ConnectionError(error, request=request)
        response = self.app.handle(as_request(request))
        if response.cut == NO_ANSWER:
            error = ConnectionResetError("Connection reset by peer")
        if error is not None:
            response.close()
            raise requests.ConnectionError(error, request=request)
        return adapter.build_response(request, _as_urllib3(response, str(request.method)))


def mount(app: Coslocal, patcher: Any) -> Mounted:
    """Put `app` under `requests` until `patcher` (pytest's `monkeypatch` or pytest-mock's `mocker`) undoes it."""
    mounted = Mounted(app)

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        return mounted.send(self, request)

    if hasattr(patcher, "patch"):
        patcher.patch.object(HTTPAdapter, "send", send)
    else:
        patcher.setattr(HTTPAdapter, "send", send)
    return mounted


def as_request(prepared: requests.PreparedRequest) -> Request:
    """The request as it would have come off the wire."""
    parts = urlsplit(prepared.url or "")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pairs = [("Host", parts.netloc.rpartition("@")[2])] if "Host" not in prepared.headers else []
    pairs += [(_text(name), _text(value).strip()) for name, value in prepared.headers.items()]
    headers = Headers(pairs)
    length = headers.get("Content-Length")
    body = _body(prepared.body)
    return Request(
        method=str(prepared.method), target=target, headers=headers, body=body, length=int(length) if length else None
    )


def _text(value: str | bytes) -> str:
    """As on the wire: `http.client` sends text as Latin-1, and bytes as they are."""
    raw = value if isinstance(value, bytes) else value.encode("latin-1")
    return raw.decode("utf-8", "surrogateescape")


class _Pieces:
    """An iterable of pieces (a chunked upload) as a body."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1, /) -> bytes:
        return b"".join(self._pieces) if size < 0 else next((piece for piece in self._pieces if piece), b"")


def _body(body: Any) -> Any:
    if body is None:
        return io.BytesIO()
    if isinstance(body, str):
        return io.BytesIO(body.encode())
    if isinstance(body, (bytes, bytearray)):
        return io.BytesIO(body)
    return body if hasattr(body, "read") else _Pieces(iter(body))


class _Stream(io.RawIOBase):
    """A response's chunks as a file for urllib3."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _as_urllib3(response: Response, method: str) -> HTTPResponse:
    """As urllib3 gives it when it comes from a socket; a body that is cut makes reading fail where it ends."""
    headers = HTTPHeaderDict()
    length = response.length
    if length is None and isinstance(response.body, bytes):
        length = len(response.body)
    if response.status not in (204, 304):  # as the server does
        headers.add("Content-Length", str(length or 0))
    for name, value in response.headers:
        headers.add(name, value.encode("utf-8", "surrogateescape").decode("latin-1"))
    chunks = response.body
    if response.cut is not None:
        chunks = b"".join(first_bytes(response.body, response.cut))
    body = io.BytesIO(chunks) if isinstance(chunks, bytes) else io.BufferedReader(_Stream(chunks))
    return HTTPResponse(
        body=body, headers=headers, status=response.status, preload_content=False, decode_content=False,
        request_method=method,
    )  # fmt: skip
