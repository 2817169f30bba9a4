"""COS's errors: one class a wire code, rendered as the documented XML (COS 5, Error)."""

from __future__ import annotations


class CosError(Exception):
    """What an operation raises to refuse a request.

    `code` and `status` are the wire's; `message` may be made more exact when raised. `headers` go with the answer.
    """

    code = "InternalError"
    status = 500
    message = "We encountered an internal error. Please try again"

    def __init__(self, message: str | None = None, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.message = message or type(self).message
        self.headers = headers
        super().__init__(self.message)


class InternalError(CosError):
    """A bug of coslocal; its log has the traceback."""


class AccessDenied(CosError):
    code, status, message = "AccessDenied", 403, "Access Denied."


class BadDigest(CosError):
    code, status = "BadDigest", 400
    message = "The Content-MD5 you specified did not match what we received"


class BucketAlreadyExists(CosError):
    code, status = "BucketAlreadyExists", 409
    message = "The requested bucket name already exists in another region"


class BucketAlreadyOwnedByYou(CosError):
    code, status, message = "BucketAlreadyOwnedByYou", 409, "The bucket you are creating already exists and is yours"


class BucketNotEmpty(CosError):
    code, status, message = "BucketNotEmpty", 409, "The bucket you tried to delete is not empty"


class EntityTooLarge(CosError):
    code, status, message = "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"


class EntityTooSmall(CosError):
    code, status = "EntityTooSmall", 400
    message = "Your proposed upload is smaller than the minimum allowed size"


class IncompleteBody(CosError):
    code, status = "IncompleteBody", 400
    message = "You did not provide the number of bytes specified by the Content-Length header"


class InvalidAccessKeyId(CosError):
    code, status = "InvalidAccessKeyId", 403
    message = "The Access Key Id you provided does not exist in our records"


class InvalidArgument(CosError):
    code, status, message = "InvalidArgument", 400, "Invalid Argument"


class InvalidBucketName(CosError):
    code, status, message = "InvalidBucketName", 400, "The specified bucket is not valid"


class InvalidDigest(CosError):
    code, status, message = "InvalidDigest", 400, "The Content-MD5 you specified is not valid"


class InvalidObjectState(CosError):
    code, status = "InvalidObjectState", 403
    message = "The operation is not valid for the object's storage class: restore it first"


class InvalidPart(CosError):
    code, status = "InvalidPart", 400
    message = "One or more of the specified parts could not be found, or its ETag does not match"


class InvalidPartOrder(CosError):
    code, status, message = "InvalidPartOrder", 400, "The list of parts was not in ascending order"


class InvalidPicOperations(CosError):
    code, status, message = "InvalidPicOperations", 400, "The Pic-Operations header is invalid"


class InvalidRange(CosError):
    code, status, message = "InvalidRange", 416, "The requested range cannot be satisfied"


class InvalidRequest(CosError):
    code, status, message = "InvalidRequest", 400, "The request is not valid"


class InvalidTag(CosError):
    code, status, message = "InvalidTag", 400, "The tag is not valid"


class InvalidURI(CosError):
    code, status, message = "InvalidURI", 400, "Could not parse the specified URI"


class KeyTooLong(CosError):
    code, status, message = "KeyTooLong", 400, "Your key is too long"


class MalformedPOSTRequest(CosError):
    code, status = "MalformedPOSTRequest", 400
    message = "The body of your POST request is not well-formed multipart/form-data"


class MalformedPolicy(CosError):
    code, status, message = "MalformedPolicy", 400, "The policy is not a well-formed JSON document"


class MalformedXML(CosError):
    code, status, message = "MalformedXML", 400, "The XML you provided was not well-formed"


class MethodNotAllowed(CosError):
    code, status = "MethodNotAllowed", 405
    message = "The specified method is not allowed against this resource"


class MissingContentLength(CosError):
    code, status, message = "MissingContentLength", 411, "You must provide the Content-Length HTTP header"


class MissingContentMD5(CosError):
    code, status, message = "InvalidRequest", 400, "Missing required header for this request: Content-MD5"


class NoSuchBucket(CosError):
    code, status, message = "NoSuchBucket", 404, "The specified bucket does not exist"


class NoSuchConfiguration(CosError):
    """`named` gives the code its sub-resource's own name: NoSuchCORSConfiguration."""

    code, status, message = "NoSuchConfiguration", 404, "The specified configuration does not exist"

    def __init__(self, code: str | None = None) -> None:
        super().__init__()
        self.code = code or type(self).code


class NoSuchKey(CosError):
    code, status, message = "NoSuchKey", 404, "The specified key does not exist"


class NoSuchUpload(CosError):
    code, status, message = "NoSuchUpload", 404, "The specified multipart upload does not exist"


class NoSuchVersion(CosError):
    code, status, message = "NoSuchVersion", 404, "The specified version does not exist"


class NotOffered(CosError):
    code, status, message = "NotImplemented", 501, "coslocal does not offer this operation"


class ObjectNotAppendable(CosError):
    code, status, message = "ObjectNotAppendable", 409, "The object is not appendable"


class PositionNotEqualToLength(CosError):
    code, status = "PositionNotEqualToLength", 409
    message = "The position is not equal to the length of the object"


class PreconditionFailed(CosError):
    code, status = "PreconditionFailed", 412
    message = "At least one of the preconditions you specified did not hold"


class RequestTimeout(CosError):
    code, status = "RequestTimeout", 400
    message = "Your connection to the server was not read from or written to within the timeout period"


class RequestTimeTooSkewed(CosError):
    code, status = "RequestTimeTooSkewed", 403
    message = "The difference between the request time and the current time is too large"


class SignatureDoesNotMatch(CosError):
    code, status = "SignatureDoesNotMatch", 403
    message = "The Signature you specified is invalid"


class SlowDown(CosError):
    code, status, message = "SlowDown", 503, "Reduce your request rate"


class TooManyStyles(CosError):
    code, status, message = "InvalidArgument", 400, "A bucket holds 100 styles at most"
