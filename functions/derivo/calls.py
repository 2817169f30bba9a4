"""The calls of one run: each with the time-out that is left, within the budget, counted. What COS does is a value here,
never an exception."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Optional, Union

from derivo.breaker import Budget
from derivo.clock import Deadline
from derivo.cos import Cos, CosFailure, Head, Processed
from derivo.events import Source
from derivo.fileids import Fileids

# How often one request is sent in an invocation while its failures are retryable and time is left.
MOST_TRIES = 4

# Retryable, but not by waiting a little in this invocation.
_OF_THIS_MINUTE = frozenset(["Deadline", "BudgetExceeded"])


class Calls:
    """COS, for the work on one source. `processed` and `heads` count, and `unheard` what nobody answered and may still
    write where others write; `request_ids` are those of processing calls."""

    def __init__(self, source: Source, cos: Cos, deadline: Deadline, budget: Optional[Budget]) -> None:
        self._source = source
        self._cos = cos
        self._deadline = deadline
        self._budget = budget
        self.processed = 0
        self.heads = 0
        self.unheard = 0
        self.request_ids: list[str] = []

    @property
    def fileids(self) -> Fileids:
        return self._cos.fileids

    def try_again(self, failure: CosFailure, attempt: int) -> bool:
        """After a failed attempt, counted from 1: whether another is due, once it has been waited for."""
        return (
            failure.retryable
            and failure.code not in _OF_THIS_MINUTE
            and attempt < MOST_TRIES
            and self._deadline.back_off(attempt)
        )

    def process(self, pic_operations: str, *, spoken: bool = False) -> Union[Processed, CosFailure]:
        """`spoken`: its fileids are in the form that this COS is to read already."""
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return _too_late()
        if self._budget is not None and not self._budget.spend():
            return CosFailure("BudgetExceeded", "more calls this minute than DERIVO_MAX_REQUESTS_PER_MINUTE allows")
        self.processed += 1
        source = self._source
        try:
            answer = self._cos.process(
                bucket=source.bucket,
                region=source.region,
                key=source.key,
                pic_operations=pic_operations,
                timeout=timeout,
                spoken=spoken,
            )
        except CosFailure as failure:
            self.note(failure.request_id)
            self.unheard += failure.unheard and not spoken  # a question has a folder of its own
            return failure
        self.note(answer.request_id)
        return answer

    def note(self, request_id: str) -> None:
        """Keep the id of a processing call, for the log."""
        if request_id:
            self.request_ids.append(request_id)

    def head(self, bucket: str, key: str) -> Union[Head, CosFailure, None]:
        """What stands there; None: nothing. A failure that time may mend is waited out once."""
        found = self._look(bucket, key)
        if isinstance(found, CosFailure) and found.retryable and self._deadline.back_off(1):
            return self._look(bucket, key)
        return found

    def _look(self, bucket: str, key: str) -> Union[Head, CosFailure, None]:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return _too_late()
        self.heads += 1
        try:
            return self._cos.head(bucket=bucket, region=self._source.region, key=key, timeout=timeout)
        except CosFailure as failure:
            return failure

    def get(self, bucket: str, key: str) -> Union[bytes, CosFailure, None]:
        """A small object of Derivo's own; None: there is none, or it is too large to be one."""
        timeout = self._deadline.call_timeout()
        if timeout is None:
            return _too_late()
        try:
            return self._cos.get(bucket=bucket, region=self._source.region, key=key, timeout=timeout)
        except CosFailure as failure:
            return failure

    def put(
        self, bucket: str, key: str, body: bytes, headers: dict[str, Any], *, least: Optional[float] = None
    ) -> Optional[CosFailure]:
        """Write a small object of Derivo's own. A failure that time may mend is waited out once. `least`: the time-out
        in seconds when none is left, for what must be told even then."""
        failure = self._put(bucket, key, body, headers, least)
        if failure is not None and failure.retryable and self._deadline.back_off(1):
            return self._put(bucket, key, body, headers, least)
        return failure

    def _put(
        self, bucket: str, key: str, body: bytes, headers: dict[str, Any], least: Optional[float]
    ) -> Optional[CosFailure]:
        timeout = self._deadline.call_timeout() or least
        if timeout is None:
            return _too_late()
        try:
            self._cos.put(
                bucket=bucket, region=self._source.region, key=key, body=body, headers=headers, timeout=timeout
            )
        except CosFailure as failure:
            self.unheard += failure.unheard
            return failure
        return None

    def clear_away(self, bucket: str, key: str) -> None:
        """Delete something of our own that nobody misses, if that can be done."""
        timeout = self._deadline.call_timeout()
        if timeout is not None:
            with suppress(CosFailure):
                self._cos.delete(bucket=bucket, region=self._source.region, key=key, timeout=timeout)


def _too_late() -> CosFailure:
    return CosFailure("Deadline", "the time left was too short for another call")
