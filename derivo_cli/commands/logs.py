"""derivo logs: what the function's runs printed, readable or as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from derivo.clock import Clock, SystemClock
from derivo_cli.deploy.cloud import Cloud
from derivo_cli.deploy.opening import existing
from derivo_cli.exits import DONE

_MOST = 100
_PAUSE_SECONDS = 2.0
_RUNNING = 2
# of a line of the function's: what stands in its headline, and is not repeated behind it
_HEAD = ("level", "msg", "bucket", "key", "derivatives", "invocation", "requests", "plan", "upload", "etag")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line says. `failed`: only runs that failed, or that tell of a derivative that did."""

    file: Path = Path("serverless.yml")
    stage: str | None = None
    request_id: str | None = None
    last: int = 20
    failed: bool = False
    follow: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class Run:
    """One attempt at an event; `lines` are the function's own, the platform's left out; `error` is the platform's."""

    request_id: str
    retry: int
    time: str
    code: int
    milliseconds: float
    lines: tuple[dict[str, Any], ...]
    error: str

    @property
    def failed(self) -> bool:
        return self.code != 0 or any(line.get("level") == "error" for line in self.lines)


def run(request: Request, console: Console, *, clock: Clock | None = None) -> int:
    """Print the last runs, oldest first; with `follow` also those that come, until interrupted."""
    clock = clock or SystemClock()
    seen: set[tuple[object, ...]] = set()
    with existing(request.file, request.stage, clock) as cloud:
        while True:
            for each in _runs(cloud, request, most=_MOST if seen else request.last):
                # one that was throttled is no retry, so its attempts differ by their times alone
                known = (each.request_id, each.retry, each.time, each.code)
                if known not in seen:
                    seen.add(known)
                    if each.failed or not request.failed:
                        _tell(each, request, console)
            if not request.follow:
                return DONE
            clock.sleep(_PAUSE_SECONDS)


def _runs(cloud: Cloud, request: Request, *, most: int) -> Iterator[Run]:
    """Those that have ended, oldest first."""
    wanted: dict[str, Any] = {"Limit": most, "Offset": 0, "Order": "desc", "OrderBy": "start_time"}
    if request.request_id:
        wanted["FunctionRequestId"] = request.request_id
    found = [_run(entry) for entry in cloud.logs(**wanted)]
    return (each for each in reversed(found) if each.code != _RUNNING)


def _run(entry: Any) -> Run:
    lines, error = [], ""
    for text in str(entry.Log or "").splitlines():
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict) and "msg" in line:
            lines.append(line)
        elif text.startswith("ERROR "):
            error = text.partition("Result:")[2] or text
    return Run(
        request_id=str(entry.RequestId), retry=int(entry.RetryNum or 0), time=str(entry.StartTime),
        code=int(entry.RetCode or 0), milliseconds=float(entry.Duration or 0), lines=tuple(lines), error=_why(error),
    )  # fmt: skip


def _why(error: str) -> str:
    """The last line of the stack, where the platform's error is the documented JSON (SCF 3.4)."""
    try:
        told = json.loads(error)
        return str(told.get("stackTrace") or told["errorMessage"]).strip().splitlines()[-1]
    except (ValueError, KeyError, IndexError, AttributeError, RecursionError):
        return error


def _tell(each: Run, request: Request, console: Console) -> None:
    if request.as_json:
        _tell_json(each, console)
        return
    state = "ok" if each.code == 0 else f"failed ({each.code})"
    retry = f", retry {each.retry}" if each.retry else ""
    head = f"{each.time} {state}{retry}, {each.milliseconds:,.0f} ms, {each.request_id}"
    console.print(Text(head, style="red" if each.failed else "bold"), soft_wrap=True)
    for line in each.lines:
        console.print(Text(f"  {_headline(line)}"), soft_wrap=True)
        for item in line.get("derivatives") or ():
            if request.failed or line.get("level") == "error":
                console.print(Text(f"    {item.get('outcome')}: {item.get('key')}"), soft_wrap=True)
    if each.error:
        console.print(Text(f"  {each.error}"), soft_wrap=True)


def _headline(line: dict[str, Any]) -> str:
    where = f" cos://{line['bucket']}/{line.get('key', '')}" if "bucket" in line else ""
    facts = ", ".join(
        f"{name} {value}" for name, value in line.items() if name not in _HEAD and value not in (0, "", [], None)
    )
    return f"{line['msg']}{where}" + (f": {facts}" if facts else "")


def _tell_json(each: Run, console: Console) -> None:
    """The function's own lines, each with its run; one without any when the function printed none."""
    about = {"run": each.request_id, "retry": each.retry, "time": each.time, "status": each.code}
    failed = {"error": each.error} if each.error else {}
    for line in each.lines or ({},):
        console.file.write(json.dumps({**about, **failed, **line}) + "\n")
