"""POST / with a form: how browsers upload without any script (vendor document 436/14690 of 2024-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from coslocal.cam import actions
from coslocal.grants import lets_anyone
from coslocal.http import Headers, Response
from coslocal.operations import post_policy
from coslocal.operations.call import Call
from coslocal.operations.objects import (
    check_key,
    kept_headers,
    made,
    receipt,
    side_documents,
    storage_class,
    take_body,
)
from coslocal.operations.responses import empty, quoted, xml_response
from coslocal.signature import verify
from coslocal.storage.types import StoredObject
from coslocal.wire.errors import AccessDenied, InvalidArgument, MalformedPOSTRequest
from coslocal.wire.form import Form, Part, read_form

# Fields that are headers of PUT under another name.
_RENAMED = {"acl": "x-cos-acl", "tagging": "x-cos-tagging"}
_HEADERS = (
    *("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"),
    *("acl", "success_action_redirect"),
)


def post_object(call: Call) -> Response:
    """The form's `file` becomes the object `key`; its fields are what headers are to a PUT."""
    call.standing_bucket()
    form = read_form(call.request.body, call.header("Content-Type") or "")
    fields = form.fields
    if form.file is None or not fields.get("key"):
        raise MalformedPOSTRequest(f"The form has no {'file' if form.file is None else 'key'}")
    key = fields["key"].replace("${filename}", form.filename)
    check_key(key)
    policy = _admit(call, fields, key)
    _check_headers(fields)
    put = _as_put(call, form, form.file, key)
    headers, documents, wanted_class = kept_headers(put, key), side_documents(put), storage_class(put)
    blob = take_body(put)
    try:
        form.file.finish()
        if policy is not None:
            policy.check_size(blob.size)
    except BaseException:
        call.app.store.discard(blob.name)
        raise
    item = made(put, key, blob, headers, storage_class=wanted_class)
    item = call.app.save(item, documents)
    call.app.announce("cos:ObjectCreated:Post", item, call)
    return _answer(call, item, fields)


def _admit(call: Call, fields: Mapping[str, str], key: str) -> post_policy.Policy | None:
    """By the form's policy, by a signature of the request (in its header, or in the field Signature), or by an ACL."""
    if post_policy.is_signed(fields):
        policy = post_policy.verify_policy(fields, call.bucket, call.app.credentials, call.now)
        replace(call, principal=fields["q-ak"]).require(actions.POST, key=key)
        return policy
    signer = call.principal
    if "signature" in fields:
        pairs = [pair for pair in call.request.headers if pair[0].lower() != "authorization"]
        request = replace(call.request, headers=Headers([*pairs, ("Authorization", fields["signature"])]))
        found = verify(request, call.address, call.app.credentials, call.now)
        signer = found.access_key if found else None
    if signer is None and not lets_anyone(call.app.store, call.bucket, key, "WRITE"):
        raise AccessDenied
    replace(call, principal=signer).require(actions.POST, key=key)
    return None


def _check_headers(fields: Mapping[str, str]) -> None:
    """Raises InvalidArgument for a field that would write more than its header."""
    for name, value in fields.items():
        header = name in _HEADERS or name.startswith("x-cos-")
        if header and any(char < " " or char == "\x7f" for char in value):
            raise InvalidArgument(f"The field {name} becomes a header: it must not contain control characters")


def _as_put(call: Call, form: Form, file: Part, key: str) -> Call:
    """The upload as a PUT would bring it: fields as headers, the file as a body whose length is not known yet."""
    pairs = [(_RENAMED.get(name.lower(), name), value) for name, value in form.pairs]
    headers = Headers([*pairs, ("Transfer-Encoding", "chunked")])
    return replace(call, request=replace(call.request, headers=headers, body=file, length=None), key=key)


def _answer(call: Call, item: StoredObject, fields: Mapping[str, str]) -> Response:
    target = fields.get("success_action_redirect")
    if target:
        key = item.key.encode("utf-8", "surrogateescape")
        more = urlencode({"bucket": item.bucket, "key": key, "etag": quoted(item.etag)})
        return empty(303, [*receipt(item), ("Location", f"{target}{'&' if '?' in target else '?'}{more}")])
    where = f"http://{call.address.authority}/{quote(item.key.encode('utf-8', 'surrogateescape'))}"
    headers = [*receipt(item), ("Location", where)]
    status = fields.get("success_action_status")
    if status != "201":
        return empty(200 if status == "200" else 204, headers)
    told = [("Location", where), ("Bucket", item.bucket), ("Key", item.key), ("ETag", quoted(item.etag))]
    return xml_response("PostResponse", told, status=201, headers=headers)
