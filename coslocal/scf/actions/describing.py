"""GetFunction and ListFunctions: what is deployed, as far as coslocal knows it."""

from __future__ import annotations

import json
from typing import Any, Literal

from coslocal.scf.actions.finding import find
from coslocal.scf.deployment import Deployment
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters


class GetFunction(Parameters, frozen=True):
    function_name: str
    qualifier: str = "$LATEST"
    namespace: str = "default"
    show_code: Literal["TRUE", "FALSE"] = "FALSE"


class ListFunctions(Parameters, frozen=True):
    order: Literal["ASC", "DESC"] = "ASC"
    orderby: str = "FunctionName"
    offset: int = 0
    limit: int = 20
    search_key: str = ""
    namespace: str = "default"
    description: str | None = None
    filters: list[dict[str, Any]] | None = None


def get_function(scf: Scf, wanted: GetFunction) -> Content:
    """Everything but the code."""
    deployed = find(scf, wanted.function_name, wanted.namespace, wanted.qualifier)
    function = deployed.function
    return {
        **_summary(deployed),
        "Handler": function.handler,
        "MemorySize": function.memory_size,
        "Timeout": int(function.timeout),
        "InitTimeout": int(function.init_timeout),
        "FunctionVersion": function.version,
        "Qualifier": function.version,
        "CodeInfo": "",
        "CodeResult": "success",
        "CodeError": "",
        "Environment": {"Variables": [{"Key": key, "Value": value} for key, value in function.variables.items()]},
        "Triggers": _triggers(scf, function.name),
        "AvailableStatus": "Available",
    }


def list_functions(scf: Scf, wanted: ListFunctions) -> Content:
    """Sorted by name whatever `Orderby` says: nothing here has a time of its own. Filters are refused."""
    if wanted.filters or wanted.description:
        raise ApiError("UnsupportedOperation", "coslocal lists functions by SearchKey only, without filters")
    if wanted.offset < 0 or wanted.limit < 0:
        raise ApiError("InvalidParameterValue.Limit", "Offset and Limit cannot be negative")
    names = sorted(
        (
            name
            for name, item in scf.functions.items()
            if item.function.namespace == wanted.namespace and wanted.search_key in name
        ),
        reverse=wanted.order == "DESC",
    )
    page = names[wanted.offset : wanted.offset + wanted.limit]
    return {"TotalCount": len(names), "Functions": [_summary(scf.functions[name]) for name in page]}


def _summary(deployed: Deployment) -> dict[str, Any]:
    function = deployed.function
    return {
        "FunctionName": function.name,
        "FunctionId": f"lam-{function.name}",
        "Namespace": function.namespace,
        "Runtime": function.runtime,
        "Status": "Active",
        "StatusDesc": "",
        "Type": "Event",
        "Description": "",
        "AsyncRunEnable": "FALSE",
        "TraceEnable": "FALSE",
    }


def _triggers(scf: Scf, name: str) -> list[dict[str, Any]]:
    """COS and timer triggers, their descriptions as the deploy API takes them (SCF 1.5)."""
    found = [
        _trigger(
            "cos",
            f"{trigger.bucket}.cos.{scf.account.region}.myqcloud.com",
            {
                "event": trigger.event,
                "filter": {"Prefix": trigger.prefix, "Suffix": trigger.suffix},
            },
        )
        for trigger in scf.triggers
        if trigger.function == name
    ]
    found += [
        {**_trigger("timer", timer.name, {"cron": str(timer.cron)}), "CustomArgument": timer.message}
        for timer in scf.timers
        if timer.function == name
    ]
    return found


def _trigger(kind: str, name: str, description: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": kind,
        "TriggerName": name,
        "TriggerDesc": json.dumps(description, separators=(",", ":")),
        "Enable": 1,
        "AvailableStatus": "Available",
        "Qualifier": "$DEFAULT",
    }
