"""A process that decodes images, so that a hostile one harms nothing else.

`python -m coslocal.ci.worker SOCKET IN OUT BYTES` does one task after the other until the other end closes. It opens no
file that a rule names: styles and watermark images are asked for over the channel.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import socket
import sys
import traceback
from dataclasses import replace

from coslocal.ci import errors, pixels, talk
from coslocal.ci.inspect import inspect
from coslocal.ci.operations import aigc
from coslocal.ci.render import render
from coslocal.ci.source import examine
from coslocal.ci.talk import Channel, Said, Shared, raw, text_of
from coslocal.ci.types import ImageError, ImageInfo, Rendered, Surroundings
from coslocal.dialects import Dialects


def main() -> None:
    number, into, out, memory = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes the channel
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pixels.close_other_loaders()
    channel = Channel(socket.socket(fileno=number), talk.ToWorker, Shared(out), Shared(into))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)  # from here on only hostile images make libraries talk
    logger = logging.getLogger("coslocal")
    logger.addHandler(_Forward(channel))
    logger.propagate = False
    with contextlib.suppress(EOFError):
        channel.send(talk.Ready())
        while True:
            channel.send(*_do(channel, channel.receive()))


def _do(channel: Channel, asked: Said) -> Said:
    try:
        return _result(channel, asked.message, asked.file)
    except ImageError as error:
        return _refused(error)
    except MemoryError:
        return _refused(errors.no_memory())
    except EOFError:
        raise
    except Exception:
        return Said(talk.Bug(_clean(traceback.format_exc())), b"")


def _refused(error: ImageError) -> Said:
    return Said(talk.Refused(error.code, _clean(error.message), error.number, error.status), b"")


def _result(channel: Channel, task: object, data: bytes) -> Said:
    if isinstance(task, talk.Inspect):
        return Said(talk.Facts(_clean_info(inspect(data, Dialects(task.dialects)))), b"")
    if isinstance(task, talk.Label):
        return Said(talk.Fields(_clean_fields(aigc.read(examine(data, Dialects(task.dialects)).header.xmp))), b"")
    assert isinstance(task, talk.Render)
    surroundings = _Asking(channel).surroundings(task)
    result = render(data, text_of(task.rule), surroundings)
    return Said(talk.Made(_clean_result(result)), result.data)


class _Asking:
    """The surroundings of a rule, asked for over the channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def surroundings(self, task: talk.Render) -> Surroundings:
        return Surroundings(
            style=self._style, fetch=self._fetch, persistent=task.persistent, dialects=Dialects(task.dialects)
        )

    def _style(self, name: str) -> str | None:
        answer = self._ask(talk.WantStyle(raw(name))).message
        assert isinstance(answer, talk.Style)
        return answer.text

    def _fetch(self, where: str) -> bytes:
        answer = self._ask(talk.WantMark(raw(where)))
        assert isinstance(answer.message, talk.Mark)
        return answer.file

    def _ask(self, wish: talk.WantStyle | talk.WantMark) -> Said:
        self._channel.send(wish)
        answer = self._channel.receive()
        if isinstance(answer.message, talk.Refused):
            why = answer.message
            raise ImageError(why.code, why.message, number=why.number, status=why.status)
        return answer


class _Forward(logging.Handler):
    """Log lines go to the other end, which has the log."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        self._channel.send(talk.Told(record.name, record.levelno, _clean(record.getMessage())))


def _clean(text: str) -> str:
    """Text that UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _clean_fields(fields: object) -> dict[str, str]:
    return {_clean(name): _clean(value) for name, value in dict(fields).items()}  # type: ignore[call-overload]


def _clean_info(info: ImageInfo) -> ImageInfo:
    return replace(info, exif=_clean_fields(info.exif))


def _clean_result(result: Rendered) -> Rendered:
    return replace(result, data=b"", warnings=tuple(map(_clean, result.warnings)), aigc=_clean_fields(result.aigc))


if __name__ == "__main__":
    main()
