"""The cloud's API over HTTP: a signed request in, JSON out. What an action does stands in its service's table."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from coslocal.http import Request, Response
from coslocal.journal import Exchange, Journal
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import given, read
from coslocal.tencentapi.place import Place, locate
from coslocal.tencentapi.signature3 import verify

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes of a request signed with version 3."""

Content = dict[str, Any]
Wanted = TypeVar("Wanted", bound=msgspec.Struct)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Action(Generic[Wanted]):
    """One row of a service's table: the request's parameters as a type, and what answers it (may raise ApiError).

    `regional` says whether the request has to name a region.
    """

    wants: type[Wanted]
    run: Callable[[Wanted], Content]
    regional: bool = True


@dataclass(frozen=True, kw_only=True)
class Service:
    """A product: its name in hosts and credential scopes, the version of its API, the one region where its resources
    are, its actions, and the names of those that the cloud has and coslocal does not offer."""

    name: str
    version: str
    region: str
    actions: Mapping[str, Action[Any]]
    unoffered: frozenset[str] = field(default=frozenset())


class TencentApi:
    """Answers for all `services`. `tokens` are the session tokens that coslocal's own roles give out."""

    def __init__(
        self,
        services: Iterable[Service],
        *,
        credentials: Mapping[str, str],
        tokens: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        journal: Journal | None = None,
    ) -> None:
        self._services = {service.name: service for service in services}
        self._credentials = credentials
        self._tokens = tokens
        self._clock = clock
        self._journal = journal

    def handle(self, request: Request) -> Response:
        """The answer: never an exception. The status is 200 whatever happened, as in the cloud."""
        request_id = str(uuid.uuid4())
        error = ""
        try:
            content = self._answer(request)
        except ApiError as refused:
            error, content = refused.code, {"Error": {"Code": refused.code, "Message": refused.message}}
        except Exception:
            _log.exception("bug in %s, request %s", request.headers.get("X-TC-Action"), request_id)
            error, content = "InternalError", {"Error": {"Code": "InternalError", "Message": "A bug of coslocal"}}
        body = json.dumps({"Response": {**content, "RequestId": request_id}}).encode()
        self._record(request, error, len(body), request_id)
        return Response(200, [("Content-Type", "application/json")], body, len(body))

    def _answer(self, request: Request) -> Content:
        place = locate(request)
        body = request.body.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise ApiError("RequestSizeLimitExceeded", f"The request has more than {LARGEST_BODY} bytes")
        signer = verify(request, place, body, self._credentials, self._clock())
        token = request.headers.get("X-TC-Token")
        if token is not None and token not in self._tokens:
            raise ApiError("AuthFailure.TokenFailure", "The X-TC-Token is not one that coslocal gave out")
        service = self._service(place, signer.service)
        action = _action(service, request)
        self._check_region(service, action, request, place)
        return action.run(read(action.wants, given(request, place, body), lax=request.method == "GET"))

    def _service(self, place: Place, signed: str) -> Service:
        name = place.service or signed
        if name != signed:
            raise ApiError("AuthFailure.SignatureFailure", f"The signature is for {signed}, the host is {name}'s")
        if name not in self._services:
            raise ApiError("NoSuchProduct", f"coslocal offers {', '.join(self._services)}, not {name}")
        return self._services[name]

    def _check_region(self, service: Service, action: Action[Any], request: Request, place: Place) -> None:
        region = request.headers.get("X-TC-Region") or place.region
        if not region and action.regional:
            raise ApiError("MissingParameter", "The request has no X-TC-Region")
        if region and region != service.region:
            raise ApiError(
                "UnsupportedRegion", f"This coslocal serves {service.region}, not {region}; start it with --region"
            )

    def _known(self, request: Request) -> str:
        """The action's name, when it is one: the journal counts names, and anyone may send any."""
        name = request.headers.get("X-TC-Action") or ""
        return (
            name
            if any(name in item.actions or name in item.unoffered for item in self._services.values())
            else "unrouted"
        )

    def _record(self, request: Request, error: str, size: int, request_id: str) -> None:
        if self._journal is None:
            return
        self._journal.add(
            Exchange(
                time=self._clock(), method=request.method, operation=self._known(request),
                bucket="", key="", status=200, error=error, bytes_in=request.length or 0, bytes_out=size, rules=0,
                request_id=request_id,
            )
        )  # fmt: skip


def _action(service: Service, request: Request) -> Action[Any]:
    name = request.headers.get("X-TC-Action")
    version = request.headers.get("X-TC-Version")
    if name is None or version is None:
        raise ApiError("MissingParameter", f"The request has no {'X-TC-Action' if name is None else 'X-TC-Version'}")
    if version != service.version:
        raise ApiError("NoSuchVersion", f"{service.name} has the version {service.version}, not {version}")
    if name in service.unoffered:
        raise ApiError("UnsupportedOperation", f"coslocal does not offer {name}")
    if name not in service.actions:
        raise ApiError("InvalidAction", f"{service.name} has no action {name}")
    return service.actions[name]
