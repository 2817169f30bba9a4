"""Runs a plan: call, classify, verify. Every planned derivative ends in exactly one outcome (law 3)."""

from __future__ import annotations

from typing import Optional

from derivo.clock import Deadline
from derivo.cos import Cos, CosFailure, Processed, Result
from derivo.outcomes import WRITTEN, Outcome, Work, failed, skipped
from derivo.plan import Plan, Planned, ProcessRequest, requests_for

# How often one request is sent in an invocation while its failures are retryable and time is left.
MOST_TRIES = 4

# What `derivo put` leaves on the source: the digest of the plan that was carried out with the upload.
UPLOAD_MARK = "x-cos-meta-derivo"

# Failures that concern the source or the caller: trying the rules one by one would only repeat them.
_OF_THE_WHOLE = frozenset(
    ["NoSuchKey", "NoSuchBucket", "NoProcessAuthority", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ImageTooLarge"]
)


def derive(plan: Plan, cos: Cos, deadline: Deadline, *, done: tuple[Outcome, ...] = ()) -> Work:
    """Carry out a plan: ceil(n/5) processing calls on the good path. Never raises for what COS does.

    `done` are outcomes already reached, by the upload itself; the rest is made. `Work.gone` tells that the source
    does not exist (any more); its outcomes are then `skipped(source_gone)`.
    """
    run = _Run(plan, cos, deadline)
    blocked = [failed(item.derivative, item.reason, message=item.detail) for item in plan.blocked]
    remaining = run.without(done)
    if remaining and not done and plan.source.meta.get(UPLOAD_MARK) == plan.digest:
        remaining = run.skip_standing()
    for request in requests_for(plan.source, remaining):
        run.carry_out(request)
    return run.work(blocked)


class _Run:
    """One run of one plan: gathers outcomes, and the facts of the source that CI reports on the way."""

    def __init__(self, plan: Plan, cos: Cos, deadline: Deadline) -> None:
        self._plan = plan
        self._cos = cos
        self._deadline = deadline
        self._outcomes: dict[Planned, Outcome] = {}
        self._calls = 0
        self._heads = 0
        self._gone = False
        self._source = Processed()
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
            if failure.retryable and attempt < MOST_TRIES and self._deadline.back_off(attempt):
                request = requests_for(self._plan.source, missing)[0]
                continue
            self._settle(missing, failure)
            return

    def without(self, done: tuple[Outcome, ...]) -> tuple[Planned, ...]:
        """Take over outcomes; returns the derivatives that have none yet."""
        self._outcomes.update({outcome.derivative: outcome for outcome in done})
        return tuple(derivative for derivative in self._plan.derivatives if derivative not in self._outcomes)

    def skip_standing(self) -> tuple[Planned, ...]:
        """The derivatives that the uploader's own processing did not leave in the bucket; the others are skipped."""
        missing = []
        for derivative in self._plan.derivatives:
            if self._stands(derivative):
                self._outcomes[derivative] = skipped(derivative, "derived_at_upload")
            else:
                missing.append(derivative)
        return tuple(missing)

    def work(self, blocked: list[Outcome]) -> Work:
        in_order = [self._outcomes[derivative] for derivative in self._plan.derivatives]
        return Work(
            outcomes=tuple(in_order + blocked),
            gone=self._gone,
            calls=self._calls,
            heads=self._heads,
            source_etag=self._source.etag or None,
            source_format=self._source.format,
            source_width=self._source.width,
            source_height=self._source.height,
            request_ids=tuple(self._request_ids),
        )

    def _send(self, request: ProcessRequest) -> Optional[CosFailure]:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return CosFailure("Deadline", "the time left was too short for another call")
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
        self._source = answer
        if answer.request_id:
            self._request_ids.append(answer.request_id)
        return self._take(request, answer)

    def _take(self, request: ProcessRequest, answer: Processed) -> Optional[CosFailure]:
        self.without(carried_out(request, answer))
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

    def _stands(self, derivative: Planned) -> bool:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return False
        self._heads += 1
        try:
            head = self._cos.head(
                bucket=derivative.bucket, region=self._plan.source.region, key=derivative.key, timeout=timeout
            )
        except CosFailure:
            # not knowing is no reason to fail: making the derivative again is harmless (law 4)
            return False
        return head is not None and head.size > 0


def carried_out(request: ProcessRequest, answer: Processed) -> tuple[Outcome, ...]:
    """The outcomes of those derivatives of the request that the answer names (law 3: a 200 alone proves nothing)."""
    results = list(answer.results)
    outcomes = []
    for derivative in request.derivatives:
        found = _find(derivative, results)
        if found is not None:
            results.remove(found)
            outcomes.append(_written(derivative, found))
    return tuple(outcomes)


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
