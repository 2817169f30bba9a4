"""How a job is refused or fails: CI's own codes with their numbers (CI 9.4; the HTTP statuses are not documented)."""

from __future__ import annotations

from coslocal.wire.errors import CosError

NUMBERS = {
    "InternalError": 1007,
    "InvalidUrl": 1010,
    "InvalidContent": 1011,
    "InvalidArgument": 1015,
    "AccessDenied": 1018,
    "SlowDown": 1020,
    "ResourceNotFound": 1103,
    "QueueNotFound": 1106,
    "TemplateNotFound": 1107,
    "MediaBucketUnBinded": 1111,
    "WriteTargetBucketDenied": 1124,
}
_STATUSES = {"ResourceNotFound": 404, "QueueNotFound": 404, "TemplateNotFound": 404, "InternalError": 500}
_DENIED = ("AccessDenied", "MediaBucketUnBinded", "WriteTargetBucketDenied")

# What processing says (CI 9.1) -> what a job says.
_OF_IMAGES = {
    "InvalidPicOperations": "InvalidArgument",
    "InvalidImageFormat": "InvalidContent",
    "InvalidImageSource": "InvalidContent",
    "ImageTooLarge": "InvalidContent",
    "ImageResolutionExceed": "InvalidContent",
    "NoSuchBucket": "WriteTargetBucketDenied",
    "NoSuchKey": "ResourceNotFound",
}


class JobError(CosError):
    """A request that is refused, or why a job failed: `code` is one of NUMBERS."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = 403 if code in _DENIED else _STATUSES.get(code, 400)


def invalid(message: str) -> JobError:
    return JobError("InvalidArgument", message)


def as_job_code(code: str) -> str:
    """The job's code for an error of COS or of processing."""
    found = _OF_IMAGES.get(code, code)
    return found if found in NUMBERS else "InternalError"
