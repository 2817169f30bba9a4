"""Runs a plan: call, classify, verify. Every planned derivative ends in exactly one outcome (law 3)."""

from __future__ import annotations

from typing import Optional, Union

import msgspec

from derivo import manifest
from derivo.breaker import Budget
from derivo.clock import Deadline
from derivo.cos import Cos, CosFailure, Head, Processed, Result
from derivo.outcomes import WRITTEN, Outcome, Work, failed, skipped
from derivo.plan import MANIFEST, Plan, Planned, PlannedManifest, ProcessRequest, requests_for

# How often one request is sent in an invocation while its failures are retryable and time is left.
MOST_TRIES = 4

# How often a source is processed again in one invocation because it was overwritten meanwhile.
MOST_ROUNDS = 4

# What `derivo put` leaves on the source: the digest of the plan that was carried out with the upload.
UPLOAD_MARK = "x-cos-meta-derivo"

# What a manifest carries: its own digest, so that one that would not change is not written again.
MANIFEST_MARK = "x-cos-meta-derivo-manifest"

# Failures that concern the source or the caller: trying the rules one by one would only repeat them.
_OF_THE_WHOLE = frozenset(
    ["NoSuchKey", "NoSuchBucket", "NoProcessAuthority", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ImageTooLarge"]
)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What a PUT with processing already made: its request and the answer to it."""

    request: ProcessRequest
    answer: Processed


# Retryable, but not by waiting a little in this invocation.
_OF_THIS_MINUTE = frozenset(["Deadline", "BudgetExceeded"])


def derive(
    plan: Plan, cos: Cos, deadline: Deadline, *, upload: Optional[Upload] = None, budget: Optional[Budget] = None
) -> Work:
    """Carry out a plan: ceil(n/5) processing calls on the good path, and one HEAD where the plan asks to verify. Never
    raises for what COS does.

    Derivatives that `upload` made are taken over; the rest is made. Afterwards the source is looked at: when it was
    overwritten meanwhile, everything is made again from what stands there now, so that whichever of two runs ends
    last, the derivatives are the last source's (law 4). `Work.gone` tells that the source does not exist (any more);
    outcomes of what could not be made are then `skipped(source_gone)`.
    """
    run = _Run(plan, cos, deadline, budget)
    if upload is not None:
        run.take(upload.request, upload.answer)
    elif plan.source.meta.get(UPLOAD_MARK) == plan.digest:
        run.skip_derived_at_upload()
    for _ in range(MOST_ROUNDS):
        remaining = run.remaining()
        for request in plan.requests if remaining == plan.derivatives else requests_for(plan.source, remaining):
            run.carry_out(request)
        run.write_manifests()
        if not (plan.verify and run.has_written()) or run.is_current():
            break
        run.begin_again()
    else:
        run.give_up()
    return run.work([failed(item.derivative, item.reason, message=item.detail) for item in plan.blocked])


class _Run:
    """One run of one plan: gathers outcomes, and the facts of the source that CI reports on the way."""

    def __init__(self, plan: Plan, cos: Cos, deadline: Deadline, budget: Optional[Budget]) -> None:
        self._plan = plan
        self._cos = cos
        self._deadline = deadline
        self._budget = budget
        self._outcomes: dict[Planned, Outcome] = {}
        self._calls = 0
        self._heads = 0
        self._gone = False
        self._source = Processed()
        self._etags: set[str] = set()
        self._manifests: dict[PlannedManifest, Outcome] = {}
        self._saw: Optional[tuple[str, frozenset[str]]] = None
        self._facts: Optional[tuple[str, int]] = None
        self._request_ids: list[str] = []

    def carry_out(self, request: ProcessRequest) -> None:
        """Send one request, again while that may help, until each of its derivatives has an outcome."""
        attempt = 0
        while True:
            failure = self._send(request)
            if failure is None:
                return
            attempt += 1
            missing = tuple(d for d in request.derivatives if d not in self._outcomes)
            if not failure.retryable and len(missing) > 1 and failure.code not in _OF_THE_WHOLE:
                # one bad rule, or one output that CI cannot make, must cost only itself
                for single in missing:
                    self.carry_out(requests_for(self._plan.source, (single,))[0])
                return
            if (
                failure.retryable
                and failure.code not in _OF_THIS_MINUTE
                and attempt < MOST_TRIES
                and self._deadline.back_off(attempt)
            ):
                request = requests_for(self._plan.source, missing)[0]
                continue
            self._settle(missing, failure)
            return

    def take(self, request: ProcessRequest, answer: Processed) -> None:
        """The outcomes of those derivatives that the answer names (law 3: a 200 alone proves nothing)."""
        self._source = answer
        if answer.request_id:
            self._request_ids.append(answer.request_id)
        results = list(answer.results)
        for derivative in request.derivatives:
            found = _find(derivative, results)
            if found is not None:
                results.remove(found)
                self._etags.add(answer.etag)
                self._outcomes[derivative] = _written(derivative, found)

    def skip_derived_at_upload(self) -> None:
        """Skip what the uploader's own request made, where that is proved: the source that the event told of still
        stands and carries the mark, and each derivative is no older than it (derivatives of a source before it may
        stand too, when the uploader broke off, or when the mark came with a copy). Where manifests are wanted it is all
        or none: a manifest is written of what one run has seen, so each must name what stands."""
        source = self._head(self._plan.source.bucket, self._plan.source.key)
        if source is None:
            self._settle(self._plan.derivatives, CosFailure("NoSuchKey"))
        if not isinstance(source, Head) or not self._is_announced(source):
            return
        standing: dict[Planned, Head] = {}
        for derivative in self._plan.derivatives:
            # not knowing is no reason to fail: making the derivative again is harmless (law 4)
            head = self._head(derivative.bucket, derivative.key)
            if isinstance(head, Head) and head.size > 0 and head.modified >= source.modified:
                standing[derivative] = head
        complete = len(standing) == len(self._plan.derivatives)
        if not self._plan.manifests or (
            complete and all(self._is_told(wanted, source, standing) for wanted in self._plan.manifests)
        ):
            self._outcomes.update({derivative: skipped(derivative, "derived_at_upload") for derivative in standing})

    def _is_announced(self, source: Head) -> bool:
        """Whether this is the source that the event told of, as its uploader's own processing left it."""
        event = self._plan.source
        if source.meta.get(UPLOAD_MARK) != self._plan.digest or not source.modified:
            return False
        if event.etag is not None:
            return event.etag == source.etag
        return event.event_time is None or source.modified <= event.event_time

    def _is_told(self, wanted: PlannedManifest, source: Head, standing: dict[Planned, Head]) -> bool:
        """Whether the manifest stands and tells of this source and these derivatives, by ETag."""
        timeout = self._deadline.call_timeout()
        try:
            data = timeout and self._cos.get(
                bucket=wanted.bucket, region=self._plan.source.region, key=wanted.key, timeout=timeout
            )
        except CosFailure:
            return False
        found = manifest.decode(data) if data else None
        here = (self._plan.source.bucket, self._plan.source.key)
        return (
            found is not None
            and (found.source.etag, found.source.size) == (source.etag, source.size)
            and all(
                manifest.proves(found, here, derivative, head.etag)
                for derivative, head in standing.items()
                if derivative.rule_set == wanted.rule_set
            )
        )

    def remaining(self) -> tuple[Planned, ...]:
        """The derivatives that have no outcome yet."""
        return tuple(derivative for derivative in self._plan.derivatives if derivative not in self._outcomes)

    def has_written(self) -> bool:
        return any(outcome.status == WRITTEN for outcome in self._outcomes.values())

    def is_current(self) -> bool:
        """Whether what was written was made from the source as it stands now, and the manifests tell of that one. False
        also when that cannot be told."""
        head = self._head(self._plan.source.bucket, self._plan.source.key)
        if isinstance(head, CosFailure):
            return not head.retryable
        if head is None:
            self._gone = True
            return True
        if self._gone:
            return False  # gone for one request and back for another: what is missing is made as well
        told = self._facts or (self._source.etag, self._plan.source.size)
        self._facts = (head.etag, head.size)
        # CI's own samples print another ETag for the source than its own (CI 1.5): two rounds that saw the same are
        # current too, whatever the answers call it
        saw = (head.etag, frozenset(self._etags))
        before, self._saw = self._saw, saw
        if self._etags != {head.etag} and (head.etag in self._etags or saw != before):
            return False
        if self._manifests and told != self._facts:
            # the event was of another version of the source, or CI misnamed it
            self.write_manifests()
            return self.is_current()
        return True

    def write_manifests(self) -> None:
        """The manifest of each rule set that wants one and had something written: with one PUT, if it changed."""
        self._manifests = {}
        for wanted in self._plan.manifests:
            data = manifest.encode(manifest.build(self._plan, wanted.rule_set, self.work([])))
            if any(o.status == WRITTEN and o.derivative.rule_set == wanted.rule_set for o in self._outcomes.values()):
                self._manifests[wanted] = self._write_manifest(wanted, data)

    def _write_manifest(self, wanted: PlannedManifest, data: bytes) -> Outcome:
        planned = Planned(
            rule_set=wanted.rule_set, name=MANIFEST, bucket=wanted.bucket, key=wanted.key, rule="", spec=""
        )
        mark = manifest.digest(data)
        standing = self._head(wanted.bucket, wanted.key)
        if isinstance(standing, Head) and standing.meta.get(MANIFEST_MARK) == mark:
            return skipped(planned, "unchanged")
        failure = self._put(wanted, data, mark)
        if failure is not None and failure.retryable and self._deadline.back_off(1):
            failure = self._put(wanted, data, mark)
        if failure is not None:
            return failed(planned, failure.code, status=failure.status, message=failure.message)
        return Outcome(derivative=planned, status=WRITTEN, format="json", size=len(data))

    def _put(self, wanted: PlannedManifest, data: bytes, mark: str) -> Optional[CosFailure]:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return CosFailure("Deadline", "the time left was too short for another call")
        headers = {"ContentType": "application/json", "Metadata": {MANIFEST_MARK: mark}}
        try:
            self._cos.put(
                bucket=wanted.bucket,
                region=self._plan.source.region,
                key=wanted.key,
                body=data,
                headers=headers,
                timeout=timeout,
            )
        except CosFailure as failure:
            return failure
        return None

    def begin_again(self) -> None:
        """Forget what was written: it may be another source's; and that the source was gone."""
        self._outcomes = {d: o for d, o in self._outcomes.items() if o.status != WRITTEN and o.reason != "source_gone"}
        self._etags = set()
        self._gone = False

    def give_up(self) -> None:
        """The source was overwritten faster than it could be processed: leave the rest to the platform's retry."""
        message = "the source was overwritten again and again while it was processed"
        for derivative in self.remaining():
            self._outcomes[derivative] = failed(derivative, "SourceChanged", message=message)

    def work(self, blocked: list[Outcome]) -> Work:
        in_order = [self._outcomes[d] for d in self._plan.derivatives if d in self._outcomes]
        return Work(
            outcomes=(*in_order, *blocked, *self._manifests.values()),
            gone=self._gone,
            calls=self._calls,
            heads=self._heads,
            source_etag=(self._facts[0] if self._facts else self._source.etag) or None,
            source_size=self._facts[1] if self._facts else self._plan.source.size,
            source_format=self._source.format,
            source_width=self._source.width,
            source_height=self._source.height,
            source_color=self._source.color,
            source_orientation=self._source.orientation,
            request_ids=tuple(self._request_ids),
        )

    def _send(self, request: ProcessRequest) -> Optional[CosFailure]:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return CosFailure("Deadline", "the time left was too short for another call")
        if self._budget is not None and not self._budget.spend():
            return CosFailure("BudgetExceeded", "more calls this minute than DERIVO_MAX_REQUESTS_PER_MINUTE allows")
        source = self._plan.source
        self._calls += 1
        try:
            answer = self._cos.process(
                bucket=source.bucket,
                region=source.region,
                key=source.key,
                pic_operations=request.pic_operations,
                timeout=timeout,
            )
        except CosFailure as failure:
            if failure.request_id:
                self._request_ids.append(failure.request_id)
            return failure
        self.take(request, answer)
        if all(derivative in self._outcomes for derivative in request.derivatives):
            return None
        return CosFailure("MissingFromAnswer", "CI answered 200 without naming the derivative")

    def _settle(self, derivatives: tuple[Planned, ...], failure: CosFailure) -> None:
        gone = failure.code == "NoSuchKey"
        self._gone = self._gone or gone
        for derivative in derivatives:
            self._outcomes[derivative] = (
                skipped(derivative, "source_gone")
                if gone
                else failed(derivative, failure.code, status=failure.status, message=failure.message)
            )

    def _head(self, bucket: str, key: str) -> Union[Head, CosFailure, None]:
        """What stands there; None: nothing. A failure that time may mend is waited out once."""
        found = self._look(bucket, key)
        if isinstance(found, CosFailure) and found.retryable and self._deadline.back_off(1):
            return self._look(bucket, key)
        return found

    def _look(self, bucket: str, key: str) -> Union[Head, CosFailure, None]:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return CosFailure("Deadline", "the time left was too short for another call")
        self._heads += 1
        try:
            return self._cos.head(bucket=bucket, region=self._plan.source.region, key=key, timeout=timeout)
        except CosFailure as failure:
            return failure


def _written(derivative: Planned, result: Result) -> Outcome:
    return Outcome(
        derivative=derivative,
        status=WRITTEN,
        format=result.format,
        width=result.width,
        height=result.height,
        size=result.size,
        etag=result.etag,
    )


def _find(derivative: Planned, results: list[Result]) -> Optional[Result]:
    """The result that is this derivative: by key, and by bucket where the same key went to several."""
    named = [result for result in results if _same_key(result.key, derivative.key)]
    at_home = [result for result in named if result.location.startswith(derivative.bucket + ".")]
    return next(iter(at_home or named), None)


def _same_key(reported: str, planned: str) -> bool:
    # CI's samples print keys without the leading slash (CI 1.5); XML turns a carriage return into a line feed
    return _as_xml(planned) in (_as_xml(reported), _as_xml(reported[1:] if reported.startswith("/") else reported))


def _as_xml(key: str) -> str:
    return key.replace("\r\n", "\n").replace("\r", "\n")
