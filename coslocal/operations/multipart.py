"""Multipart uploads: start, parts, lists, completion and abort (COS 5)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from urllib.parse import quote
from xml.etree.ElementTree import Element

from coslocal.http import Response
from coslocal.operations import encryption, images
from coslocal.operations.call import Call
from coslocal.operations.listing import MOST, count_parameter, encoder
from coslocal.operations.objects import check_key, kept_headers, receipt, side_documents, storage_class, take_body
from coslocal.operations.responses import OWNER, empty, quoted, xml_date, xml_response
from coslocal.storage.crc64 import combine
from coslocal.storage.types import Part, StoredObject, Upload
from coslocal.wire.errors import (
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    MalformedXML,
    NoSuchUpload,
)
from coslocal.wire.xml import Fields, parse, text

MAX_PARTS = 10_000
MIN_PART = 1024 * 1024  # bytes, every part but the last (vendor document 436/14112)


def initiate(call: Call) -> Response:
    """POST /key?uploads: the headers given here become the object's."""
    check_key(call.key)
    call.standing_bucket()
    upload = Upload(
        bucket=call.bucket, key=call.key, upload_id=f"{int(call.now * 1000):013d}{uuid.uuid4().hex}", started=call.now,
        headers=kept_headers(call, call.key), storage_class=storage_class(call), configurations=side_documents(call),
    )  # fmt: skip
    call.app.store.start_upload(upload)
    fields: Fields = (("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload.upload_id))
    return xml_response("InitiateMultipartUploadResult", fields, headers=encryption.told(upload.headers))


def standing_upload(call: Call) -> Upload:
    """The upload asked for, which must be one of this key. Raises NoSuchUpload."""
    upload = call.app.store.upload(call.parameters.get("uploadId") or "")
    if upload is None or (upload.bucket, upload.key) != (call.bucket, call.key):
        call.standing_bucket()
        raise NoSuchUpload
    return upload


def part_number(call: Call) -> int:
    value = call.parameters.get("partNumber") or ""
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= MAX_PARTS):
        raise InvalidArgument(f"partNumber must be a number from 1 to {MAX_PARTS}")
    return int(value)


def upload_part(call: Call) -> Response:
    """PUT /key?partNumber&uploadId."""
    number = part_number(call)
    upload = standing_upload(call)
    encryption.check(call, upload.headers)
    blob = take_body(call)
    part = Part(number=number, blob=blob.name, size=blob.size, etag=blob.md5, crc64=blob.crc64, modified=call.now)
    save_part(call, upload, part)
    more = encryption.told(upload.headers)
    return empty(200, [("ETag", quoted(part.etag)), ("x-cos-hash-crc64ecma", part.crc64), *more])


def save_part(call: Call, upload: Upload, part: Part) -> None:
    try:
        call.app.store.put_part(upload.upload_id, part)
    except BaseException:
        call.app.store.discard(part.blob)
        raise


def complete(call: Call) -> Response:
    """POST /key?uploadId: the parts named, in ascending order, become the object; with Pic-Operations too (CI 1.1)."""
    operations = images.pic_operations(call)
    upload = standing_upload(call)
    parts = _chosen(call, parse(call.document(), "CompleteMultipartUpload").findall("Part"))
    whole = StoredObject(
        bucket=call.bucket, key=call.key, blob="", size=sum(part.size for part in parts), etag=_etag(parts),
        crc64=_crc64(parts), modified=call.now, headers=upload.headers, storage_class=upload.storage_class,
    )  # fmt: skip
    event = "cos:ObjectCreated:CompleteMultipartUpload"

    def save() -> StoredObject:
        return call.app.store.finish_upload(upload.upload_id, whole, parts)

    processed: Fields = []
    if operations is None:
        item = save()
        call.app.announce(event, item, call)
    else:
        item, result = images.process_new(
            call,
            whole,
            operations,
            event=event,
            save=save,
            data=lambda: b"".join(call.app.store.whole(part.blob) for part in parts),
        )
        processed = [pair for pair in result.original if pair[0] == "ImageInfo"]
        processed.append(("ProcessResults", result.results))
    fields: list[tuple[str, str | int | Fields]] = [
        ("Location", f"http://{call.address.authority}/{quote(call.key.encode('utf-8', 'surrogateescape'))}"),
        ("Bucket", call.bucket),
        ("Key", call.key),
        ("ETag", quoted(item.etag)),
        *processed,
    ]
    return xml_response("CompleteMultipartUploadResult", fields, headers=receipt(item))


def _chosen(call: Call, listed: list[Element]) -> list[Part]:
    """The standing parts that the body names. Raises MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall."""
    standing = {part.number: part for part in call.app.store.parts(call.parameters.get("uploadId") or "")}
    chosen: list[Part] = []
    for element in listed:
        number, etag = (text(element, "PartNumber") or "").strip(), text(element, "ETag")
        if not (number.isascii() and number.isdigit() and len(number) <= 5) or etag is None:
            raise MalformedXML("Each Part needs a PartNumber and an ETag")
        part = standing.get(int(number))
        if part is None or etag.strip().strip('"') != part.etag:
            raise InvalidPart
        if chosen and part.number <= chosen[-1].number:
            raise InvalidPartOrder
        chosen.append(part)
    if not chosen:
        raise MalformedXML("CompleteMultipartUpload names no part")
    if any(part.size < MIN_PART for part in chosen[:-1]):
        raise EntityTooSmall(f"Every part but the last must have at least {MIN_PART} bytes")
    return chosen


def _etag(parts: list[Part]) -> str:
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _crc64(parts: list[Part]) -> str:
    whole = 0
    for part in parts:
        whole = combine(whole, int(part.crc64), part.size)
    return str(whole)


def abort(call: Call) -> Response:
    """DELETE /key?uploadId: 204."""
    call.app.store.abort_upload(standing_upload(call).upload_id)
    return empty(204)


def list_parts(call: Call) -> Response:
    """GET /key?uploadId."""
    upload = standing_upload(call)
    encode = encoder(call)
    most = count_parameter(call, "max-parts")
    marker = count_parameter(call, "part-number-marker", MAX_PARTS) if call.parameters.get("part-number-marker") else 0
    behind = [part for part in call.app.store.parts(upload.upload_id) if part.number > marker]
    shown, more = behind[:most], len(behind) > most > 0
    fields: list[tuple[str, str | int | Fields]] = [("Bucket", call.bucket)]
    if encode is not str:
        fields.append(("Encoding-type", "url"))
    fields += [("Key", encode(call.key)), ("UploadId", upload.upload_id), ("Owner", OWNER)]
    fields += [("PartNumberMarker", marker), ("Initiator", OWNER)]
    fields += [("Part", _part_fields(part)) for part in shown]
    fields += [("StorageClass", upload.storage_class), ("MaxParts", most)]
    if more:
        fields.append(("NextPartNumberMarker", shown[-1].number))
    fields.append(("IsTruncated", "true" if more else "false"))
    return xml_response("ListPartsResult", fields)


def _part_fields(part: Part) -> Fields:
    return (
        ("PartNumber", part.number),
        ("LastModified", xml_date(part.modified)),
        ("ETag", quoted(part.etag)),
        ("Size", part.size),
    )


def list_uploads(call: Call) -> Response:
    """GET /?uploads: in order of key, then start; folded by a delimiter as a listing of objects is."""
    call.standing_bucket()
    get = call.parameters.get
    prefix, delimiter = get("prefix") or "", get("delimiter") or ""
    key_marker, id_marker = get("key-marker") or "", get("upload-id-marker") or ""
    most = count_parameter(call, "max-uploads", MOST)
    encode = encoder(call)
    entries: list[tuple[str, Upload | None]] = []
    for upload in call.app.store.uploads(call.bucket, prefix=prefix):
        folded = _folded(upload.key, prefix, delimiter)
        if not _is_behind(upload, folded, key_marker, id_marker):
            continue
        if folded is None:
            entries.append((upload.key, upload))
        elif (folded, None) not in entries[-1:]:
            entries.append((folded, None))
    shown, more = entries[:most], len(entries) > most > 0
    fields: list[tuple[str, str | int | Fields]] = [("Bucket", call.bucket)]
    if encode is not str:
        fields.append(("Encoding-Type", "url"))
    fields += [("KeyMarker", encode(key_marker)), ("UploadIdMarker", id_marker)]
    if more:
        name, last = shown[-1]
        fields += [("NextKeyMarker", encode(name)), ("NextUploadIdMarker", last.upload_id if last else "")]
    fields += [("MaxUploads", most), ("IsTruncated", "true" if more else "false")]
    fields += [("Prefix", encode(prefix)), ("Delimiter", encode(delimiter))]
    fields += [("Upload", _upload_fields(upload, encode)) for _, upload in shown if upload]
    fields += [("CommonPrefixes", [("Prefix", encode(name))]) for name, upload in shown if upload is None]
    return xml_response("ListMultipartUploadsResult", fields)


def _folded(key: str, prefix: str, delimiter: str) -> str | None:
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if at < 0 else key[: at + len(delimiter)]


def _is_behind(upload: Upload, folded: str | None, key_marker: str, id_marker: str) -> bool:
    name, marker = (text.encode("utf-8", "surrogateescape") for text in (folded or upload.key, key_marker))
    if name != marker or folded is not None:
        return name > marker
    return bool(id_marker) and upload.upload_id > id_marker


def _upload_fields(upload: Upload, encode: Callable[[str], str]) -> Fields:
    return (
        ("Key", encode(upload.key)),
        ("UploadId", upload.upload_id),
        ("Initiator", OWNER),
        ("Owner", OWNER),
        ("StorageClass", upload.storage_class),
        ("Initiated", xml_date(upload.started)),
    )
