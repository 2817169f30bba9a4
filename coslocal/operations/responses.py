"""Answers in COS's shapes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

from coslocal.http import Response
from coslocal.wire.errors import CosError
from coslocal.wire.xml import Fields, render

OWNER_ID = "qcs::cam::uin/100000000001:uin/100000000001"
OWNER_NAME = "100000000001"
OWNER: Fields = (("ID", OWNER_ID), ("DisplayName", OWNER_NAME))

Pairs = Sequence[tuple[str, str]]


def xml_response(root: str, children: Fields | str, *, status: int = 200, headers: Pairs = ()) -> Response:
    return Response(status, [("Content-Type", "application/xml"), *headers], render(root, children))


def empty(status: int = 200, headers: Pairs = ()) -> Response:
    return Response(status, list(headers))


def error_response(error: CosError, *, resource: str, request_id: str) -> Response:
    """COS's error document: five nodes in this order, none empty (the Python SDK says Unknown otherwise: COS 5)."""
    trace = secrets.token_urlsafe(24)
    fields: Fields = (
        ("Code", error.code),
        ("Message", error.message or error.code),
        ("Resource", resource or "/"),
        ("RequestId", request_id),
        ("TraceId", trace),
    )
    return xml_response("Error", fields, status=error.status, headers=[*error.headers, ("x-cos-trace-id", trace)])


def quoted(etag: str) -> str:
    return f'"{etag}"'


def http_date(seconds: float) -> str:
    """RFC 1123, as in Last-Modified."""
    return _date(int(seconds))


@lru_cache(maxsize=256)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def xml_date(seconds: float) -> str:
    """As in listings: 2017-06-17T15:09:26.000Z."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
