"""The one module that imports the SDK: COS calls with time-outs, and answers made of plain values.

Failures of every kind become a CosFailure with a code of outcomes.CODES. What the SDK hands back raw (dict or list or
None, `<Error>` under 200, a body that is no XML; COS 6) is normalised here and nowhere else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, Optional, Union

import msgspec
from qcloud_cos import CosClientError, CosConfig, CosS3Client, CosServiceError
from requests import Session
from requests.exceptions import RequestException

from derivo.ci import limits
from derivo.connections import session
from derivo.fileids import Fileids
from derivo.outcomes import NUMBERS, is_retryable
from derivo.settings import Settings

# Law 9: the SDK logs whole URLs at INFO and Authorization values at DEBUG (COS 6). Nothing of it is let out.
_sdk_log = logging.getLogger("qcloud_cos")
_sdk_log.setLevel(logging.CRITICAL + 1)
_sdk_log.propagate = False

_CONNECT_SECONDS = 5.0
_CLIENTS = 16

MOST_CONNECTIONS = 64
"""How many connections to one host are kept: as many as threads may use it at once. One is opened when it is needed."""

_CODE = re.compile(r"<Code>\s*([\w.-]{1,60})\s*</Code>")


# What requests calls it when nothing was sent, and when the answer broke off that COS gives when it is done.
_HEARD = frozenset(["ConnectTimeout", "ChunkedEncodingError"])


class CosFailure(Exception):
    """A call of COS that did not do what was asked. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, code: str, message: str = "", *, status: int = 0, request_id: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id

    @property
    def retryable(self) -> bool:
        return is_retryable(self.code, self.status)

    @property
    def unheard(self) -> bool:
        """Whether COS may be at work still, since nobody heard how it ended."""
        return self.status in (502, 504) or (self.code == "NetworkError" and self.message not in _HEARD)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One object that CI says it wrote: pixels, bytes, ETag without quotes; 0 or "" where CI did not say."""

    key: str
    location: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    size: int = 0
    etag: str = ""


class Processed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one processing call: the source's facts and every result that CI names."""

    etag: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    color: str = ""
    orientation: int = 0
    results: tuple[Result, ...] = ()
    request_id: str = ""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a HEAD tells. `meta` has lower-case names; `modified` is unix seconds, 0 when COS did not say."""

    etag: str
    size: int
    meta: Mapping[str, str]
    modified: int = 0


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a listing; `modified` as COS writes it, such as `2026-11-22T07:00:00.000Z`."""

    key: str
    size: int
    etag: str
    modified: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a listing; `next` is where the following one begins (see `after`), None when this is the last."""

    objects: tuple[Listed, ...]
    next: Optional[str] = None


class Cos:
    """COS as Derivo uses it. A warm instance keeps it while its `settings` hold, and its connections with it."""

    def __init__(self, settings: Settings, fileids: Optional[Fileids] = None) -> None:
        """`fileids` is what a warm instance has learned of this COS. Raises SettingsError without credentials."""
        settings.require_credentials()
        self.settings = settings
        self._sessions: dict[str, Session] = {}
        self._clients: dict[tuple[str, float, int], CosS3Client] = {}
        self.fileids = fileids or Fileids(settings.fileid_encoding, settings.fileid_path)

    def process(
        self, *, bucket: str, region: str, key: str, pic_operations: str, timeout: float, spoken: bool = False
    ) -> Processed:
        """`POST /key?image_process`: run up to five rules on a stored object. `timeout` in seconds; `spoken`: the
        fileids are in the form that this COS is to read already."""
        client = self._client(region, timeout)
        pic_operations = pic_operations if spoken else self.fileids.spoken(pic_operations)
        headers, body = _call(client.ci_image_process, Bucket=bucket, Key="/" + key, PicOperations=pic_operations)
        return _processed(headers, body)

    def head(self, *, bucket: str, region: str, key: str, timeout: float) -> Optional[Head]:
        """The object's facts, or None when there is no such object."""
        try:
            headers = _call(self._client(region, timeout).head_object, Bucket=bucket, Key="/" + key)
        except CosFailure as failure:
            if failure.status == 404:
                return None
            raise
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        return Head(
            etag=lower.get("etag", "").strip('"'),
            size=_number(lower.get("content-length")),
            meta={name: value for name, value in lower.items() if name.startswith("x-cos-meta-")},
            modified=_unix_seconds(lower.get("last-modified", "")),
        )

    def get(self, *, bucket: str, region: str, key: str, timeout: float, limit: int = 1 << 20) -> Optional[bytes]:
        """A small object of Derivo's own, such as a manifest; None when there is none, or it is larger than `limit`."""
        body = self._opened(bucket, region, key, timeout)
        if body is None:
            return None
        try:
            data: bytes = body.read(limit + 1, decode_content=True)
        except Exception as error:
            raise CosFailure("NetworkError", type(error).__name__) from None
        finally:
            body.close()
        return data if len(data) <= limit else None

    def pieces(
        self, *, bucket: str, region: str, key: str, timeout: float, size: int = 1 << 20
    ) -> Optional[Iterator[bytes]]:
        """A large object as it is stored, so many bytes at a time; None when there is none. `timeout` is for each
        piece. Raises CosFailure, also while the pieces are taken."""
        body = self._opened(bucket, region, key, timeout)
        return None if body is None else _pieces(body, size)

    def _opened(self, bucket: str, region: str, key: str, timeout: float) -> Any:
        """The body of an object, still to be read; None when there is no such object."""
        try:
            client = self._client(region, timeout)
            answer = _call(client.get_object, Bucket=bucket, Key="/" + key, KeySimplifyCheck=False)
        except CosFailure as failure:
            if failure.status == 404:
                return None
            raise
        return answer["Body"].get_raw_stream()

    def list(self, *, bucket: str, region: str, prefix: str, timeout: float) -> Iterator[Listed]:
        """Every object under a prefix, in the order of keys, a page a request."""
        after: Optional[str] = ""
        while after is not None:
            page = self.list_page(bucket=bucket, region=region, prefix=prefix, after=after, timeout=timeout, retries=3)
            yield from page.objects
            after = page.next

    def list_page(self, *, bucket: str, region: str, prefix: str, after: str, timeout: float, retries: int = 0) -> Page:
        """The objects under a prefix whose keys come behind `after`: one request."""
        page = _call(
            self._client(region, timeout, retries).list_objects,
            Bucket=bucket,
            Prefix=prefix,
            Marker=after,
            MaxKeys=limits.LIST_KEYS,
        )
        objects = tuple(_listed(_members(item)) for item in page.get("Contents") or ())
        if _text(page.get("IsTruncated")) != "true":
            return Page(objects=objects)
        marker = _text(page.get("NextMarker"))
        if marker in ("", after):
            raise CosFailure("UnreadableAnswer", "a listing goes on and does not say where")
        return Page(objects=objects, next=marker)

    def delete(self, *, bucket: str, region: str, key: str, timeout: float) -> None:
        """Delete an object; that it is gone already is success."""
        _call(self._client(region, timeout).delete_object, Bucket=bucket, Key="/" + key)

    def put(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        body: Union[bytes, BinaryIO],
        headers: Mapping[str, Any],
        pic_operations: Optional[str] = None,
        timeout: float,
    ) -> Optional[Processed]:
        """PUT an object, processed on the way when `pic_operations` is given. `headers` use the SDK's names."""
        client = self._client(region, timeout)
        if pic_operations is None:
            _call(client.put_object, Bucket=bucket, Key="/" + key, Body=body, **headers)
            return None
        spoken = self.fileids.spoken(pic_operations)
        answer_headers, answer = _call(
            client.ci_put_object, Bucket=bucket, Key="/" + key, Body=body, PicOperations=spoken, **headers
        )
        return _processed(answer_headers, answer)

    def upload_in_parts(
        self, *, bucket: str, region: str, key: str, path: str, headers: Mapping[str, Any], timeout: float
    ) -> None:
        """Upload a large file in parts; an upload that broke off is taken up again where it stood."""
        client = self._client(region, timeout, retries=3)
        _call(client.upload_file, Bucket=bucket, Key="/" + key, LocalFilePath=path, PartSize=8, MAXThread=4, **headers)

    def ask(self, operation: str, *, region: str, timeout: float, **arguments: Any) -> Any:
        """Any other call, by the SDK's name for it, as the SDK answers it. Fails as the others do."""
        return _call(getattr(self._client(region, timeout), operation), **arguments)

    def _client(self, region: str, timeout: float, retries: int = 0) -> CosS3Client:
        # The SDK's own retries sleep 1+2+3 s whatever time is left; derive.py retries within the time budget instead.
        if (region, timeout, retries) in self._clients:
            return self._clients[region, timeout, retries]
        settings = self.settings
        proxies = {settings.scheme: settings.proxy} if settings.proxy else None
        try:
            config = CosConfig(
                Region=region,
                SecretId=settings.secret_id,
                SecretKey=settings.secret_key,
                Token=settings.token or None,
                Scheme=settings.scheme,
                Proxies=proxies,
                Timeout=(min(_CONNECT_SECONDS, timeout), timeout),
            )
        except CosClientError as error:
            raise CosFailure("InvalidArgument", str(error)) from None
        if region not in self._sessions:
            self._sessions[region] = session(f"{settings.scheme}://cos.{region}.myqcloud.com/", MOST_CONNECTIONS)
        # the SDK strips one leading slash from keys; callers here always give it one, so that keys arrive whole
        client = CosS3Client(config, retry=retries, session=self._sessions[region])
        if len(self._clients) >= _CLIENTS:  # time-outs near a deadline are all different
            self._clients.clear()
        self._clients[region, timeout, retries] = client
        return client


