"""What coslocal offers beside the imitated API: /_coslocal/ on every host, unsigned (it listens on loopback).

The pages themselves are in controls.py. Other parts add their own to the table of an app:
`app.pages.add("POST", "scf/invoke", page)`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coslocal.core import Core
from coslocal.http import Request, Response
from coslocal.wire.address import Address

PREFIX = "/_coslocal/"
_log = logging.getLogger(__name__)
MAX_BODY = 4 * 1024 * 1024


class PageError(Exception):
    """What a page refuses: one line for the caller, answered as JSON under `status`."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Visit:
    """One request for a page. `rest` is the decoded path behind a page's name that ends in a slash, else ""."""

    app: Core
    request: Request
    address: Address
    rest: str = ""

    def parameter(self, name: str) -> str | None:
        return self.address.parameters.get(name)

    def count(self, name: str, default: int) -> int:
        """A parameter that is a number from 0 up. Raises PageError."""
        value = self.parameter(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise PageError(f"{name} must be a number such as {default}, not {value[:40]!r}")
        return int(value)

    def body(self) -> bytes:
        """The request's whole body. Raises PageError when it is larger than 4 MB."""
        data = self.request.body.read(MAX_BODY + 1)
        if len(data) > MAX_BODY:
            raise PageError(f"the body must not exceed {MAX_BODY} bytes", 413)
        return data


Page = Callable[[Visit], Response]


def answer_json(value: Any, status: int = 200) -> Response:
    """A page's answer; bytes of a key that are not UTF-8 show as question marks."""
    text = json.dumps(value, ensure_ascii=False)
    return Response(status, [("Content-Type", "application/json")], text.encode("utf-8", "replace") + b"\n")


class Pages:
    """The table (method, name) -> page. A name that ends in a slash takes any path behind it, as `visit.rest`."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], Page] = {}

    def add(self, method: str, name: str, page: Page) -> None:
        """Offer `page` under /_coslocal/<name>; it may raise PageError."""
        self._pages[method, name] = page

    def names(self) -> list[str]:
        return [f"{method} {PREFIX}{name}" for method, name in self._pages]

    def answer(self, app: Core, request: Request, address: Address) -> Response:
        """The answer to a request below PREFIX: what there is no page for, or what a page refuses, is JSON too."""
        if request.method not in ("GET", "HEAD") and _of_another_site(request, address):
            return answer_json({"error": "a page of another site may not do this"}, 403)
        method = "GET" if request.method == "HEAD" else request.method
        path = address.path.removeprefix(PREFIX)
        page, rest = self._find(method, path)
        if page is None:
            return answer_json({"error": "there is no such page", "offered": self.names()}, 404)
        try:
            return page(Visit(app, request, address, rest))
        except PageError as error:
            return answer_json({"error": error.message}, error.status)
        except Exception:
            _log.exception("bug in %s %s", method, address.path)
            return answer_json({"error": "a bug of coslocal; its log has the traceback"}, 500)

    def _find(self, method: str, path: str) -> tuple[Page | None, str]:
        if (method, path) in self._pages and not path.endswith("/"):
            return self._pages[method, path], ""
        for (wanted, name), page in self._pages.items():
            if wanted == method and name.endswith("/") and path.startswith(name) and path != name:
                return page, path.removeprefix(name)
        return None, ""


def _of_another_site(request: Request, address: Address) -> bool:
    """Whether a browser sends this for a page that does not come from here."""
    return request.headers.get("Origin") not in (None, f"http://{address.authority}")
