"""PublishVersion, and the aliases: which version the triggers reach (583/36149 of 2023-09-28)."""

from __future__ import annotations

import re
from typing import Any

from coslocal.scf.actions.describing import shown
from coslocal.scf.actions.finding import find, find_active
from coslocal.scf.deployment import Deployment
from coslocal.scf.service import Scf
from coslocal.scf.versions import ACTIVE, DEFAULT, LATEST, Alias
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")


class PublishVersion(Parameters, frozen=True):
    function_name: str
    description: str = ""
    namespace: str = "default"


class OfAlias(Parameters, frozen=True):
    function_name: str
    name: str
    namespace: str = "default"


class PutAlias(Parameters, frozen=True):
    function_name: str
    name: str
    function_version: str
    namespace: str = "default"
    routing_config: dict[str, Any] | None = None
    description: str = ""


class ListAliases(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"
    function_version: str | None = None
    offset: str | int = 0
    limit: str | int = 20


def publish_version(scf: Scf, wanted: PublishVersion) -> Content:
    """It is Publishing, then Active; who names it before that is refused."""
    deployed = find_active(scf, wanted.function_name, wanted.namespace)
    version = deployed.publish(wanted.description, scf.phase("Publishing").until)
    function = version.function
    return {
        "FunctionVersion": function.version,
        "CodeSize": version.code.size if version.code else 0,
        "MemorySize": function.memory_size,
        "Description": version.description,
        "Handler": function.handler,
        "Timeout": int(function.timeout),
        "Runtime": function.runtime,
        "Namespace": function.namespace,
    }


def get_alias(scf: Scf, wanted: OfAlias) -> Content:
    return _described(_alias(find(scf, wanted.function_name, wanted.namespace), wanted.name))


def list_aliases(scf: Scf, wanted: ListAliases) -> Content:
    try:
        offset, limit = int(wanted.offset), int(wanted.limit)
    except ValueError:
        raise ApiError("InvalidParameterValue.Limit", "Offset and Limit are numbers") from None
    aliases = [
        alias
        for alias in find(scf, wanted.function_name, wanted.namespace).aliases()
        if wanted.function_version in (None, alias.version)
    ]
    page = [_described(alias) for alias in aliases[max(0, offset) : max(0, offset) + max(0, limit)]]
    return {"Aliases": page, "TotalCount": len(aliases)}


def create_alias(scf: Scf, wanted: PutAlias) -> Content:
    deployed = find_active(scf, wanted.function_name, wanted.namespace)
    if not _NAME.match(wanted.name):
        raise ApiError("InvalidParameterValue.Name", "An alias has up to 64 letters, digits, _ and -, a letter first")
    if any(alias.name == wanted.name for alias in deployed.aliases()):
        raise ApiError("ResourceInUse.Alias", f"There is an alias {wanted.name} already")
    _point(deployed, wanted)
    return {}


def update_alias(scf: Scf, wanted: PutAlias) -> Content:
    """From the next run on; what runs goes on."""
    deployed = find(scf, wanted.function_name, wanted.namespace)
    _alias(deployed, wanted.name)
    _point(deployed, wanted)
    return {}


def delete_alias(scf: Scf, wanted: OfAlias) -> Content:
    deployed = find(scf, wanted.function_name, wanted.namespace)
    _alias(deployed, wanted.name)
    if wanted.name == DEFAULT:
        raise ApiError("InvalidParameterValue.Alias", f"{DEFAULT} cannot be deleted")
    bound = [(trigger.function, trigger.qualifier) for trigger in scf.triggers]
    if (wanted.function_name, wanted.name) in bound + [(timer.function, timer.qualifier) for timer in scf.timers]:
        raise ApiError("ResourceInUse.Alias", f"Triggers go to {wanted.name}")
    deployed.unpoint(wanted.name)
    return {}


def _point(deployed: Deployment, wanted: PutAlias) -> None:
    weights = (wanted.routing_config or {}).values()
    if any(weights):
        raise ApiError("UnsupportedOperation", "coslocal sends all events of an alias to one version")
    if wanted.function_version not in (version.function.version for version in deployed.versions()):
        raise ApiError("ResourceNotFound.FunctionVersion", f"There is no version {wanted.function_version[:100]}")
    state = deployed.state(wanted.function_version)
    if wanted.function_version != LATEST and state != ACTIVE:
        raise ApiError("FailedOperation.FunctionVersionStatusNotActive", f"The version is {state}")
    deployed.point(wanted.name, wanted.function_version, wanted.description)


def _alias(deployed: Deployment, name: str) -> Alias:
    found = next((alias for alias in deployed.aliases() if alias.name == name), None)
    if found is None:
        raise ApiError("ResourceNotFound.Alias", f"There is no alias {name[:100]}")
    return found


def _described(alias: Alias) -> Content:
    return {
        "FunctionVersion": alias.version,
        "Name": alias.name,
        "RoutingConfig": {"AdditionalVersionWeights": [], "AddtionVersionMatchs": []},
        "Description": alias.description,
        "AddTime": shown(alias.added),
        "ModTime": shown(alias.modified),
    }
