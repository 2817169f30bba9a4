"""ListTriggers, CreateTrigger, DeleteTrigger: COS triggers and timers (SCF 1.5; 583/39901 of 2025-06-13)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from coslocal.scf.actions.finding import find, find_active
from coslocal.scf.cron import CronError, parse
from coslocal.scf.service import Scf
from coslocal.scf.timers import Timer
from coslocal.scf.triggers import MOST_PER_FUNCTION, Trigger, TriggerError
from coslocal.scf.versions import LATEST
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters

HasBucket = Callable[[str], bool]


class ListTriggers(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"
    offset: int = 0
    limit: int = 20
    order_by: Literal["add_time", "mod_time"] = "mod_time"
    order: Literal["ASC", "DESC"] = "DESC"
    filters: list[dict[str, Any]] | None = None


class CreateTrigger(Parameters, frozen=True):
    function_name: str
    trigger_name: str
    type: str
    trigger_desc: str | None = None
    namespace: str = "default"
    qualifier: str = LATEST
    enable: Literal["OPEN", "CLOSE"] = "OPEN"
    custom_argument: str = ""
    description: str = ""


class DeleteTrigger(Parameters, frozen=True):
    function_name: str
    trigger_name: str
    type: str
    namespace: str = "default"
    trigger_desc: str | None = None
    qualifier: str = LATEST


class Filter(msgspec.Struct, frozen=True, rename="pascal"):
    prefix: str = ""
    suffix: str = ""


class CosDescription(msgspec.Struct, frozen=True):
    event: str
    filter: Filter = Filter()


def list_triggers(scf: Scf, wanted: ListTriggers) -> Content:
    """Newest first, unless asked otherwise. Filters are refused."""
    find(scf, wanted.function_name, wanted.namespace)
    if wanted.filters:
        raise ApiError("UnsupportedOperation", "coslocal lists triggers without filters")
    if wanted.offset < 0 or wanted.limit < 0:
        raise ApiError("InvalidParameterValue.Limit", "Offset and Limit cannot be negative")
    name = wanted.function_name
    found = [cos_info(scf, trigger) for trigger in scf.triggers if trigger.function == name]
    found += [timer_info(timer) for timer in scf.timers if timer.function == name]
    if wanted.order == "DESC":
        found.reverse()
    return {"TotalCount": len(found), "Triggers": found[wanted.offset : wanted.offset + wanted.limit]}


def create_trigger(scf: Scf, has_bucket: HasBucket, wanted: CreateTrigger) -> Content:
    deployed = find_active(scf, wanted.function_name, wanted.namespace)
    if deployed.version(wanted.qualifier) is None:
        raise ApiError("ResourceNotFound.Qualifier", f"There is no version or alias {wanted.qualifier[:100]}")
    if wanted.type == "timer":
        return {"TriggerInfo": timer_info(_create_timer(scf, wanted))}
    if wanted.type != "cos":
        raise ApiError("UnsupportedOperation.Trigger", "coslocal offers triggers of the types cos and timer")
    bucket = _bucket(scf, wanted.trigger_name)
    if not has_bucket(bucket):
        raise ApiError("ResourceNotFound.Cos", f"There is no bucket {bucket}")
    if sum(trigger.function == wanted.function_name for trigger in scf.triggers) >= MOST_PER_FUNCTION:
        raise ApiError("LimitExceeded.Trigger", f"A function has at most {MOST_PER_FUNCTION} COS triggers")
    description = _described(wanted.trigger_desc)
    try:
        trigger = Trigger(
            bucket=bucket, function=wanted.function_name, event=description.event, prefix=description.filter.prefix,
            suffix=description.filter.suffix, qualifier=wanted.qualifier, enabled=wanted.enable == "OPEN",
        )  # fmt: skip
    except TriggerError as error:
        raise ApiError("InvalidParameterValue.TriggerDesc", str(error)) from None
    try:
        scf.bind(trigger)
    except TriggerError as error:
        raise ApiError("InvalidParameterValue.CosNotifyRuleConflict", str(error)) from None
    return {"TriggerInfo": cos_info(scf, trigger)}


def delete_trigger(scf: Scf, wanted: DeleteTrigger) -> Content:
    """One with this name, type and qualifier, and for COS this description: where it tells no filter, the only one."""
    find_active(scf, wanted.function_name, wanted.namespace)
    if wanted.type == "timer":
        found = [
            timer
            for timer in scf.timers
            if (timer.function, timer.name, timer.qualifier)
            == (wanted.function_name, wanted.trigger_name, wanted.qualifier)
        ]
        if not found:
            raise ApiError("ResourceNotFound.Trigger", f"There is no timer {wanted.trigger_name[:100]}")
        scf.unset_timer(found[0])
        return {}
    if wanted.type != "cos":
        raise ApiError("UnsupportedOperation.Trigger", "coslocal offers triggers of the types cos and timer")
    description, bucket = _described(wanted.trigger_desc), _bucket(scf, wanted.trigger_name)
    named = [
        trigger
        for trigger in scf.triggers
        if (trigger.function, trigger.bucket, trigger.event, trigger.qualifier)
        == (wanted.function_name, bucket, description.event, wanted.qualifier)
    ]
    meant = [
        trigger
        for trigger in named
        if (trigger.prefix, trigger.suffix) == (description.filter.prefix, description.filter.suffix)
    ]
    if len(meant or named) != 1:
        raise ApiError("ResourceNotFound.Trigger", f"{bucket} has {len(named)} triggers of this description")
    scf.unbind((meant or named)[0])
    return {}


def cos_info(scf: Scf, trigger: Trigger) -> dict[str, Any]:
    """The description as the deploy API takes it (SCF 1.5), with what the dialect adds."""
    name = f"{trigger.bucket}.cos.{scf.account.region}.myqcloud.com"
    described: dict[str, Any] = {
        "event": trigger.event,
        "filter": {"Prefix": trigger.prefix, "Suffix": trigger.suffix},
    }
    if scf.dialects["trigger-desc"] == "with-bucket":
        described = {"bucketUrl": name, **described}
    return _info("cos", name, described, qualifier=trigger.qualifier, enabled=trigger.enabled)


def timer_info(timer: Timer) -> dict[str, Any]:
    described = {"cron": str(timer.cron)}
    info = _info("timer", timer.name, described, qualifier=timer.qualifier, enabled=timer.enabled)
    return {**info, "CustomArgument": timer.message}


def _info(kind: str, name: str, description: dict[str, Any], *, qualifier: str, enabled: bool) -> dict[str, Any]:
    return {
        "Type": kind,
        "TriggerName": name,
        "TriggerDesc": json.dumps(description, separators=(",", ":"), ensure_ascii=False),
        "Enable": int(enabled),
        "AvailableStatus": "Available",
        "Qualifier": qualifier,
    }


def _create_timer(scf: Scf, wanted: CreateTrigger) -> Timer:
    if any((timer.function, timer.name) == (wanted.function_name, wanted.trigger_name) for timer in scf.timers):
        raise ApiError("ResourceInUse.TriggerName", f"There is a timer {wanted.trigger_name[:100]} already")
    if sum(timer.function == wanted.function_name for timer in scf.timers) >= MOST_PER_FUNCTION:
        raise ApiError("LimitExceeded.Trigger", f"A function has at most {MOST_PER_FUNCTION} timers")
    try:
        timer = Timer(
            name=wanted.trigger_name, function=wanted.function_name, cron=parse(wanted.trigger_desc or ""),
            message=wanted.custom_argument, qualifier=wanted.qualifier, enabled=wanted.enable == "OPEN",
        )  # fmt: skip
        scf.set_timer(timer)
    except (CronError, TriggerError) as error:
        raise ApiError("InvalidParameterValue.TriggerDesc", str(error)) from None
    return timer


def _bucket(scf: Scf, name: str) -> str:
    tail = f".cos.{scf.account.region}.myqcloud.com"
    if not name.endswith(tail):
        raise ApiError("InvalidParameterValue.TriggerName", f"A COS trigger is named BUCKET-APPID{tail}")
    return name.removesuffix(tail)


def _described(text: str | None) -> CosDescription:
    try:
        return msgspec.json.decode((text or "").encode("utf-8", "surrogatepass"), type=CosDescription)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiError(
            "InvalidParameterValue.TriggerDesc",
            f'TriggerDesc is such as {{"event":"cos:ObjectCreated:*","filter":{{"Prefix":"","Suffix":""}}}}: {error}',
        ) from None
