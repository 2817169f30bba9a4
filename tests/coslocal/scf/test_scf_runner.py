import ast
import json
import os
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coslocal.scf import runner
from coslocal.scf.burst import Burst
from coslocal.scf.clock import ManualClock
from coslocal.scf.function import Account, Function
from coslocal.scf.result import Result
from coslocal.scf.runner import Runner

ACCOUNT = Account(secret_id="AKIDtest", secret_key="SKtest")

CODE = '''
import json, os, signal, subprocess, sys, threading, time

print("loaded")
runs = 0


def main_handler(event, context):
    global runs
    runs += 1
    return globals()[event["do"]](event, context)


def count(event, context): return runs
def echo(event, context): return [event, context]
def environ(event, context): return dict(os.environ)
def where(event, context): return [os.getcwd(), sys.path[0], sys.argv, "coslocal" in sys.modules]
def hang(event, context): time.sleep(600)
def leave(event, context): sys.exit(3)
def crash(event, context): os.kill(os.getpid(), signal.SIGSEGV)
def unserialisable(event, context): return {1, 2}
def endless(event, context): value = []; value.append(value); return value
def huge_value(event, context): return "x" * (7 * 1024 * 1024)
def spill(event, context): raise ValueError("x" * 50_000_000)
def deep(event, context): return deep(event, context)


def fail(event, context):
    raise ValueError("no 图片 here")


def noise(event, context):
    """Everything that a function might write where an answer could be expected."""
    print('{"value": "forged"}')
    sys.stderr.write('{"value": "forged"}\\n')
    os.write(1, b'{"value": "forged"}\\n')
    subprocess.run(["/bin/sh", "-c", "echo from a child; echo and its errors >&2"])
    print("no line break", end="")
    return "true answer"


def flood(event, context):
    for _ in range(60_000):
        print("x" * 100)
    return "done"


def grandchild(event, context):
    if os.fork() == 0:
        time.sleep(600)
    os._exit(4)


def late_exit(event, context):
    threading.Timer(0.05, os._exit, [9]).start()
    return os.getpid()


def gorge(event, context):
    eaten = bytearray(event["megabytes"] * 1024 * 1024)
    eaten[::4096] = b"x" * len(eaten[::4096])
    while event.get("then") == "sit":
        time.sleep(0.01)
    return len(eaten)


def mute(event, context):
    sys.stdout.close()
    os.close(1)
    return "silent"
'''


