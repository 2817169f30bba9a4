"""At upload too: the same plan, sent as the Pic-Operations header of the PUT.

Not imported by the function's handler; for the command line and for programs that upload.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any, Optional, Union

import msgspec

from derivo.ci import limits
from derivo.clock import Clock, Deadline, SystemClock
from derivo.cos import Cos, CosFailure, Processed
from derivo.derive import Upload, derive
from derivo.events import Source
from derivo.follow import follow
from derivo.matching import RuleSetIndex
from derivo.outcomes import Work
from derivo.plan import Plan, plan
from derivo.standing import UPLOAD_MARK

# One PUT may take long on a thin line; each call of COS after it is short.
_UPLOAD_SECONDS = 900.0


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What `put_image` did: the plan, its outcomes, and how the bytes went (`put`, `parts`)."""

    plan: Plan
    work: Work
    way: str


def put_image(
    file: Union[str, Path],
    *,
    bucket: str,
    key: str,
    region: str,
    client: Cos,
    rule_sets: RuleSetIndex,
    content_type: Optional[str] = None,
    clock: Optional[Clock] = None,
) -> Uploaded:
    """Upload an image file and make its derivatives, in one request where COS allows it.

    The source carries `x-cos-meta-derivo: <plan digest>`, so that the function does not pay for the same work again.
    Up to CI's size limit the derivatives come with the PUT; above it the file goes up in parts and is processed then.
    When processing fails the source is stored all the same. Raises CosFailure when the source itself cannot be stored,
    OSError when the file cannot be read.
    """
    path = Path(file)
    size = path.stat().st_size
    made = plan(Source(bucket=bucket, region=region, key=key, size=size), rule_sets)
    deadline = Deadline(clock or SystemClock(), _UPLOAD_SECONDS, longest_call=_UPLOAD_SECONDS)
    upload = _Upload(path, made, client, deadline, _content_type(path, content_type))
    if size > limits.SOURCE_BYTES:
        upload.in_parts()
        way, work = "parts", derive(made, client, deadline)
    else:
        way, work = "put", upload.with_processing()
    if work.gone and follow(made.source, rule_sets, client, deadline).returned is not None:
        # removed by somebody while its derivatives were written, and back again
        work = derive(made, client, deadline)
    return Uploaded(plan=made, work=work, way=way)


class _Upload:
    """One source on its way up."""

    def __init__(self, path: Path, made: Plan, client: Cos, deadline: Deadline, content_type: str) -> None:
        self._path = path
        self._plan = made
        self._client = client
        self._deadline = deadline
        self._headers: dict[str, Any] = {"ContentType": content_type}

    def with_processing(self) -> Work:
        """PUT with the first request's rules; what that did not make is then processed in the cloud, and so is all
        where COS must first be asked how it reads a key."""
        first = self._plan.requests[0] if self._plan.requests else None
        if any(
            self._client.fileids.is_open(d.key) or self._client.fileids.refuses(d.key) for d in self._plan.derivatives
        ):
            first = None
        answer: Optional[Processed] = None
        try:
            answer = self._put(first.pic_operations if first else None)
        except CosFailure:
            if first is None:
                raise
            # CI 1.6: whether COS keeps the source when processing fails is not documented; a second PUT is certain
            self._put(None)
        made = Upload(request=first, answer=answer) if first is not None and answer is not None else None
        return derive(self._plan, self._client, self._deadline, upload=made)

    def in_parts(self) -> None:
        source = self._plan.source
        self._client.upload_in_parts(
            bucket=source.bucket,
            region=source.region,
            key=source.key,
            path=str(self._path),
            headers=self._headers,
            timeout=self._deadline.call_timeout() or 1.0,
        )

    def _put(self, pic_operations: Optional[str]) -> Optional[Processed]:
        source = self._plan.source
        headers = self._headers
        if pic_operations is not None:
            # only a source whose own request makes derivatives may say so
            headers = {**headers, "Metadata": {UPLOAD_MARK: self._plan.digest}}
        with self._path.open("rb") as body:
            return self._client.put(
                bucket=source.bucket,
                region=source.region,
                key=source.key,
                body=body,
                headers=headers,
                pic_operations=pic_operations,
                timeout=self._deadline.call_timeout() or 1.0,
            )


def _content_type(path: Path, told: Optional[str]) -> str:
    return told or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
