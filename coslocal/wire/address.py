"""Where a request goes: host and raw target -> kind of host, bucket, key and parameters. Nothing is normalised."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from coslocal.http import Request
from coslocal.wire.errors import InvalidURI

_DOMAINS = ("myqcloud.com", "tencentcos.cn")
_KINDS = ("cos", "pic", "ci", "cos-internal")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]*-[0-9]+")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Parameter:
    """One `name=value` of the query, decoded once; `raw` is the piece between two ampersands as it came."""

    name: str
    value: str
    raw: str


class Parameters:
    """The query in its order. A plus is a space (Python and Go write it so); a semicolon separates nothing."""

    def __init__(self, query: str) -> None:
        self._items = [_parameter(piece) for piece in query.split("&") if piece]

    def get(self, name: str) -> str | None:
        """The first value; None when absent or empty (empty parameters are sent and mean absent: COS 5)."""
        return next((item.value for item in self._items if item.name == name and item.value), None)

    def __contains__(self, name: object) -> bool:
        return any(item.name == name for item in self._items)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._items)


def _parameter(piece: str) -> Parameter:
    name, _, value = piece.replace("+", " ").partition("=")
    return Parameter(decode(name), decode(value), piece)


def decode(text: str) -> str:
    """Percent-decode once, as UTF-8; bytes that are not UTF-8 become surrogate escapes."""
    return unquote(text, "utf-8", "surrogateescape")


@dataclass(frozen=True, kw_only=True)
class Host:
    """`kind` is cos, pic, ci or service; `bucket` is "" for a service, and for CI's own host `ci.<region>`; `region` ""
    where the name does not tell it."""

    kind: str
    bucket: str = ""
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Address:
    """`name` is the host as asked for, without its port, `authority` with it; `path` the decoded pathname."""

    host: Host
    name: str
    authority: str
    path: str
    parameters: Parameters

    @property
    def key(self) -> str:
        return self.path[1:]


def locate(request: Request, *, suffixes: Sequence[str] = ("localhost",)) -> Address:
    """The address of a request. In an absolute-form target its host wins over the Host header. Raises InvalidURI."""
    authority = request.headers.get("Host") or ""
    target = request.target
    if absolute := _ABSOLUTE.fullmatch(target):
        authority, target = absolute.groups()
        if not target.startswith("/"):
            target = "/" + target
    if not target.startswith("/"):
        raise InvalidURI(f"The request target must begin with a slash: {target[:100]}")
    path, _, query = target.partition("#")[0].partition("?")
    name = _without_port(authority).lower().rstrip(".")
    return Address(
        host=read_host(name, suffixes), name=name, authority=authority, path=decode(path), parameters=Parameters(query)
    )


def _without_port(authority: str) -> str:
    if authority.startswith("["):
        return authority.partition("]")[0].removeprefix("[")
    return authority.rpartition(":")[0] if ":" in authority else authority


def read_host(name: str, suffixes: Sequence[str] = ("localhost",)) -> Host:
    """COS's own names, else `<bucket>[.cos.<region>].<suffix>`, else `<name>-<appid>.<anything>`."""
    for suffix in (*_DOMAINS, *suffixes):
        if name == suffix:
            return Host(kind="service")
        if name.endswith("." + suffix):
            return _under(name.removesuffix("." + suffix).split("."))
    first, _, rest = name.partition(".")
    if _is_address(name) or not rest or not _BUCKET.fullmatch(first):
        return Host(kind="service")
    return _under(name.split("."))


def _under(labels: list[str]) -> Host:
    """The labels before the suffix: [bucket, kind, region], [kind, region], [service, cos], [bucket]."""
    if labels[0] == "service" or (labels[0] in _KINDS and len(labels) <= 2):
        region = labels[1] if len(labels) == 2 and labels[1] != "cos" else ""
        return Host(kind="ci" if labels[0] == "ci" else "service", region=region)
    kind = labels[1] if len(labels) > 1 and labels[1] in _KINDS else "cos"
    region = labels[2] if len(labels) > 2 and labels[1] in _KINDS else ""
    return Host(kind=kind if kind in ("pic", "ci") else "cos", bucket=labels[0], region=region)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
