"""CAM's part of the cloud's API: whether a role is there. Roles are those that coslocal was started with."""

from __future__ import annotations

from collections.abc import Iterable

from coslocal.tencentapi.api import Action, Content, Service
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters

VERSION = "2019-01-16"
UNOFFERED = frozenset(
    {
        "AttachRolePolicy", "CreatePolicy", "CreateRole", "DeletePolicy", "DeleteRole", "DescribeRoleList",
        "DetachRolePolicy", "GetPolicy", "ListAttachedRolePolicies", "ListPolicies", "UpdatePolicy",
    }
)  # fmt: skip


class GetRole(Parameters, frozen=True):
    role_name: str = ""
    role_id: str = ""


def service(roles: Iterable[str], region: str) -> Service:
    """The product `cam` of the cloud's API, in an account that has these roles."""
    names = sorted(set(roles))

    def get_role(wanted: GetRole) -> Content:
        for number, name in enumerate(names, 1):
            if wanted.role_name == name or (not wanted.role_name and wanted.role_id == str(number)):
                return {"RoleInfo": {"RoleId": str(number), "RoleName": name, "RoleType": "user"}}
        raise ApiError("InvalidParameter.RoleNotExist", f"The role {wanted.role_name or wanted.role_id} does not exist")

    actions = {"GetRole": Action(GetRole, get_role, regional=False)}
    return Service(name="cam", version=VERSION, region=region, actions=actions, unoffered=UNOFFERED)
