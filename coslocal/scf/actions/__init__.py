"""SCF's part of the cloud's API: the table of its actions (SCF 4; types as in tencentcloud-sdk-python-scf 3.1.100)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from coslocal.scf.actions import describing, invoking, logs, settings
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import Action, Content, Service
from coslocal.tencentapi.parameters import Parameters

Wanted = TypeVar("Wanted", bound=Parameters)

VERSION = "2018-04-16"

UNOFFERED = frozenset(
    {
        "CopyFunction", "CreateAlias", "CreateCustomDomain", "CreateFunction", "CreateNamespace",
        "CreateTrigger", "DeleteAlias", "DeleteCustomDomain", "DeleteFunction", "DeleteFunctionVersion",
        "DeleteLayerVersion", "DeleteNamespace", "DeleteProvisionedConcurrencyConfig", "DeleteTrigger",
        "GetAccount", "GetAlias", "GetAsyncEventStatus", "GetCustomDomain", "GetFunctionAddress",
        "GetLayerVersion", "GetProvisionedConcurrencyConfig", "ListAliases", "ListAsyncEvents",
        "ListCustomDomains", "ListLayerVersions", "ListLayers", "ListNamespaces", "ListTriggers",
        "ListVersionByFunction", "PublishLayerVersion", "PublishVersion", "PutProvisionedConcurrencyConfig",
        "PutTotalConcurrencyConfig", "TerminateAsyncEvent", "UpdateAlias", "UpdateCustomDomain",
        "UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateNamespace", "UpdateTrigger",
        "UpdateTriggerStatus",
    }
)  # fmt: skip
"""Actions of the cloud that are answered with UnsupportedOperation."""


def service(scf: Scf) -> Service:
    """The product `scf` of the cloud's API, over these functions."""

    def row(wants: type[Wanted], run: Callable[[Scf, Wanted], Content], *, regional: bool = True) -> Action[Wanted]:
        return Action(wants, partial(run, scf), regional)

    actions: dict[str, Action[Any]] = {
        "Invoke": row(invoking.Invoke, invoking.invoke),
        "InvokeFunction": row(invoking.InvokeFunction, invoking.invoke_function, regional=False),
        "GetFunction": row(describing.GetFunction, describing.get_function),
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
