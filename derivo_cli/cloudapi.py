"""The cloud's API through the vendor's SDK: a client that tells no secret, and one kind of failure (SCF 4)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from derivo.settings import Settings
from derivo_cli.exits import Stop

if TYPE_CHECKING:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.scf.v20180416.scf_client import ScfClient

_CONNECT_AND_READ_SECONDS = 60
# what may end better the next time; codes have parts, such as InternalError.Cmq
_PASSING = ("RequestLimitExceeded", "LimitExceeded", "InternalError", "ResourceUnavailable", "ClientNetworkError")


class ApiFailure(Exception):
    """A call that did not do what was asked; `code` is the API's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.passing = code.partition(".")[0] in _PASSING


def scf_client(settings: Settings, region: str) -> ScfClient:
    """A client for the functions of a region, at the same place as for COS: a proxy, or a coslocal where the scheme is
    http, which the API of the cloud does not take. As its endpoint coslocal answers at once; through a proxy each
    request waits 40 ms for its second packet."""
    credential, profile = _access(settings)
    from tencentcloud.scf.v20180416.scf_client import ScfClient

    return ScfClient(credential, region, profile)


def has_role(settings: Settings, name: str) -> bool:
    """Whether the account has a role of that name. Raises ApiFailure when it does not tell."""
    credential, profile = _access(settings)
    from tencentcloud.common.common_client import CommonClient

    client = CommonClient("cam", "2019-01-16", credential, "", profile)
    try:
        call(lambda wanted: client.call_json("GetRole", wanted), {"RoleName": name})
    except ApiFailure as failure:
        if failure.code.endswith("RoleNotExist"):
            return False
        raise
    return True


def _access(settings: Settings) -> tuple[Credential, ClientProfile]:
    settings.require_credentials()
    try:
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile
    except ModuleNotFoundError:
        raise Stop('the SDK of the cloud\'s API is not installed; pip install "derivo[cli]"') from None
    # law 9: it logs whole requests, with their Authorization, at DEBUG
    log = logging.getLogger("tencentcloud_sdk_common")
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    local = settings.proxy if settings.scheme == "http" else None
    where = {"endpoint": local.partition("://")[2]} if local else {"proxy": settings.proxy}
    http = HttpProfile(protocol=settings.scheme, reqTimeout=_CONNECT_AND_READ_SECONDS, keepAlive=True, **where)
    credential = Credential(settings.secret_id, settings.secret_key, settings.token or None)
    return credential, ClientProfile(httpProfile=http)


def call(method: Any, wanted: Any) -> Any:
    """The answer to one request. Raises ApiFailure."""
    from tencentcloud.common.exception import TencentCloudSDKException

    try:
        return method(wanted)
    except TencentCloudSDKException as error:
        raise ApiFailure(str(error.get_code()), str(error.get_message())[:300]) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # the SDK takes answers at their word
        raise ApiFailure("InternalError", f"the answer cannot be read: {type(error).__name__}") from None
