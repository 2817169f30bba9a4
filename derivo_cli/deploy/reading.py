"""serverless.yml, its variables and the package, as what is wanted; all that is wrong is told before any call."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from derivo.ci import limits
from derivo_cli import serverless, variables
from derivo_cli.deploy.model import Address, Config, DeadLetter, Kind, Package, Reserve, Retries, Trigger, Wanted
from derivo_cli.exits import USAGE, Stop
from derivo_cli.packaging import sbom
from derivo_cli.packaging.building import CLOUD

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,58}[A-Za-z0-9])?")
_CARRIED_OUT = frozenset(
    {
        "name", "namespace", "type", "region", "runtime", "handler", "description", "memorySize", "timeout",
        "initTimeout", "role", "publicAccess", "src", "environment", "deadLetter", "cls", "ignoreTriggers", "events",
    }
)  # fmt: skip
_KINDS = ("cos", "timer")


@dataclass(frozen=True)
class Options:
    """What serverless.yml has no word for: a processing call's mean seconds, retries, and an event's age in seconds."""

    call_seconds: float = 0.5
    retries: int = limits.RETRIES
    max_age: int = limits.EVENT_AGE_SECONDS


def resolved(file: Path, stage: str | None) -> variables.Resolved:
    """The file with values for its variables. Raises Stop for what cannot be read or is not defined."""
    try:
        written = serverless.read(file)
        known = variables.environment(file.parent, stage or written.stage)
        found = variables.resolve(written, known, stage)
    except FileNotFoundError:
        raise Stop(f"there is no {file}; name it with --serverless", USAGE) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Stop(f"{file}: {reason}", USAGE) from None
    if found.undefined:
        names = ", ".join(found.undefined)
        raise Stop(
            f"{file}: not defined: {names}; the platform's own tool would pass them on as nothing. "
            f"Set them in the environment, or in {file.parent / f'.env.{found.stage}'} as NAME=VALUE",
            USAGE,
        )
    if found.unknown:
        raise Stop(
            f"{file}: ${{{found.unknown[0]}}} is known to the platform's own tool alone; write ${{env:NAME}}", USAGE
        )
    return found


def faults(deployment: serverless.Deployment, region: str, folder: Path) -> list[str]:
    """What is wrong with the file itself, each with its mend."""
    inputs = deployment.inputs
    return serverless.faults(deployment, folder) + _unknown(inputs) + _shapes(inputs) + _elsewhere(deployment, region)


def address(deployment: serverless.Deployment) -> Address:
    """Which function the file deploys. Raises Stop."""
    inputs = deployment.inputs
    name, region = str(inputs.get("name") or ""), str(inputs.get("region") or "")
    if not _NAME.fullmatch(name):
        raise Stop(f"inputs.name: {name[:80]!r} is no function name: letters, digits, - and _, at most 60", USAGE)
    if not region:
        raise Stop("inputs.region: name the region, such as ap-guangzhou", USAGE)
    return Address(name, str(inputs.get("namespace") or "default"), region)


def wanted(
    deployment: serverless.Deployment, package: Package, options: Options, folder: Path, *, local: bool = False
) -> Wanted:
    """All of it together. `folder` is where serverless.yml stands; `local`: it goes to a coslocal. Raises Stop that
    tells everything that is wrong."""
    inputs, where = deployment.inputs, address(deployment)
    found = faults(deployment, where.region, folder) + package_faults(package.path, inputs, folder, local=local)
    if found:
        raise Stop("\n".join(found), USAGE)
    memory = int(inputs["memorySize"])
    return Wanted(
        address=where,
        kind=Kind("Event", str(inputs["runtime"]), str(inputs["handler"])),
        config=_config(inputs, memory),
        triggers=None if inputs.get("ignoreTriggers") else _triggers(deployment),
        retries=Retries(options.retries, options.max_age),
        reserve=reserve(where.region, memory, options.call_seconds),
        package=package,
    )


def reserve(region: str, memory: int, call_seconds: float) -> Reserve:
    """Raises Stop for a mean that is none."""
    if not 0 < call_seconds <= limits.TIMEOUT_SECONDS:
        raise Stop(f"--call-seconds {call_seconds:g}: a call takes more than 0 s, such as 0.5", USAGE)
    return Reserve(region=region, call_seconds=call_seconds, memory=memory)


def package(path: Path) -> Package:
    """Raises Stop when there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}; build it with: derivo package", USAGE) from None
    return Package(path, data)


def _config(inputs: Mapping[str, Any], memory: int) -> Config:
    letter, log = _members(inputs.get("deadLetter")), _members(inputs.get("cls"))
    environment = _members(_members(inputs.get("environment")).get("variables"))
    return Config(
        description=str(inputs.get("description") or ""),
        memory=memory,
        timeout=int(inputs["timeout"]),
        role=str(inputs["role"]),
        public=inputs["publicAccess"] is True,
        variables={str(name): _text(value) for name, value in environment.items()},
        init_timeout=int(inputs["initTimeout"]) if "initTimeout" in inputs else None,
        dead_letter=DeadLetter(str(letter.get("type")), str(letter.get("name")), str(letter.get("filterType") or ""))
        if letter
        else None,
        log=(str(log.get("logsetId")), str(log.get("topicId"))) if log else None,
    )


