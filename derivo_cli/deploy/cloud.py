"""The calls that deploying makes, and nothing else: what they take is values, and so is what they give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from derivo.ci import limits
from derivo.clock import Clock
from derivo_cli.cloudapi import ApiFailure, call
from derivo_cli.deploy.handing import Handing
from derivo_cli.deploy.model import (
    DEFAULT,
    LATEST,
    Actual,
    Address,
    Config,
    DeadLetter,
    Kind,
    Package,
    Retries,
    Trigger,
    Version,
)
from derivo_cli.exits import FINDINGS, Stop

Got = TypeVar("Got")

PACKAGE = "Derivo package "
"""What a published version's description begins with, before the SHA-256 of its zip. Letters, digits and spaces: more
is not promised to be taken."""

ACTIVE = "Active"
CHANGING = ("Creating", "Updating", "Publishing", "Deleting")
LONGEST_WAIT = 300.0
_PAGE = 100
_DEFAULT_RETRIES = Retries(limits.RETRIES, limits.EVENT_AGE_SECONDS)
_LONGEST_PAUSE = 5.0
_TRIES = 5
# what the platform refused before it did anything, because something else was under way
_BUSY = (
    "FailedOperation.FunctionStatusError",
    "FailedOperation.FunctionNameStatusError",
    "FailedOperation.OperationConflict",
)


class Missing(Exception):
    """There is no such function."""


class Cloud:
    """One function of an account; its code is handed over as `handing` does. Raises ApiFailure."""

    def __init__(self, client: Any, address: Address, clock: Clock, handing: Handing) -> None:
        self._client = client
        self._handing = handing
        self.address = address
        self._clock = clock

    # -- reading

    def actual(self) -> Actual | None:
        """The function as it is; None when there is none."""
        try:
            latest = self.version(LATEST)
        except Missing:
            return None
        if latest.status == "CreateFailed":  # of what never was there is nothing more to tell
            return Actual(
                latest=latest, serving=latest, newest=None, split=False, triggers=(), others=(), reserved=None,
                retries=_DEFAULT_RETRIES,
            )  # fmt: skip
        alias = self._read("GetAlias", Name=DEFAULT)
        described = self.published()
        newest = next(reversed(described), None)
        if newest is not None:
            self.settled(newest)  # an earlier run may have been broken off while it was published
        found = {LATEST: latest}
        for name in {str(alias.FunctionVersion), newest or LATEST} - {LATEST}:
            found[name] = self.version(name, described.get(name, ""))
        triggers, others = self._triggers()
        return Actual(
            latest=latest, serving=found[str(alias.FunctionVersion)], newest=found[newest] if newest else None,
            split=_is_split(alias.RoutingConfig), triggers=triggers, others=others, reserved=self.reserved(),
            retries=self._retries(),
        )  # fmt: skip

    def published(self) -> dict[str, str]:
        """The published versions, oldest first, with their descriptions. Raises Missing."""
        listed = {
            str(item.Version): str(item.Description or "") for item in self._pages("ListVersionByFunction", "Versions")
        }
        names = sorted((name for name in listed if name != LATEST), key=lambda name: (len(name), name))
        return {name: listed[name] for name in names}

    def serving(self) -> str:
        """The version that $DEFAULT names. Raises Missing."""
        return str(self._read("GetAlias", Name=DEFAULT).FunctionVersion)

    def reserved(self) -> int | None:
        """MB, None for no reserve. Raises Missing."""
        found = self._read("GetReservedConcurrencyConfig").ReservedMem
        return None if found is None else int(found)

    def logs(self, **wanted: Any) -> list[Any]:
        return list(self._read("GetFunctionLogs", **wanted).Data or ())

    def version(self, name: str, description: str = "") -> Version:
        """A version as it is; `description` is what the list of versions tells of it. Raises Missing."""
        told = self._read("GetFunction", Qualifier=name)
        reasons = [str(item.ErrorMessage) for item in told.StatusReasons or ()]
        package = description.removeprefix(PACKAGE) if description.startswith(PACKAGE) else ""
        return Version(
            name=name, status=str(told.Status), reason="; ".join(reasons) or str(told.StatusDesc or ""),
            kind=Kind("HTTP" if told.Type == "HTTP" else "Event", str(told.Runtime), str(told.Handler)),
            config=_config(told), package=package, code=self._code(name),
        )  # fmt: skip

    def _code(self, name: str) -> str:
        """The platform's hash of a version's code; "" where it tells none."""
        try:
            return str(self._read("GetFunctionAddress", Qualifier=name).CodeSha256 or "")
        except ApiFailure:
            return ""

    def _triggers(self) -> tuple[tuple[Trigger, ...], tuple[str, ...]]:
        ours, others = [], []
        for item in self._pages("ListTriggers", "Triggers"):
            trigger = _trigger(item)
            if trigger is None:
                others.append(f"{item.Type} {item.TriggerName}")
            else:
                ours.append(trigger)
        return tuple(ours), tuple(others)

    def _retries(self) -> Retries:
        told = self._read("GetFunctionEventInvokeConfig").AsyncTriggerConfig
        if told is None or not told.RetryConfig:
            return _DEFAULT_RETRIES
        return Retries(int(told.RetryConfig[0].RetryNum), int(told.MsgTTL))

    def _pages(self, action: str, member: str) -> Iterator[Any]:
        offset = 0
        while True:
            page = list(getattr(self._read(action, Offset=offset, Limit=_PAGE), member) or ())
            yield from page
            offset += len(page)
            if len(page) < _PAGE:
                return

    # -- waiting

    def settled(self, version: str = LATEST) -> str:
        """Wait until nothing is under way; the state then, "" when there is no such function.

        Raises Stop when it takes too long.
        """
        return self._until(lambda: self._state(version), lambda state: state not in CHANGING)

    def active(self, version: str = LATEST) -> None:
        """Wait until a version is Active. Raises Stop when it fails, or takes too long."""
        state = self.settled(version)
        if state != ACTIVE:
            reason = self.version(version).reason if state else "it is gone"
            raise Stop(f"{self.address}: version {version} is {state or 'gone'}: {reason}", FINDINGS)

    def _state(self, version: str) -> str:
        try:
            return str(self._read("GetFunction", Qualifier=version).Status)
        except Missing:
            return ""

    def _until(self, look: Callable[[], str], good: Callable[[str], bool]) -> str:
        pause, end = 0.2, self._clock.monotonic() + LONGEST_WAIT
        while not good(state := look()):
            if self._clock.monotonic() + pause > end:
                raise Stop(
                    f"{self.address} is still {state} after {LONGEST_WAIT:.0f} s; run the command again later: it "
                    "goes on from there",
                    FINDINGS,
                )
            self._clock.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
        return state

    # -- writing

    def create(self, kind: Kind, config: Config, package: Package) -> None:
        """Create it, and wait until it is Active. Raises Stop."""
        self._deliver(
            "CreateFunction", package, Type=kind.type, Runtime=kind.runtime, Handler=kind.handler, **_settings(config)
        )

    def update_code(self, handler: str, package: Package) -> None:
        """Put other code in its place, and wait until it is Active. Raises Stop."""
        self._deliver("UpdateFunctionCode", package, Handler=handler)

    def _deliver(self, action: str, package: Package, **parameters: Any) -> None:
        code = self._handing.code(package)
        source = "ZipFile" if "ZipFile" in code else "Cos"
        self._write(action, Code=code, CodeSource=source, **parameters)
        self.active()
        self._handing.clear(package)

    def update_config(self, config: Config) -> None:
        """And wait until it is Active. Raises Stop."""
        self._write("UpdateFunctionConfiguration", **_settings(config))
        self.active()

    def delete(self) -> None:
        """And wait until it is gone. Raises Stop."""
        self._write("DeleteFunction")
        state = self._until(lambda: self._state(LATEST), lambda state: state in ("", "DeleteFailed"))
        if state:
            raise Stop(f"{self.address} is {state}: {self.version(LATEST).reason}", FINDINGS)

    def publish(self, package: str) -> str:
        """A version of what $LATEST is; its name, once it is Active. Raises Stop."""
        version = str(self._write("PublishVersion", Description=PACKAGE + package).FunctionVersion)
        self.active(version)
        return version

    def point(self, version: str) -> None:
        """All of $DEFAULT's events to this version."""
        self._write(
            "UpdateAlias", Name=DEFAULT, FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": []}
        )

    def reserve(self, megabytes: int) -> None:
        """0 stops the function."""
        self._write("PutReservedConcurrencyConfig", ReservedConcurrencyMem=megabytes)

    def set_retries(self, retries: Retries) -> None:
        config = {"RetryConfig": [{"RetryNum": retries.times}], "MsgTTL": retries.max_age}
        self._write("UpdateFunctionEventInvokeConfig", AsyncTriggerConfig=config)

    def create_trigger(self, trigger: Trigger) -> None:
        argument = {"CustomArgument": trigger.message} if trigger.message else {}
        self._write(
            "CreateTrigger", TriggerName=trigger.name, Type=trigger.kind, TriggerDesc=_described(trigger),
            Qualifier=trigger.qualifier, Enable="OPEN" if trigger.enabled else "CLOSE", **argument,
        )  # fmt: skip

    def delete_trigger(self, trigger: Trigger) -> None:
        self._write(
            "DeleteTrigger", TriggerName=trigger.name, Type=trigger.kind, TriggerDesc=_described(trigger),
            Qualifier=trigger.qualifier,
        )  # fmt: skip

    # -- calls

    def _read(self, action: str, **parameters: Any) -> Any:
        """Tried again when it may end better; it changes nothing."""
        return self._tried(lambda failure: failure.passing, action, parameters)

    def _write(self, action: str, **parameters: Any) -> Any:
        """Tried again only when it was refused before anything was done."""
        return self._tried(
            lambda failure: failure.code in _BUSY or failure.code.startswith("RequestLimitExceeded"), action, parameters
        )

    def _tried(self, again: Callable[[ApiFailure], bool], action: str, parameters: Mapping[str, Any]) -> Any:
        for attempt in range(_TRIES):
            try:
                return self._call(action, parameters)
            except ApiFailure as failure:
                if attempt == _TRIES - 1 or not again(failure):
                    raise
                self._clock.sleep(0.5 * 2**attempt)
        raise AssertionError("unreachable")

    def _call(self, action: str, parameters: Mapping[str, Any]) -> Any:
        from tencentcloud.scf.v20180416 import models

        request = getattr(models, f"{action}Request")()
        where = {"FunctionName": self.address.name, "Namespace": self.address.namespace}
        request.from_json_string(json.dumps({**where, **parameters}))
        try:
            return call(getattr(self._client, action), request)
        except ApiFailure as failure:
            if failure.code in ("ResourceNotFound.Function", "ResourceNotFound.FunctionName"):
                raise Missing(str(self.address)) from None
            raise


