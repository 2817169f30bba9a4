"""One pic job: its rule on its object, the result stored under its output (CI 1.8)."""

from __future__ import annotations

import logging

import msgspec

from coslocal.ci.types import ImageError
from coslocal.core import Core
from coslocal.http import Headers, Request
from coslocal.jobs.errors import JobError, as_job_code, invalid
from coslocal.jobs.types import FAILED, SUCCESS, Outcome, PicJob
from coslocal.operations import encryption
from coslocal.operations.call import Call
from coslocal.storage.types import BlobGone, Bucket, BucketGone
from coslocal.wire.address import Address, Host, Parameters
from coslocal.wire.errors import CosError
from derivo.ci import limits

_log = logging.getLogger("coslocal.jobs")
BUG = "A bug of coslocal; its log has the traceback"


def run(app: Core, job: PicJob) -> PicJob:
    """The job at its end: never an exception."""
    try:
        outcome = _process(app, job)
    except (CosError, ImageError) as error:
        code, message = as_job_code(error.code), error.message
    except BucketGone:
        code, message = "WriteTargetBucketDenied", "The bucket is gone"
    except Exception:
        _log.exception("bug in job %s", job.id)
        code, message = "InternalError", BUG
    else:
        return msgspec.structs.replace(job, state=SUCCESS, result=outcome, ended=app.clock())
    return msgspec.structs.replace(job, state=FAILED, code=code, message=message, ended=app.clock())


def _process(app: Core, job: PicJob) -> Outcome:
    from coslocal.ci import persist  # libvips is loaded by the first job only

    wish = job.wish
    check_output(wish.output.object)
    target = persist.Target(
        target_bucket(app, wish.output.bucket, wish.output.region), wish.output.object, wish.rule.text
    )
    call = _as_call(app, job)
    while True:
        source = app.store.get(job.bucket, job.key)
        if source is None:
            raise JobError("ResourceNotFound", f"There is no object {job.key}")
        encryption.check(call, source.headers)
        try:
            prepared = persist.render_on(app, source, [target], info=wish.rule.pic_info)
            break
        except BlobGone:
            if app.store.get(job.bucket, job.key) == source:
                raise
    result = prepared.store(app, call)
    return Outcome(original=_plain(result.original), results=_plain(result.results))


def check_output(key: str) -> None:
    """Raises JobError for what is no key of a file."""
    if not key or key.endswith("/"):
        raise invalid("Output.Object must end in a file name")
    if len(key.encode("utf-8", "surrogateescape")) > limits.KEY_BYTES:
        raise invalid(f"Output.Object has more than {limits.KEY_BYTES} bytes")


def target_bucket(app: Core, name: str, region: str) -> Bucket:
    """The bucket of an output. Raises JobError."""
    bucket = app.store.bucket(name)
    if bucket is None:
        raise JobError("WriteTargetBucketDenied", f"There is no bucket {name} to write to")
    if bucket.region != region:
        raise invalid(f"Output.Region: the bucket {name} lies in {bucket.region}, not in {region}")
    return bucket


def _plain(fields: object) -> list[object]:
    """Fields as lists, as JSON will have them."""
    found: list[object] = msgspec.to_builtins(fields)
    return found


def _as_call(app: Core, job: PicJob) -> Call:
    """The job in the place of a request, for what is stored and announced."""
    host = Host(kind="ci", bucket=job.bucket, region=job.region)
    name = f"{job.bucket}.ci.{job.region}.myqcloud.com"
    path = f"/pic_jobs/{job.id}"
    return Call(
        app=app, request=Request("POST", path, Headers()),
        address=Address(host=host, name=name, authority=name, path=path, parameters=Parameters("")),
        operation="run_pic_job", bucket=job.bucket, key=job.key, principal=None, signed=frozenset(),
        request_id=job.id, now=app.clock(),
    )  # fmt: skip
