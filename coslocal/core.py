"""What every operation works on: the store, what was set, what happened, and the effects that are told to others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypedDict, Unpack

from coslocal.cam.guard import Guard, Keys, new_keys
from coslocal.cam.policy import CamPolicy
from coslocal.ci.workers import Workers, shared
from coslocal.dialects import Dialects
from coslocal.eventlog import EventLog
from coslocal.events import ObjectEvent, Occasion
from coslocal.faults import Faults
from coslocal.http import Request
from coslocal.jobs.queued import Queued
from coslocal.journal import Journal
from coslocal.rates import Rates
from coslocal.storage.types import VERSION, BucketGone, Store, StoredObject

Listener = Callable[[ObjectEvent], None]
_log = logging.getLogger(__name__)


class Cause(Protocol):
    """The request, or job, that something happens by."""

    @property
    def operation(self) -> str: ...
    @property
    def request(self) -> Request: ...
    @property
    def request_id(self) -> str: ...


class Settings(TypedDict, total=False):
    """What a coslocal may be given."""

    region: str
    dialects: Dialects | None
    clock: Callable[[], float]
    host_suffixes: Sequence[str]
    faults: Faults | None
    images: Workers | None


class Core:
    """The state of a coslocal over `store`, shared by the threads of its requests.

    `credentials` maps access key ids to secrets; every one of them owns everything, and `assume` gives more that are
    held to a CAM policy. `region` is where buckets are made whose host does not tell; `clock` gives unix seconds;
    `host_suffixes` are local domains under which `<bucket>.<suffix>` and `<bucket>.cos.<region>.<suffix>` are found.

    `journal` holds what was asked, `events` what listeners were told; `faults` takes what is to go wrong; `rates`, None
    unless set, holds images to the platform's requests a second; `images` are the processes that decode, by default one
    pool for all of this process; what `forgetting` holds is called before a reset empties the store.
    """

    jobs: Queued

    def __init__(self, store: Store, *, credentials: Mapping[str, str], **settings: Unpack[Settings]) -> None:
        self.store = store
        self.credentials = dict(credentials)
        self.region = settings.get("region", "ap-guangzhou")
        self.dialects = settings.get("dialects") or Dialects()
        self.clock = settings.get("clock", time.time)
        self.host_suffixes = tuple(settings.get("host_suffixes", ("localhost",)))
        self.faults = settings.get("faults") or Faults(clock=self.clock)
        self.images = settings.get("images") or shared()
        self.journal = Journal()
        self.events = EventLog()
        self.rates: Rates | None = None
        self.guard = Guard(store, self._region_of)
        self.forgetting: list[Callable[[], None]] = []
        self.listeners_are_prompt = True
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

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

    def save(self, item: StoredObject, configurations: Mapping[str, str] | None = None) -> StoredObject:
        """Put an object into the store: as it stands then. Raises BucketGone, and drops the blob then."""
        try:
            return self.store.put(item, configurations)
        except BucketGone:
            self.store.discard(item.blob)
            raise

    def subscribe(self, listener: Listener, *, prompt: bool = False) -> None:
        """Call `listener` with every event, in the thread of the request that caused it, once its effect stands.

        A `prompt` one waits for nothing, least of all for an answer of this coslocal.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
            self.listeners_are_prompt = self.listeners_are_prompt and prompt

    def announce(self, name: str, item: StoredObject, cause: Cause, *, made_by_ci: bool = False) -> None:
        """Tell the listeners that an object was created or removed by a cause."""
        if made_by_ci and self.dialects["result-events"] == "no":
            return
        meta = {k: v for k, v in item.headers.items() if k == "Content-Type" or k.lower().startswith("x-cos-meta-")}
        event = ObjectEvent(
            name=name, bucket=item.bucket, region=self._region_of(item.bucket), key=item.key,
            size=item.size,
            etag=item.etag, time=int(self.clock()), request_id=cause.request_id, meta=meta,
            source_ip=cause.request.remote, request_headers=dict(cause.request.headers), made_by_ci=made_by_ci,
            storage_class=item.storage_class if item.storage_class != "STANDARD" else "",
            version_id=item.headers.get(VERSION, ""),
        )  # fmt: skip
        occasion = Occasion(cause.operation, item.bucket, item.key, name, cause.request_id)
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
