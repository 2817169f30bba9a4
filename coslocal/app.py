"""The core of coslocal: a request in, a response out. It knows no socket; server.py and mount.py do."""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from coslocal import internal, routes, spoil
from coslocal.cam import actions
from coslocal.cam.guard import Guard, Keys, new_keys
from coslocal.cam.policy import CamPolicy
from coslocal.ci.types import ImageError
from coslocal.ci.workers import Workers, shared
from coslocal.controls import standard_pages
from coslocal.dialects import Dialects
from coslocal.eventlog import EventLog
from coslocal.events import ObjectEvent, Occasion
from coslocal.faults import Faults
from coslocal.http import NO_ANSWER, Counted, Request, Response
from coslocal.jobs.service import Jobs
from coslocal.journal import Exchange, Journal
from coslocal.operations import acl, cors
from coslocal.operations.call import Call
from coslocal.operations.responses import error_response, http_date
from coslocal.rates import Rates
from coslocal.signature import verify
from coslocal.storage.types import BucketGone, Store, StoredObject, UploadGone
from coslocal.wire.address import Address, Host, Parameters, locate
from coslocal.wire.errors import AccessDenied, CosError, InternalError, NoSuchBucket, NoSuchUpload

Listener = Callable[[ObjectEvent], None]
_log = logging.getLogger(__name__)
_NOWHERE = Address(host=Host(kind="service"), name="", authority="", path="/", parameters=Parameters(""))


class _Answer(NamedTuple):
    operation: str
    response: Response
    error: str = ""
    fault: str = ""


class Coslocal:
    """A local COS and Cloud Infinite over `store`.

    `credentials` maps access key ids to secrets; every one of them owns everything, and `assume` gives more that are
    held to a CAM policy. `region` is where buckets are made whose host does not tell; `clock` gives unix seconds;
    `host_suffixes` are local domains under which `<bucket>.<suffix>` and `<bucket>.cos.<region>.<suffix>` are found.
    `handle` may be called from many threads.

    `journal` holds what was asked, `events` what listeners were told; `faults` takes what is to go wrong; `rates`, None
    unless set, holds images to the platform's requests a second; `images` are the processes that decode, by default one
    pool for all of this process.
    """

    def __init__(
        self,
        store: Store,
        *,
        credentials: Mapping[str, str],
        region: str = "ap-guangzhou",
        dialects: Dialects | None = None,
        clock: Callable[[], float] = time.time,
        host_suffixes: Sequence[str] = ("localhost",),
        faults: Faults | None = None,
        images: Workers | None = None,
    ) -> None:
        self.store = store
        self.credentials = dict(credentials)
        self.region = region
        self.dialects: Dialects = dialects or Dialects()
        self.clock = clock
        self.journal = Journal()
        self.events = EventLog()
        self.faults = faults or Faults(clock=clock)
        self.rates: Rates | None = None
        self.images: Workers = images or shared()
        self.guard = Guard(store, self._region_of)
        self.jobs = Jobs(self)
        self.pages = standard_pages()
        self.host_suffixes = tuple(host_suffixes)
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

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
        if anonymous and not (route.anonymous and acl.lets_anyone(self.store, bucket, key, route.anonymous)):
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

    # -- roles

    def assume(self, policy: CamPolicy) -> Keys:
        """New keys that are held to a policy."""
        keys = new_keys()
        self.guard.policies[keys.secret_id] = policy
        self.credentials[keys.secret_id] = keys.secret_key
        return keys

    def _region_of(self, bucket: str) -> str:
        standing = self.store.bucket(bucket) if bucket else None
        return standing.region if standing else self.region

    # -- effects

    def save(self, item: StoredObject, configurations: Mapping[str, str] | None = None) -> None:
        """Put an object into the store; raises BucketGone, and drops the blob then."""
        try:
            self.store.put(item, configurations)
        except BucketGone:
            self.store.discard(item.blob)
            raise

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every event, in the thread of the request that caused it, once its effect stands."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def announce(self, name: str, item: StoredObject, call: Call, *, made_by_ci: bool = False) -> None:
        """Tell the listeners that an object was created or removed by a call."""
        if made_by_ci and self.dialects["result-events"] == "no":
            return
        meta = {k: v for k, v in item.headers.items() if k == "Content-Type" or k.lower().startswith("x-cos-meta-")}
        event = ObjectEvent(
            name=name, bucket=item.bucket, region=self._region_of(item.bucket), key=item.key,
            size=item.size,
            etag=item.etag, time=int(self.clock()), request_id=call.request_id, meta=meta,
            source_ip=call.request.remote, request_headers=dict(call.request.headers), made_by_ci=made_by_ci,
            storage_class=item.storage_class if item.storage_class != "STANDARD" else "",
        )  # fmt: skip
        occasion = Occasion(call.operation, item.bucket, item.key, name, call.request_id)
        self.faults.tell(event, occasion, self._tell)

    def count_image(self, way: str, bucket: str) -> None:
        """Count a request for image processing: upload, cloud, async or download. Raises SlowDown above the rate."""
        if self.rates is not None:
            everywhere = self.dialects["rate-region"] == "everywhere"
            self.rates.take(way, bucket, self._region_of(bucket), self.clock, everywhere=everywhere)

    def _tell(self, event: ObjectEvent) -> None:
        self.events.add(event)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("a listener failed on %s of request %s", event.name, event.request_id)


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
