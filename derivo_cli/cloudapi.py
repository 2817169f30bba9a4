"""The cloud's API through the vendor's SDK: a client that tells no secret, and one kind of failure (SCF 4)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from derivo.settings import Settings
from derivo_cli.exits import Stop

if TYPE_CHECKING:
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
    """A client for the functions of a region. Coslocal is reached as for COS: by the same scheme and proxy."""
    settings.require_credentials()
    try:
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile
        from tencentcloud.scf.v20180416.scf_client import ScfClient
    except ModuleNotFoundError:
        raise Stop('the SDK of the cloud\'s API is not installed; pip install "derivo[cli]"') from None
    # law 9: it logs whole requests, with their Authorization, at DEBUG
    log = logging.getLogger("tencentcloud_sdk_common")
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    http = HttpProfile(
        protocol=settings.scheme, proxy=settings.proxy, reqTimeout=_CONNECT_AND_READ_SECONDS, keepAlive=True
    )
    credential = Credential(settings.secret_id, settings.secret_key, settings.token or None)
    return ScfClient(credential, region, ClientProfile(httpProfile=http))


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