class Bench:
    """A function in a folder, and what it printed by request id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[tuple[str, str]] = []
        self.runners: list[Runner] = []

    def deploy(self, code: str = CODE, **fields: Any) -> Runner:
        (self.folder / "index.py").write_text(textwrap.dedent(code), encoding="utf-8")
        function = Function(**{"name": "fn", "root": self.folder, "timeout": 20, **fields})
        made = Runner(function, ACCOUNT, lambda request_id, line: self.lines.append((request_id, line)))
        self.runners.append(made)
        return made

    def printed(self, request_id: str) -> list[str]:
        return [line for of, line in self.lines if of == request_id]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "code 代码"
    folder.mkdir()
    made = Bench(folder)
    yield made
    for one in made.runners:
        one.close()


def run(on: Runner, do: str, request_id: str = "R1", **event: Any) -> Result:
    return on.run(json.dumps({"do": do, **event}), request_id)


def test_the_handler_gets_event_and_context_as_plain_values(bench: Bench) -> None:
    result = run(bench.deploy(timeout=7), "echo", "R7", text="北京 \ud800", number=1.5)
    assert result.status == 200
    event, context = json.loads(result.value)
    assert event == {"do": "echo", "text": "北京 \ud800", "number": 1.5}
    assert context["request_id"] == "R7"
    assert context["time_limit_in_ms"] == 7000
    assert result.memory > 1024 * 1024


def test_a_warm_instance_keeps_its_modules_state(bench: Bench) -> None:
    warm = bench.deploy()
    assert [run(warm, "count", f"R{number}").value for number in range(3)] == ["1", "2", "3"]
    assert bench.printed("R0") == ["loaded"]
    assert bench.printed("R1") == []


def test_the_environment_is_the_documented_one_and_nothing_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED_FROM_THE_PARENT", "yes")
    seen = json.loads(run(bench.deploy(variables={"MODE": "模式", "TZ": "Asia/Shanghai"}), "environ").value)
    root = str(bench.folder)
    assert seen == {
        "MODE": "模式",
        "TZ": "Asia/Shanghai",
        "TENCENTCLOUD_SECRETID": "AKIDtest",
        "TENCENTCLOUD_SECRETKEY": "SKtest",
        "TENCENTCLOUD_SESSIONTOKEN": "coslocal",
        "TENCENTCLOUD_REGION": "ap-guangzhou",
        "TENCENTCLOUD_APPID": "1250000000",
        "TENCENTCLOUD_UIN": "100000000001",
        "TENCENTCLOUD_TZ": "UTC",
        "TENCENTCLOUD_RUNENV": "SCF",
        "SCF_RUNTIME": "Python3.10",
        "SCF_FUNCTIONNAME": "fn",
        "SCF_FUNCTIONVERSION": "$LATEST",
        "SCF_NAMESPACE": "default",
        "USER_CODE_ROOT": root + "/",
        "_SCF_SERVER_PORT": "28902",
        "PYTHONPATH": f"{root}:/opt",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "PWD": root,
    }


def test_the_code_root_is_where_it_runs_and_imports_from(bench: Bench) -> None:
    (bench.folder / "queue_of_mine.py").write_text("import queue, json\nNAME = queue.__file__\n")
    root = str(bench.folder)
    assert json.loads(run(bench.deploy(), "where").value) == [root, root, [""], False]
    source = "import queue_of_mine\ndef main_handler(event, context): return queue_of_mine.NAME\n"
    assert "coslocal" not in json.loads(run(bench.deploy(source), "x").value)
    assert not list(bench.folder.glob("**/__pycache__"))


def test_apart_a_function_has_its_own_folder_and_the_standard_library_only(bench: Bench) -> None:
    (bench.folder / "queue.py").write_text("MINE = True\n")  # the function's own come first, as in the cloud
    source = """
    import importlib.util, json, os, queue, sys

    def main_handler(event, context):
        installed = [name for name in ("aiohttp", "requests", "yaml", "pip") if importlib.util.find_spec(name)]
        return [os.getcwd(), sys.path[0], queue.MINE, installed, os.environ["TENCENTCLOUD_RUNENV"]]
    """
    root = str(bench.folder)
    assert json.loads(run(bench.deploy(source, isolated=True), "x").value) == [root, root, True, [], "SCF"]
    assert not list(bench.folder.glob("**/__pycache__"))


def test_what_a_function_prints_is_its_log_and_never_its_answer(bench: Bench) -> None:
    noisy = bench.deploy()
    assert json.loads(run(noisy, "noise", "R1").value) == "true answer"
    assert json.loads(run(noisy, "count", "R2").value) == 2
    printed = bench.printed("R1")
    assert printed.count('{"value": "forged"}') == 3
    assert {"from a child", "and its errors", "no line break"} <= set(printed)
    assert bench.printed("R2") == []


def test_a_flood_of_output_neither_blocks_the_function_nor_fills_the_log(bench: Bench) -> None:
    assert json.loads(run(bench.deploy(), "flood").value) == "done"
    assert sum(map(len, bench.printed("R1"))) < 8 * 1024 * 1024


def test_an_uncaught_exception_is_430_with_its_stack_and_the_instance_stays(bench: Bench) -> None:
    kept = bench.deploy()
    result = run(kept, "fail", "R1")
    assert (result.status, result.message) == (430, "ValueError: no 图片 here")
    assert result.body()["errorCode"] == -1
    stack = result.body()["stackTrace"]
    assert "index.py" in stack
    assert "in fail" in stack
    assert "bootstrap.py" not in stack
    assert run(kept, "count").value == "2"


@pytest.mark.parametrize(
    ("do", "status", "said"),
    [
        ("unserialisable", 430, "cannot be written as JSON"),
        ("endless", 430, "cannot be written as JSON"),
        ("huge_value", 430, "more than 6 MB"),
        ("deep", 430, "RecursionError"),
        ("spill", 430, "ValueError: xxx"),
        ("leave", 439, "exit code 3"),
        ("crash", 439, "SIGSEGV"),
        ("grandchild", 439, "exit code 4"),
    ],
)
def test_each_way_to_fail_has_its_status(bench: Bench, do: str, status: int, said: str) -> None:
    failing = bench.deploy(memory_size=1024)
    result = run(failing, do)
    assert result.status == status
    assert said in result.message
    assert len(str(result)) < 1_000_000
    assert run(failing, "echo").ok


def test_a_run_over_its_timeout_is_killed(bench: Bench) -> None:
    slow = bench.deploy(timeout=1)
    result = run(slow, "hang")
    assert (result.status, result.message) == (433, "the handler took longer than 1 s and was stopped")
    assert run(slow, "count").value == "1"


def test_a_run_over_its_memory_is_killed_while_it_runs(bench: Bench) -> None:
    hungry = bench.deploy(memory_size=64)
    result = run(hungry, "gorge", megabytes=160, then="sit")
    assert (result.status, result.message) == (434, "the handler needed more than 64 MB and was stopped")
    assert run(hungry, "count").value == "1"


def test_memory_that_came_and_went_counts_as_well(bench: Bench) -> None:
    hungry = bench.deploy(memory_size=64)
    assert run(hungry, "gorge", megabytes=160).status == 434
    assert run(hungry, "gorge", megabytes=16).value == str(16 * 1024 * 1024)


def test_the_memory_of_one_run_is_not_that_of_the_next(bench: Bench) -> None:
    kept = bench.deploy(memory_size=512)
    large = run(kept, "gorge", megabytes=160)
    small = run(kept, "echo")
    assert large.ok
    assert small.ok
    assert large.memory > 160 * 1024 * 1024
    assert small.memory < large.memory


def test_an_initialisation_over_its_memory_is_killed(bench: Bench) -> None:
    code = "import time\neaten = b'x' * (160 * 1024 * 1024)\ntime.sleep(600)\n"
    result = run(bench.deploy(code, memory_size=64), "x")
    assert (result.status, result.message) == (434, "the initialisation needed more than 64 MB and was stopped")


def test_more_new_instances_in_a_minute_than_the_burst_are_refused(bench: Bench) -> None:
    clock = ManualClock()
    (bench.folder / "index.py").write_text(CODE, encoding="utf-8")
    function = Function(name="fn", root=bench.folder)
    bursting = Runner(function, ACCOUNT, lambda request_id, line: None, burst=Burst(clock, most=2))
    bench.runners.append(bursting)
    assert [run(bursting, do).status for do in ("leave", "leave", "leave")] == [439, 439, 429]
    clock.advance(59)
    assert run(bursting, "echo").status == 429
    clock.advance(1)
    assert run(bursting, "echo").ok
    clock.advance(1)
    assert [run(bursting, "echo").status for _ in range(5)] == [200] * 5  # a warm instance is no new one


def test_an_initialisation_over_its_timeout_is_killed(bench: Bench) -> None:
    result = run(bench.deploy("import time\ntime.sleep(600)\n", init_timeout=0.5), "x")
    assert (result.status, result.message) == (433, "the initialisation took longer than 0.5 s and was stopped")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("import no_such_module\n", 430, "No module named 'no_such_module'"),
        ("def main_handler(:\n", 430, "SyntaxError"),
        ("raise RuntimeError('at the top')\n", 430, "RuntimeError: at the top"),
        ("x = 1\n", 437, "index.py has no function main_handler"),
        ("main_handler = 3\n", 437, "index.py has no function main_handler"),
        ("import os; os._exit(5)\n", 439, "the initialisation ended the process: exit code 5"),
    ],
)
def test_a_function_that_cannot_be_initialised_says_why(bench: Bench, code: str, status: int, said: str) -> None:
    result = run(bench.deploy(code), "x")
    assert result.status == status
    assert said in result.message


def test_a_file_that_is_not_there_is_437(bench: Bench) -> None:
    result = run(bench.deploy(handler="other.main_handler"), "x")
    assert (result.status, result.message) == (437, "there is no file other.py at the root of the code")


def test_an_interpreter_that_cannot_be_started_is_a_system_error(bench: Bench) -> None:
    result = run(bench.deploy(python="/no/such/python"), "x")
    assert result.status == 500
    assert "cannot start the function" in result.message


def test_an_instance_that_ended_between_two_events_costs_the_next_one_nothing(bench: Bench) -> None:
    dying = bench.deploy()
    pid = int(run(dying, "late_exit").value)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert run(dying, "count").value == "1"


def test_a_function_that_closes_its_output_still_answers(bench: Bench) -> None:
    muted = bench.deploy()
    assert run(muted, "mute").value == '"silent"'
    assert run(muted, "count").value == "2"


def test_a_log_that_fails_does_not_give_one_event_the_answer_of_another(bench: Bench) -> None:
    (bench.folder / "index.py").write_text(CODE, encoding="utf-8")

    def broken(request_id: str, line: str) -> None:
        if request_id == "R1":
            raise RuntimeError("the log is broken")

    careful = Runner(Function(name="fn", root=bench.folder), ACCOUNT, broken)
    bench.runners.append(careful)
    with pytest.raises(RuntimeError, match="the log is broken"):
        run(careful, "noise", "R1")
    assert run(careful, "count", "R2").value == "1"


def test_above_its_capacity_a_run_is_throttled_with_432(bench: Bench) -> None:
    stopped = bench.deploy(reserved=0)
    assert run(stopped, "count").status == 432

    results: list[Result] = []
    gate = "import time\ndef main_handler(event, context):\n    print('in')\n    time.sleep(600)\n"
    single = bench.deploy(gate, instances=1)
    busy = threading.Thread(target=lambda: results.append(run(single, "x", "LONG")))
    busy.start()
    while not bench.printed("LONG"):
        threading.Event().wait(0.01)
    assert run(single, "x").status == 432
    single.close()
    busy.join()
    assert results[0].status == 439
    assert run(single, "x").status == 500


def test_instances_run_side_by_side(bench: Bench) -> None:
    """Two events meet at a barrier that one process alone could not pass."""
    code = """
        import os, time
        def main_handler(event, context):
            open(event["mine"], "w").close()
            while not os.path.exists(event["other"]):
                time.sleep(0.01)
            return os.getpid()
        """
    pair = bench.deploy(code, instances=2)
    one, other = str(bench.folder / "one"), str(bench.folder / "other")
    results: list[Result] = []
    threads = [
        threading.Thread(target=lambda event=event: results.append(run(pair, "x", **event)))
        for event in ({"mine": one, "other": other}, {"mine": other, "other": one})
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({result.value for result in results if result.ok}) == 2


def test_the_bootstrap_runs_on_the_clouds_python_and_needs_nothing_of_ours() -> None:
    tree = ast.parse(runner.BOOTSTRAP.read_text(encoding="utf-8"), feature_version=(3, 9))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
