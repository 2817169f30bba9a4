"""Functions in tests: what the fixture `scf` gives."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coslocal.scf.clock import ManualClock
from coslocal.scf.code import Code
from coslocal.scf.deadletters import DeadLetters
from coslocal.scf.function import Account, Function
from coslocal.scf.service import Scf
from coslocal.scf.triggers import Trigger

if TYPE_CHECKING:
    from coslocal.pytest_given import Server


@dataclass
class Functions:
    """Folders of Python code as functions, run by the events of a server; `service` is the whole SCF of coslocal.

    Retries take no time, hours of them neither: its clock moves on when nothing else is to do.
    """

    server: Server
    folder: Path
    printed: list[str] = field(default_factory=list)
    """The lines that the functions printed, and how failed runs ended."""

    def __post_init__(self) -> None:
        from coslocal.scf.pages import add_pages

        secret_id, secret_key = self.server.credentials
        bucket = self.server.bucket
        self.service = Scf(
            [], clock=ManualClock(), dead_letters=DeadLetters(self.folder / "dead.jsonl"),
            account=Account(
                secret_id=secret_id, secret_key=secret_key, region=self.server.region, appid=bucket.rpartition("-")[2]
            ),
            dialects=self.server.app.dialects, log=lambda request_id, line: self.printed.append(line),
        )  # fmt: skip
        self.server.app.subscribe(self.service.notify)
        add_pages(self.server.app, self.service)

    def deploy(
        self,
        folder: Path | str,
        name: str = "function",
        *,
        prefix: str = "",
        suffix: str = "",
        event: str = "cos:ObjectCreated:*",
        variables: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """Run `index.main_handler` of a folder on every such event of the bucket.

        `{url}` in a variable's value becomes the server's URL; `settings` are Function's: handler, timeout,
        memory_size, instances, python. Raises FunctionError, TriggerError for what the platform would refuse.
        """
        given = {key: value.replace("{url}", self.server.url) for key, value in (variables or {}).items()}
        function = Function(name=name, root=Path(folder).resolve(), variables=given, **settings)
        trigger = Trigger(bucket=self.server.bucket, function=name, prefix=prefix, suffix=suffix, event=event)
        self.service.deploy(function, Code(function.root, "", 0), "")
        self.service.bind(trigger)

    def invoke(self, event: Any, name: str = "function") -> Any:
        """What the function returns for an event of your own, run at once. Raises RuntimeError when it fails."""
        result = self.service.invoke(name, event)
        if not result.ok:
            raise RuntimeError(f"{name} ended with {result.status}: {result.message}")
        return json.loads(result.value)

    def settle(self, seconds: float = 30.0) -> None:
        """Return once every event has been handled or given up. Raises TimeoutError after so many real seconds."""
        deadline = time.monotonic() + seconds
        while not self.service.status()["idle"]:  # a function may have raised an event for another one
            if not self.service.drain(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"functions are still at work after {seconds:g} s: {self.service.status()}")

    @property
    def dead(self) -> list[dict[str, Any]]:
        """The events that were given up, as the dead-letter queue would get them."""
        return [json.loads(line) for line in (self.folder / "dead.jsonl").read_text("ascii").splitlines()]

    def close(self) -> None:
        self.service.close()
