"""A thumbnail by coslocal, through its core and through its socket, beside libvips called directly."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

import pyvips

from bench import servers
from bench.pictures import photo
from bench.raw import Client
from bench.setting import BUCKET, REGION, SECRET_ID, SECRET_KEY, Setting
from bench.table import Goal, Row, compared
from bench.timing import in_turn, timed
from coslocal.app import Coslocal
from coslocal.http import Headers, Request
from coslocal.storage.memory import open_memory
from coslocal.storage.types import Bucket

_WIDTH, _HEIGHT = 4000, 3000


class _Case(NamedTuple):
    """A rule, and the same by hand: the size, and a suffix with libvips's options."""

    rule: str
    width: int
    height: int
    suffix: str

    def by_hand(self, data: bytes) -> bytes:
        image = pyvips.Image.thumbnail_buffer(
            data, self.width, height=self.height, size="force", no_rotate=True, fail_on="error"
        )
        return bytes(image.write_to_buffer(self.suffix))


_CASES = (
    _Case("imageMogr2/thumbnail/200x", 200, 150, ".jpg[Q=88,keep=none]"),
    _Case("imageMogr2/thumbnail/800x/format/webp/quality/80", 800, 600, ".webp[Q=80,keep=none]"),
)


def rows(setting: Setting) -> Iterator[Row]:
    data = photo(_WIDTH, _HEIGHT)
    app = Coslocal(open_memory(), credentials={SECRET_ID: SECRET_KEY}, region=REGION)
    app.store.create_bucket(Bucket(name=BUCKET, region=REGION, created=0))
    with servers.coslocal(setting.folder) as server, Client(server.port) as client:
        put = server.request("PUT", "/a.jpg", data)
        _ask(app, put)
        client.ask(put)
        for case in _CASES:
            get = server.request("GET", f"/a.jpg?{quote(case.rule, safe='')}")
            if _ask(app, get) != case.by_hand(data):
                raise RuntimeError(f"{case.rule} and libvips called directly do not give the same file")
            yield _row(setting, "core", partial(_ask, app, get), case, data)
            yield _row(setting, "socket", partial(client.ask, get), case, data)
    app.store.close()


def _row(setting: Setting, way: str, work: Callable[[], object], case: _Case, data: bytes) -> Row:
    ours, theirs = in_turn(partial(timed, work), partial(timed, partial(case.by_hand, data)), setting.runs(31, 9))
    return compared(
        f"coslocal {case.rule}: {way}", ours, theirs, unit="s", against="libvips directly", goal=Goal(1.10),
        method=f"GET of a {_WIDTH}x{_HEIGHT} JPEG of {len(data) / 1e6:.1f} MB, signature verified, against"
        " thumbnail_buffer and write_to_buffer on bytes in memory; both give the same file, byte for byte",
    )  # fmt: skip


def _ask(app: Coslocal, request: bytes) -> bytes:
    """The core's answer to a request as it would be sent."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
    answer = app.handle(Request(method, target, headers, io.BytesIO(body), len(body)))
    if answer.status != 200:
        raise RuntimeError(f"{first[:80]} was answered with {answer.status}: {answer.body!r}")
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
