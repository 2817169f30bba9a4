"""Access control lists: taken from headers and documents, and answered as documented."""

from __future__ import annotations

import json
import re

from coslocal.grants import ALL_USERS, Grant, grants_of
from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import OWNER, OWNER_ID, OWNER_NAME, empty, xml_response
from coslocal.wire.errors import InvalidArgument, MalformedXML
from coslocal.wire.xml import Fields, parse, text

AUTHENTICATED_USERS = "http://cam.qcloud.com/groups/global/AuthenticatedUsers"
_PERMISSIONS = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")
_CANNED = {
    "private": (),
    "default": (),
    "public-read": (("uri", ALL_USERS, "READ"),),
    "public-read-write": (("uri", ALL_USERS, "READ"), ("uri", ALL_USERS, "WRITE")),
    "authenticated-read": (("uri", AUTHENTICATED_USERS, "READ"),),
}
_GRANT_HEADERS = {
    "x-cos-grant-read": "READ",
    "x-cos-grant-write": "WRITE",
    "x-cos-grant-read-acp": "READ_ACP",
    "x-cos-grant-write-acp": "WRITE_ACP",
    "x-cos-grant-full-control": "FULL_CONTROL",
}
_GRANTEE = re.compile(r'\s*(id|uri)="?([^",]+)"?\s*')
# Without this the SDK cannot tell a group from a user; it knows how to strip this one namespace.
_GRANTEE_TAG = 'Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{}"'


_OWNERS = Grant("id", OWNER_ID, "FULL_CONTROL")


def from_headers(call: Call) -> str | None:
    """The document for the x-cos-acl and x-cos-grant-* headers of a request; None for none of them, or `default`.

    Grants to somebody stand alone, beside `private` too: clients of COS find the owner only with a canned list (the
    Node SDK's live tests).
    """
    canned = call.header("x-cos-acl")
    if canned is not None and canned not in _CANNED:
        raise InvalidArgument(f"x-cos-acl must be one of {', '.join(_CANNED)}")
    shared = [Grant(*grant) for grant in _CANNED[canned or "default"]]
    given: list[Grant] = []
    for header, permission in _GRANT_HEADERS.items():
        for piece in (call.header(header) or "").split(","):
            if not piece.strip():
                continue
            found = _GRANTEE.fullmatch(piece)
            if found is None:
                raise InvalidArgument(f'{header} must look like id="[OwnerUin]"')
            given.append(Grant(found[1], found[2], permission))
    if given and not shared:
        return json.dumps(given)
    if canned in (None, "default"):
        return None
    return json.dumps([_OWNERS, *shared, *(grant for grant in given if grant != _OWNERS)])


def get_acl(call: Call) -> Response:
    """GET ?acl of a bucket or an object."""
    call.standing_object() if call.key else call.standing_bucket()
    grants = grants_of(call.app.store, call.bucket, call.key)
    headers = [("x-cos-acl", "default")] if grants is None and call.key else []
    listed: list[tuple[str, Fields]] = [("Grant", _grant_fields(grant)) for grant in grants or [_OWNERS]]
    return xml_response("AccessControlPolicy", [("Owner", OWNER), ("AccessControlList", listed)], headers=headers)


def _grant_fields(grant: Grant) -> Fields:
    if grant.kind == "uri":
        return [(_GRANTEE_TAG.format("Group"), [("URI", grant.grantee)]), ("Permission", grant.permission)]
    name = OWNER_NAME if grant.grantee == OWNER_ID else grant.grantee
    who: Fields = [("ID", grant.grantee), ("DisplayName", name)]
    return [(_GRANTEE_TAG.format("CanonicalUser"), who), ("Permission", grant.permission)]


def put_acl(call: Call) -> Response:
    """PUT ?acl of a bucket or an object, by headers or by an AccessControlPolicy, whose grants are kept as they are."""
    call.standing_object() if call.key else call.standing_bucket()
    body = call.document()
    document = json.dumps(_read(body)) if body.strip() else from_headers(call)
    if document is None:
        call.app.store.delete_configuration(call.bucket, call.key, "acl")
    else:
        call.app.store.put_configuration(call.bucket, call.key, "acl", document.encode())
    return empty()


def _read(body: bytes) -> list[Grant]:
    grants = []
    for grant in parse(body, "AccessControlPolicy").iterfind("AccessControlList/Grant"):
        uri, identity = text(grant, "Grantee/URI"), text(grant, "Grantee/ID")
        permission = text(grant, "Permission")
        if permission not in _PERMISSIONS or not (uri or identity):
            raise MalformedXML("Each Grant needs a Grantee with ID or URI, and a known Permission")
        grants.append(Grant("uri", uri, permission) if uri else Grant("id", identity or "", permission))
    return grants
