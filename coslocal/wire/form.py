"""Reading multipart/form-data (RFC 7578) as it comes: the fields first, then the file as a body of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coslocal.http import Body
from coslocal.wire.address import decode
from coslocal.wire.errors import MalformedPOSTRequest

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;.*)?', re.IGNORECASE
)
_PARAMETER = re.compile(r';\s*(name|filename|filename\*)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', re.IGNORECASE)
_MOST_HEAD = 16 * 1024  # bytes of a part's head
_MOST_FIELDS = 1024 * 1024  # bytes of all fields together
_CHUNK = 256 * 1024


@dataclass
class Form:
    """The fields before the file, as they came. `file` must be finished, which sees to it that the form is whole."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    filename: str = ""
    file: Part | None = None

    @property
    def fields(self) -> dict[str, str]:
        """By name in lower case; the first of two with one name counts."""
        return {name.lower(): value for name, value in reversed(self.pairs)}


class Part:
    """The content of one part, as a body. Raises MalformedPOSTRequest when no boundary ends it."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._over = False

    def read(self, size: int = _CHUNK, /) -> bytes:
        data = b"" if self._over else self._reader.until_boundary(size if size > 0 else _CHUNK)
        self._over = not data
        return data

    def finish(self) -> None:
        """Read what stands behind the file. Raises MalformedPOSTRequest when the form is cut short."""
        while self.read():
            pass
        while self._reader.next_part() is not None:
            while self._reader.until_boundary(_CHUNK):
                pass


class _Reader:
    def __init__(self, body: Body, boundary: bytes) -> None:
        self._body = body
        self._mark = b"\r\n--" + boundary
        self._kept = bytearray(b"\r\n")  # so that the first boundary is like the others

    def until_boundary(self, size: int) -> bytes:
        """Some bytes before the next boundary; b"" once it is reached."""
        while True:
            at = self._kept.find(self._mark)
            safe = at if at >= 0 else len(self._kept) - len(self._mark) + 1
            if at == 0:
                return b""
            if safe > 0:
                return self._taken(min(safe, size))
            self._more()

    def next_part(self) -> str | None:
        """The head of the part behind the boundary that was reached; None behind the last one."""
        while len(self._kept) < len(self._mark) + 2:
            self._more()
        self._taken(len(self._mark))
        if self._kept.startswith(b"--"):
            return None
        self._to_line_end()
        while (at := self._kept.find(b"\r\n\r\n")) < 0:
            if len(self._kept) > _MOST_HEAD:
                raise MalformedPOSTRequest("The head of a part of the form is too long")
            self._more()
        head = self._taken(at).decode("utf-8", "surrogateescape")
        self._taken(4)
        return head

    def _to_line_end(self) -> None:
        """A boundary may have blanks behind it."""
        while True:
            while self._kept.startswith((b" ", b"\t")):
                del self._kept[:1]
            if len(self._kept) >= 2:
                break
            self._more()
        if not self._kept.startswith(b"\r\n"):
            raise MalformedPOSTRequest("A boundary of the form is followed by something else than a line end")

    def _taken(self, size: int) -> bytes:
        data = bytes(self._kept[:size])
        del self._kept[:size]
        return data

    def _more(self) -> None:
        chunk = self._body.read(_CHUNK)
        if not chunk:
            raise MalformedPOSTRequest("The form ends in the middle")
        self._kept += chunk


def read_form(body: Body, content_type: str) -> Form:
    """The form up to its file, which is the first part called `file`. Raises MalformedPOSTRequest."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    if found is None:
        raise MalformedPOSTRequest("The Content-Type must be multipart/form-data with a boundary")
    boundary = (found[1] or found[2]).encode("utf-8", "surrogateescape")
    reader = _Reader(body, boundary)
    while reader.until_boundary(_CHUNK):
        pass  # what stands before the first boundary means nothing
    form = Form()
    left = _MOST_FIELDS
    while (head := reader.next_part()) is not None:
        name, filename = _disposition(head)
        part = Part(reader)
        if name.lower() == "file":
            form.file, form.filename = part, filename
            return form
        value = b""
        while chunk := part.read():
            value += chunk
            left -= len(chunk)
            if left < 0:
                raise MalformedPOSTRequest(f"The fields of the form take more than {_MOST_FIELDS} bytes")
        form.pairs.append((name, value.decode("utf-8", "surrogateescape")))
    return form


def _disposition(head: str) -> tuple[str, str]:
    """(name, filename) of a part. Raises MalformedPOSTRequest."""
    for line in head.split("\r\n"):
        kind, _, value = line.partition(":")
        if kind.strip().lower() == "content-disposition":
            given = {found[1].lower(): _unescaped(found) for found in _PARAMETER.finditer(value)}
            if "name" in given:
                _, _, plain = given.get("filename*", "").partition("''")
                return given["name"], decode(plain) if plain else given.get("filename", "")
    raise MalformedPOSTRequest("A part of the form has no name")


def _unescaped(found: re.Match[str]) -> str:
    """As browsers write it, quotes and line ends percent-encoded, or as others do, with backslashes."""
    if found[2] is None:
        return found[3]
    text = re.sub(r'\\(["\\])', r"\1", found[2])
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
