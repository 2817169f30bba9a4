import json
import threading
from typing import Any

import pytest

from coslocal.dialects import Dialects
from coslocal.scf.clock import ManualClock, SystemClock
from coslocal.scf.cron import parse
from coslocal.scf.function import FunctionError
from coslocal.scf.timers import MOST_AT_ONCE, ZONES, Timer, Timers, check_timers, parse_timer
from coslocal.scf.triggers import TriggerError

CODE = """
import json
def main_handler(event, context):
    with open("seen", "a") as seen:
        seen.write(json.dumps(event) + "\\n")
"""
NIGHT = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC, a Tuesday; 06:13:20 of the 15th in Beijing
PATIENCE = 30.0


def timer(text: str) -> Timer:
    return parse_timer(text, function="fn")


def seen(tmp_path: Any) -> list[dict[str, Any]]:
    path = tmp_path / "seen"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_timer_sends_the_documented_event_at_its_times(deploy: Any, tmp_path: Any) -> None:
    cloud = deploy(CODE, timers=[timer("nightly=0 15 6 * * * *;all of it; and more")], clock=ManualClock(NIGHT))
    cloud.scf.start()
    cloud.clock.advance(99)
    assert cloud.scf.drain()
    assert seen(tmp_path) == []
    cloud.clock.advance(1)
    assert cloud.scf.drain()
    event = {"Type": "Timer", "TriggerName": "nightly", "Message": "all of it; and more"}
    assert seen(tmp_path) == [{**event, "Time": "2023-11-14T22:15:00Z"}]
    cloud.clock.advance(2 * 86400)
    assert cloud.scf.drain()
    assert sorted(item["Time"] for item in seen(tmp_path)[1:]) == ["2023-11-15T22:15:00Z", "2023-11-16T22:15:00Z"]


def test_in_which_zone_the_cron_is_read_is_a_dialect(deploy: Any, tmp_path: Any) -> None:
    cloud = deploy(
        CODE,
        timers=[timer("nightly=0 15 22 * * * *")],
        clock=ManualClock(NIGHT),
        dialects=Dialects({"timer-zone": "utc"}),
    )
    cloud.scf.start()
    cloud.clock.advance(100)
    assert cloud.scf.drain()
    assert seen(tmp_path) == [
        {"Type": "Timer", "TriggerName": "nightly", "Time": "2023-11-14T22:15:00Z", "Message": ""}
    ]


def test_timers_do_not_keep_a_drain_from_ending_and_stop_with_the_rest(deploy: Any, tmp_path: Any) -> None:
    cloud = deploy(CODE, timers=[timer("often=* * * * * * *")], clock=ManualClock(NIGHT))
    cloud.scf.start()
    assert cloud.scf.drain()
    assert cloud.scf.status()["idle"]
    cloud.scf.close()
    cloud.clock.advance(10)
    assert seen(tmp_path) == []


def test_an_event_of_a_timer_that_fails_is_tried_again_and_buried_as_its_own(deploy: Any) -> None:
    cloud = deploy(
        "def main_handler(event, context):\n    raise ValueError(event['Message'])\n",
        timers=[timer("once=0 15 6 15 11 * 2023;no use")],
        clock=ManualClock(NIGHT),
    )
    cloud.scf.start()
    cloud.clock.advance(100)
    assert cloud.scf.drain()
    assert cloud.scf.status()["functions"]["fn"]["dead_letters"] == 1
    assert cloud.clock.now() == NIGHT + 100 + 120


def test_the_api_describes_timers(deploy: Any) -> None:
    cloud = deploy(CODE, timers=[timer("nightly=0 0 3 * * MON-FRI *;go")])
    (described,) = cloud.call("GetFunction", FunctionName="fn")["Triggers"]
    assert (described["Type"], described["TriggerName"], described["CustomArgument"]) == ("timer", "nightly", "go")
    assert json.loads(described["TriggerDesc"]) == {"cron": "0 0 3 * * MON-FRI *"}


def test_the_systems_clock_rings_by_itself() -> None:
    rang = threading.Event()
    bells = Timers(
        [timer("often=* * * * * * *")], lambda which, when: rang.set(), clock=SystemClock(), zone=ZONES["utc"]
    )
    bells.start()
    assert rang.wait(PATIENCE)
    bells.close()


def test_a_jump_of_the_clock_fires_a_bounded_number_of_times_and_then_goes_on() -> None:
    clock, fired = ManualClock(NIGHT), list[float]()
    bells = Timers(
        [timer("often=* * * * * * *")], lambda which, when: fired.append(when), clock=clock, zone=ZONES["utc"]
    )
    bells.start()
    clock.advance(86400)
    assert bells.wait_quiet(PATIENCE)
    assert fired == [NIGHT + number for number in range(1, MOST_AT_ONCE + 1)]
    clock.advance(1)
    assert bells.wait_quiet(PATIENCE)
    assert fired[-1] == NIGHT + 86401
    bells.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nightly", "NAME=CRON"),
        ("=0 0 0 * * * *", "letter"),
        ("1a=0 0 0 * * * *", "letter"),
        ("a b=0 0 0 * * * *", "letter"),
        ("x" * 61 + "=0 0 0 * * * *", "60"),
        ("nightly=0 0 * * *", "seven"),
        ("nightly=0 0 24 * * * *", "hour"),
        ("nightly=0 0 0 * * * *;" + "é" * 2049, "4098 bytes"),
    ],
)
def test_timers_that_cannot_be_are_refused(text: str, said: str) -> None:
    with pytest.raises(TriggerError, match=said):
        timer(text)


def test_sets_of_timers_that_the_platform_would_refuse(deploy: Any) -> None:
    many = [timer(f"t{number}=0 0 0 * * * *") for number in range(11)]
    assert len(check_timers(many[:10])) == 10
    with pytest.raises(TriggerError, match="11 timers"):
        check_timers(many)
    with pytest.raises(TriggerError, match="two timers"):
        check_timers([many[0], many[0]])
    with pytest.raises(TriggerError, match="no time"):
        deploy(timers=[timer("never=0 0 0 30 2 * *")])
    with pytest.raises(FunctionError, match="no function"):
        deploy(timers=[Timer(name="t", function="other", cron=parse("0 0 0 * * * *"))])
