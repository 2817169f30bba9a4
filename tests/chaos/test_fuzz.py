"""Nothing that COS, SCF or an uploader may send makes Derivo raise what is not documented."""

from __future__ import annotations

import random
import sys

import pytest

from derivo.handle import Unfinished
from tests.chaos import fuzz, generators

INPUTS = 100_000


def test_a_hundred_thousand_odd_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    total = fuzz.Thrown()
    for batch in range(INPUTS // fuzz.BATCH):
        total = total.plus(fuzz.throw(batch))
    with capsys.disabled():
        sys.stdout.write(f"\n{total.report()[-1]}\n")
    assert not total.undocumented, "\n".join(total.report())
    assert total.events + total.keys + total.answers >= INPUTS


def test_a_batch_is_the_same_again() -> None:
    first, second = fuzz.throw(7), fuzz.throw(7)
    assert first == second


def test_what_is_thrown_is_of_all_kinds() -> None:
    roll = random.Random(1)
    keys = [generators.key(roll) for _ in range(2000)]
    assert any(len(key.encode("utf-8", "replace")) > 800 for key in keys)
    assert any("\ud800" in key for key in keys)
    events = [generators.event(roll) for _ in range(2000)]
    assert any(isinstance(event, dict) and "Body" in event for event in events)
    assert {generators.answer(roll).status for _ in range(2000)} >= {200, 301, 404, 503}


def test_an_undocumented_exception_is_told_with_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_: object, **__: object) -> None:
        raise Unfinished("where nobody expects it")

    monkeypatch.setattr(fuzz, "sources", raising)
    report = fuzz.throw(3).report()
    assert "make fuzz SEED=3" in report[0]
    assert not report[-1].endswith(" 0 undocumented exceptions")
