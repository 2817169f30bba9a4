"""Runs a plan: call, classify, verify. Every planned derivative ends in exactly one outcome (law 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import msgspec

from derivo import fileids, manifest
from derivo.asking import REFUSALS, find_out
from derivo.breaker import Budget
from derivo.calls import MOST_TRIES, Calls
from derivo.clock import Deadline
from derivo.cos import Cos, CosFailure, Head, Processed, Result
from derivo.manifest import Made
from derivo.outcomes import FAILED, WRITTEN, Outcome, Work, failed, skipped
from derivo.plan import MANIFEST, Plan, Planned, PlannedManifest, ProcessRequest, requests_for
from derivo.standing import proved

# How often a source is processed again in one invocation because it was overwritten meanwhile.
MOST_ROUNDS = 4

# What a manifest carries: its own digest, so that one that would not change is not written again.
MANIFEST_MARK = "x-cos-meta-derivo-manifest"

# Failures that concern the source or the caller: trying the rules one by one would only repeat them.
_OF_THE_WHOLE = frozenset(
    ["NoSuchKey", "NoSuchBucket", "NoProcessAuthority", "SignatureDoesNotMatch", "InvalidAccessKeyId"]
)

_SETTINGS = "DERIVO_FILEID_ENCODING and DERIVO_FILEID_PATH tell Derivo, derivo probe tells you"

_UNMAKEABLE = "COS takes `//` in fileids for `/` (DERIVO_FILEID_PATH), so that no request gives this key"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What a PUT with processing already made: its request and the answer to it."""

    request: ProcessRequest
    answer: Processed


def derive(
    plan: Plan,
    cos: Cos,
    deadline: Deadline,
    *,
    upload: Optional[Upload] = None,
    budget: Optional[Budget] = None,
    earlier: Sequence[Made] = (),
) -> Work:
    """Carry out a plan: ceil(n/5) processing calls on the good path, and one HEAD where the plan asks to verify. Never
    raises for what COS does.

    Derivatives that `upload` made are taken over, those that are proved to stand are skipped, `earlier` being what
    earlier tries made; the rest is made.
    Afterwards the source is looked at: when it was overwritten meanwhile, everything is made again from what stands
    there now, so that whichever of two runs ends last, the derivatives are the last source's (law 4). `Work.gone` tells
    that the source does not exist (any more); outcomes of what could not be made are then `skipped(source_gone)`.
    """
    calls = Calls(plan.source, cos, deadline, budget)
    run = _Run(plan, calls)
    if upload is not None:
        calls.note(upload.answer.request_id)
        run.take(upload.request, upload.answer)
    else:
        run.skip_what_stands(earlier)
    run.settle_open_keys()
    for _ in range(MOST_ROUNDS):
        run.make_remaining()
        run.write_manifests()
        if not (plan.verify and run.has_made()) or run.is_current():
            break
        run.begin_again()
    else:
        run.give_up()
    return run.work([failed(item.derivative, item.reason, message=item.detail) for item in plan.blocked])


