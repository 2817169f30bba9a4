"""`coslocal serve`: a store, the core, a server and the functions, put together and taken apart in the right order."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from coslocal.app import Coslocal
from coslocal.cam import api as cam
from coslocal.cam.guard import Keys
from coslocal.cam.policy import CamPolicy
from coslocal.dialects import Dialects
from coslocal.front import Front
from coslocal.operations.buckets import valid_name
from coslocal.rates import Rates
from coslocal.scf import actions
from coslocal.scf.deadletters import DeadLetters
from coslocal.scf.function import Account, Function
from coslocal.scf.kept import Kept
from coslocal.scf.pages import add_pages
from coslocal.scf.runner import Log
from coslocal.scf.schedule import Message, Policy
from coslocal.scf.service import Scf
from coslocal.scf.timers import Timer
from coslocal.scf.triggers import Trigger, check
from coslocal.server import LocalServer
from coslocal.storage.directory import open_directory
from coslocal.storage.memory import open_memory
from coslocal.storage.types import Bucket, Store, StoreError
from coslocal.tencentapi.api import TencentApi

GRACE = 3.0
"""Seconds that running functions get when the server is stopped."""

WAITING = "scf-waiting.sqlite"
"""The file in the data folder that holds the asynchronous events that wait."""

Say = Callable[[str], None]


class ServeError(Exception):
    """It cannot be served as asked: one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to serve. `data` None is memory; `{url}` in a function's variables becomes the server's own URL; `rates`,
    where given, hold images to so many requests a second; `role`, where given, is the policy that functions' keys are
    held to, and `roles` are the names of those that the account has. What the API deploys runs with `python` in so many
    `instances`, with `local` over its own variables, and is `settling` for so many seconds."""

    host: str
    port: int
    region: str
    data: Path | None
    fsync: bool
    credentials: Mapping[str, str] = field(repr=False)
    buckets: Sequence[str]
    dialects: Dialects
    rates: Rates | None = None
    role: CamPolicy | None = None
    roles: Sequence[str] = ()
    functions: Sequence[Function]
    triggers: Sequence[Trigger]
    timers: Sequence[Timer]
    policy: Policy
    burst: int
    python: str = sys.executable
    instances: int = 2
    local: Mapping[str, str] = field(default_factory=dict, repr=False)
    settling: float = 0.0
    dead_letters: Path | None
    log: Path | None
    ready_file: Path | None


def serve(plan: Plan, say: Say, complain: Say) -> int:
    """Serve until SIGINT or SIGTERM; the exit code (130 or 0). Raises ServeError, OSError, TriggerError, FunctionError.

    `say` gets the one line that tells it is ready, `complain` what functions print and what is left at the end.
    """
    with contextlib.ExitStack() as stack:
        stopped = stack.enter_context(_signals())
        log = stack.enter_context(_log(plan.log, complain))
        store = _open_store(plan)
        stack.callback(store.close)
        _make_buckets(plan, store)
        app = Coslocal(store, credentials=plan.credentials, region=plan.region, dialects=plan.dialects)
        app.rates = plan.rates
        stack.callback(app.jobs.close)
        front = Front(app)
        server = LocalServer(front, plan.host, plan.port)
        with contextlib.ExitStack() as serving:
            if plan.port == 0:
                _start(plan, server, serving)  # functions need its URL; nobody else can know the port yet
            scf = stack.enter_context(_functions(plan, app, server.url, stack, log))
            app.subscribe(scf.notify, prompt=True)
            add_pages(app, scf)
            front.api = _api(plan, app, scf)
            if plan.port:
                _start(plan, server, serving)  # no event comes before there is someone to hear it
            scf.start()
            app.jobs.resume()
            serving.callback(app.faults.clear)  # what they hold back is heard, or left, like any other event
            if plan.ready_file:
                _write_whole(plan.ready_file, server.url + "\n")
                serving.callback(plan.ready_file.unlink, missing_ok=True)
            say(_ready_line(plan, server.url))
            number = stopped()
            scf.pause(GRACE)  # while the server still answers the functions
        _report_left(plan, scf.close(), complain)
        return 130 if number == signal.SIGINT else 0


def _start(plan: Plan, server: LocalServer, serving: contextlib.ExitStack) -> None:
    try:
        serving.enter_context(server.start_in_thread())
    except OSError as error:
        reason = str(error.strerror).rpartition(": ")[2]  # asyncio writes the address before it once more
        raise ServeError(
            f"cannot listen on {plan.host}:{plan.port}: {reason}; choose another --port or --host"
        ) from error


def _open_store(plan: Plan) -> Store:
    try:
        return open_memory() if plan.data is None else open_directory(plan.data, fsync=plan.fsync)
    except StoreError as error:
        raise ServeError(str(error)) from error


def _make_buckets(plan: Plan, store: Store) -> None:
    for name in plan.buckets:
        if not valid_name(name):
            raise ServeError(f"--bucket {name}: a bucket is named NAME-APPID, such as photos-1250000000")
        store.create_bucket(Bucket(name=name, region=plan.region, created=time.time()))
    for trigger in check(plan.triggers):
        if store.bucket(trigger.bucket) is None:
            raise ServeError(
                f"there is no bucket {trigger.bucket} for the trigger {trigger}; add --bucket {trigger.bucket}"
            )


def _api(plan: Plan, app: Coslocal, scf: Scf) -> TencentApi:
    """The API for the account's own keys: no policy says anything of it yet, so a role may do nothing there."""
    return TencentApi(
        [actions.service(scf, app.store), cam.service(plan.roles, plan.region)],
        credentials=plan.credentials,
        tokens=[scf.account.session_token],
        journal=app.journal,
    )


