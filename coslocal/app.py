"""The core of coslocal: a request in, a response out. It knows no socket; server.py and mount.py do."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Unpack

from coslocal import internal, routes, spoil
from coslocal.cam import actions
from coslocal.ci.types import ImageError
from coslocal.controls import standard_pages
from coslocal.core import Core, Settings
from coslocal.events import Occasion
from coslocal.grants import lets_anyone
from coslocal.http import NO_ANSWER, Counted, Request, Response
from coslocal.jobs.service import Jobs
from coslocal.journal import Exchange
from coslocal.operations import cors
from coslocal.operations.call import Call
from coslocal.operations.responses import error_response, http_date
from coslocal.signature import verify
from coslocal.storage.types import BucketGone, Store, UploadGone
from coslocal.wire.address import Address, Host, Parameters, locate
from coslocal.wire.errors import AccessDenied, CosError, InternalError, NoSuchBucket, NoSuchUpload

_log = logging.getLogger(__name__)
OPERATIONS = frozenset(route.operation for route in routes.ROUTES)
_QUICK = 256 * 1024  # bytes that are hashed in less than a millisecond
_NOWHERE = Address(host=Host(kind="service"), name="", authority="", path="/", parameters=Parameters(""))


class _Answer(NamedTuple):
    operation: str
    response: Response
    error: str = ""
    fault: str = ""


class Coslocal(Core):
    """A local COS and Cloud Infinite over a store. `handle` may be called from many threads."""

    def __init__(self, store: Store, *, credentials: Mapping[str, str], **settings: Unpack[Settings]) -> None:
        super().__init__(store, credentials=credentials, **settings)
        self.faults.operations = OPERATIONS
        self.jobs: Jobs = Jobs(self)
        self.pages = standard_pages()

    # -- requests

    def handle(self, request: Request) -> Response:
        """The answer to a request: never an exception. A streamed body must be read to its end or closed."""
        now = self.clock()
        self.faults.events.tick()
        request_id = secrets.token_hex(12)
        if request.length is None:
            request = replace(request, body=Counted(request.body))
        address = _NOWHERE
        try:
            address = locate(request, suffixes=self.host_suffixes)
            if address.path.startswith(internal.PREFIX):
                return self._finish(request, self.pages.answer(self, request, address), request_id, now)
            answer = self._answer(request, address, request_id, now)
        except CosError as error:
            answer = self._refuse(error, address, request_id)
        return self._conclude(request, address, answer, request_id, now)

    def refusal(self, request: Request) -> Response | None:
        """What comes of a request that cannot be routed, or whose sender may not make it; None for any other."""
        now, request_id, address, operation = self.clock(), secrets.token_hex(12), _NOWHERE, "unrouted"
        try:
            address = locate(request, suffixes=self.host_suffixes)
            if address.path.startswith(internal.PREFIX):
                return None
            route = routes.find(request, address)
            operation = route.operation
            self._admit(request, address, route, request_id, now)
        except CosError as error:
            unread = replace(request, length=0)
            return self._conclude(unread, address, self._refuse(error, address, request_id, operation), request_id, now)
        return None

    def is_quick(self, request: Request) -> bool:
        """For a small object in memory, asked for, put or deleted by itself, while no fault stands and every listener
        is prompt: an image rule that comes of its name yet raises WouldWait before anything is done."""
        plain = "?" not in request.target and internal.PREFIX not in request.target
        if not (plain and self.store.in_memory and self.faults.none):
            return False
        if request.method in ("GET", "HEAD"):
            return True
        small = request.length is not None and request.length <= _QUICK
        alone = all(name not in request.headers for name in ("Pic-Operations", "x-cos-copy-source"))
        return request.method in ("PUT", "DELETE") and small and alone and self.listeners_are_prompt

    def _conclude(self, request: Request, address: Address, answer: _Answer, request_id: str, now: float) -> Response:
        response = self._finish(request, answer.response, request_id, now)
        cors.mark(self, request, address, response)
        self._record(request, address, answer, request_id, now)
        return response

    def _answer(self, request: Request, address: Address, request_id: str, now: float) -> _Answer:
        """The operation's answer, or what a fault makes of it."""
        route = routes.find(request, address)
        struck = self.faults.strike(_occasion(route.operation, address, request_id))
        fault = "+".join(each.effect for each in struck.all)
        try:
            self.faults.wait(struck.waits, "before")
            instead = spoil.early(struck.fault)
            if instead is not None:
                return _Answer(route.operation, instead, fault=fault)
            answer = self._operate(request, address, route, request_id, now)
            self.faults.wait(struck.waits, "after")
            return answer._replace(response=spoil.late(struck.fault, answer.response), fault=fault)
        except CosError as error:
            return self._refuse(error, address, request_id, route.operation)._replace(fault=fault)

    def _operate(self, request: Request, address: Address, route: routes.Route, request_id: str, now: float) -> _Answer:
        try:
            call = self._admit(request, address, route, request_id, now)
            return _Answer(route.operation, route.function(call))
        except CosError as error:
            return self._refuse(error, address, request_id, route.operation)
        except BucketGone:
            return self._refuse(NoSuchBucket(), address, request_id, route.operation)
        except UploadGone:
            return self._refuse(NoSuchUpload(), address, request_id, route.operation)
        except ImageError as error:
            return self._refuse(self._image_error(error), address, request_id, route.operation)
        except Exception:
            _log.exception("bug in %s, request %s", route.operation, request_id)
            return self._refuse(InternalError(), address, request_id, route.operation)

    def _admit(self, request: Request, address: Address, route: routes.Route, request_id: str, now: float) -> Call:
        """Authenticate, then authorise: nobody may do only what an ACL grants, a role's keys only what its policy
        allows, any other credential everything."""
        signer = verify(request, address, self.credentials, now)
        bucket = address.host.bucket
        key = address.key if bucket else ""
        anonymous = signer is None and route.anonymous != "FREE"
        if anonymous and not (route.anonymous and lets_anyone(self.store, bucket, key, route.anonymous)):
            raise AccessDenied
        if signer is not None:
            for action in actions.of(route.operation, self.dialects):
                self.guard.check(signer.access_key, action, bucket, key, anyone=route.anonymous)
        return Call(
            app=self, request=request, address=address, operation=route.operation, bucket=bucket, key=key,
            principal=signer.access_key if signer else None, signed=signer.headers if signer else frozenset(),
            request_id=request_id, now=now,
        )  # fmt: skip

    def _image_error(self, error: ImageError) -> CosError:
        number = (("X-ErrNo", str(error.number)),) if error.number else ()
        wire = CosError(error.message, headers=number)
        wire.code = str(error.number) if error.number and self.dialects["error-code"] == "number" else error.code
        wire.status = 200 if self.dialects["error-status"] == "ok-with-error" else error.status
        return wire

    def _refuse(self, error: CosError, address: Address, request_id: str, operation: str = "unrouted") -> _Answer:
        resource = f"{address.name}{address.path}"
        return _Answer(operation, error_response(error, resource=resource, request_id=request_id), error.code)

    def _finish(self, request: Request, response: Response, request_id: str, now: float) -> Response:
        """Settle the length, drop the body where there must be none, add the headers that every answer has."""
        if response.length is None:
            response.length = len(response.body) if isinstance(response.body, bytes) else None
        if request.method == "HEAD" or response.status in (204, 304):
            response.close()
            response.body = b""
            response.length = response.length if response.status in (200, 206) else 0
            response.cut = NO_ANSWER if response.cut == NO_ANSWER else None
        response.headers += [("Date", http_date(now)), ("Server", "tencent-cos"), ("x-cos-request-id", request_id)]
        return response

    def _record(self, request: Request, address: Address, answer: _Answer, request_id: str, now: float) -> None:
        self.journal.add(
            Exchange(
                time=now, method=request.method, operation=answer.operation,
                bucket=address.host.bucket, key=address.key,
                status=0 if answer.response.cut == NO_ANSWER else answer.response.status, error=answer.error,
                fault=answer.fault, bytes_in=_bytes_in(request),
                bytes_out=0 if request.method == "HEAD" else answer.response.length or 0,
                rules=_rules(request.headers.get("Pic-Operations")), request_id=request_id,
            )
        )  # fmt: skip


def _occasion(operation: str, address: Address, request_id: str) -> Occasion:
    mark = address.parameters.get("partNumber") or ""
    return Occasion(operation, address.host.bucket, address.key if address.host.bucket else "", mark, request_id)


def _bytes_in(request: Request) -> int:
    """The size of a request's body: as announced, or as it was read."""
    if request.length is not None:
        return request.length
    return request.body.count if isinstance(request.body, Counted) else 0


def _rules(header: str | None) -> int:
    """How many rules a Pic-Operations header holds, as far as it can be read."""
    try:
        return len(json.loads(header)["rules"]) if header else 0
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
