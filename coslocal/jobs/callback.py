"""Telling a URL that a job has ended: on this machine only, coslocal never talks to the outside."""

from __future__ import annotations

import http.client
import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

SECONDS = 5.0
"""How long a listener may take to answer."""

DELAYS = (1.0, 5.0)
"""Seconds before it is told a second and a third time."""


class Refused(Exception):
    """Why a URL is not called."""


class Listener(NamedTuple):
    """Where a callback goes: an address of this machine, and the request's target."""

    host: str
    port: int
    target: str
    authority: str


def listener(url: str) -> Listener:
    """The listener behind an http:// URL of this machine. No name is looked up. Raises Refused."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        raise Refused("it is no URL") from None
    if parts.scheme != "http" or not parts.hostname:
        raise Refused("only http:// URLs are called")
    host = "127.0.0.1" if parts.hostname == "localhost" or parts.hostname.endswith(".localhost") else parts.hostname
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Refused("it is not on this machine (127.0.0.1, [::1], localhost)")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(not " " < letter < "\x7f" for letter in target):
        raise Refused("it is not percent-encoded")
    return Listener(host, port, target, parts.netloc.rpartition("@")[2])


def tell(where: Listener, content_type: str, body: bytes) -> str:
    """POST the news; "" when it was taken, else what went wrong. Redirections are not followed."""
    connection = http.client.HTTPConnection(where.host, where.port, timeout=SECONDS)
    try:
        headers = {"Host": where.authority, "Content-Type": content_type, "User-Agent": "coslocal"}
        connection.request("POST", where.target, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"status {status}"