def _kept(plan: Plan, stack: contextlib.ExitStack, log: Log) -> Kept | None:
    """The file of waiting events; None when everything is in memory."""
    if plan.data is None:
        return None
    try:
        kept = Kept(plan.data / WAITING, fsync=plan.fsync, tell=lambda line: log("-", line))
    except sqlite3.Error as error:
        raise ServeError(f"cannot use {plan.data / WAITING}: {error}") from error
    stack.callback(kept.close)
    return kept


def _functions(plan: Plan, app: Coslocal, url: str, stack: contextlib.ExitStack, log: Log) -> Scf:
    own = Keys(*next(iter(plan.credentials.items())), Account.session_token)
    keys = own if plan.role is None else app.assume(plan.role)
    buckets = [trigger.bucket for trigger in plan.triggers] + list(plan.buckets)
    appid = buckets[0].rpartition("-")[2] if buckets else Account.appid

    def found(variables: Mapping[str, str]) -> dict[str, str]:
        return {name: value.replace("{url}", url) for name, value in variables.items()}

    def template(name: str, root: Path) -> Function:
        return Function(
            name=name, root=root, python=plan.python, isolated=True, instances=plan.instances, local=found(plan.local)
        )  # fmt: skip

    return Scf(
        [replace(item, variables=found(item.variables)) for item in plan.functions],
        plan.triggers,
        account=Account(
            secret_id=keys.secret_id,
            secret_key=keys.secret_key,
            session_token=keys.token,
            region=plan.region,
            appid=appid,
        ),
        timers=plan.timers,
        policy=plan.policy,
        burst=plan.burst,
        settling=plan.settling,
        template=template,
        dialects=plan.dialects,
        dead_letters=DeadLetters(plan.dead_letters) if plan.dead_letters else None,
        kept=_kept(plan, stack, log),
        log=log,
    )


def _ready_line(plan: Plan, url: str) -> str:
    where = "memory" if plan.data is None else str(plan.data)
    return f"coslocal is ready at {url} ({where}); Python: CosConfig(..., Scheme='http', Proxies={{'http': '{url}'}})"


def _report_left(plan: Plan, left: Sequence[Message], complain: Say) -> None:
    if not left:
        return
    if plan.data:
        kept = f"; they are kept in {plan.data} for the next start"
    elif plan.dead_letters:
        kept = f"; they are kept in {plan.dead_letters}"
    else:
        kept = "; --data DIR or --dead-letters FILE would keep them"
    named = ", ".join(item.subject for item in left[:5]) + (", ..." if len(left) > 5 else "")
    complain(f"coslocal: events not handled: {len(left)}{kept}: {named}")


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[], int]]:
    """A function that waits for SIGINT or SIGTERM and tells which. A second one ends the process at once."""
    reading, writing = os.pipe()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def arrived(number: int, _frame: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        os.write(writing, bytes([number]))

    for number in before:
        signal.signal(number, arrived)
    try:
        yield lambda: os.read(reading, 1)[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


@contextlib.contextmanager
def _log(path: Path | None, complain: Say) -> Iterator[Log]:
    """Lines prefixed with their request id, appended to the file, or complained where there is none."""
    with contextlib.ExitStack() as stack:
        file = None
        if path is not None:
            file = stack.enter_context(path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1))
        lock = threading.Lock()

        def write(request_id: str, line: str) -> None:
            with lock, contextlib.suppress(OSError):  # a full disk or a closed terminal must not cost the event
                if file is None:
                    complain(f"{request_id} {line}")
                else:
                    file.write(f"{request_id} {line}\n")

        yield write


def _write_whole(path: Path, text: str) -> None:
    """Whoever sees the file sees all of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
