"""Following the source: when it is removed, its derivatives go, where the rule set says `on_remove: delete`.

Only what is proved to be ours goes (law 7): an object that the source's manifest names, with the ETag it names; or one
whose key holds the digest of the rule that makes it. Only when the source is really gone, and never a key that some
rule set takes for a source. Removals come late, twice and out of order like everything else (law 4): the source is
looked at before, and again after.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional, Union

import msgspec

from derivo import keys, manifest
from derivo.clock import Deadline
from derivo.cos import Cos, CosFailure, Head
from derivo.events import Source
from derivo.matching import RuleSetIndex
from derivo.plan import MANIFEST, PlannedManifest, key_of, manifest_of
from derivo.rulesets import DELETE, RuleSet

REMOVED = "removed"
KEPT = "kept"
ABSENT = "absent"


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one derivative of a removed source: removed; absent, since it was gone already; kept with its
    reason (`no_provenance`, `changed_since`, `is_a_source`; a manifest: `proves_the_rest`); or failed with a code."""

    rule_set: str
    name: str
    bucket: str
    key: str
    status: str
    reason: str = ""
    retryable: bool = False


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` tells why nothing was done: `on_remove_keep` or `source_stands`. `returned` is the source as it stands
    now, when it came back while its derivatives were removed, so that they must be made again."""

    fates: tuple[Fate, ...] = ()
    reason: str = ""
    returned: Optional[Source] = None


def follow(source: Source, index: RuleSetIndex, cos: Cos, deadline: Deadline) -> Followed:
    """Remove the derivatives of a removed source. Never raises for what COS does."""
    wanted = _following(source, index)
    if not wanted:
        return Followed(reason="on_remove_keep")
    run = _Following(source, index, cos, deadline)
    stands = run.look(source.bucket, source.key)
    if isinstance(stands, CosFailure):
        return Followed(fates=tuple(run.failed(r, stands) for r in wanted))
    if stands is not None:
        # a try that broke off may have removed some before the source came back
        lacks = any(run.lacks(rule_set, stands) for rule_set in wanted)
        return Followed(reason="source_stands", returned=_as_it_stands(source, stands) if lacks else None)
    fates = tuple(fate for rule_set in wanted for fate in run.remove_all(rule_set))
    back = run.look(source.bucket, source.key) if any(fate.status == REMOVED for fate in fates) else None
    return Followed(fates=fates, returned=_as_it_stands(source, back) if back is not None else None)


def follows(source: Source, index: RuleSetIndex) -> bool:
    """Whether any derivative of the source goes when it goes."""
    return bool(_following(source, index))


def _following(source: Source, index: RuleSetIndex) -> list[RuleSet]:
    return [rule_set for rule_set in index.matching(source) if rule_set.on_remove == DELETE]


def _as_it_stands(source: Source, head: Union[Head, CosFailure]) -> Source:
    """The source that came back; when it could not be looked at, without its facts."""
    size, etag = (head.size, head.etag) if isinstance(head, Head) else (None, None)
    return msgspec.structs.replace(source, other_key=None, size=size, etag=etag, meta={})


class _Following:
    def __init__(self, source: Source, index: RuleSetIndex, cos: Cos, deadline: Deadline) -> None:
        self._source = source
        self._index = index
        self._cos = cos
        self._deadline = deadline

    def failed(self, rule_set: RuleSet, failure: CosFailure) -> Fate:
        """One fate for a rule set whose derivatives could not even be looked for."""
        return Fate(
            rule_set=rule_set.name,
            name="",
            bucket=self._source.bucket,
            key=self._source.key,
            status="failed",
            reason=failure.code,
            retryable=failure.retryable,
        )

    def look(self, bucket: str, key: str) -> Union[Head, CosFailure, None]:
        try:
            return self._cos.head(bucket=bucket, region=self._source.region, key=key, timeout=self._timeout())
        except CosFailure as failure:
            return failure

    def lacks(self, rule_set: RuleSet, source: Head) -> bool:
        """Whether something that the rule set makes of the source does not stand, or its manifest tells of another
        source, or that cannot be looked at."""
        places = [(d.bucket or self._source.bucket, key_of(d, self._source.key)) for d in rule_set.derivatives]
        if not all(isinstance(self.look(bucket, key), Head) for bucket, key in places):
            return True
        wanted = manifest_of(rule_set, self._source)
        try:
            known = self._read(wanted) if wanted is not None else None
        except CosFailure:
            return True
        return wanted is not None and (
            known is None or (known.source.etag, known.source.size) != (source.etag, source.size)
        )

    def remove_all(self, rule_set: RuleSet) -> Iterator[Fate]:
        """The fate of everything that the rule set's manifest names, and of what the rule set would make today."""
        wanted = manifest_of(rule_set, self._source)
        known: Optional[manifest.Manifest] = None
        if wanted is not None:
            try:
                known = self._read(wanted)
            except CosFailure as failure:
                yield self.failed(rule_set, failure)
                return
        named = {(made.bucket, made.key): made for made in known.derivatives} if known else {}
        fates = [self._remove(rule_set, made.name, made.bucket, made.key, made.etag) for made in named.values()]
        for derivative in rule_set.derivatives:
            place = (derivative.bucket or self._source.bucket, key_of(derivative, self._source.key))
            if place not in named:
                by_name = any(isinstance(p, keys.Variable) and p.name == keys.SPEC for p in derivative.to.parts)
                fates.append(self._remove(rule_set, derivative.name, *place, None if by_name else ""))
        yield from fates
        if wanted is not None and known is not None:
            # last, so that a run that broke off can still prove what is left
            if all(fate.status in (REMOVED, ABSENT) for fate in fates):
                yield self._delete(rule_set, MANIFEST, wanted.bucket, wanted.key)
            else:
                yield Fate(
                    rule_set=rule_set.name,
                    name=MANIFEST,
                    bucket=wanted.bucket,
                    key=wanted.key,
                    status=KEPT,
                    reason="proves_the_rest",
                )

    def _remove(self, rule_set: RuleSet, name: str, bucket: str, key: str, etag: Optional[str]) -> Fate:
        """`etag`: what the object must have; None: the key itself proves it; "": nothing does."""
        fate = Fate(rule_set=rule_set.name, name=name, bucket=bucket, key=key, status=REMOVED)
        standing = self.look(bucket, key)
        if isinstance(standing, CosFailure):
            return self._of_failure(fate, standing)
        if standing is None:
            return msgspec.structs.replace(fate, status=ABSENT)
        if etag is not None and standing.etag != etag:
            return msgspec.structs.replace(fate, status=KEPT, reason="changed_since" if etag else "no_provenance")
        if self._index.matching(Source(bucket=bucket, region=self._source.region, key=key)):
            return msgspec.structs.replace(fate, status=KEPT, reason="is_a_source")
        return self._delete(rule_set, name, bucket, key)

    def _delete(self, rule_set: RuleSet, name: str, bucket: str, key: str) -> Fate:
        fate = Fate(rule_set=rule_set.name, name=name, bucket=bucket, key=key, status=REMOVED)
        try:
            self._cos.delete(bucket=bucket, region=self._source.region, key=key, timeout=self._timeout())
        except CosFailure as failure:
            return self._of_failure(fate, failure)
        return fate

    def _of_failure(self, fate: Fate, failure: CosFailure) -> Fate:
        return msgspec.structs.replace(fate, status="failed", reason=failure.code, retryable=failure.retryable)

    def _read(self, wanted: PlannedManifest) -> Optional[manifest.Manifest]:
        data = self._cos.get(bucket=wanted.bucket, region=self._source.region, key=wanted.key, timeout=self._timeout())
        found = manifest.decode(data) if data is not None else None
        if found is None or (found.source.bucket, found.source.key) != (self._source.bucket, self._source.key):
            return None
        return found

    def _timeout(self) -> float:
        timeout = self._deadline.call_timeout()
        if timeout is None:
            raise CosFailure("Deadline", "the time left was too short for another call")
        return timeout
