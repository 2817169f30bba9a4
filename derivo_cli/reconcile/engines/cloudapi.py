"""The cloud's API for functions, through the vendor's SDK: what is deployed, and asynchronous invocations (SCF 4)."""

from __future__ import annotations

from dataclasses import dataclass

from derivo.settings import Settings
from derivo_cli.cloudapi import call, scf_client


@dataclass(frozen=True)
class Deployed:
    """A function as the platform has it: `timeout` in seconds, `status` such as `Active`."""

    name: str
    namespace: str
    timeout: int
    status: str


class Functions:
    """The functions of a region. Coslocal is reached as for COS: by the same scheme and proxy."""

    def __init__(self, settings: Settings, region: str) -> None:
        self._client = scf_client(settings, region)

    def describe(self, name: str, namespace: str) -> Deployed:
        """Raises ApiFailure, ResourceNotFound.Function for one."""
        from tencentcloud.scf.v20180416 import models

        wanted = models.GetFunctionRequest()
        wanted.FunctionName, wanted.Namespace = name, namespace
        found = call(self._client.GetFunction, wanted)
        return Deployed(name=name, namespace=namespace, timeout=int(found.Timeout or 0), status=str(found.Status))

    def invoke(self, function: Deployed, event: str) -> None:
        """Put an event (JSON) into the function's queue. Raises ApiFailure."""
        from tencentcloud.scf.v20180416 import models

        wanted = models.InvokeRequest()
        wanted.FunctionName, wanted.Namespace = function.name, function.namespace
        wanted.InvocationType, wanted.ClientContext = "Event", event
        call(self._client.Invoke, wanted)
