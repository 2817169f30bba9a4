"""Reads serverless.yml (component scf), and holds it against the traps of the platform (SCF 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from derivo.ci import limits

_MEMORY = (64, *range(128, 3073, 128))
_RUNTIMES = ("Python3.9", "Python3.10")
_RESERVED = ("SCF_", "QCLOUD_", "TENCENTCLOUD_")
_CREATED = "cos:ObjectCreated:"
_REMOVED = "cos:ObjectRemove:"


@dataclass(frozen=True)
class CosTrigger:
    """One COS trigger as written: `bucket` is the full domain, perhaps with variables in it."""

    bucket: str
    prefix: str
    suffix: str
    event: str
    enabled: object


@dataclass(frozen=True)
class TimerTrigger:
    """One timer as written: a cron of seven fields, and the message that its event brings."""

    name: str
    cron: str
    message: str
    enabled: object


@dataclass(frozen=True)
class Deployment:
    """What serverless.yml says of the function; `inputs` is its raw block, `top` what stands beside it (name, app,
    stage). Texts are as written, with their variables: derivo_cli/variables.py puts values in their place."""

    inputs: dict[str, Any]
    triggers: tuple[CosTrigger, ...]
    timers: tuple[TimerTrigger, ...] = ()
    top: dict[str, Any] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, Any]:
        """The function's environment variables."""
        return _members(_members(self.inputs.get("environment")).get("variables"))

    @property
    def stage(self) -> str:
        """The stage that is deployed unless another is asked for (SCF 5.1)."""
        return str(self.top.get("stage") or "dev")


def read(path: Path) -> Deployment:
    """Raises ValueError that says what is missing."""
    try:
        return parse(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte {error.start} of it") from None


def parse(text: str) -> Deployment:
    """As `read`, of the file's text."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None
    return understood(document)


def understood(document: object) -> Deployment:
    """The deployment that a file's content describes. Raises ValueError."""
    if not isinstance(document, dict) or document.get("component") != "scf":
        raise ValueError("expected `component: scf`")
    inputs = document.get("inputs")
    if not isinstance(inputs, dict):
        raise ValueError("`inputs` is missing")
    events = inputs.get("events") or []
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("`inputs.events` is a list of one-key mappings such as `- cos: ...`")
    return Deployment(
        inputs,
        tuple(_trigger(event["cos"]) for event in events if "cos" in event),
        tuple(_timer(event["timer"]) for event in events if "timer" in event),
        {name: value for name, value in document.items() if name != "inputs"},
    )


def _members(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _timer(entry: object) -> TimerTrigger:
    parameters = _members(_members(entry).get("parameters"))
    return TimerTrigger(
        name=str(_members(entry).get("name") or parameters.get("name") or ""),
        cron=str(parameters.get("cronExpression") or ""),
        message=str(parameters.get("argument") or ""),
        enabled=parameters.get("enable"),
    )


def _trigger(entry: object) -> CosTrigger:
    parameters = _members(_members(entry).get("parameters"))
    wanted = _members(parameters.get("filter"))
    return CosTrigger(
        bucket=str(parameters.get("bucket") or ""),
        prefix=str(wanted.get("prefix") or ""),
        suffix=str(wanted.get("suffix") or ""),
        event=str(parameters.get("events") or ""),
        enabled=parameters.get("enable"),
    )


def faults(deployment: Deployment, folder: Path) -> list[str]:
    """What the platform would refuse or silently do otherwise, and what to write. `folder` holds functions/."""
    return [*_function_faults(deployment.inputs, folder), *_trigger_faults(deployment.triggers)]


def _function_faults(inputs: dict[str, Any], folder: Path) -> list[str]:
    found = []
    module = str(inputs.get("handler", "")).partition(".")[0]
    if not (folder / "functions" / f"{module}.py").is_file():
        found.append(f"inputs.handler: there is no functions/{module}.py")
    if inputs.get("type") != "event":
        found.append("inputs.type: say `event`; an update never changes it")
    if inputs.get("runtime") not in _RUNTIMES:
        found.append(f"inputs.runtime: write one of {', '.join(_RUNTIMES)}; the default is Node.js")
    timeout = inputs.get("timeout")
    if not isinstance(timeout, int) or not 10 <= timeout <= limits.TIMEOUT_SECONDS:
        found.append(
            f"inputs.timeout: write 10 to {limits.TIMEOUT_SECONDS} seconds; the default of 3 is too short for CI"
        )
    if inputs.get("memorySize") not in _MEMORY:
        found.append("inputs.memorySize: write 64, or 128 to 3072 in steps of 128")
    if not inputs.get("role"):
        found.append("inputs.role: without an execution role the function gets no credentials")
    if inputs.get("publicAccess") is not True:
        found.append("inputs.publicAccess: write true, or the function cannot reach COS")
    if not inputs.get("asyncRunEnable") and {"retryNum", "msgTTL"} & inputs.keys():
        found.append(
            "inputs.retryNum, inputs.msgTTL: the component ignores them for this kind of function; leave them out"
        )
    if inputs.get("asyncRunEnable"):
        found.append("inputs.asyncRunEnable: such a function has no retries and no dead letters; leave it out")
    if ".env" not in (_members(inputs.get("src")).get("exclude") or ()):
        found.append("inputs.src.exclude: name .env, or credentials are uploaded with the code")
    variables = Deployment(inputs, ()).variables
    for name in variables:
        if str(name).startswith(_RESERVED):
            found.append(
                f"inputs.environment.variables.{name}: names beginning {', '.join(_RESERVED)} are the platform's"
            )
    if sum(len(f"{name}={value}".encode()) for name, value in variables.items()) > limits.ENV_BYTES:
        found.append(f"inputs.environment.variables: over {limits.ENV_BYTES} bytes in all")
    return found


def _trigger_faults(triggers: tuple[CosTrigger, ...]) -> list[str]:
    found = []
    if not triggers:
        found.append("inputs.events: there is no COS trigger, so the function is never called")
    if len(triggers) > limits.TRIGGERS:
        found.append(f"inputs.events: {len(triggers)} COS triggers; a function may have {limits.TRIGGERS}")
    for number, trigger in enumerate(triggers):
        place = f"inputs.events[{number}].cos"
        if trigger.enabled is not True:
            found.append(f"{place}.enable: write true; left out, the trigger is created closed")
        if trigger.suffix and not trigger.suffix.startswith("."):
            found.append(f"{place}.filter.suffix: must begin with a dot")
        if not trigger.event.startswith((_CREATED, _REMOVED)):
            found.append(f"{place}.events: expected one event name, such as cos:ObjectCreated:* or cos:ObjectRemove:*")
        for other in triggers[:number]:
            if overlap(trigger, other):
                found.append(
                    f"{place}: overlaps the trigger for {other.prefix!r}; the platform refuses both on one bucket"
                )
    return found


def overlap(one: CosTrigger, two: CosTrigger) -> bool:
    """SCF 1.5: two bindings collide only if event, prefix and suffix all overlap."""
    family = one.event.rpartition(":")[0] == two.event.rpartition(":")[0]
    events = one.event == two.event or (family and any(t.event.endswith(":*") for t in (one, two)))
    prefixes = one.prefix.startswith(two.prefix) or two.prefix.startswith(one.prefix)
    suffixes = one.suffix.endswith(two.suffix) or two.suffix.endswith(one.suffix)
    return one.bucket == two.bucket and events and prefixes and suffixes
