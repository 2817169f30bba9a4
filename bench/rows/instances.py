"""Events a second, by the number of instances, while CI takes its time."""

from __future__ import annotations

from collections.abc import Iterator

from bench import deployed, stub
from bench.deployed import Deployed
from bench.pictures import photo
from bench.setting import ROOT, Setting
from bench.table import Row, compared
from bench.timing import timed
from coslocal.scf.service import Scf

_LATENCY = 0.05
_INSTANCES = (1, 10, 50)


def rows(setting: Setting) -> Iterator[Row]:
    picture = setting.folder / "photo.jpg"
    picture.write_bytes(photo(400, 300))
    rules = setting.folder / "rules"
    rules.mkdir()
    text = (ROOT / "rules" / "avatars.yml").read_text(encoding="utf-8")
    (rules / "avatars.yml").write_text(text + "immutable: true\n", encoding="utf-8")
    with stub.running(picture, seconds=_LATENCY) as url:
        function = deployed.derivo(setting.folder, url, rules)
        for instances in _INSTANCES:
            rates = _rates(function, instances, setting.runs(5, 2))
            plural = "s" * (instances > 1)
            yield compared(
                f"events a second, {instances} instance{plural}", rates, [instances / _LATENCY] * len(rates),
                unit="/s", against="ideal line",
                method="coslocal's SCF with warm instances in processes of their own and a queue that is never empty;"
                " one call an event, which the stub takes 50 ms to answer; ideal is instances / 50 ms; all of it, the"
                " stub and the queue too, on this machine's cores",
            )  # fmt: skip


def _rates(function: Deployed, instances: int, runs: int) -> list[float]:
    event = deployed.event_for("avatars/1029/me.jpg", 30_000)
    handled: set[str] = set()
    made = function.function(variables={"DERIVO_MAX_REQUESTS_PER_MINUTE": "0"}, instances=instances)
    with Scf([made], [], account=deployed.ACCOUNT, log=lambda request_id, line: handled.add(request_id)) as scf:

        def push(count: int) -> None:
            for _ in range(count):
                scf.invoke_async(made.name, event)
            if not scf.wait_idle(120):
                raise RuntimeError("the events were not handled in time")

        push(4 * instances)  # until every instance is there and warm
        handled.clear()
        count = max(20, 10 * instances)
        rates = [count / timed(lambda: push(count)) for _ in range(runs)]
    if len(handled) != count * runs:
        raise RuntimeError(f"{len(handled)} of {count * runs} events were handled")
    return rates
