"""Failure records: one small JSON object for a source whose derivatives could not be made, so that nothing is dropped
silently after the platform's last retry. Pure. `derivo status` counts them, `derivo replay` feeds them back.
"""

from __future__ import annotations

from typing import Optional

import msgspec

from derivo import __version__, ownobjects
from derivo.events import Source
from derivo.manifest import Made, made
from derivo.outcomes import FAILED, Work

FORMAT = 1


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One derivative that failed; `code` is of outcomes.CODES or COS's own; `instead` is the key that COS wrote in its
    place, by mistake."""

    rule_set: str
    name: str
    bucket: str
    key: str
    code: str
    retryable: bool
    message: str = ""
    instead: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`failure` is the version of this format; `source` is enough to process it again; `invocation` finds its log;
    `made` is what need not be made again, where something was made."""

    failure: int
    derivo: str
    source: Source
    invocation: str
    failures: tuple[Failure, ...]
    made: Optional[Made] = None


def build(source: Source, work: Work, invocation: str) -> Optional[bytes]:
    """The record as UTF-8 JSON, or None when nothing failed. The uploader's metadata is not kept."""
    failures = tuple(
        Failure(
            rule_set=outcome.derivative.rule_set,
            name=outcome.derivative.name,
            bucket=outcome.derivative.bucket,
            key=outcome.derivative.key,
            code=outcome.code,
            retryable=outcome.retryable,
            message=outcome.message,
            instead=outcome.instead,
        )
        for outcome in work.outcomes
        if outcome.status == FAILED
    )
    if not failures:
        return None
    known = made(source, work)
    record = Record(
        failure=FORMAT,
        derivo=__version__,
        source=msgspec.structs.replace(source, meta={}),
        invocation=invocation,
        failures=failures,
        made=known if known.derivatives else None,
    )
    return ownobjects.encode(record)


def parse(data: bytes) -> Optional[Record]:
    """The record, or None when the bytes are none."""
    return ownobjects.decode(data, Record, "failure", FORMAT)
