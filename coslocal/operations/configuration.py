"""Sub-resources that are only stored: the document that was PUT is given back, and after DELETE there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty, xml_response
from coslocal.wire.errors import InvalidArgument, MalformedPolicy, NoSuchConfiguration
from coslocal.wire.xml import Fields, parse, text

_PAGE = 100  # documents in a list
_TIME = 20  # characters before each document of many: when it was put, by which their list is ordered


@dataclass(frozen=True)
class Configuration:
    """`root` is the document's root element; `missing` the code when there is none, "" for an empty root; `many` tells
    that there is one for each value of the `id` parameter, and gives the root of their list; `amend` changes a document
    as COS does on its way in; `emptied` tells that a PUT without a body takes it away."""

    name: str
    root: str
    missing: str = ""
    many: str = ""
    amend: Callable[[Element], None] | None = None
    emptied: bool = False

    def get(self, call: Call) -> Response:
        call.standing_bucket()
        if self.many and "id" not in call.parameters:
            return self._list(call)
        value = call.app.store.configuration(call.bucket, "", self._stored_name(call))
        if value is not None:
            return Response(200, [("Content-Type", "application/xml")], value[_TIME:] if self.many else value)
        if self.missing:
            raise NoSuchConfiguration(self.missing)
        return xml_response(self.root, [])

    def put(self, call: Call) -> Response:
        call.standing_bucket()
        body = call.document()
        if self.emptied and not body.strip():
            return self.delete(call)
        document = parse(body, self.root)
        if self.amend is not None:
            self.amend(document)
            body = tostring(document)
        if self.many:
            body = f"{call.now:0{_TIME}.6f}".encode() + body
        call.app.store.put_configuration(call.bucket, "", self._stored_name(call), body)
        return empty()

    def delete(self, call: Call) -> Response:
        call.standing_bucket()
        call.app.store.delete_configuration(call.bucket, "", self._stored_name(call))
        return empty(204)

    def _stored_name(self, call: Call) -> str:
        if not self.many:
            return self.name
        identity = call.parameters.get("id")
        if identity is None:
            raise InvalidArgument("The parameter id is missing")
        return f"{self.name}:{identity}"

    def _list(self, call: Call) -> Response:
        """In pages, the oldest first; the token names the last one of the page before."""
        token = call.parameters.get("continuation-token") or ""
        stored = call.app.store.configurations(call.bucket, "", prefix=f"{self.name}:")
        placed = sorted((value[:_TIME].decode() + name, value[_TIME:]) for name, value in stored)
        behind = [(place, value) for place, value in placed if place > token]
        shown, more = behind[:_PAGE], len(behind) > _PAGE
        document = Element(self.many)
        document.extend(parse(value, self.root) for _, value in shown)
        SubElement(document, "IsTruncated").text = "true" if more else "false"
        if token:
            SubElement(document, "ContinuationToken").text = token
        if more:
            SubElement(document, "NextContinuationToken").text = shown[-1][0]
        return Response(200, [("Content-Type", "application/xml")], tostring(document))


class Policy(Configuration):
    """The bucket policy is JSON, in any case of its top-level names; COS gives them back as `Statement`, `version`."""

    def get(self, call: Call) -> Response:
        answer = super().get(call)
        answer.headers = [("Content-Type", "application/json")]
        return answer

    def put(self, call: Call) -> Response:
        call.standing_bucket()
        try:
            policy = json.loads(call.document())
        except (ValueError, RecursionError):
            raise MalformedPolicy from None
        named = {name.lower(): value for name, value in policy.items()} if isinstance(policy, dict) else {}
        if not isinstance(named.get("statement"), list):
            raise MalformedPolicy("A policy needs a statement, which is a list")
        kept = {"Statement": named.pop("statement"), **named}
        call.app.store.put_configuration(call.bucket, "", self.name, json.dumps(kept, ensure_ascii=False).encode())
        return empty(204)


def _amend_website(document: Element) -> None:
    """A redirect rule that does not say so redirects the URL."""
    for redirect in document.iter("Redirect"):
        if redirect.find("URLRedirect") is None:
            SubElement(redirect, "URLRedirect").text = "Enabled"


def _amend_encryption(document: Element) -> None:
    """The Python SDK's own name of the element is taken too."""
    for element in document.iter("ApplySideEncryptionConfiguration"):
        element.tag = "ApplyServerSideEncryptionByDefault"


def _amend_inventory(document: Element) -> None:
    """Whether an inventory is enabled is given back in small letters, which the Go SDK's own tests look at."""
    for element in document.iter("IsEnabled"):
        element.text = (element.text or "").strip().lower()


class Tiering(Configuration):
    """The rules of intelligent tiering by id; `default` is the one that the older ?intelligenttiering sets."""

    def get(self, call: Call) -> Response:
        try:
            return super().get(call)
        except NoSuchConfiguration:
            older = call.app.store.configuration(call.bucket, "", "intelligenttiering")
            if older is None or call.parameters.get("id") != "default":
                raise
        rule = parse(older, self.root)
        fields: list[tuple[str, str | int | Fields]] = [("Id", "default"), ("Status", text(rule, "Status") or "")]
        tier: list[tuple[str, str]] = [("AccessTier", "INFREQUENT")]
        tier += [(name, text(rule, f"Transition/{name}") or "") for name in ("Days", "RequestFrequent")]
        return xml_response(self.root, [*fields, ("Tiering", tier)])


INVENTORY = Configuration(
    "inventory", "InventoryConfiguration", "NoSuchInventoryConfiguration", "ListInventoryConfigurationResult",
    amend=_amend_inventory,
)  # fmt: skip
CONFIGURATIONS = (
    Configuration("accelerate", "AccelerateConfiguration"),
    Configuration("cors", "CORSConfiguration", "NoSuchCORSConfiguration"),
    Configuration("domain", "DomainConfiguration", "NoSuchDomainConfiguration"),
    Configuration(
        "encryption", "ServerSideEncryptionConfiguration", "NoSuchEncryptionConfiguration", amend=_amend_encryption
    ),
    Configuration("intelligenttiering", "IntelligentTieringConfiguration"),
    Tiering(
        "intelligent-tiering", "IntelligentTieringConfiguration", "IntelligentTieringConfigurationNotFoundError",
        "ListBucketIntelligentTieringConfigurationOutput",
    ),
    INVENTORY,
    Configuration("lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    Configuration("logging", "BucketLoggingStatus"),
    Configuration("object-lock", "ObjectLockConfiguration", "NoSuchObjectLockConfiguration"),
    Configuration("origin", "OriginConfiguration", "NoSuchOriginConfiguration"),
    Policy("policy", "", "NoSuchBucketPolicy"),
    Configuration("referer", "RefererConfiguration", emptied=True),
    Configuration("replication", "ReplicationConfiguration", "NoSuchReplicationConfiguration"),
    Configuration("website", "WebsiteConfiguration", "NoSuchWebsiteConfiguration", amend=_amend_website),
)  # fmt: skip