def _pieces(body: Any, size: int) -> Iterator[bytes]:
    try:
        while piece := body.read(size, decode_content=False):
            yield piece
    except Exception as error:
        raise CosFailure("NetworkError", type(error).__name__) from None
    finally:
        body.close()


def _call(method: Any, **arguments: Any) -> Any:
    """Call the SDK; every way in which it fails becomes a CosFailure, without the SDK's chain of causes."""
    try:
        return method(**arguments)
    except CosServiceError as error:
        raise _refusal(error) from None
    except CosClientError as error:
        if isinstance(error.__context__, RequestException):
            raise CosFailure("NetworkError", type(error.__context__).__name__) from None
        raise CosFailure("InvalidRequestKey", str(error)) from None
    except RequestException as error:
        # the SDK reads some bodies after its own handler: a connection that breaks there comes out bare
        raise CosFailure("NetworkError", type(error).__name__) from None
    except UnicodeEncodeError as error:
        raise CosFailure("InvalidRequestKey", f"{type(error).__name__}: {error}") from None
    except Exception as error:
        # the SDK takes answers at their word: one that is no XML, nested without end, or without a header it counts on
        # ends in whatever Python says of it
        raise CosFailure("UnreadableAnswer", f"{type(error).__name__}: {error}"[:300]) from None


