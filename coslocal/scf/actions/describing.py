"""GetFunction, ListFunctions, GetFunctionAddress, ListVersionByFunction: what is deployed, as coslocal knows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from coslocal.scf.actions.finding import find, find_version
from coslocal.scf.actions.triggers import cos_info, timer_info
from coslocal.scf.deployment import Deployment
from coslocal.scf.service import Scf
from coslocal.scf.versions import LATEST, Version
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters

_TIME = "%Y-%m-%d %H:%M:%S"


class GetFunction(Parameters, frozen=True):
    function_name: str
    qualifier: str = LATEST
    namespace: str = "default"
    show_code: Literal["TRUE", "FALSE"] = "FALSE"


class GetFunctionAddress(Parameters, frozen=True):
    function_name: str
    qualifier: str = LATEST
    namespace: str = "default"


class ListFunctions(Parameters, frozen=True):
    order: Literal["ASC", "DESC"] = "ASC"
    orderby: str = "FunctionName"
    offset: int = 0
    limit: int = 20
    search_key: str = ""
    namespace: str = "default"
    description: str | None = None
    filters: list[dict[str, Any]] | None = None


class ListVersions(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"
    offset: int = 0
    limit: int = 20
    order: Literal["ASC", "DESC"] = "DESC"
    order_by: Literal["AddTime", "ModTime"] = "AddTime"


def get_function(scf: Scf, wanted: GetFunction) -> Content:
    """Everything but the code."""
    deployed, version = find_version(scf, wanted.function_name, wanted.namespace, wanted.qualifier)
    function, code = version.function, version.code
    variables = [{"Key": key, "Value": value} for key, value in function.variables.items()]
    return {
        **_summary(deployed, version, wanted.qualifier),
        "Handler": function.handler,
        "MemorySize": function.memory_size,
        "Timeout": int(function.timeout),
        "InitTimeout": int(function.init_timeout),
        "Role": function.role,
        "FunctionVersion": function.version,
        "Qualifier": function.version,
        "CodeInfo": "",
        "CodeSize": code.size if code else 0,
        "CodeResult": "success",
        "CodeError": "",
        "Environment": {"Variables": variables},
        "Triggers": list_all(scf, function.name),
        "AvailableStatus": "Available",
        **function.stored,
    }


def get_function_address(scf: Scf, wanted: GetFunctionAddress) -> Content:
    """The hash alone: what was uploaded cannot be downloaded here."""
    _, version = find_version(scf, wanted.function_name, wanted.namespace, wanted.qualifier)
    if version.code is None:
        raise ApiError("FailedOperation.GetFunctionAddress", "coslocal runs this function from a folder")
    return {"Url": "", "CodeSha256": version.code.sha256}


def list_functions(scf: Scf, wanted: ListFunctions) -> Content:
    """Sorted by name whatever `Orderby` says. Filters are refused."""
    if wanted.filters or wanted.description:
        raise ApiError("UnsupportedOperation", "coslocal lists functions by SearchKey only, without filters")
    if wanted.offset < 0 or wanted.limit < 0:
        raise ApiError("InvalidParameterValue.Limit", "Offset and Limit cannot be negative")
    functions = {name: item for name in list(scf.functions) if (item := scf.deployed(name)) is not None}
    names = sorted(
        (
            name
            for name, item in functions.items()
            if item.function.namespace == wanted.namespace and wanted.search_key in name
        ),
        reverse=wanted.order == "DESC",
    )
    page = names[wanted.offset : wanted.offset + wanted.limit]
    found = [_summary(functions[name], functions[name].latest, LATEST) for name in page]
    return {"TotalCount": len(names), "Functions": found}


def list_versions(scf: Scf, wanted: ListVersions) -> Content:
    """$LATEST among them, as the newest: nothing says where it stands."""
    deployed = find(scf, wanted.function_name, wanted.namespace)
    if wanted.offset < 0 or wanted.limit < 0:
        raise ApiError("InvalidParameterValue.Limit", "Offset and Limit cannot be negative")
    latest, *published = deployed.versions()
    ordered = [*published, latest]
    if wanted.order == "DESC":
        ordered.reverse()
    page = ordered[wanted.offset : wanted.offset + wanted.limit]
    return {
        "FunctionVersion": [version.function.version for version in page],
        "Versions": [
            {
                "Version": version.function.version,
                "Description": version.description,
                "AddTime": shown(version.added),
                "ModTime": shown(version.modified),
                "Status": deployed.state(version.function.version),
            }
            for version in page
        ],
        "TotalCount": len(ordered),
    }


def list_all(scf: Scf, name: str) -> list[dict[str, Any]]:
    """COS and timer triggers of a function, as the API tells them."""
    found = [cos_info(scf, trigger) for trigger in scf.triggers if trigger.function == name]
    return found + [timer_info(timer) for timer in scf.timers if timer.function == name]


def shown(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime(_TIME)


def _summary(deployed: Deployment, version: Version, qualifier: str) -> dict[str, Any]:
    function = version.function
    reason = deployed.reason(qualifier)
    return {
        "FunctionName": function.name,
        "FunctionId": f"lam-{function.name}",
        "Namespace": function.namespace,
        "Runtime": function.runtime,
        "Status": deployed.state(qualifier),
        "StatusDesc": reason,
        "StatusReasons": [{"ErrorCode": "FailedOperation", "ErrorMessage": reason}] if reason else [],
        "Type": "Event",
        "Description": function.description,
        "AddTime": shown(version.added),
        "ModTime": shown(version.modified),
        "AsyncRunEnable": "FALSE",
        "TraceEnable": "FALSE",
    }
