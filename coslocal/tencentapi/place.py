"""Where a request for the cloud's API goes: <service>[.<region>].tencentcloudapi.com, or any host by its headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coslocal.http import Request

_DOMAIN = ".tencentcloudapi.com"
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Place:
    """`authority` is the host as asked for, with its port; `path` and `query` are raw. `service` and `region` are those
    of the host's name, "" where it does not tell."""

    authority: str
    path: str
    query: str
    service: str = ""
    region: str = ""


def locate(request: Request) -> Place:
    """In an absolute-form target (a proxy is asked) its host wins over the Host header."""
    authority, target = request.headers.get("Host") or "", request.target
    if absolute := _ABSOLUTE.fullmatch(target):
        authority, target = absolute.groups()
    path, _, query = target.partition("?")
    service = region = ""
    name = authority.lower().partition(":")[0]
    if name.endswith(_DOMAIN):
        service, *others = name.removesuffix(_DOMAIN).split(".")
        region = next((label for label in others if "-" in label), "")
    return Place(authority=authority, path=path or "/", query=query, service=service, region=region)


def is_for_api(request: Request) -> bool:
    """True for the API's own host names, and for whatever names an action in the API's header."""
    return "X-TC-Action" in request.headers or bool(locate(request).service)
