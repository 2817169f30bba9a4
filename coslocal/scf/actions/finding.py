"""The function that an action names, or the documented error."""

from __future__ import annotations

from coslocal.scf.deployment import Deployment
from coslocal.scf.service import Scf
from coslocal.tencentapi.errors import ApiError

QUALIFIERS = ("$LATEST", "$DEFAULT")


def find(scf: Scf, name: str, namespace: str, qualifier: str = "$LATEST") -> Deployment:
    """Raises ApiError: ResourceNotFound.Function, .Namespace or .Qualifier."""
    if namespace not in {item.function.namespace for item in scf.functions.values()} | {"default"}:
        raise ApiError("ResourceNotFound.Namespace", f"There is no namespace {namespace[:100]}")
    found = scf.functions.get(name)
    if found is None or found.function.namespace != namespace:
        known = ", ".join(sorted(scf.functions)) or "none"
        raise ApiError("ResourceNotFound.Function", f"There is no function {name[:100]}; coslocal runs: {known}")
    if qualifier not in (*QUALIFIERS, found.function.version, found.function.qualifier):
        raise ApiError("ResourceNotFound.Qualifier", f"{name} has no version or alias {qualifier[:100]}")
    return found
