"""GetFunctionLogs and GetRequestStatus: the runs that coslocal still remembers, as SCF's API tells them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Literal

from coslocal.scf.actions.finding import find, find_version
from coslocal.scf.result import CODE_ERROR, OUT_OF_MEMORY, TIMEOUT
from coslocal.scf.runlog import Run
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters

DEEPEST = 10_000
"""Offset and Limit together."""
_TIME = "%Y-%m-%d %H:%M:%S"
_STATUSES = {"TimeLimitExceeded": TIMEOUT, "ResourceLimitExceeded": OUT_OF_MEMORY, "UserCodeException": CODE_ERROR}


class LogFilter(Parameters, frozen=True):
    ret_code: Literal["not0", "is0", "TimeLimitExceeded", "ResourceLimitExceeded", "UserCodeException", ""] = ""


class GetFunctionLogs(Parameters, frozen=True):
    function_name: str | None = None
    offset: int = 0
    limit: int = 20
    order: Literal["desc", "asc"] = "desc"
    order_by: Literal["function_name", "duration", "mem_usage", "start_time"] = "start_time"
    filter: LogFilter = LogFilter()
    namespace: str = "default"
    qualifier: str | None = None
    function_request_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    search_context: dict[str, Any] | None = None


class GetRequestStatus(Parameters, frozen=True):
    function_name: str
    function_request_id: str
    namespace: str = "default"
    start_time: str | None = None
    end_time: str | None = None


def get_function_logs(scf: Scf, wanted: GetFunctionLogs) -> Content:
    """Without a Qualifier the runs of all versions."""
    version = None
    if wanted.function_name is not None and wanted.qualifier is not None:
        _, found = find_version(scf, wanted.function_name, wanted.namespace, wanted.qualifier)
        version = found.function.version
    elif wanted.function_name is not None:
        find(scf, wanted.function_name, wanted.namespace)
    if min(wanted.offset, wanted.limit) < 0 or wanted.offset + wanted.limit > DEEPEST:
        raise ApiError("InvalidParameterValue.Limit", f"Offset and Limit together can be at most {DEEPEST}")
    start, end = _period(wanted.start_time, wanted.end_time)

    def is_wanted(run: Run) -> bool:
        return (
            wanted.function_name in (None, run.function)
            and version in (None, run.version)
            and wanted.function_request_id in (None, run.request_id)
            and start <= run.started <= end
            and _passes(run, wanted.filter.ret_code)
        )

    keys = {
        "function_name": lambda run: run.function,
        "duration": lambda run: run.result.duration if run.result else 0.0,
        "mem_usage": lambda run: run.result.memory if run.result else 0,
        "start_time": lambda run: run.started,
    }
    runs = sorted(scf.runs.select(is_wanted), key=keys[wanted.order_by], reverse=wanted.order == "desc")
    page = runs[wanted.offset : wanted.offset + wanted.limit]
    return {"TotalCount": len(runs), "Data": [_entry(run) for run in page]}


def get_request_status(scf: Scf, wanted: GetRequestStatus) -> Content:
    """Without times all that is remembered, not the last 15 minutes alone."""
    find(scf, wanted.function_name, wanted.namespace)
    start, end = _period(wanted.start_time, wanted.end_time)
    runs = [run for run in scf.runs.of(wanted.function_request_id) if start <= run.started <= end]
    runs = [run for run in runs if run.function == wanted.function_name]
    return {"TotalCount": len(runs), "Data": [_state(run) for run in runs]}


def _period(start: str | None, end: str | None) -> tuple[float, float]:
    try:
        return (
            datetime.strptime(start, _TIME).replace(tzinfo=UTC).timestamp() if start else -math.inf,
            datetime.strptime(end, _TIME).replace(tzinfo=UTC).timestamp() + 1 if end else math.inf,
        )
    except ValueError:
        raise ApiError(
            "InvalidParameterValue.StartTime", "StartTime and EndTime are like 2017-05-16 20:00:00"
        ) from None


def _passes(run: Run, ret_code: str) -> bool:
    if run.result is None or not ret_code:
        return not ret_code
    if ret_code in _STATUSES:
        return run.result.status == _STATUSES[ret_code]
    return run.result.ok == (ret_code == "is0")


def _state(run: Run) -> dict[str, Any]:
    done = run.result
    return {
        "FunctionName": run.function,
        "RequestId": run.request_id,
        "StartTime": datetime.fromtimestamp(run.started, UTC).strftime(_TIME),
        "RetryNum": run.retry,
        "RetCode": 1 if done is None else 0 if done.ok else -1,
        "RetMsg": done.value if done and done.ok else "",
        "Duration": round(done.duration * 1000, 3) if done else 0.0,
        "MemUsage": round(done.memory / 1024**2, 6) if done else 0.0,
    }


def _entry(run: Run) -> dict[str, Any]:
    """Times are in UTC. RetCode: 0 success, 2 running, otherwise the status of the failed run."""
    done = run.result
    return {
        **_state(run),
        "RetCode": 2 if done is None else 0 if done.ok else done.status,
        "InvokeFinished": int(done is not None),
        "BillDuration": math.ceil(done.duration * 1000) if done else 0,
        "MemUsage": done.memory if done else 0,
        "Log": "\n".join(run.lines),
        "Level": "",
        "Source": "",
    }
