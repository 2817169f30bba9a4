"""SCF's part of the cloud's API: the table of its actions (SCF 4; types as in tencentcloud-sdk-python-scf 3.1.100)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from coslocal.scf.actions import deploying, describing, invoking, logs, settings, triggers, versioning
from coslocal.scf.service import Scf
from coslocal.storage.types import BlobGone, Store
from coslocal.tencentapi.api import Action, Content, Service
from coslocal.tencentapi.parameters import Parameters

Wanted = TypeVar("Wanted", bound=Parameters)

VERSION = "2018-04-16"

UNOFFERED = frozenset(
    {
        "CopyFunction", "CreateCustomDomain", "CreateNamespace", "DeleteCustomDomain", "DeleteFunctionVersion",
        "DeleteLayerVersion", "DeleteNamespace", "DeleteProvisionedConcurrencyConfig", "GetAccount",
        "GetAsyncEventStatus", "GetCustomDomain", "GetLayerVersion", "GetProvisionedConcurrencyConfig",
        "ListAsyncEvents", "ListCustomDomains", "ListLayerVersions", "ListLayers", "ListNamespaces",
        "PublishLayerVersion", "PutProvisionedConcurrencyConfig", "PutTotalConcurrencyConfig", "TerminateAsyncEvent",
        "UpdateCustomDomain", "UpdateNamespace", "UpdateTrigger", "UpdateTriggerStatus",
    }
)  # fmt: skip
"""Actions of the cloud that are answered with UnsupportedOperation."""


def service(scf: Scf, store: Store | None = None) -> Service:
    """The product `scf` of the cloud's API, over these functions. Without a `store` there is no bucket: neither for a
    trigger nor for code."""

    def has_bucket(name: str) -> bool:
        return store is not None and store.bucket(name) is not None

    def fetch(bucket: str, key: str) -> bytes | None:
        found = store.get(bucket, key) if store else None
        try:
            return b"".join(store.read(found.blob)) if store and found else None
        except BlobGone:
            return None

    def row(wants: type[Wanted], run: Callable[[Scf, Wanted], Content], *, regional: bool = True) -> Action[Wanted]:
        return Action(wants, partial(run, scf), regional)

    actions: dict[str, Action[Any]] = {
        "Invoke": row(invoking.Invoke, invoking.invoke),
        "InvokeFunction": row(invoking.InvokeFunction, invoking.invoke_function, regional=False),
        "GetFunction": row(describing.GetFunction, describing.get_function),
        "GetFunctionAddress": row(describing.GetFunctionAddress, describing.get_function_address),
        "ListVersionByFunction": row(describing.ListVersions, describing.list_versions),
        "CreateFunction": Action(deploying.CreateFunction, partial(deploying.create_function, scf, fetch)),
        "UpdateFunctionCode": Action(deploying.UpdateCode, partial(deploying.update_code, scf, fetch)),
        "UpdateFunctionConfiguration": row(deploying.UpdateConfiguration, deploying.update_configuration),
        "DeleteFunction": row(deploying.DeleteFunction, deploying.delete_function),
        "ListTriggers": row(triggers.ListTriggers, triggers.list_triggers),
        "CreateTrigger": Action(triggers.CreateTrigger, partial(triggers.create_trigger, scf, has_bucket)),
        "DeleteTrigger": row(triggers.DeleteTrigger, triggers.delete_trigger),
        "PublishVersion": row(versioning.PublishVersion, versioning.publish_version),
        "CreateAlias": row(versioning.PutAlias, versioning.create_alias),
        "UpdateAlias": row(versioning.PutAlias, versioning.update_alias),
        "GetAlias": row(versioning.OfAlias, versioning.get_alias),
        "ListAliases": row(versioning.ListAliases, versioning.list_aliases),
        "DeleteAlias": row(versioning.OfAlias, versioning.delete_alias),
        "ListFunctions": row(describing.ListFunctions, describing.list_functions),
        "GetFunctionLogs": row(logs.GetFunctionLogs, logs.get_function_logs),
        "GetRequestStatus": row(logs.GetRequestStatus, logs.get_request_status),
        "PutReservedConcurrencyConfig": row(settings.PutReserved, settings.put_reserved),
        "GetReservedConcurrencyConfig": row(settings.OfFunction, settings.get_reserved),
        "DeleteReservedConcurrencyConfig": row(settings.OfFunction, settings.delete_reserved),
        "UpdateFunctionEventInvokeConfig": row(settings.PutEventInvoke, settings.update_event_invoke),
        "GetFunctionEventInvokeConfig": row(settings.GetEventInvoke, settings.get_event_invoke),
    }
    return Service(name="scf", version=VERSION, region=scf.account.region, actions=actions, unoffered=UNOFFERED)
