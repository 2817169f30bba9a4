import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcloud_cos import CosConfig, CosS3Client

from coslocal.scf.clock import ManualClock
from coslocal.scf.deadletters import DeadLetters
from coslocal.scf.function import Account, Function
from coslocal.scf.kept import Kept
from coslocal.scf.queue import AsyncQueue
from coslocal.scf.result import CODE_ERROR, OK, THROTTLED, Result
from coslocal.scf.schedule import Dead, Message, Policy
from coslocal.scf.service import Scf

ACCOUNT = Account(secret_id="AKIDtest", secret_key="SKtest")
PATIENCE = 60.0

CODE = """
import os
def main_handler(event, context):
    with open("seen", "a") as seen:
        seen.write(f"{event} {context['request_id']}\\n")
    if event == "later" and not os.path.exists("mended"):
        raise ValueError("not yet")
"""


class Bench:
    """The same function and file, started again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        (folder / "index.py").write_text(CODE)

    def start(self, **fields: Any) -> tuple[Scf, Kept]:
        kept = Kept(self.folder / "kept")
        scf = Scf(
            [Function(name="fn", root=self.folder, **fields)],
            account=ACCOUNT,
            clock=self.clock,
            kept=kept,
            dead_letters=DeadLetters(self.folder / "dead"),
        )
        return scf, kept

    def seen(self) -> list[str]:
        path = self.folder / "seen"
        return path.read_text().splitlines() if path.exists() else []

    def dead(self) -> list[Any]:
        return [json.loads(line) for line in (self.folder / "dead").read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_waits_when_it_stops_runs_at_the_next_start(bench: Bench) -> None:
    scf, kept = bench.start()
    scf.pause(0)
    ids = [scf.invoke_async("fn", event).request_id for event in ("a", "b")]
    assert [message.request_id for message in scf.close()] == ids
    kept.close()
    assert bench.seen() == []

    scf, kept = bench.start()
    assert scf.start() == 2
    assert scf.drain()
    assert sorted(bench.seen()) == [f"a {ids[0]}", f"b {ids[1]}"]
    assert bench.dead() == []
    assert scf.close() == []
    kept.close()

    scf, kept = bench.start()
    assert scf.start() == 0
    scf.close()
    kept.close()


def test_a_retry_keeps_its_time_and_its_count_over_a_restart(bench: Bench) -> None:
    scf, kept = bench.start()
    scf.invoke_async("fn", "later")
    assert scf.functions["fn"].wait_quiet(PATIENCE)
    scf.close()
    kept.close()

    scf, kept = bench.start()
    scf.start()
    bench.clock.advance(59)
    assert scf.functions["fn"].wait_quiet(PATIENCE)
    assert len(bench.seen()) == 1
    assert scf.drain()
    assert len(bench.seen()) == 3
    assert [letter["Body"]["RetryNum"] for letter in bench.dead()] == [2]
    scf.close()
    kept.close()


def test_what_grew_too_old_while_it_was_off_becomes_a_dead_letter(bench: Bench) -> None:
    scf, kept = bench.start()
    scf.pause(0)
    scf.invoke_async("fn", "a")
    scf.close()
    kept.close()
    bench.clock.advance(21601)
    scf, kept = bench.start()
    scf.start()
    assert scf.drain()
    assert bench.seen() == []
    assert len(bench.dead()) == 1
    assert kept.load("fn") == []
    scf.close()
    kept.close()


def test_events_of_a_function_that_is_not_there_wait_for_it(bench: Bench) -> None:
    kept = Kept(bench.folder / "kept")
    kept.of("other").keep(Message(request_id="R", event="{}", subject="s", pushed=0), 0)
    kept.close()
    scf, kept = bench.start()
    assert scf.start() == 0
    assert [message.request_id for message, _ in kept.load("other")] == ["R"]
    scf.close()
    kept.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    kept.of("fn").keep(Message(request_id="R", event="{}", subject="s", pushed=0), 0)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    kept.close()


def test_a_file_that_fails_costs_no_event_and_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    kept = Kept(tmp_path / "kept", tell=told.append)
    kept.close()
    clock, ran = ManualClock(), list[str]()

    def run(message: Message) -> Result:
        ran.append(message.request_id)
        return Result(request_id=message.request_id, status=OK)

    queue = AsyncQueue(run, lambda dead: None, clock=clock, policy=Policy(), workers=1, keeper=kept.of("fn"))
    queue.push(Message(request_id="R", event="{}", subject="s", pushed=clock.now()))
    assert queue.wait_empty(PATIENCE)
    assert ran == ["R"]
    assert any("cannot be kept" in line for line in told)
    assert queue.close() == []


@settings(max_examples=20, deadline=None)
@given(
    scripts=st.lists(st.lists(st.sampled_from([OK, CODE_ERROR, THROTTLED]), max_size=4), max_size=6),
    stops=st.lists(st.integers(0, 6), max_size=3),
)
def test_over_any_stops_every_message_still_ends_once(
    scripts: list[list[int]], stops: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A queue is closed after some runs and another goes on with what is kept, until nothing is left."""
    path = tmp_path_factory.mktemp("kept") / "kept"
    clock, ends, lock = ManualClock(), Counter[str](), threading.Lock()
    left = {str(number): list(script) for number, script in enumerate(scripts)}
    runs = 0

    def run(taken: Message) -> Result:
        nonlocal runs
        with lock:
            runs += 1
            status = left[taken.request_id].pop(0) if left[taken.request_id] else OK
            ends[taken.request_id] += status == OK
            return Result(request_id=taken.request_id, status=status)

    def bury(dead: Dead) -> None:
        with lock:
            ends[dead.message.request_id] += 1

    for life, most in enumerate([*stops, 10_000]):
        kept = Kept(path)
        keeper = kept.of("fn")
        queue = AsyncQueue(run, bury, clock=clock, policy=Policy(), workers=2, keeper=keeper)
        for message, due in keeper.load():
            queue.push(message, due)
        if life == 0:
            for name in left:
                queue.push(Message(request_id=name, event="{}", subject=name, pushed=clock.now()))
        runs = 0
        while runs < most and queue.wait_quiet(PATIENCE) and (due_at := queue.next_due()) is not None:
            clock.move_to(due_at)
        queue.pause(PATIENCE)
        queue.close()
        kept.close()
    assert ends == dict.fromkeys(left, 1)


