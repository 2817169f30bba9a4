"""A deploy that is killed at any of its calls: the next one mends it, as if there had been only that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from derivo_cli.exits import DONE, Stop

Step = Callable[[Any], None]


def first(world: Any) -> None:
    world.triggers("in/", "more/", timer="0 0 3 * * * *")


def other(world: Any) -> None:
    """Code, settings, limits and triggers, all at once."""
    first(world)
    world.deploy()
    world.pack(**{"more.txt": "x"})
    world.write(memorySize=256, environment={"variables": {"DERIVO_CALL_TIMEOUT": "30"}})
    world.triggers("in/sub/", "new/", timer="0 0 4 * * * *")


def anew(world: Any) -> None:
    first(world)
    world.deploy()
    world.write(runtime="Python3.9")


def removed(world: Any) -> None:
    world.scf.settling = 0
    if "derivo-dev" in world.scf.functions:
        world.scf.remove("derivo-dev")
    world.scf.settling = 0.3
    world.write(memorySize=128, runtime="Python3.10", environment={"variables": {"DERIVO_CALL_TIMEOUT": "60"}})
    world.pack()


@pytest.mark.parametrize("change", [first, other, anew])
def test_whichever_call_it_was_killed_at_the_next_deploy_mends_it(world: Any, change: Step) -> None:
    """After each call that changes something, and before the first: before the others is after the one before."""
    removed(world)
    change(world)
    assert world.deploy() == DONE
    calls, expected = list(world.cut.calls), world.state()
    writing = [number for number, name in enumerate(calls) if not name.startswith(("Get", "List"))]
    assert len(writing) > 6
    world.cut.after = True
    for number in [1, *writing]:
        removed(world)
        change(world)
        world.cut.at = number
        with pytest.raises(Stop, match="run the command again"):
            world.deploy()
        world.cut.at = None
        assert world.deploy() == DONE, (number, calls[number])
        assert world.state() == expected, (number, calls[number])
        assert world.deploy() == DONE
        assert world.writes == [], (number, calls[number])
    world.upload("more/a" if change is not other else "new/a")
    assert len(world.served()) == 1


def test_a_removal_that_was_killed_is_finished_by_the_next(world: Any) -> None:
    world.deploy()
    world.remove()
    calls = list(world.cut.calls)
    world.cut.after = True
    for number, name in enumerate(calls):
        if name.startswith(("Get", "List")):
            continue
        world.deploy()
        world.cut.at = number
        with pytest.raises(Stop, match="run the command again"):
            world.remove()
        world.cut.at = None
        assert world.remove() == DONE
        assert world.scf.functions == {}
        assert world.scf.triggers == ()


def test_half_a_deploy_never_serves(world: Any) -> None:
    """Until $DEFAULT is pointed to it, what comes is run by the version before."""
    world.deploy()
    world.pack(**{"more.txt": "x"})
    world.write(environment={"variables": {"DERIVO_CALL_TIMEOUT": "30"}})
    world.deploy()
    last = len(world.cut.calls) - 1 - world.cut.calls[::-1].index("UpdateAlias")
    removed(world)
    world.deploy()
    world.pack(**{"more.txt": "y"})
    world.write(environment={"variables": {"DERIVO_CALL_TIMEOUT": "31"}})
    world.cut.at = last
    with pytest.raises(Stop):
        world.deploy()
    world.cut.at = None
    world.upload("in/a")
    assert world.served() == [("a", "1")]
    world.deploy()
    assert "which stands already" in world.said
    assert world.writes == ["UpdateAlias"]
    world.upload("in/b")
    assert world.served()[-1] == ("b", "2")
