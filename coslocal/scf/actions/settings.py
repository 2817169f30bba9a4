"""Reserved concurrency, and the retries and age of asynchronous events, changed while functions run (SCF 2.7, 3.1).

They last as long as the process: the command line says what they are at the next start.
"""

from __future__ import annotations

import msgspec

from coslocal.scf.actions.finding import find, find_version
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters
from derivo.ci import limits

MOST_RETRIES = 2
"""RetryNum: 0 to 2 is implied, the hard limit is not documented (SCF 3.1)."""
LONGEST_AGE = 21600
"""Seconds of MsgTTL: the default, and the most that any sample prints (SCF 3.1)."""
MOST_RESERVED = limits.CONCURRENCY_MB - limits.UNRESERVED_MB
"""MB: an account's concurrency less what stays unreserved (SCF 2.6, 2.7)."""


class OfFunction(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"


class PutReserved(Parameters, frozen=True):
    function_name: str
    reserved_concurrency_mem: int
    namespace: str = "default"


class RetryConfig(Parameters, frozen=True):
    retry_num: int


class AsyncTriggerConfig(Parameters, frozen=True):
    retry_config: list[RetryConfig]
    msg_ttl: int = msgspec.field(name="MsgTTL")


class PutEventInvoke(Parameters, frozen=True):
    async_trigger_config: AsyncTriggerConfig
    function_name: str
    namespace: str = "default"


class GetEventInvoke(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"
    qualifier: str = "$LATEST"


def put_reserved(scf: Scf, wanted: PutReserved) -> Content:
    """Runs above memory / memory size of the function are throttled from now on; 0 stops it (SCF 1.7)."""
    deployed = find(scf, wanted.function_name, wanted.namespace)
    memory = wanted.reserved_concurrency_mem
    if memory < 0:
        raise ApiError("InvalidParameterValue", "ReservedConcurrencyMem cannot be negative")
    if memory > MOST_RESERVED:
        raise ApiError(
            "LimitExceeded.FunctionReservedConcurrencyMemory",
            f"ReservedConcurrencyMem can be at most {MOST_RESERVED} MB",
        )
    deployed.reserved = memory
    return {}


def get_reserved(scf: Scf, wanted: OfFunction) -> Content:
    return {"ReservedMem": find(scf, wanted.function_name, wanted.namespace).reserved}


def delete_reserved(scf: Scf, wanted: OfFunction) -> Content:
    find(scf, wanted.function_name, wanted.namespace).reserved = None
    return {}


def update_event_invoke(scf: Scf, wanted: PutEventInvoke) -> Content:
    deployed = find(scf, wanted.function_name, wanted.namespace)
    config = wanted.async_trigger_config
    if len(config.retry_config) != 1:
        raise ApiError("InvalidParameterValue.AsyncTriggerConfig", "RetryConfig takes one RetryNum")
    retries = config.retry_config[0].retry_num
    if min(retries, config.msg_ttl - 1) < 0:
        raise ApiError("InvalidParameterValue.AsyncTriggerConfig", "RetryNum must be 0 or more, MsgTTL 1 s or more")
    if retries > MOST_RETRIES:
        raise ApiError("LimitExceeded.RetryNum", f"RetryNum can be at most {MOST_RETRIES}")
    if config.msg_ttl > LONGEST_AGE:
        raise ApiError("LimitExceeded.MsgTTL", f"MsgTTL can be at most {LONGEST_AGE} s")
    deployed.set_retries(retries=retries, max_age=config.msg_ttl)
    return {}


def get_event_invoke(scf: Scf, wanted: GetEventInvoke) -> Content:
    policy = find_version(scf, wanted.function_name, wanted.namespace, wanted.qualifier)[0].policy
    return {"AsyncTriggerConfig": {"RetryConfig": [{"RetryNum": policy.retries}], "MsgTTL": int(policy.max_age)}}
