"""What coslocal and its image workers say to one another: msgpack over a socket pair, and big files in shared memory.

Every message has a type, and what comes from a worker is only ever read as one of these: a worker that a hostile image
has taken over can answer nonsense, and nothing else. Texts from outside may hold lone surrogates; as `Raw` they pass.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import msgspec

from coslocal.ci.types import ImageInfo, Rendered
from derivo.ci import limits

Raw: TypeAlias = bytes
_HEAD = struct.Struct("<QQ?")  # bytes of the message, bytes of the file, whether that lies in the shared memory
_LONGEST = 2 * max(limits.SOURCE_BYTES, limits.RESULT_BYTES)
_SMALL = 64 * 1024
_KEPT = 8 * 1024 * 1024


def raw(text: str) -> Raw:
    return text.encode("utf-8", "surrogatepass")


def text_of(data: Raw) -> str:
    return data.decode("utf-8", "surrogatepass")


# -- what a worker is asked for, each with a file


class Inspect(msgspec.Struct, frozen=True, tag=True):
    dialects: dict[str, str]


class Label(msgspec.Struct, frozen=True, tag=True):
    dialects: dict[str, str]


class Render(msgspec.Struct, frozen=True, tag=True):
    rule: Raw
    persistent: bool
    dialects: dict[str, str]


# -- what it says before its result


class Ready(msgspec.Struct, frozen=True, tag=True):
    """All that decoding needs is loaded: the first thing that a worker says."""


class Told(msgspec.Struct, frozen=True, tag=True):
    """A line for the log."""

    logger: str
    level: int
    text: str


class WantStyle(msgspec.Struct, frozen=True, tag=True):
    name: Raw


class WantMark(msgspec.Struct, frozen=True, tag=True):
    where: Raw


# -- what it gets for that


class Style(msgspec.Struct, frozen=True, tag=True):
    text: str | None


class Mark(msgspec.Struct, frozen=True, tag=True):
    """Comes with the mark's file."""


# -- results


class Facts(msgspec.Struct, frozen=True, tag=True):
    info: ImageInfo


class Fields(msgspec.Struct, frozen=True, tag=True):
    fields: dict[str, str]


class Made(msgspec.Struct, frozen=True, tag=True):
    """`result` is without its data, which comes as the file."""

    result: Rendered


class Refused(msgspec.Struct, frozen=True, tag=True):
    """An ImageError."""

    code: str
    message: str
    number: int
    status: int


class Bug(msgspec.Struct, frozen=True, tag=True):
    trace: str


Task: TypeAlias = Inspect | Label | Render
FromWorker: TypeAlias = Ready | Told | WantStyle | WantMark | Facts | Fields | Made | Refused | Bug
ToWorker: TypeAlias = Task | Style | Mark | Refused


class Said(NamedTuple):
    message: FromWorker | ToWorker
    file: bytes


class Shared:
    """Memory that two processes have in common, for one file at a time in one direction."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._memory = mmap.mmap(number, _LONGEST)

    @classmethod
    def made(cls) -> Shared:
        """New memory, of which nothing is used yet. That it cannot shrink keeps the other end from harming this one."""
        number = os.memfd_create("coslocal-image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(number, _LONGEST)
        fcntl.fcntl(number, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return cls(number)

    def put(self, data: bytes) -> None:
        self._memory[: len(data)] = data

    def take(self, size: int) -> bytes:
        data = self._memory[:size]
        if size > _KEPT:
            self._memory.madvise(mmap.MADV_REMOVE)
        return data

    def close(self) -> None:
        self._memory.close()
        with contextlib.suppress(OSError):
            os.close(self.number)


class Channel:
    """One end of the talk: `reads` is the union of messages that may come. Raises EOFError when the other end is gone.

    `out` and `into` are the memory for files that are sent and received.
    """

    def __init__(self, end: socket.socket, reads: object, out: Shared, into: Shared) -> None:
        self._socket = end
        self._decoder = msgspec.msgpack.Decoder(reads)
        self._encoder = msgspec.msgpack.Encoder()
        self._out = out
        self._into = into

    def send(self, message: FromWorker | ToWorker, file: bytes = b"", deadline: float | None = None) -> None:
        """Raises TimeoutError at `deadline` (monotonic seconds), EOFError."""
        data = self._encoder.encode(message)
        shared = _SMALL < len(file) <= _LONGEST
        if shared:
            self._out.put(file)
        with _gone():
            self._wait_until(deadline)
            self._socket.sendall(_HEAD.pack(len(data), len(file), shared) + data + (b"" if shared else file))

    def receive(self, deadline: float | None = None) -> Said:
        """The next message. Raises TimeoutError at `deadline` (monotonic seconds), EOFError, ValueError (nonsense)."""
        size, length, shared = _HEAD.unpack(self._exactly(_HEAD.size, deadline))
        if max(size, length) > _LONGEST:
            raise ValueError(f"a message of {size} and {length} bytes")
        message = self._decoder.decode(self._exactly(size, deadline))
        return Said(message, self._into.take(length) if shared else bytes(self._exactly(length, deadline)))

    def _exactly(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        at = 0
        while at < size:
            with _gone():
                self._wait_until(deadline)
                count = self._socket.recv_into(view[at:])
            if not count:
                raise EOFError("the other end has closed")
            at += count
        return data

    def _wait_until(self, deadline: float | None) -> None:
        self._socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))

    def close(self) -> None:
        self._socket.close()
        self._out.close()
        self._into.close()


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        raise EOFError(str(error)) from None
