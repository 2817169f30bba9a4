"""The function's entry: wires environment and event to the library, decides raise or return. Nothing else."""

from __future__ import annotations

import gc

# What is imported stays: looking through it for garbage while it grows would be a twentieth of the cold start.
gc.disable()

from pathlib import Path
from typing import Any, Optional

import msgspec

from derivo import compiled, settings
from derivo.breaker import Breaker, Budget
from derivo.clock import SystemClock
from derivo.cos import Cos
from derivo.earlier import Memory
from derivo.fileids import Fileids
from derivo.handle import handle
from derivo.log import to_stdout
from derivo.matching import RuleSetIndex
from derivo.rulesets import Loaded


class ConfigurationError(Exception):
    """The deployment is not right; the message says where. Raised, so that no event is acknowledged unserved."""


def _load() -> Loaded:
    here = Path(__file__).resolve().parent
    folder = settings.read().rules
    if not folder and (here / compiled.FILE).exists():
        return compiled.load(here / compiled.FILE)
    try:
        from derivo.loading import load  # and YAML with it, which a package does without
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"DERIVO_RULES is set, and there is no {error.name} here to read YAML with: a package carries its rule sets"
            " compiled; unset DERIVO_RULES, and run derivo package after a change of rules"
        ) from None
    return load(folder or str(here / "rules"))


# At import, so that the cold start pays once and warm invocations do not (COS 7).
_LOADED = _load()
_INDEX = RuleSetIndex(_LOADED.rule_sets)
_CLOCK = SystemClock()
_BREAKER = Breaker(_INDEX)
_BUDGET = Budget(_CLOCK, settings.read().max_requests_per_minute)
_MEMORY = Memory()
_FILEIDS = Fileids(settings.read().fileid_encoding, settings.read().fileid_path)
_client: Optional[Cos] = None

# all of it among what is old, unlooked at
gc.freeze()
gc.unfreeze()
gc.enable()


def main_handler(event: Any, context: Any) -> dict[str, Any]:
    """Called by the platform for every event. Returns a summary; raises what must be tried again."""
    try:
        client = _connected()
    except settings.SettingsError as error:
        raise ConfigurationError(str(error)) from None
    with _MEMORY.event() as noted:
        summary = handle(
            event,
            context,
            client=client,
            rule_sets=_INDEX,
            clock=_CLOCK,
            log=to_stdout,
            region=client.settings.region,
            breaker=_BREAKER,
            budget=_BUDGET,
            noted=noted,
            sweep_hours=client.settings.sweep_hours,
        )
        if _LOADED.errors or not _LOADED.rule_sets:
            # the good rule sets have been served; the event stays unfinished: a broken one may have wanted it too
            raise ConfigurationError(_what_is_wrong(_LOADED))
    result: dict[str, Any] = msgspec.to_builtins(summary)
    return result


def _connected() -> Cos:
    """The client of this instance. The environment is read at each invocation, and a changed one gives a new client:
    whether a warm instance's temporary keys are renewed in place is not documented (SCF 2.3)."""
    global _client
    configured = settings.read()
    if _client is None or _client.settings != configured:
        _client = Cos(configured, _FILEIDS)
    return _client


def _what_is_wrong(loaded: Loaded) -> str:
    if not loaded.errors:
        return "there are no rule sets: put YAML files into rules/ beside index.py, or set DERIVO_RULES"
    first = loaded.errors[0]
    more = f" (and {len(loaded.errors) - 1} more: run derivo lint)" if len(loaded.errors) > 1 else ""
    return f"{first.where}: {first.code}: {first.message}{more}"