def _settings(config: Config) -> dict[str, Any]:
    variables = [{"Key": name, "Value": value} for name, value in config.variables.items()]
    settings: dict[str, Any] = {
        "Description": config.description, "MemorySize": config.memory, "Timeout": config.timeout, "Role": config.role,
        "Environment": {"Variables": variables},
        "PublicNetConfig": {
            "PublicNetStatus": "ENABLE" if config.public else "DISABLE", "EipConfig": {"EipStatus": "DISABLE"},
        },
    }  # fmt: skip
    if config.init_timeout is not None:
        settings["InitTimeout"] = config.init_timeout
    if config.dead_letter is not None:
        letter = config.dead_letter
        settings["DeadLetterConfig"] = {"Type": letter.type, "Name": letter.name, "FilterType": letter.filter}
    if config.log is not None:
        settings["ClsLogsetId"], settings["ClsTopicId"] = config.log
    return settings


def _config(told: Any) -> Config:
    letter, network = told.DeadLetterConfig, told.PublicNetConfig
    variables = (told.Environment.Variables if told.Environment else None) or ()
    return Config(
        description=str(told.Description or ""), memory=int(told.MemorySize or 0), timeout=int(told.Timeout or 0),
        role=_role(told), public=network is None or network.PublicNetStatus != "DISABLE",
        variables={str(item.Key): str(item.Value) for item in variables},
        init_timeout=int(told.InitTimeout) if told.InitTimeout else None,
        dead_letter=DeadLetter(str(letter.Type), str(letter.Name), str(letter.FilterType or ""))
        if letter and letter.Name
        else None,
        log=(str(told.ClsLogsetId), str(told.ClsTopicId)) if told.ClsTopicId else None,
    )  # fmt: skip


