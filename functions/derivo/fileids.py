"""How the COS at hand reads a fileid. The vendor's pages disagree (CI 1.4): as it stands, URL-encoded, or in URL-safe
base64; and what becomes of `//` stands nowhere. Pure, but for what a `Fileids` has learned.

For nearly every key it does not matter: a fileid without `%` and `//` means the same key as it stands and URL-encoded.
For a key that is open, COS is asked once, by a request whose results lie in a folder of our own whichever way they are
read. Nothing is ever written to see where it lands.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Optional
from urllib.parse import quote, unquote

from derivo import keys
from derivo.ownobjects import FOLDER

PLAIN = "plain"
URLENCODED = "urlencoded"
BASE64URL = "base64url"
ENCODINGS = (PLAIN, URLENCODED, BASE64URL)

LITERAL = "literal"
NORMALISED = "normalised"
PATHS = (LITERAL, NORMALISED)

PROBES = FOLDER + "fileids/"
"""Where the results of asking lie, until they are deleted."""

_RULE = "imageMogr2/thumbnail/1x1!"


class Fileids:
    """What is known of one COS, told by settings or learned; None is not known. Outlives an invocation.

    `plain_text` tells that COS has taken a fileid as it stands: then it is not base64 that it wants.
    """

    def __init__(self, encoding: Optional[str] = None, path: Optional[str] = None) -> None:
        self.encoding = encoding
        self.path = path
        self.plain_text = False

    def is_open(self, key: str) -> bool:
        """Whether it is not known which key COS would make of this one's fileid."""
        return (self.encoding is None and "%" in key) or (self.path is None and normal(key) != key)

    def refuses(self, key: str) -> bool:
        """Whether no fileid gives this key."""
        return self.path == NORMALISED and normal(key) != key

    def learn(self, encoding: Optional[str], path: Optional[str]) -> None:
        """Note what an answer tells; what settings told stays."""
        self.encoding = self.encoding or encoding
        self.path = self.path or path

    def spoken(self, pic_operations: str) -> str:
        """Pic-Operations whose fileids stand as they are, in the form that this COS reads."""
        if self.encoding in (None, PLAIN):
            return pic_operations
        header = json.loads(pic_operations)
        for rule in header.get("rules", ()):
            rule["fileid"] = encoded(rule["fileid"], self.encoding)
        return json.dumps(header, separators=(",", ":"))


def encoded(fileid: str, encoding: Optional[str]) -> str:
    if encoding == URLENCODED:
        return quote(fileid)
    if encoding == BASE64URL:
        return urlsafe_b64encode(fileid.encode()).decode().rstrip("=")
    return fileid


def normal(key: str) -> str:
    """The key as a file system would take its slashes."""
    return "/".join(name for name in key.split("/") if name)


def readings(fileid: str, source_key: str) -> Iterator[tuple[str, str, str]]:
    """Every key that some COS would make of a fileid, with the encoding and path that it then speaks."""
    for encoding in ENCODINGS:
        plain = _decoded(fileid, encoding)
        if plain and not plain.endswith("/"):
            key = keys.resolve_fileid(plain, source_key)
            yield key, encoding, LITERAL
            if normal(key) != key:
                yield normal(key), encoding, NORMALISED


def _decoded(fileid: str, encoding: str) -> str:
    """What the encoding makes of it, "" when it is none."""
    if encoding == URLENCODED:
        return unquote(fileid)
    if encoding == BASE64URL:
        try:
            return b64decode(fileid + "=" * (-len(fileid) % 4), altchars=b"-_", validate=True).decode()
        except ValueError:  # of base64, of UTF-8, or not even ASCII
            return ""
    return fileid


def same_key(reported: str, planned: str) -> bool:
    """Whether an answer's key is this one: CI's samples print keys without the leading slash (CI 1.5), and XML turns a
    carriage return into a line feed."""
    if "\r" in planned or "\r" in reported:
        planned, reported = _as_xml(planned), _as_xml(reported)
    return planned in (reported, bare(reported))


def _as_xml(key: str) -> str:
    return key.replace("\r\n", "\n").replace("\r", "\n")


# --- asking -----------------------------------------------------------------------------------------------------------

_ENCODED = ("%41", "A")
_DOUBLE = ("a//b", "a/b")
NAMES = (*_ENCODED, *_DOUBLE)
"""The results of asking, inside their folder, whichever way they are read."""


def question(encoding: str = PLAIN, folder: str = PROBES) -> str:
    """Pic-Operations whose answer tells how COS reads fileids, written in an encoding."""
    rules = [{"fileid": encoded(f"/{folder}{name}", encoding), "rule": _RULE} for name in (_ENCODED[0], _DOUBLE[0])]
    return json.dumps({"is_pic_info": 1, "rules": rules}, separators=(",", ":"))


def understood(
    reported: Iterable[str], encoding: str = PLAIN, folder: str = PROBES
) -> tuple[Optional[str], Optional[str]]:
    """Encoding and path that the bare keys of the answer tell, None where they do not. `encoding` is what it was asked
    in."""
    names = [key[len(folder) :] for key in reported if key.startswith(folder)]
    read = next((how for name, how in zip(_ENCODED, (PLAIN, URLENCODED)) if name in names), None)
    path = next((how for name, how in zip(_DOUBLE, PATHS) if name in names), None)
    return (BASE64URL if read and encoding == BASE64URL else read), path


def bare(key: str) -> str:
    """The key of an answer, which some have with a leading slash."""
    return key[1:] if key.startswith("/") else key
