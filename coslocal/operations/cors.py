"""Cross-origin requests: the bucket's CORS rules, the preflight, and the headers of a real answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from coslocal.core import Core
from coslocal.http import Request, Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty
from coslocal.wire.address import Address
from coslocal.wire.errors import AccessDenied, InvalidRequest
from coslocal.wire.xml import parse


@dataclass(frozen=True)
class Rule:
    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: str


def _rules(app: Core, bucket: str) -> list[Rule]:
    document = app.store.configuration(bucket, "", "cors")
    if document is None:
        return []
    return [_rule(element) for element in parse(document).findall("CORSRule")]


def _rule(element: Element) -> Rule:
    def texts(name: str) -> tuple[str, ...]:
        return tuple((child.text or "").strip() for child in element.findall(name))

    return Rule(
        origins=texts("AllowedOrigin"), methods=texts("AllowedMethod"), headers=texts("AllowedHeader"),
        exposed=texts("ExposeHeader"), max_age="".join(texts("MaxAgeSeconds")[:1]),
    )  # fmt: skip


def _fits(pattern: str, value: str) -> bool:
    """One `*` in an origin or a header name stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*", 1))), value, re.IGNORECASE) is not None


def _matching(rules: list[Rule], origin: str, method: str, headers: list[str]) -> Rule | None:
    for rule in rules:
        if (
            method in rule.methods
            and any(_fits(pattern, origin) for pattern in rule.origins)
            and all(any(_fits(pattern, header) for pattern in rule.headers) for header in headers)
        ):
            return rule
    return None


def _allowed(rule: Rule, origin: str) -> list[tuple[str, str]]:
    headers = [("Access-Control-Allow-Origin", "*" if "*" in rule.origins else origin)]
    headers.append(("Access-Control-Allow-Methods", ",".join(rule.methods)))
    if rule.exposed:
        headers.append(("Access-Control-Expose-Headers", ",".join(rule.exposed)))
    if rule.max_age:
        headers.append(("Access-Control-Max-Age", rule.max_age))
    if "*" not in rule.origins:
        headers.append(("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"))
    return headers


def preflight(call: Call) -> Response:
    """OPTIONS: 200 with what is allowed, 403 when no rule fits."""
    origin, method = call.header("Origin"), call.header("Access-Control-Request-Method")
    if origin is None or method is None:
        raise InvalidRequest("A preflight needs Origin and Access-Control-Request-Method")
    call.standing_bucket()
    asked = [name.strip() for name in (call.header("Access-Control-Request-Headers") or "").split(",") if name.strip()]
    rule = _matching(_rules(call.app, call.bucket), origin, method, asked)
    if rule is None:
        raise AccessDenied("No CORS rule of the bucket fits this request")
    headers = _allowed(rule, origin)
    if asked:
        headers.append(("Access-Control-Allow-Headers", ",".join(asked)))
    return empty(200, headers)


def mark(app: Core, request: Request, address: Address, response: Response) -> None:
    """Add the CORS headers to the answer of a request that has an Origin."""
    origin = request.headers.get("Origin")
    if origin is None or request.method == "OPTIONS" or not address.host.bucket:
        return
    rule = _matching(_rules(app, address.host.bucket), origin, request.method, [])
    if rule is not None:
        response.headers += _allowed(rule, origin)
