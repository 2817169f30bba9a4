"""Sub-resources that are only stored: the document that was PUT is given back, and after DELETE there is none."""

from __future__ import annotations

from dataclasses import dataclass

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.operations.responses import empty, xml_response
from coslocal.wire.errors import InvalidArgument, MalformedXML, NoSuchConfiguration
from coslocal.wire.xml import parse


@dataclass(frozen=True)
class Configuration:
    """`root` is the document's root element ("" for JSON); `missing` the code when there is none, "" for an empty root;
    `many` tells that there is one a value of the `id` parameter, and gives the root of their list."""

    name: str
    root: str
    missing: str = ""
    many: str = ""

    def get(self, call: Call) -> Response:
        call.standing_bucket()
        if self.many and "id" not in call.parameters:
            return self._list(call)
        value = call.app.store.configuration(call.bucket, "", self._stored_name(call))
        if value is not None:
            return Response(200, [("Content-Type", "application/xml" if self.root else "application/json")], value)
        if self.missing:
            raise NoSuchConfiguration(self.missing)
        return xml_response(self.root, [])

    def put(self, call: Call) -> Response:
        call.standing_bucket()
        body = call.document()
        if self.root:
            parse(body, self.root)
        elif not body.strip():
            raise MalformedXML("The body of this request is empty")
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
        stored = call.app.store.configurations(call.bucket, "", prefix=f"{self.name}:")
        documents = [value[value.index(b"<" + self.root.encode()) :] for _, value in stored]
        body = b"".join(
            (f"<{self.many}>".encode(), *documents, f"<IsTruncated>false</IsTruncated></{self.many}>".encode())
        )
        return Response(200, [("Content-Type", "application/xml")], body)


CONFIGURATIONS = (
    Configuration("accelerate", "AccelerateConfiguration"),
    Configuration("cors", "CORSConfiguration", "NoSuchCORSConfiguration"),
    Configuration("domain", "DomainConfiguration", "NoSuchDomainConfiguration"),
    Configuration("encryption", "ServerSideEncryptionConfiguration", "NoSuchEncryptionConfiguration"),
    Configuration("intelligenttiering", "IntelligentTieringConfiguration"),
    Configuration(
        "inventory", "InventoryConfiguration", "NoSuchInventoryConfiguration", "ListInventoryConfigurationResult"
    ),
    Configuration("lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    Configuration("logging", "BucketLoggingStatus"),
    Configuration("object-lock", "ObjectLockConfiguration", "NoSuchObjectLockConfiguration"),
    Configuration("origin", "OriginConfiguration", "NoSuchOriginConfiguration"),
    Configuration("policy", "", "NoSuchBucketPolicy"),
    Configuration("referer", "RefererConfiguration", "NoSuchRefererConfiguration"),
    Configuration("replication", "ReplicationConfiguration", "NoSuchReplicationConfiguration"),
    Configuration("versioning", "VersioningConfiguration"),
    Configuration("website", "WebsiteConfiguration", "NoSuchWebsiteConfiguration"),
)
