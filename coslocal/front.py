"""The front door of one server: object storage and the cloud's API share its port, told apart by host."""

from __future__ import annotations

from coslocal import internal
from coslocal.http import Doorkeeper, Handler, Request, Response
from coslocal.tencentapi.place import is_for_api, locate


class Front:
    """What asks for the API (by its host names, or by naming an action) goes to `api` once there is one, all else to
    `core`."""

    def __init__(self, core: Doorkeeper, api: Handler | None = None) -> None:
        self._core = core
        self.api = api

    def handle(self, request: Request) -> Response:
        api = self._api_for(request)
        return (api or self._core).handle(request)

    def refusal(self, request: Request) -> Response | None:
        return None if self._api_for(request) else self._core.refusal(request)

    def is_quick(self, request: Request) -> bool:
        return not self._api_for(request) and self._core.is_quick(request)

    def _api_for(self, request: Request) -> Handler | None:
        if self.api and is_for_api(request) and not locate(request).path.startswith(internal.PREFIX):
            return self.api
        return None
