"""XML as COS writes and reads it: no namespaces out, any namespace in, and no DTD ever."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias
from xml.etree import ElementTree

from coslocal.wire.errors import MalformedXML

Fields: TypeAlias = Sequence["tuple[str, str | int | Fields]"]
"""The children of an element, in order: (name, text) or (name, children). A name may have attributes behind a space."""

_HEAD = b"<?xml version='1.0' encoding='utf-8' ?>\n"
_MAX_DEPTH = 32
# What XML 1.0 cannot hold even as a reference; such a key can only be listed with encoding-type=url.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
_ESCAPED = re.compile('[&<>"\r]')


def escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found.group()], _NOT_XML.sub("\ufffd", text))


def render(name: str, children: Fields | str) -> bytes:
    """The document with root `name`, and elements or a text in it."""
    out: list[str] = []
    _write(out, name, children)
    return _HEAD + "".join(out).encode()


def _write(out: list[str], name: str, value: str | int | Fields) -> None:
    if value == "" or value == () or value == []:
        out.append(f"<{name}/>")
        return
    out.append(f"<{name}>")
    if isinstance(value, (str, int)):
        out.append(escape(str(value)))
    else:
        for child, content in value:
            _write(out, child, content)
    out.append(f"</{name.partition(' ')[0]}>")


class _Builder(ElementTree.TreeBuilder):
    """Refuses a DTD before any entity is declared, and deep nesting; drops namespaces."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise MalformedXML("A document type declaration is not accepted")

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise MalformedXML("The XML is nested too deeply")
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])


def parse(data: bytes, root: str | None = None) -> ElementTree.Element:
    """The document's root, which must be called `root` where given. Raises MalformedXML."""
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        parser.feed(data)
        element: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MalformedXML(f"The XML is not well-formed: {error}") from None
    if root is not None and element.tag != root:
        raise MalformedXML(f"The root element is {element.tag}, expected {root}")
    return element


def text(element: ElementTree.Element, path: str) -> str | None:
    """The text at `path`, spaces kept (a key may begin with them); None when there is no such element."""
    found = element.find(path)
    return None if found is None else found.text or ""
