"""The processes that decode: what breaks one costs its own request, and nothing else."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from coslocal.ci.types import ImageError, Surroundings
from coslocal.ci.workers import Workers
from tests.coslocal import hostile

SMALL = hostile.png()
HALF = "imageMogr2/thumbnail/16x16"


@pytest.fixture
def make() -> Iterator[Callable[..., Workers]]:
    made: list[Workers] = []

    def new(**settings: Any) -> Workers:
        made.append(Workers(**settings))
        return made[-1]

    yield new
    for workers in made:
        workers.close()


def around(style: Any = lambda name: None, fetch: Any = lambda where: b"") -> Surroundings:
    return Surroundings(style=style, fetch=fetch)


def test_a_process_serves_many_tasks(make: "Callable[..., Workers]") -> None:
    workers = make(size=1)
    assert workers.processes() == []
    for _ in range(3):
        assert workers.render(SMALL, HALF, around()).width == 16
        assert workers.inspect(SMALL).width == 32
        assert workers.label(SMALL) == {}
    assert len(workers.processes()) == 1


def test_a_broken_decoder_costs_one_request(make: "Callable[..., Workers]") -> None:
    workers = make(size=1)
    workers.inspect(SMALL)
    (process,) = workers.processes()

    def end_it(name: str) -> str:
        """In the middle of a task: the worker has asked for a style and waits."""
        os.kill(process, signal.SIGSEGV)
        return HALF

    with pytest.raises(ImageError) as caught:
        workers.render(SMALL, "style/any", around(style=end_it))
    assert (caught.value.code, caught.value.status, caught.value.number) == ("InvalidImageSource", 400, -62999)
    assert workers.render(SMALL, HALF, around()).width == 16
    assert workers.processes() not in ([process], [])


def test_one_that_died_while_idle_is_replaced(make: "Callable[..., Workers]") -> None:
    workers = make(size=1)
    workers.inspect(SMALL)
    os.kill(workers.processes()[0], signal.SIGKILL)
    os.waitid(os.P_PID, workers.processes()[0], os.WEXITED | os.WNOWAIT)
    assert workers.inspect(SMALL).width == 32


def test_a_task_that_takes_too_long_is_ended(make: "Callable[..., Workers]") -> None:
    workers = make(size=1, seconds=1.0)
    workers.inspect(SMALL)
    before = workers.processes()
    slow = hostile.flat_png(9000, 9000)
    with pytest.raises(ImageError) as caught:
        workers.render(slow, "imageMogr2/blur/50x25", around())
    assert (caught.value.code, caught.value.status, caught.value.number) == ("ServiceUnavailable", 503, -901)
    assert workers.inspect(SMALL).width == 32
    assert workers.processes() != before


def test_the_time_of_a_task_does_not_run_while_it_waits_for_what_it_asked(make: "Callable[..., Workers]") -> None:
    workers = make(size=1, seconds=1.0)
    workers.inspect(SMALL)

    def late(name: str) -> str:
        threading.Event().wait(1.1)
        return HALF

    assert workers.render(SMALL, "style/any", around(style=late)).width == 16


def test_a_process_has_a_limit_of_memory(make: "Callable[..., Workers]") -> None:
    workers = make(size=1, memory=500 * 1024**2)
    hungry = hostile.flat_png(9000, 9000)
    with pytest.raises(ImageError):
        workers.render(hungry, "imageMogr2/rotate/90/format/png", around())
    assert workers.render(SMALL, HALF, around()).width == 16


@pytest.mark.parametrize("megabytes", [500, 605, 745])
def test_what_needs_more_memory_than_there_is_is_refused_as_an_image(
    make: "Callable[..., Workers]", megabytes: int
) -> None:
    workers = make(size=1, memory=megabytes * 1024**2)
    hungry = hostile.flat_png(2600, 2600)
    with pytest.raises(ImageError) as caught:
        workers.render(hungry, "imageMogr2/format/avif", around())
    assert (caught.value.code, caught.value.status, caught.value.number) == ("InvalidImageSource", 400, -62999)
    assert "memory" in caught.value.message
    assert workers.render(SMALL, HALF, around()).width == 16


def test_many_at_once_and_marks_that_need_a_process_of_their_own(make: "Callable[..., Workers]") -> None:
    workers = make(size=2)
    mark = hostile.png(8, 8)

    def fetch(where: str) -> bytes:
        """As coslocal does it for a mark with a rule: while the first process waits, a second one works."""
        return workers.render(mark, "imageMogr2/thumbnail/4x4", around()).data

    rule = "watermark/1/image/aHR0cDovL2E="
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: workers.render(SMALL, rule, around(fetch=fetch)).width, range(24)))
    assert made == [32] * 24
    assert 2 <= len(workers.processes()) <= 4


def test_texts_pass_as_they_are(make: "Callable[..., Workers]") -> None:
    workers = make(size=1)
    seen: list[str] = []

    def style(name: str) -> "str | None":
        seen.append(name)
        return None

    with pytest.raises(ImageError, match="no style '中文é'"):
        workers.render(SMALL, "style/中文é", around(style=style))
    assert seen == ["中文é"]
    with pytest.raises(ImageError, match="surrogate"):
        workers.render(SMALL, "style/\udcff\ud800", around(style=style))


def test_big_files_pass_both_ways(make: "Callable[..., Workers]") -> None:
    workers = make(size=1)
    # nothing can be saved here: the very bytes come back
    noisy = hostile.png(8, 8, extra=[hostile.chunk(b"teSt", os.urandom(20_000_000))])
    result = workers.render(noisy, "imageMogr2/format/nonsense/ignore-error/1", around())
    assert result.data == noisy


def test_what_a_process_logs_is_logged_here(make: "Callable[..., Workers]", caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ImageError):
        make(size=1).render(SMALL, "QRcode/cover/0", around())
    assert "not offered by coslocal: QRcode" in caplog.text


def test_a_bug_is_told_with_its_trace(make: "Callable[..., Workers]") -> None:
    def broken(name: str) -> str:
        return 5  # type: ignore[return-value]

    workers = make(size=1)
    with pytest.raises(Exception):  # noqa: B017 - whatever it is: the pool goes on
        workers.render(SMALL, "style/any", around(style=broken))
    assert workers.inspect(SMALL).width == 32


SERVES = """
import sys
from coslocal.pytest_plugin import new_app, BUCKET
from coslocal.contenttypes import content_type_of
app = new_app()
info = app.images.inspect(bytes.fromhex(sys.argv[1]))
from coslocal.ci import download, persist
print(info.width, [name for name in ("pyvips",) if name in sys.modules])
"""


def test_the_server_s_own_process_never_loads_a_decoder() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    told = subprocess.run(
        [sys.executable, "-c", SERVES, SMALL.hex()], env=environment, capture_output=True, text=True, check=True
    )
    assert (told.stdout, told.stderr) == ("32 []\n", "")


FORKS = """
import os, sys
from coslocal.ci.workers import shared
data = bytes.fromhex(sys.argv[1])
shared().inspect(data)
child = os.fork()
width = shared().inspect(data).width
if child == 0:
    shared().close()
    os._exit(width)
print(width, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_fork_begins_processes_of_its_own() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "ignore", "-c", FORKS, SMALL.hex()]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "32 32\n"
