"""A function as it is deployed: its settings, and the environment and context its handler gets (SCF 2)."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEMORY_SIZES = (64, *range(128, 3073, 128))
"""MB (SCF 2.6)."""
LONGEST_TIMEOUT = 900
"""Seconds (SCF 2.6)."""
MOST_VARIABLES = 4096
"""Bytes of all user variables together (SCF 2.3)."""
RESERVED_PREFIXES = ("SCF_", "QCLOUD_", "TENCENTCLOUD_")

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,58}[A-Za-z0-9])?\Z")
_HANDLER = re.compile(r"[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_]{1,60}\Z")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


class FunctionError(ValueError):
    """Settings that the platform would refuse, or a function that is not there."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose function it is. The credentials are what an execution role would give (SCF 2.3)."""

    secret_id: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="coslocal", repr=False)
    region: str = "ap-guangzhou"
    appid: str = "1250000000"
    uin: str = "100000000001"

    def credentials(self) -> dict[str, str]:
        """The variables that an execution role brings."""
        return {
            "TENCENTCLOUD_SECRETID": self.secret_id,
            "TENCENTCLOUD_SECRETKEY": self.secret_key,
            "TENCENTCLOUD_SESSIONTOKEN": self.session_token,
        }


@dataclass(frozen=True, kw_only=True)
class Function:
    """One event function. `root` is the folder that would be zipped (absolute), `handler` is FILE.FUNCTION inside it.

    `timeout` and `init_timeout` are seconds, `memory_size` MB. `instances` processes run at once, one event each;
    `reserved` is the reserved concurrency: what comes above it is throttled with 432; 0 stops the function (SCF 1.7).
    `python` is the interpreter to run it with; `isolated`: as in the cloud, nothing that is installed for it can be
    imported, so that the code has to bring all that it needs (SCF 2.5). Without a `role` it gets no credentials
    (SCF 2.4). `stored` is what the API was told and tells again, and what changes nothing here; `local` are variables
    that win over its own, and that nobody is told of: what a function needs to find a coslocal. Raises FunctionError.
    """

    name: str
    root: Path
    handler: str = "index.main_handler"
    python: str = sys.executable
    isolated: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30
    init_timeout: float = 65
    memory_size: int = 128
    instances: int = 2
    reserved: int | None = None
    namespace: str = "default"
    version: str = "$LATEST"
    runtime: str = "Python3.10"
    role: str = "coslocal"
    description: str = ""
    stored: Mapping[str, Any] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise FunctionError(f"function {self.name}: {problem}")

    def _problem(self) -> str | None:
        if not _NAME.match(self.name):
            return "a name has letters, digits, - and _, begins with a letter and has at most 60 characters (SCF 2.6)"
        if not self.root.is_absolute():
            return f"its folder {self.root} has to be an absolute path"
        if not _HANDLER.match(self.handler):
            return f"the handler {self.handler!r} is not FILE.FUNCTION, such as index.main_handler (SCF 2.1)"
        if not 0 < self.timeout <= LONGEST_TIMEOUT:
            return f"a timeout of {self.timeout} s is not between 1 and {LONGEST_TIMEOUT} (SCF 2.6)"
        if self.memory_size not in MEMORY_SIZES:
            return f"{self.memory_size} MB is no memory size; use 64, or 128 to 3072 in steps of 128 (SCF 2.6)"
        if self.instances < 1:
            return "it needs at least one instance"
        if self.reserved is not None and self.reserved < 0:
            return "the reserved concurrency cannot be negative"
        return _variables_problem(self.variables)

    def target(self, qualifier: str) -> str:
        """`<namespace>.<function>.<qualifier>`, as event queues name it (SCF 1.1)."""
        return f"{self.namespace}.{self.name}.{qualifier}"

    @property
    def reserved_memory(self) -> int | None:
        """The reserved concurrency in MB, as the platform counts it (SCF 2.7)."""
        return None if self.reserved is None else self.reserved * self.memory_size

    def environment(self, account: Account) -> dict[str, str]:
        """The whole environment of its process (SCF 2.3): nothing is inherited from coslocal's own."""
        root = str(self.root)
        return {
            "TZ": "UTC",  # a user may set another one
            **self.variables,
            **(account.credentials() if self.role else {}),
            "TENCENTCLOUD_REGION": account.region,
            "TENCENTCLOUD_APPID": account.appid,
            "TENCENTCLOUD_UIN": account.uin,
            "TENCENTCLOUD_TZ": "UTC",
            "TENCENTCLOUD_RUNENV": "SCF",
            "SCF_RUNTIME": self.runtime,
            **self._identity(),
            "USER_CODE_ROOT": root + "/",
            "_SCF_SERVER_PORT": "28902",
            "PYTHONPATH": f"{root}:/opt",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "PWD": root,
            **self.local,
        }

    def context(self, account: Account, request_id: str) -> dict[str, Any]:
        """The handler's second argument, a plain dict (SCF 2.2). It holds no credentials."""
        visible = {**self._identity(), **self.variables}
        return {
            "memory_limit_in_mb": self.memory_size,
            "time_limit_in_ms": int(self.timeout * 1000),
            "request_id": request_id,
            "environment": json.dumps(visible),
            "environ": ";".join(f"{name}={value}" for name, value in visible.items()),
            "function_version": self.version,
            "function_name": self.name,
            "namespace": self.namespace,
            "tencentcloud_region": account.region,
            "tencentcloud_appid": account.appid,
            "tencentcloud_uin": account.uin,
        }

    def _identity(self) -> dict[str, str]:
        return {
            "SCF_FUNCTIONNAME": self.name,
            "SCF_FUNCTIONVERSION": self.version,
            "SCF_NAMESPACE": self.namespace,
        }


def _variables_problem(variables: Mapping[str, str]) -> str | None:
    for name, value in variables.items():
        if not _VARIABLE.match(name):
            return f"{name!r} cannot name a variable: a letter, then letters, digits and _ (SCF 2.3)"
        if name.startswith(RESERVED_PREFIXES):
            return f"the variable {name} is reserved: names cannot begin with {', '.join(RESERVED_PREFIXES)} (SCF 2.3)"
        if "\0" in value:
            return f"the value of {name} holds a NUL character"
    size = sum(len(f"{name}={value}".encode("utf-8", "surrogateescape")) for name, value in variables.items())
    if size > MOST_VARIABLES:
        return f"its variables take {size} bytes of {MOST_VARIABLES} (SCF 2.3); put large settings in a file"
    return None


def locate(text: str) -> tuple[Path, str]:
    """(file, handler) of `path/to/index.py[:function]`, or of a zip that has an index.py at its root. Raises
    FunctionError when there is no such file."""
    path_text, colon, entry = text.rpartition(":")
    if not colon or entry.endswith((".py", ".zip")):
        path_text, entry = text, "main_handler"
    path = Path(path_text)
    if path.suffix not in (".py", ".zip") or not path.is_file():
        raise FunctionError(
            f"there is no {path_text!r} to take the function from; write path/to/index.py[:function], or name a zip"
        )
    return path.resolve(), f"{path.stem if path.suffix == '.py' else 'index'}.{entry}"