class _Run:
    """One run of one plan: gathers outcomes, and the facts of the source that CI reports on the way."""

    def __init__(self, plan: Plan, calls: Calls) -> None:
        self._plan = plan
        self._calls = calls
        self._outcomes: dict[Planned, Outcome] = {}
        self._gone = False
        self._stranger = ""
        self._postponed = False
        self._source = Processed()
        self._etags: set[str] = set()
        self._manifests: dict[PlannedManifest, Outcome] = {}
        self._known_manifests: dict[PlannedManifest, Optional[bytes]] = {}
        self._saw: Optional[tuple[str, frozenset[str]]] = None
        self._facts: Optional[tuple[str, int]] = None

    # --- before anything is made

    def skip_what_stands(self, earlier: Sequence[Made]) -> None:
        """Take over the outcomes of what need not be made."""
        found = proved(self._plan, self._calls, earlier)
        if found.gone:
            self._settle(self._plan.derivatives, CosFailure("NoSuchKey"))
        self._outcomes.update(found.outcomes)
        self._known_manifests = found.manifests
        if found.source is not None:
            self._source = found.source
            self._etags.add(found.source.etag)

    def settle_open_keys(self) -> None:
        """Learn how COS reads fileids, where a key depends on it and nobody told. What could not be learned, and what
        no fileid gives, is not sent: it might overwrite somebody else's."""
        known = self._calls.fileids
        if any(known.is_open(derivative.key) for derivative in self.remaining()):
            failure = find_out(self._calls, self._plan.source.bucket)
            if failure is not None:
                message = f"asked how it reads fileids, COS said: {failure.message or failure.code}; {_SETTINGS}"
                still_open = tuple(derivative for derivative in self.remaining() if known.is_open(derivative.key))
                self._settle(still_open, CosFailure(failure.code, message, status=failure.status))
        for derivative in self.remaining():
            if known.refuses(derivative.key):
                self._outcomes[derivative] = failed(derivative, "bad_key", message=_UNMAKEABLE)

    # --- making

    def make_remaining(self) -> None:
        """Make what has no outcome yet; again, when it was refused for the encoding of its fileids."""
        known = self._calls.fileids
        before = known.encoding  # other threads learn too
        for request in requests_for(self._plan.source, self.remaining()):
            self.carry_out(request)
        refused = [d for d, outcome in self._outcomes.items() if outcome.status == FAILED and outcome.code in REFUSALS]
        if refused and before is None and not known.plain_text:
            # nothing has ever been taken here: the rules may be good, and the fileids not what COS reads
            failure = find_out(self._calls, self._plan.source.bucket) if known.encoding is None else None
            if self._calls.fileids.encoding == fileids.BASE64URL:
                for derivative in refused:
                    del self._outcomes[derivative]
                self.make_remaining()
            elif failure is not None and failure.retryable:
                self._settle(tuple(refused), failure)

    def carry_out(self, request: ProcessRequest) -> None:
        """Send one request, again while that may help, until each of its derivatives has an outcome."""
        attempt = left_out = 0
        while True:
            failure = self._send(request)
            if failure is None:
                return
            attempt += 1
            left_out += failure.code == "MissingFromAnswer"
            missing = tuple(d for d in request.derivatives if d not in self._outcomes)
            if len(missing) > 1 and _may_be_of_one(failure, left_out):
                # one bad rule, or one output that CI cannot make, must cost only itself
                for derivative in missing:
                    self.carry_out(requests_for(self._plan.source, (derivative,))[0])
                return
            if self._calls.try_again(failure, attempt):
                request = requests_for(self._plan.source, missing)[0]
                continue
            instead = self._stranger if left_out == MOST_TRIES else ""
            if left_out == MOST_TRIES:
                failure = CosFailure("WrongKey" if instead else "NotMade", failure.message)
            self._settle(missing, failure, instead)
            return

    def _send(self, request: ProcessRequest) -> Optional[CosFailure]:
        answer = self._calls.process(request.pic_operations)
        if isinstance(answer, CosFailure):
            return answer
        others = self.take(request, answer)
        self._stranger = others[0].key if others else ""
        if all(derivative in self._outcomes for derivative in request.derivatives):
            return None
        return CosFailure("MissingFromAnswer", "CI answered 200 without naming the derivative")

    def take(self, request: ProcessRequest, answer: Processed) -> list[Result]:
        """The outcomes of those derivatives that the answer names (law 3: a 200 alone proves nothing), or that it shows
        to have been written under another key. Returns the results that are neither."""
        self._source = answer
        known = self._calls.fileids
        results = list(answer.results)
        for derivative in request.derivatives:
            found = _find(derivative, results)
            if found is not None:
                results.remove(found)
                self._etags.add(answer.etag)
                self._outcomes[derivative] = _written(derivative, found)
                known.plain_text = known.plain_text or known.encoding is None
        for derivative in request.derivatives:
            if derivative not in self._outcomes:
                self._take_misread(derivative, results)
        return results

    def _take_misread(self, derivative: Planned, results: list[Result]) -> None:
        """Where a result is what some COS makes of this derivative's fileid: that key was written by mistake."""
        fileid = fileids.encoded("/" + derivative.key, self._calls.fileids.encoding)
        for key, encoding, path in fileids.readings(fileid, self._plan.source.key):
            for result in results:
                if fileids.same_key(result.key, key):
                    results.remove(result)
                    known = self._calls.fileids.encoding or fileids.PLAIN
                    right = f"ENCODING={encoding}" if encoding != known else f"PATH={path}"
                    message = f"COS reads fileids otherwise: set DERIVO_FILEID_{right}, or ask derivo probe"
                    self._outcomes[derivative] = failed(derivative, "WrongKey", message=message, instead=result.key)
                    return

    def _settle(self, derivatives: tuple[Planned, ...], failure: CosFailure, instead: str = "") -> None:
        gone = failure.code == "NoSuchKey"
        self._gone = self._gone or gone
        for derivative in derivatives:
            self._outcomes[derivative] = (
                skipped(derivative, "source_gone")
                if gone
                else failed(derivative, failure.code, status=failure.status, message=failure.message, instead=instead)
            )

    def remaining(self) -> tuple[Planned, ...]:
        """The derivatives that have no outcome yet."""
        return tuple(derivative for derivative in self._plan.derivatives if derivative not in self._outcomes)

    # --- afterwards

    def has_made(self) -> bool:
        """Whether something stands that this run wrote, or that it takes for this source's."""
        return any(outcome.is_known for outcome in self._outcomes.values())

    def is_current(self) -> bool:
        """Whether what was written was made from the source as it stands now, and the manifests tell of that one. False
        also when that cannot be told."""
        head = self._calls.head(self._plan.source.bucket, self._plan.source.key)
        if isinstance(head, CosFailure):
            self._facts = None
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
        if self._postponed or (self._manifests and told != self._facts):
            # the event was of another version of the source, or CI misnamed it
            self._write_manifests()
            return self.is_current()
        return True

    def write_manifests(self) -> None:
        """The manifest of each rule set that wants one and of which something stands: with one PUT, if it changed. Not
        yet where it is open which source they would tell of, and it is looked at anyway."""
        self._manifests = {}
        self._postponed = bool(self._plan.manifests) and self._plan.verify and not self._is_told_apart()
        if not self._postponed:
            self._write_manifests()

    def _is_told_apart(self) -> bool:
        """Whether the answers tell of one version of the source, of which the facts are known. They may also call it by
        a result's ETag (CI 1.5)."""
        if self._facts is not None:
            return self._etags == {self._facts[0]}
        if self._etags == {self._plan.source.etag}:
            return True
        made = (outcome for outcome in self._outcomes.values() if outcome.status == WRITTEN)
        return len(self._etags) == 1 and all(outcome.etag not in self._etags for outcome in made)

    def _write_manifests(self) -> None:
        self._postponed = False
        self._manifests = {}
        for wanted in self._plan.manifests:
            data = manifest.encode(manifest.build(self._plan, wanted.rule_set, self.work([])))
            if any(o.is_known and o.derivative.rule_set == wanted.rule_set for o in self._outcomes.values()):
                self._manifests[wanted] = self._write_manifest(wanted, data)

    def _write_manifest(self, wanted: PlannedManifest, data: bytes) -> Outcome:
        planned = Planned(
            rule_set=wanted.rule_set, name=MANIFEST, bucket=wanted.bucket, key=wanted.key, rule="", spec=""
        )
        mark = manifest.digest(data)
        if self._stands(wanted, mark):
            return skipped(planned, "unchanged")
        headers = {"ContentType": "application/json", "Metadata": {MANIFEST_MARK: mark}}
        failure = self._calls.put(wanted.bucket, wanted.key, data, headers)
        if failure is not None:
            return failed(planned, failure.code, status=failure.status, message=failure.message)
        return Outcome(derivative=planned, status=WRITTEN, format="json", size=len(data))

    def _stands(self, wanted: PlannedManifest, mark: str) -> bool:
        """Whether the manifest of that digest stands; what was looked at before anything was made counts once."""
        if wanted in self._known_manifests:
            known = self._known_manifests.pop(wanted)
            return known is not None and manifest.digest(known) == mark
        standing = self._calls.head(wanted.bucket, wanted.key)
        return isinstance(standing, Head) and standing.meta.get(MANIFEST_MARK) == mark

    def begin_again(self) -> None:
        """Forget what was written, and what was proved to stand: it may be another source's; and that the source was
        gone."""
        self._outcomes = {d: o for d, o in self._outcomes.items() if not o.is_known and o.reason != "source_gone"}
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
            calls=self._calls.processed,
            heads=self._calls.heads,
            unheard=self._calls.unheard,
            source_etag=self._source_etag(),
            source_size=self._facts[1] if self._facts else self._plan.source.size,
            source_format=self._source.format,
            source_width=self._source.width,
            source_height=self._source.height,
            source_color=self._source.color,
            source_orientation=self._source.orientation,
            request_ids=tuple(self._calls.request_ids),
        )

    def _source_etag(self) -> Optional[str]:
        """Of the version that all outcomes are of, where that is known."""
        if self._facts is not None:
            return self._facts[0]
        return (self._source.etag or None) if self._is_told_apart() else None


def _may_be_of_one(failure: CosFailure, left_out: int) -> bool:
    """Whether a failure of several rules may be one rule's."""
    if failure.code == "MissingFromAnswer":
        return left_out > 1
    return not failure.retryable and failure.code not in _OF_THE_WHOLE


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
    named = [result for result in results if fileids.same_key(result.key, derivative.key)]
    at_home = [result for result in named if result.location.startswith(derivative.bucket + ".")]
    return next(iter(at_home or named), None)
