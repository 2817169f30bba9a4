"""The function that an action names, or the documented error."""

from __future__ import annotations

from coslocal.scf.deployment import Deployment
from coslocal.scf.service import Scf
from coslocal.scf.versions import ACTIVE, LATEST, Version
from coslocal.tencentapi.errors import ApiError


def find(scf: Scf, name: str, namespace: str) -> Deployment:
    """Raises ApiError: ResourceNotFound.Function or .Namespace."""
    check_namespace(scf, namespace)
    found = scf.deployed(name)
    if found is None or found.function.namespace != namespace:
        known = ", ".join(sorted(scf.functions)) or "none"
        raise ApiError("ResourceNotFound.Function", f"There is no function {name[:100]}; coslocal runs: {known}")
    return found


def find_version(scf: Scf, name: str, namespace: str, qualifier: str) -> tuple[Deployment, Version]:
    """The version that `qualifier` names, itself or as an alias. Raises ApiError, also ResourceNotFound.Qualifier."""
    found = find(scf, name, namespace)
    version = found.version(qualifier)
    if version is None:
        raise ApiError("ResourceNotFound.Qualifier", f"{name} has no version or alias {qualifier[:100]}")
    return found, version


def find_active(scf: Scf, name: str, namespace: str, *failed: str) -> Deployment:
    """A function that may be changed now, because it is Active or has one of the states in `failed`.

    Raises ApiError: FailedOperation.FunctionStatusError as well.
    """
    found = find(scf, name, namespace)
    state = found.state(LATEST)
    if state not in (ACTIVE, *failed):
        raise ApiError("FailedOperation.FunctionStatusError", f"{name} is {state}; wait until it is {ACTIVE}")
    return found


def check_namespace(scf: Scf, namespace: str) -> None:
    """Raises ApiError."""
    if namespace not in {item.function.namespace for item in scf.functions.values()} | {"default"}:
        raise ApiError("ResourceNotFound.Namespace", f"There is no namespace {namespace[:100]}")
