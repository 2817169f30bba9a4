"""Fuzz: events, keys and answers of COS. Nothing may be raised but what is documented: EventError by what reads events,
CosFailure by what calls COS, Unfinished by the handler.

python -m tests.chaos.fuzz [--inputs N] [--processes P] | --seed BATCH
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from coslocal.http import Request, Response
from derivo import failures, keys, manifest
from derivo.breaker import Breaker
from derivo.clock import Deadline
from derivo.cos import Cos, CosFailure
from derivo.derive import derive
from derivo.events import EventError, Source, sources, synthetic_event
from derivo.follow import follow
from derivo.handle import Unfinished, handle
from derivo.log import line
from derivo.outcomes import Work
from derivo.plan import plan
from derivo.upload import put_image
from tests.chaos import generators, worlds
from tests.chaos.cloud import START, client, under_sdk

BATCH = 500
"""Inputs that share a seed: a failure is replayed with its batch."""

SHAPES = ("seven", "delete-seven", "two-buckets", "two-sets", "chained")


@dataclass
class Thrown:
    """Counts, and the first undocumented exceptions, each with the batch that it came in."""

    events: int = 0
    answers: int = 0
    keys: int = 0
    whole_invocations: int = 0
    undocumented: list[str] = field(default_factory=list)

    def plus(self, other: Thrown) -> Thrown:
        return Thrown(
            self.events + other.events,
            self.answers + other.answers,
            self.keys + other.keys,
            self.whole_invocations + other.whole_invocations,
            self.undocumented + other.undocumented,
        )

    def report(self) -> list[str]:
        return [
            *self.undocumented[:20],
            f"{self.whole_invocations} of the events went through whole invocations, against answers just as odd",
            f"fuzz: {self.events} events, {self.answers} answers, {self.keys} keys, "
            f"{len(self.undocumented)} undocumented exceptions",
        ]


# Unix seconds long after most events: they may all be retries.
_LATE = 2_000_000_000.0


class _Still:
    """A clock on which waiting takes no time; it goes on a little with each look, so that every run ends."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += 0.01
        return self._now

    def time(self) -> float:
        return _LATE

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def throw(batch: int) -> Thrown:
    """One batch: of fifty inputs 39 events, ten keys, one call; each two hundredth goes through the handler."""
    roll = random.Random(f"fuzz/{batch}")
    thrown = Thrown()
    before = random.getstate()
    random.seed(batch)  # the jitter of back-off

    def answering(request: Request, timeout: float) -> Response:
        thrown.answers += 1
        return generators.answer(roll)

    kinds: list[tuple[Callable[[random.Random, Thrown], None], tuple[type[Exception], ...]]] = [
        (_event, (EventError,)),
        (_key, ()),
        (_call, (CosFailure,)),
        (_invocation, (Unfinished,)),
    ]
    with under_sdk(answering, lambda: START):
        for number in range(BATCH):
            kind, documented = kinds[_kind(number)]
            try:
                kind(roll, thrown)
            except documented:
                pass
            except Exception as error:
                told = f"{type(error).__name__}: {str(error)[:200]}"
                thrown.undocumented.append(f"{kind.__name__[1:]}: {told}; replay it with: make fuzz SEED={batch}")
    random.setstate(before)
    return thrown


def _kind(number: int) -> int:
    if number % 50 == 49:
        return 2
    if number % 5 == 3:
        return 1
    return 3 if number % 200 == 50 else 0


def _event(roll: random.Random, thrown: Thrown) -> None:
    thrown.events += 1
    found = sources(generators.event(roll), default_region=roll.choice([None, "ap-guangzhou"]))
    for item in found[:5]:
        if isinstance(item, Source):
            plan(item, worlds.index(roll.choice(SHAPES)))


def _key(roll: random.Random, thrown: Thrown) -> None:
    """A key, through everything that takes one."""
    thrown.keys += 1
    index = worlds.index(roll.choice(SHAPES))
    source = Source(bucket=worlds.BUCKET, region=worlds.REGION, key=generators.key(roll))
    made = plan(source, index)
    Breaker(index).trips(source)
    record = keys.record_key("failures/", source.key)
    keys.defect(record, source.key)
    if source.key and not source.key.endswith("/") and _writable(source.key):
        (again,) = sources(synthetic_event([source]))
        assert isinstance(again, Source), f"{source.key!r} is not read back"
        assert again.key == source.key, f"{source.key!r} is read back as {again.key!r}"
    if _writable(source.key):
        failures.build(source, Work(outcomes=()), "x")
        for wanted in made.manifests:
            manifest.encode(manifest.build(made, wanted.rule_set, Work(outcomes=())))
    line({"key": source.key, "derivatives": [{"key": planned.key, "outcome": "x"} for planned in made.derivatives]})


def _writable(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _call(roll: random.Random, thrown: Thrown) -> None:
    """Calls of COS through the real SDK, and what their answers are then read as."""
    (_work if roll.random() < 0.5 else _request)(roll, client())


def _work(roll: random.Random, cos: Cos) -> None:
    """What makes many calls."""
    where: dict[str, Any] = {"bucket": worlds.BUCKET, "region": worlds.REGION, "key": "in/a.png"}
    index = worlds.index(roll.choice(SHAPES))
    what = roll.randrange(5)
    if what < 3:
        derive(plan(Source(**where, size=9), index), cos, Deadline(_Still(), 30.0))
    elif what == 3:
        follow(Source(**where), index, cos, Deadline(_Still(), 30.0))
    else:
        put_image(__file__, **where, client=cos, rule_sets=index, clock=_Still())


def _request(roll: random.Random, cos: Cos) -> None:
    where: dict[str, Any] = {"bucket": worlds.BUCKET, "region": worlds.REGION, "timeout": 9.0}
    what = roll.randrange(5)
    if what == 0:
        cos.head(key="in/a.png", **where)
    elif what == 1:
        data = cos.get(key="meta/in/a.png.json", **where)
        if data is not None:
            manifest.decode(data)
            failures.parse(data)
    elif what == 2:
        listed = cos.list(prefix="in/", **where)
        for _ in zip(range(50), listed, strict=False):
            pass
    elif what == 3:
        pic = roll.choice([None, "{}"])
        cos.put(key="in/a.png", body=b"x", headers={"ContentType": "image/png"}, pic_operations=pic, **where)
    else:
        cos.delete(key="in/a.png", **where)


def _invocation(roll: random.Random, thrown: Thrown) -> None:
    thrown.events += 1
    thrown.whole_invocations += 1
    handle(
        generators.event(roll),
        roll.choice([{"time_limit_in_ms": 60_000, "request_id": "x"}, {}, None, generators.value(roll)]),
        client=client(),
        rule_sets=worlds.index(roll.choice(SHAPES)),
        clock=_Still(),
        log=_logged,
        region=worlds.REGION,
    )


def _logged(fields: dict[str, Any]) -> None:
    line(fields)


def tallies(batches: Iterable[int], processes: int) -> Iterator[Thrown]:
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(throw, batches, chunksize=4)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, help="replay the batch of one seed")
    options = parser.parse_args()
    total = Thrown()
    batches = [options.seed] if options.seed is not None else range(-(-options.inputs // BATCH))
    for thrown in tallies(batches, options.processes):
        total = total.plus(thrown)
    sys.stdout.write("".join(f"{line}\n" for line in total.report()))
    return 1 if total.undocumented else 0


if __name__ == "__main__":
    sys.exit(main())