class Killed:
    """`coslocal serve` as a process that is killed and started again on its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "coslocal", "serve", "--port", "0", "--ready-file", str(ready)),
            *("--data", str(self.folder / "data"), "--bucket", "b-1250000001", "--retry-interval", "0.1"),
            *("--function", str(self.folder / "index.py"), "--trigger", "bucket=b-1250000001"),
            *("--env", f"FOLDER={self.folder}", "--instances", "1", "--log", str(self.folder / "log")),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until(lambda: ready.exists() or self.process is None or self.process.poll() is not None)
        return ready.read_text().strip()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Killed]:
    made = Killed(tmp_path)
    yield made
    made.kill()
    with (tmp_path / "pids").open() as pids:  # a killed coslocal cannot end its functions
        for line in pids:
            try:
                os.kill(int(line), signal.SIGKILL)
            except ProcessLookupError:
                continue


def test_events_survive_a_kill_at_any_moment(killed: Killed) -> None:
    """One runs and hangs, others wait: after the kill each of them runs, the hanging one again."""
    (killed.folder / "index.py").write_text(
        "import os, time\n"
        "folder = os.environ['FOLDER']\n"
        "def main_handler(event, context):\n"
        "    open(folder + '/pids', 'a').write(f'{os.getpid()}\\n')\n"
        "    key = event['Records'][0]['cos']['cosObject']['key'].rpartition('/')[2]\n"
        "    open(folder + '/seen', 'a').write(key + '\\n')\n"
        "    while not os.path.exists(folder + '/go'): time.sleep(0.02)\n"
    )
    url = killed.start()
    client = CosS3Client(
        CosConfig(
            Region="ap-guangzhou", SecretId="AKIDlocal", SecretKey="SKlocal", Scheme="http", Proxies={"http": url}
        )
    )
    for key in ("a", "b", "c"):
        client.put_object(Bucket="b-1250000001", Key=key, Body=b"x")
    seen = killed.folder / "seen"
    until(seen.exists)
    killed.kill()
    assert len(seen.read_text().split()) == 1

    (killed.folder / "go").touch()
    killed.start()
    until(lambda: sorted(set(seen.read_text().split())) == ["a", "b", "c"])
    until(lambda: len(seen.read_text().split()) >= 4)
    assert Counter(seen.read_text().split()).total() == 4
