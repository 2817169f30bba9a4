from pathlib import Path
from typing import Any

import pytest

from coslocal.scf import runlog
from coslocal.scf.function import Function
from coslocal.scf.result import Result
from coslocal.scf.runlog import RunLog

FUNCTION = Function(name="fn", root=Path("/code"))


def result(request_id: str, status: int = 200, **fields: Any) -> Result:
    made: dict[str, Any] = {"duration": 0.0123, "memory": 10 * 1024 * 1024, "value": "null", **fields}
    return Result(request_id=request_id, status=status, **made)


def test_a_run_reads_as_on_the_platform() -> None:
    log = RunLog()
    run = log.begin(FUNCTION, "R", 0, started=5)
    log.write("R", "printed")
    log.write("other", "of nobody")
    log.end(run, FUNCTION, result("R", cold=0.5))
    assert run.lines == [
        "START RequestId:R",
        "printed",
        "Init Report RequestId:R Coldstart:500ms Memory:128MB MemUsage:10.000000MB",
        "Response RequestId:R RetMsg:null",
        "END RequestId:R",
        "Report RequestId:R Duration:12ms Memory:128MB MemUsage:10.000000MB",
    ]


def test_a_failed_run_has_its_error_in_place_of_the_response() -> None:
    log = RunLog()
    run = log.begin(FUNCTION, "R", 1, started=5)
    log.end(run, FUNCTION, result("R", 433, message="the handler took longer than 3 s"))
    assert run.lines[1] == (
        'ERROR RequestId:R Result:{"errorCode": -1, "errorMessage": "the handler took longer than 3 s",'
        ' "requestId": "R", "stackTrace": "the handler took longer than 3 s", "statusCode": 433}'
    )
    assert [line for line in run.lines if line.startswith("Response")] == []


def test_the_attempts_at_one_event_stay_apart() -> None:
    log = RunLog()
    for retry in range(3):
        run = log.begin(FUNCTION, "R", retry, started=retry)
        log.write("R", f"attempt {retry}")
        log.end(run, FUNCTION, result("R"))
    assert [[line for line in run.lines if line.startswith("attempt")] for run in log.of("R")] == [
        ["attempt 0"],
        ["attempt 1"],
        ["attempt 2"],
    ]


def test_only_the_last_runs_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runlog, "MOST_RUNS", 3)
    log = RunLog()
    runs = [log.begin(FUNCTION, str(number), 0, started=number) for number in range(5)]
    assert [run.request_id for run in log.select(lambda run: True)] == ["2", "3", "4"]
    log.write("0", "too late")
    log.end(runs[0], FUNCTION, result("0"))
    assert log.of("0") == []


def test_what_is_printed_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runlog, "MOST_OF_A_RUN", 1000)
    monkeypatch.setattr(runlog, "MOST_BYTES", 3000)
    log = RunLog()
    for number in range(10):
        run = log.begin(FUNCTION, str(number), 0, started=number)
        for _ in range(1000):
            log.write(str(number), "x" * 100)
        log.end(run, FUNCTION, result(str(number), value="y" * 100_000))
        assert "[the rest is not kept]" in run.lines
        assert run.lines[-1].startswith("Report")
    kept = log.select(lambda run: True)
    assert kept[-1].request_id == "9"
    assert len(kept) < 4