def _triggers(deployment: serverless.Deployment) -> tuple[Trigger, ...]:
    found = [
        Trigger(kind="cos", name=item.bucket, detail=item.event, prefix=item.prefix, suffix=item.suffix)
        for item in deployment.triggers
    ]
    found += [
        Trigger(kind="timer", name=item.name, detail=item.cron, message=item.message, enabled=item.enabled is True)
        for item in deployment.timers
    ]
    return tuple(found)


def _unknown(inputs: Mapping[str, Any]) -> list[str]:
    found = [
        f"inputs.{name}: derivo deploy does not carry this out; leave it out, or deploy with the platform's own tool"
        for name in inputs
        if name not in _CARRIED_OUT
    ]
    for number, entry in enumerate(inputs.get("events") or ()):
        found += [
            f"inputs.events[{number}].{name}: derivo deploy makes triggers of the kinds {' and '.join(_KINDS)}"
            for name in entry
            if name not in _KINDS
        ]
    return found


def _shapes(inputs: Mapping[str, Any]) -> list[str]:
    """What would be passed over, or fail, for being of another shape than the platform's."""
    found = []
    first = inputs.get("initTimeout", 3)
    if not isinstance(first, int) or isinstance(first, bool) or not 3 <= first <= limits.TIMEOUT_SECONDS:
        found.append(f"inputs.initTimeout: write 3 to {limits.TIMEOUT_SECONDS} seconds, or leave it out")
    for name, members in {"deadLetter": ("type", "name"), "cls": ("logsetId", "topicId")}.items():
        given = inputs.get(name)
        if given is not None and not all(_members(given).get(member) for member in members):
            found.append(f"inputs.{name}: write {' and '.join(members)}, or leave it out")
    environment = inputs.get("environment")
    variables = _members(environment).get("variables")
    if environment is not None and not isinstance(variables, dict):
        found.append("inputs.environment: write variables: {NAME: value}, or leave it out")
    found += [
        f"inputs.environment.variables.{name}: write a text or a number"
        for name, value in _members(variables).items()
        if isinstance(value, dict | list)
    ]
    return found


def _elsewhere(deployment: serverless.Deployment, region: str) -> list[str]:
    """A bucket has to lie in the function's region (SCF 1.5); timers need what the platform asks of them."""
    found = [
        f"inputs.events: {item.bucket} does not lie in {region}; a trigger's bucket is NAME-APPID.cos.{region}"
        ".myqcloud.com (SCF 1.5)"
        for item in deployment.triggers
        if not item.bucket.endswith(f".cos.{region}.myqcloud.com")
    ]
    for timer in deployment.timers:
        if not timer.name or len(timer.cron.split()) != 7:
            found.append(
                f"inputs.events: the timer {timer.name or 'without a name'} needs a name, and a cronExpression of seven"
                " fields such as '0 30 3 * * * *'"
            )
    return found


def package_faults(package: Path, inputs: Mapping[str, Any], folder: Path, *, local: bool = False) -> list[str]:
    """What keeps a package from being deployed by this file, each with its mend. A coslocal (`local`) runs whatever
    Python it has: one that the platform has not is for trying out there."""
    again = "build it again with: derivo package"
    try:
        with zipfile.ZipFile(package) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if _tells(name)}
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        return [f"{package}: no zip: {error}; {again}"]
    found = []
    module = str(inputs.get("handler", "")).partition(".")[0]
    if f"{module}.py" not in names:
        found.append(f"{package}: there is no {module}.py in it; {again}")
    python = _python(files.get(sbom.FILE))
    if python and f"Python{python}" != inputs.get("runtime") and not (local and python not in CLOUD):
        found.append(
            f"{package}: built for Python {python}, and inputs.runtime is {inputs.get('runtime')}; "
            f"build it with: derivo package --python {str(inputs.get('runtime')).removeprefix('Python')}"
        )
    rules = {f"rules/{path.name}": path.read_bytes() for path in sorted((folder / "rules").glob("*.y*ml"))}
    inside = {name: data for name, data in files.items() if name.endswith((".yml", ".yaml"))}
    if rules and inside != rules:
        found.append(f"{package}: other rule sets than {folder / 'rules'} has; {again}")
    return found


def _tells(name: str) -> bool:
    return name == sbom.FILE or (name.startswith("rules/") and name.endswith((".yml", ".yaml")))


def _python(bill: bytes | None) -> str:
    """The Python that the package was built for, as its bill of materials tells; "" where there is none."""
    try:
        facts = json.loads(bill or b"{}")["metadata"]["properties"]
        return next((str(item["value"]) for item in facts if item["name"] == "derivo:python"), "")
    except (ValueError, KeyError, TypeError):
        return ""


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """A variable's value as the platform has it: text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
