"""derivo stop, start, rollback and logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from derivo_cli.exits import DONE, FINDINGS, Stop


def test_stopped_nothing_is_made_and_started_again_the_queue_drains(world: Any) -> None:
    world.deploy()
    assert world.stop() == DONE
    assert world.writes == ["PutReservedConcurrencyConfig"]
    world.upload("in/a")
    world.upload("in/b")
    assert world.scf.functions["derivo-dev"].wait_quiet(30)
    assert world.scf.status()["functions"]["derivo-dev"]["invocations"] == 0
    assert world.stop() == DONE
    assert world.writes == []
    assert world.deploy() == DONE
    assert "stays so: derivo start" in world.said
    assert world.writes == []
    assert world.start() == DONE
    assert "45 runs at once" in world.said
    assert sorted(world.served()) == [("a", "1"), ("b", "1")]
    assert world.start() == DONE
    assert world.writes == []


def test_the_brake_needs_no_more_than_the_functions_name(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deploy()
    monkeypatch.delenv("DERIVO_ROLE")
    world.write(handler="nowhere.at_all")
    assert world.stop() == DONE
    world.write(region="${env:NOT_SET}")
    with pytest.raises(Stop, match=r"inputs.region has no value.*NOT_SET"):
        world.stop()


@pytest.mark.parametrize("command", ["stop", "start", "rollback", "logs"])
def test_without_a_function_they_say_how_to_get_one(world: Any, command: str) -> None:
    with pytest.raises(Stop, match=r"there is no function derivo-dev.*derivo deploy"):
        getattr(world, command)()


def test_rollback_goes_to_the_version_before_and_deploy_forward_again(world: Any) -> None:
    world.deploy()
    world.write(environment={"variables": {"DERIVO_CALL_TIMEOUT": "30"}})
    world.pack(**{"more.txt": "x"})
    world.deploy()
    assert world.rollback(yes=False) == FINDINGS
    assert "version 2 -> 1" in world.said
    assert "DERIVO_CALL_TIMEOUT: 30 -> 60" in world.said
    assert world.writes == []
    assert world.rollback() == DONE
    assert world.writes == ["UpdateAlias"]
    world.upload("in/a")
    assert world.served() == [("a", "1")]
    with pytest.raises(Stop, match="no version before 1"):
        world.rollback()
    with pytest.raises(Stop, match="no version 7; there are: 1, 2"):
        world.rollback("7")
    assert world.rollback("1") == DONE
    assert world.writes == []
    assert world.deploy() == DONE
    assert "version 1 -> 2, which stands already" in world.said
    world.upload("in/b")
    assert world.served()[-1] == ("b", "2")


def test_logs_are_readable(world: Any) -> None:
    world.deploy()
    for key in ("in/fine", "in/bad", "in/worse"):
        world.upload(key)
    assert world.scf.drain()
    assert world.logs() == DONE
    assert "derived cos://b//1250000000/examplebucket/in/fine: written 2" in world.said
    assert world.said.count("retry") == 2
    assert "ValueError: no good" in world.said
    assert "START RequestId" not in world.said
    assert world.logs(failed=True) == DONE
    assert "in/fine" not in world.said
    assert "failed(permanent, X): derived/x" in world.said
    assert "failed (430)" in world.said


def test_logs_of_one_event_and_as_json(world: Any) -> None:
    world.deploy()
    for key in ("in/fine", "in/worse"):
        world.upload(key)
    assert world.scf.drain()
    assert world.logs(as_json=True) == DONE
    lines = [json.loads(line) for line in world.said.splitlines()]
    assert sorted((line["key"].rpartition("/")[2], line["status"], line["retry"]) for line in lines) == [
        ("fine", 0, 0),
        ("worse", 430, 0),
        ("worse", 430, 1),
        ("worse", 430, 2),
    ]
    one = next(line["run"] for line in lines if line["status"])
    assert world.logs(request_id=one, as_json=True) == DONE
    assert {json.loads(line)["run"] for line in world.said.splitlines()} == {one}


def test_throttled_attempts_are_told_each(world: Any) -> None:
    world.deploy()
    world.stop()
    world.upload("in/a")
    assert world.scf.functions["derivo-dev"].wait_quiet(30)
    world.start()
    assert world.served() == [("a", "1")]
    world.logs()
    assert world.said.count("failed (432)") == 1
    assert "derived cos://" in world.said


def test_logs_go_on_with_what_comes_until_interrupted(world: Any) -> None:
    world.deploy()
    world.upload("in/a")
    assert world.scf.drain()
    wait = world.tide.sleep

    def sleep(seconds: float) -> None:
        """While it waits something happens; in the end somebody has seen enough."""
        world.tide.sleep = leave
        world.upload("in/b")
        assert world.scf.drain()
        wait(seconds)

    def leave(seconds: float) -> None:
        raise KeyboardInterrupt

    world.tide.sleep = sleep
    with pytest.raises(KeyboardInterrupt):
        world.logs(follow=True)
    assert world.said.count("derived cos://") == 2
    assert world.said.index("in/a") < world.said.index("in/b")
