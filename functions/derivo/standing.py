"""What need not be made, because it is proved to stand: by the uploader's mark, by a manifest, or by what an earlier
try of the event made. Proofs are looked for where they cost nothing when there are none; whatever cannot be looked at
is made again, which is harmless (law 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional, Union

import msgspec

from derivo import manifest
from derivo.calls import Calls
from derivo.cos import CosFailure, Head, Processed
from derivo.manifest import Made, ManifestDerivative
from derivo.outcomes import Outcome, skipped
from derivo.plan import Plan, Planned, PlannedManifest

# What `derivo put` leaves on the source: the digest of the plan that was carried out with the upload.
UPLOAD_MARK = "x-cos-meta-derivo"


class Proved(msgspec.Struct):
    """What stands: outcomes of derivatives; the source's facts and ETag as manifests tell them; the bytes of every
    manifest that was looked at, None where there is none; `gone` when there is no source."""

    outcomes: dict[Planned, Outcome] = msgspec.field(default_factory=dict)
    source: Optional[Processed] = None
    manifests: dict[PlannedManifest, Optional[bytes]] = msgspec.field(default_factory=dict)
    gone: bool = False


def proved(plan: Plan, calls: Calls, earlier: Sequence[Made] = ()) -> Proved:
    """What stands of a plan. One HEAD for each derivative that the mark, a manifest or `earlier`, what earlier tries
    made, speaks for; one GET a manifest, where the event told the source's ETag, and else one HEAD of the source for
    `earlier`."""
    if plan.source.meta.get(UPLOAD_MARK) == plan.digest:
        return _derived_at_upload(plan, calls)
    found = Proved()
    if plan.source.etag is not None:
        for wanted in plan.manifests:
            _by_manifest(plan, wanted, calls, found)
    _by_earlier_tries(plan, earlier, calls, found)
    return found


def _by_manifest(plan: Plan, wanted: PlannedManifest, calls: Calls, found: Proved) -> None:
    """Skip what the manifest says was made of this very source, by the same rule, and what still stands as it says."""
    data = calls.get(wanted.bucket, wanted.key)
    if isinstance(data, CosFailure):
        return
    found.manifests[wanted] = data
    known = manifest.decode(data) if data else None
    source = plan.source
    if known is None or (known.source.bucket, known.source.key) != (source.bucket, source.key):
        return
    if (known.source.etag, known.source.size) == (source.etag, source.size):
        told = Made(source=known.source, derivatives=known.derivatives)
        _take((d for d in plan.derivatives if d.rule_set == wanted.rule_set), told, calls, found)


def _by_earlier_tries(plan: Plan, earlier: Sequence[Made], calls: Calls, found: Proved) -> None:
    """Skip what an earlier try made of this very source, by the same rule, and what still stands as it left it."""
    source = plan.source
    etag = source.etag
    if etag is None and earlier:
        head = calls.head(source.bucket, source.key)
        etag = head.etag if isinstance(head, Head) else None
    for told in earlier:
        if (told.source.bucket, told.source.key, told.source.etag) == (source.bucket, source.key, etag):
            _take((d for d in plan.derivatives if d not in found.outcomes), told, calls, found)


def _take(derivatives: Iterable[Planned], told: Made, calls: Calls, found: Proved) -> None:
    made = {(item.bucket, item.key, item.spec): item for item in told.derivatives}
    for derivative in derivatives:
        item = made.get((derivative.bucket, derivative.key, derivative.spec))
        if item is not None and _stands(item, calls):
            found.outcomes[derivative] = _up_to_date(derivative, item)
            found.source = _facts(told)


def _stands(item: ManifestDerivative, calls: Calls) -> bool:
    head = calls.head(item.bucket, item.key)
    return isinstance(head, Head) and (head.etag, head.size) == (item.etag, item.size)


def _up_to_date(derivative: Planned, item: ManifestDerivative) -> Outcome:
    return msgspec.structs.replace(
        skipped(derivative, "up_to_date"),
        format=item.format,
        width=item.width,
        height=item.height,
        size=item.size,
        etag=item.etag,
    )


def _facts(told: Made) -> Processed:
    source = told.source
    return Processed(
        etag=source.etag,
        format=source.format,
        width=source.width,
        height=source.height,
        color=source.color,
        orientation=source.orientation,
    )


def _derived_at_upload(plan: Plan, calls: Calls) -> Proved:
    """What the uploader's own request made, where that is proved: the source that the event told of still stands and
    carries the mark, and each derivative is no older than it (derivatives of a source before it may stand too, when the
    uploader broke off, or when the mark came with a copy). Where manifests are wanted it is all or none: a manifest is
    written of what one run has seen, so each must name what stands."""
    source = calls.head(plan.source.bucket, plan.source.key)
    if source is None:
        return Proved(gone=True)
    if not isinstance(source, Head) or not _is_announced(plan, source):
        return Proved()
    standing: dict[Planned, Head] = {}
    for derivative in plan.derivatives:
        head = calls.head(derivative.bucket, derivative.key)
        if isinstance(head, Head) and head.size > 0 and head.modified >= source.modified:
            standing[derivative] = head
    complete = len(standing) == len(plan.derivatives)
    if plan.manifests and not (
        complete and all(_is_told(plan, wanted, source, standing, calls) for wanted in plan.manifests)
    ):
        return Proved()
    return Proved(outcomes={derivative: skipped(derivative, "derived_at_upload") for derivative in standing})


def _is_announced(plan: Plan, source: Head) -> bool:
    """Whether this is the source that the event told of, as its uploader's own processing left it."""
    event = plan.source
    if source.meta.get(UPLOAD_MARK) != plan.digest or not source.modified:
        return False
    if event.etag is not None:
        return event.etag == source.etag
    return event.event_time is None or source.modified <= event.event_time


def _is_told(plan: Plan, wanted: PlannedManifest, source: Head, standing: dict[Planned, Head], calls: Calls) -> bool:
    """Whether the manifest stands and tells of this source and these derivatives, by ETag."""
    data: Union[bytes, CosFailure, None] = calls.get(wanted.bucket, wanted.key)
    found = manifest.decode(data) if isinstance(data, bytes) else None
    here = (plan.source.bucket, plan.source.key)
    return (
        found is not None
        and (found.source.etag, found.source.size) == (source.etag, source.size)
        and all(
            manifest.proves(found, here, derivative, head.etag)
            for derivative, head in standing.items()
            if derivative.rule_set == wanted.rule_set
        )
    )