def _role(told: Any) -> str:
    """The role's name; should it be told as a resource, the name stands last."""
    return str(told.Role or "").rpartition("/")[2]


def _trigger(item: Any) -> Trigger | None:
    """COS and timers; None for what else there is. A description that is no JSON is a timer's cron itself."""
    if item.Type not in ("cos", "timer"):
        return None
    try:
        told = json.loads(item.TriggerDesc)
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {"cron": str(item.TriggerDesc)}
    wanted = {str(name).lower(): str(value) for name, value in (told.get("filter") or {}).items()}
    return Trigger(
        kind=str(item.Type), name=str(item.TriggerName),
        detail=str(told.get("event" if item.Type == "cos" else "cron", "")), prefix=wanted.get("prefix", ""),
        suffix=wanted.get("suffix", ""), message=str(item.CustomArgument or "") if item.Type == "timer" else "",
        qualifier=str(item.Qualifier or LATEST), enabled=str(item.Enable) in ("1", "OPEN"),
    )  # fmt: skip


def _described(trigger: Trigger) -> str:
    """As the platform takes it (583/39901 of 2025-06-13): a timer's is its cron."""
    if trigger.kind == "timer":
        return trigger.detail
    described = {"event": trigger.detail, "filter": {"Prefix": trigger.prefix, "Suffix": trigger.suffix}}
    return json.dumps(described, separators=(",", ":"), ensure_ascii=False)


def _is_split(routing: Any) -> bool:
    return bool(routing and (routing.AdditionalVersionWeights or routing.AddtionVersionMatchs))
