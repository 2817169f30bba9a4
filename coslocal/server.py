"""The one place that knows sockets: HTTP over the core, on aiohttp's low-level server.

That server keeps the case of header names and the raw request target, takes absolute-form targets (coslocal can be
used as `http_proxy`), and sends header and small body in one write: what real clients trip over otherwise (COS 1).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import resource
import signal
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler, _ErrInfo
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from multidict import CIMultiDict

from coslocal.atonce import WouldWait, at_once
from coslocal.http import NO_ANSWER, Doorkeeper, Headers, Request, Response, first_bytes
from coslocal.operations import traffic
from coslocal.operations.objects import MAX_PUT
from coslocal.operations.responses import error_response
from coslocal.pace import Pace
from coslocal.wire.errors import (
    CosError,
    EntityTooLarge,
    IncompleteBody,
    InvalidRequest,
    NotOffered,
    RequestTimeout,
)

IN_MEMORY = 1024 * 1024  # bodies up to this size, in bytes, never touch a spool file
_LINE = 64 * 1024  # a URL or header: Pic-Operations with five long watermarks fits
_THREADS = 32
_BACKLOG = 4096
_log = logging.getLogger(__name__)


class _Connection(RequestHandler):
    """Answers what is not even HTTP in COS's shape, without filling the log."""

    def data_received(self, data: bytes) -> None:
        """aiohttp answers what is no HTTP after the request before it; when that one's body is what breaks, its reader
        would wait in vain for the rest, so it is told."""
        super().data_received(data)
        broken = next((message.exc for message, _ in self._messages if isinstance(message, _ErrInfo)), None)
        if broken is None:
            return
        bodies = [body for _, body in self._messages]
        if self._current_request is not None:
            bodies.append(self._current_request.content)
        for body in bodies:
            if not body.is_eof():
                body.set_exception(broken)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        _log.debug("malformed request from %s: %s", request.remote, message or exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun already")
        answer = _plain(_error(InvalidRequest("The request is not valid HTTP") if status < 500 else CosError()))
        answer.force_close()
        return answer


class _Connections(web.Server):
    def __init__(self, handler: Callable[[BaseRequest], Any], patience: float) -> None:
        # Bodies are kept as they come: COS does not unpack what is labelled gzip.
        self._settings: dict[str, Any] = {
            "auto_decompress": False, "keepalive_timeout": patience, "access_log": None, "logger": _log,
            "max_line_size": _LINE, "max_field_size": _LINE, "lingering_time": 0,
        }  # fmt: skip
        super().__init__(handler, **self._settings)

    def __call__(self) -> _Connection:
        return _Connection(self, loop=self._loop, **self._settings)


def _error(error: CosError) -> Response:
    return error_response(error, resource="/", request_id="0")


def _headers(response: Response, *, keep_alive: bool) -> CIMultiDict[str]:
    """In order, names as they are; bytes that are not UTF-8 cannot be sent by aiohttp and become U+FFFD."""
    headers: CIMultiDict[str] = CIMultiDict()
    headers["Content-Length"] = str(response.length or 0)
    for name, value in response.headers:
        headers.add(name, value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    headers["Connection"] = "keep-alive" if keep_alive else "close"
    return headers


def _plain(response: Response, *, keep_alive: bool = False) -> web.Response:
    body = response.body if isinstance(response.body, bytes) else b""
    if response.length is None:
        response.length = len(body)
    return web.Response(status=response.status, headers=_headers(response, keep_alive=keep_alive), body=body)


class LocalServer:
    """An HTTP server for a Coslocal, or for whatever handles requests.

    Port 0 takes a free one; loopback unless another `host` is asked for. A client that is silent for `patience`
    seconds, between requests or in the middle of one, loses its connection.

    `with server.start_in_thread(): ...` serves while the block runs; `run()` serves until SIGINT or SIGTERM.
    """

    def __init__(self, app: Doorkeeper, host: str = "127.0.0.1", port: int = 0, *, patience: float = 300.0) -> None:
        self.app = app
        self.patience = patience
        self.host = host
        self.port = port
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="coslocal")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def proxies(self) -> dict[str, str]:
        """For `CosConfig(Scheme='http', Proxies=...)`: every call of the SDK then comes here (COS 2)."""
        return {"http": self.url}

    # -- life

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Serve in this thread until SIGINT, SIGTERM or `stop`; `ready` is called once the port is bound."""
        asyncio.run(self._serve(ready or (lambda: None), signals=True))

    def stop(self) -> None:
        """End `run` or the thread, from any thread."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stopping.set)

    @contextlib.contextmanager
    def start_in_thread(self) -> Iterator[LocalServer]:
        """Serve from a thread of its own; raises OSError when the port cannot be bound."""
        ready = threading.Event()
        failure: list[BaseException] = []

        def serve() -> None:
            try:
                asyncio.run(self._serve(ready.set, signals=False))
            except BaseException as error:
                failure.append(error)
            finally:
                ready.set()

        thread = threading.Thread(target=serve, name="coslocal-server", daemon=True)
        thread.start()
        ready.wait()
        if failure:
            raise failure[0]
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    async def _serve(self, ready: Callable[[], None], *, signals: bool) -> None:
        _allow_many_connections()
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        connections = _Connections(self._handle, self.patience)
        listener = await self._loop.create_server(connections, self.host, self.port, backlog=_BACKLOG)
        self.port = listener.sockets[0].getsockname()[1]
        for number in (signal.SIGINT, signal.SIGTERM) if signals else ():
            self._loop.add_signal_handler(number, self._stopping.set)
        try:
            ready()
            await self._stopping.wait()
        finally:
            listener.close()
            connections.pre_shutdown()
            await connections.shutdown(timeout=5)
            self._threads.shutdown(wait=True, cancel_futures=True)

    # -- one exchange

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        assert self._loop is not None
        try:
            _check_framing(request)
            if _waits(request):
                refused = await self._loop.run_in_executor(self._threads, self._refusal, request)
                if refused is not None:
                    return _plain(refused)  # the connection closes: a body may still come, or not
                await _invite(request)
            body = await self._take_in(request)
        except (web.RequestPayloadError, HttpProcessingError, ValueError):
            return _plain(_error(IncompleteBody()))
        except CosError as error:
            return _plain(_error(error))  # the connection closes: what is left of the body will not be read
        with body:
            response = await self._respond(_request(request, body), body)
        if response.cut == NO_ANSWER:
            return _reset(request)
        if isinstance(response.body, bytes):
            return _plain(response, keep_alive=request.keep_alive)
        return await self._stream(request, response, response.body)

    async def _take_in(self, request: BaseRequest) -> IO[bytes]:
        """The body: in memory while small, then spooled to disk by a worker thread. Raises CosError."""
        assert self._loop is not None
        if not request.body_exists:
            return io.BytesIO()
        pending: list[bytes] = []
        size = held = 0
        pace = Pace(_rate(request))
        spool: IO[bytes] | None = None
        try:
            while chunk := await self._next(request):
                pending.append(chunk)
                size += len(chunk)
                held += len(chunk)
                if size > MAX_PUT:
                    raise EntityTooLarge
                await pace.moved(len(chunk))
                if held > IN_MEMORY:
                    spool = spool or tempfile.TemporaryFile()  # noqa: SIM115
                    await self._loop.run_in_executor(self._threads, spool.writelines, pending)
                    pending, held = [], 0
        except BaseException:
            if spool is not None:
                spool.close()
            raise
        if spool is None:
            return io.BytesIO(b"".join(pending))
        spool.writelines(pending)
        spool.seek(0)
        return spool

    async def _next(self, request: BaseRequest) -> bytes:
        """What comes next of a body, b"" at its end. Raises RequestTimeout."""
        if request.content.is_eof():  # all of it is here
            return await request.content.readany()
        try:
            async with asyncio.timeout(self.patience):
                return await request.content.readany()
        except TimeoutError:
            raise RequestTimeout from None

    async def _respond(self, request: Request, body: IO[bytes]) -> Response:
        """The answer: at once when it waits for nothing, else by a worker thread."""
        assert self._loop is not None
        if self.app.is_quick(request):
            try:
                with at_once():
                    return self._answer(request)
            except WouldWait:
                body.seek(0)
        return await self._loop.run_in_executor(self._threads, self._answer, request)

    def _refusal(self, request: BaseRequest) -> Response | None:
        """In a worker thread: who would send all of a body in vain is told before."""
        return self.app.refusal(_request(request, io.BytesIO()))

    def _answer(self, request: Request) -> Response:
        """The core's answer, small bodies already read."""
        response = self.app.handle(request)
        if response.cut is not None:
            response.body = first_bytes(response.body, response.cut)
            return response
        small = (response.length or 0) <= IN_MEMORY and response.rate is None
        if small and not isinstance(response.body, bytes):
            response.body = b"".join(response.body)
        return response

    async def _stream(self, request: BaseRequest, response: Response, chunks: Iterator[bytes]) -> StreamResponse:
        """Chunk by chunk, read by a worker thread only when the client has taken the one before."""
        assert self._loop is not None
        answer = StreamResponse(status=response.status, headers=_headers(response, keep_alive=request.keep_alive))
        await answer.prepare(request)
        pace = Pace(response.rate)
        try:
            while chunk := await self._loop.run_in_executor(self._threads, next, chunks, b""):
                for piece in pace.pieces(chunk):
                    async with asyncio.timeout(self.patience):
                        await answer.write(piece)
                    await pace.moved(len(piece))
            if response.cut is None:
                await answer.write_eof()
            elif request.transport is not None:
                request.transport.close()  # with less than Content-Length promised
        except TimeoutError:
            raise ConnectionError("the client takes nothing any more") from None
        finally:
            response.close()
        return answer


def _check_framing(request: BaseRequest) -> None:
    """Raises CosError for a body that cannot be taken as it comes: too large, or coded for the transfer."""
    if (request.content_length or 0) > MAX_PUT:
        raise EntityTooLarge
    coding = request.headers.get("Transfer-Encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise NotOffered(f"coslocal does not offer the transfer coding {coding[:40]}")


def _request(request: BaseRequest, body: IO[bytes]) -> Request:
    """The same as the core knows it."""
    pairs = [(_text(name), _text(value)) for name, value in request.raw_headers]
    return Request(
        method=request.method, target=request.raw_path, headers=Headers(pairs), body=body,
        length=request.content_length, remote=request.remote or "127.0.0.1",
    )  # fmt: skip


def _rate(request: BaseRequest) -> int | None:
    """How fast a body may come: as it is asked for, before the core has judged the number."""
    asked = request.headers.get(traffic.NAME)
    if asked is None and traffic.NAME in request.raw_path:
        asked = request.query.get(traffic.NAME)
    return traffic.read(asked) if asked else None


def _waits(request: BaseRequest) -> bool:
    """Whether the client sends its body only when it is told to."""
    return (request.headers.get("Expect") or "").lower() == "100-continue" and request.version >= HttpVersion11


async def _invite(request: BaseRequest) -> None:
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # so that a later error can still be answered


def _reset(request: BaseRequest) -> StreamResponse:
    """Reset the TCP connection; what is returned cannot be sent any more."""
    if request.transport is not None:
        opened = request.transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return StreamResponse()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one; 10,000 idle clients are 10,000 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
