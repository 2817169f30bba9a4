"""fileid -> object key (CI 1.4; the encoding of fileid is a dialect)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from coslocal.ci import errors
from derivo.ci import limits


def resolve(fileid: str, source_key: str, encoding: str = "plain", *, normalise: bool = False) -> str:
    """The key: absolute with a leading slash, else relative to the source's folder.

    `encoding` is plain, urlencoded or base64url; `normalise` takes `.`, `..` and `//` as a file system would. Raises
    ImageError for a fileid that names no object.
    """
    name = _decode(fileid, encoding)
    if not name or name.endswith("/"):
        raise errors.invalid_rule(f"fileid {fileid!r} must end in a file name")
    key = name[1:] if name.startswith("/") else source_key[: source_key.rfind("/") + 1] + name
    if normalise:
        key = _normal(key)
        if not key:
            raise errors.invalid_rule(f"fileid {fileid!r} leads above the bucket")
    try:
        size = len(key.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise errors.invalid_rule(f"fileid {fileid!r} holds a character that UTF-8 cannot write") from None
    if size > limits.KEY_BYTES:
        raise errors.invalid_rule(f"fileid {fileid[:60]!r}... gives a key of {size} bytes; at most {limits.KEY_BYTES}")
    return key


def _normal(key: str) -> str:
    parts: list[str] = []
    for part in key.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _decode(fileid: str, encoding: str) -> str:
    if encoding == "urlencoded":
        return unquote(fileid, "utf-8", "surrogateescape")
    if encoding == "base64url":
        try:
            body = fileid.rstrip("=").encode("ascii")
            return base64.b64decode(body + b"=" * (-len(body) % 4), altchars=b"-_", validate=True).decode()
        except (UnicodeError, binascii.Error):
            raise errors.invalid_rule(f"fileid {fileid!r} is not URL-safe base64 of UTF-8") from None
    return fileid
