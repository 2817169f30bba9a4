"""Invoke and InvokeFunction: a function is run by whoever signs for it (SCF 4)."""

from __future__ import annotations

import json
import math
from typing import Any, Literal, NoReturn

from coslocal.scf.actions.finding import find_version
from coslocal.scf.result import TAKEN_IN, TOO_LARGE, Result
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters

LOG_TAIL = 4 * 1024
"""Bytes of the log that `LogType` Tail asks for."""

LogType = Literal["None", "Tail"]


class Invoke(Parameters, frozen=True):
    function_name: str
    invocation_type: Literal["RequestResponse", "Event"] = "RequestResponse"
    qualifier: str = "$LATEST"
    client_context: str | None = None
    log_type: LogType = "None"
    namespace: str = "default"
    routing_key: str | None = None


class InvokeFunction(Parameters, frozen=True):
    function_name: str
    qualifier: str = "$DEFAULT"
    event: str | None = None
    log_type: LogType = "None"
    namespace: str = "default"
    routing_key: str | None = None


def invoke(scf: Scf, wanted: Invoke) -> Content:
    function = _runnable(scf, wanted)
    event = _event(wanted.client_context, "ClientContext")
    if wanted.invocation_type == "RequestResponse":
        return _run(scf, function, event, wanted)
    result = scf.invoke_async(function, event, qualifier=wanted.qualifier)
    if result.status == TOO_LARGE:
        raise ApiError("InvalidParameter.RequestTooLarge", result.message)
    if result.status != TAKEN_IN:
        raise ApiError("RequestLimitExceeded", result.message)
    return {"Result": _outcome(result.request_id)}


def invoke_function(scf: Scf, wanted: InvokeFunction) -> Content:
    return _run(scf, _runnable(scf, wanted), _event(wanted.event, "Event"), wanted)


def _runnable(scf: Scf, wanted: Invoke | InvokeFunction) -> str:
    """The function's name, when there is something to run: while it is updated, what it was before (583/115197)."""
    found, version = find_version(scf, wanted.function_name, wanted.namespace, wanted.qualifier)
    state = found.state(wanted.qualifier)
    if state in ("Creating", "CreateFailed", "Deleting", "Publishing"):
        raise ApiError("FailedOperation.FunctionStatusError", f"{wanted.function_name} is {state}")
    return version.function.name


def _event(text: str | None, name: str) -> Any:
    """The event that the function gets; without one it is {}, since nothing says what the cloud sends."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    if text is None:
        return {}
    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise ApiError("InvalidParameterValue.Param", f"{name} is not JSON") from None


def _run(scf: Scf, name: str, event: Any, wanted: Invoke | InvokeFunction) -> Content:
    result = scf.invoke(name, event, qualifier=wanted.qualifier)
    if result.status == TOO_LARGE:
        raise ApiError("InvalidParameter.RequestTooLarge", result.message)
    log = _tail(scf, result.request_id) if wanted.log_type == "Tail" else ""
    return {"Result": _outcome(result.request_id, result, log)}


def _tail(scf: Scf, request_id: str) -> str:
    lines = [line for run in scf.runs.of(request_id) for line in run.lines]
    return "\n".join(lines).encode("utf-8", "replace")[-LOG_TAIL:].decode("utf-8", "ignore")


def _outcome(request_id: str, result: Result | None = None, log: str = "") -> Content:
    """`Result` of the answer. A failed run is an answer and no error: its JSON is the return value (583/39704)."""
    if result is None:
        message = value = ""
        milliseconds, memory, code = 0.0, 0, 0
    else:
        value = result.value if result.ok else json.dumps(result.body())
        message = "" if result.ok else result.message
        milliseconds, memory, code = result.duration * 1000, result.memory, 0 if result.ok else 1
    return {
        "FunctionRequestId": request_id,
        "InvokeResult": code,
        "RetMsg": value,
        "ErrMsg": message,
        "Duration": round(milliseconds, 3),
        "BillDuration": math.ceil(milliseconds),
        "MemUsage": memory,
        "Log": log,
    }