def _refusal(error: CosServiceError) -> CosFailure:
    """The SDK's own readers of code and request id fail where an answer has none, and it knows no code where the body
    lacks a Resource or a RequestId, which it does not need."""
    told = _members(error.get_digest_msg())
    found = _CODE.search(_text(error.get_origin_msg()))
    return _failure(
        _text(told.get("code")) or (found[1] if found else f"Http{error.get_status_code()}"),
        _text(told.get("message")),
        status=int(error.get_status_code()),
        request_id=_text(told.get("requestid")),
    )


def _failure(code: str, message: str, *, request_id: str, status: int = 0) -> CosFailure:
    """A failure under its name, also where CI gave its number (CI 9.2)."""
    name = NUMBERS.get(code)
    if name is not None:
        code, message = name, f"{code}: {message}"
    return CosFailure(code, message, status=status, request_id=request_id)


def _processed(headers: Mapping[str, Any], body: Any) -> Processed:
    if not isinstance(body, dict):
        raise CosFailure("UnreadableAnswer", "the answer holds no UploadResult")
    request_id = _text(headers.get("x-cos-request-id"))
    if "Code" in body and "OriginalInfo" not in body:
        raise _failure(_text(body["Code"]) or "UnreadableAnswer", _text(body.get("Message")), request_id=request_id)
    if "OriginalInfo" not in body and "ProcessResults" not in body:
        raise CosFailure("UnreadableAnswer", "the answer is no UploadResult", request_id=request_id)
    original = _members(body.get("OriginalInfo"))
    image = _members(original.get("ImageInfo"))
    objects = _members(body.get("ProcessResults")).get("Object")
    if isinstance(objects, dict):
        objects = [objects]
    if not isinstance(objects, list):
        objects = []
    return Processed(
        etag=_text(original.get("ETag")).strip('"'),
        format=_text(image.get("Format")),
        width=_number(image.get("Width")),
        height=_number(image.get("Height")),
        color=_color(_text(image.get("Ave"))),
        orientation=_number(image.get("Orientation")),
        results=tuple(_result(item) for item in objects if isinstance(item, dict)),
        request_id=request_id,
    )


def _listed(item: Mapping[str, Any]) -> Listed:
    return Listed(
        key=_text(item.get("Key")),
        size=_number(item.get("Size")),
        etag=_text(item.get("ETag")).strip('"'),
        modified=_text(item.get("LastModified")),
    )


def _result(item: Mapping[str, Any]) -> Result:
    return Result(
        key=_text(item.get("Key")),
        location=_text(item.get("Location")),
        format=_text(item.get("Format")).lower(),
        width=_number(item.get("Width")),
        height=_number(item.get("Height")),
        size=_number(item.get("Size")),
        etag=_text(item.get("ETag")).strip('"'),
    )


def _color(ave: str) -> str:
    """`0xRRGGBB` as front ends write it, `#rrggbb`."""
    return "#" + ave[2:].lower() if len(ave) == 8 and ave[:2] == "0x" else ""


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _unix_seconds(http_date: str) -> int:
    try:
        return int(parsedate_to_datetime(http_date).timestamp())
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0


def _number(value: Any) -> int:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
