"""A bucket that changes while it is listed: nothing is lost or deleted that another run does not mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coslocal.pytest_plugin import REGION
from derivo import settings
from derivo.cos import Cos, Listed
from derivo_cli.reconcile import planfile, planning
from derivo_cli.url import CosUrl
from tests.derivo_cli.reconcile.conftest import RULES, Bucket
from tests.derivo_cli.shell import PNG

KEYS = [f"in/{number}.png" for number in range(6)]
MANIFEST = "manifest: /meta/{path}.json" + RULES
Happening = Callable[[Bucket], None]


class Restless(Cos):
    """COS, where something happens once the first page of sources is there, and before any output is listed."""

    def __init__(self, bucket: Bucket, happening: Happening) -> None:
        super().__init__(settings.read())
        self._bucket = bucket
        self._happening = happening

    def list(self, **arguments: Any) -> Iterator[Listed]:
        for number, item in enumerate(super().list(**arguments)):
            yield item
            if number == 2 and item.key.startswith("in/"):
                self._happening(self._bucket)


def _new(bucket: Bucket) -> None:
    bucket.put("in/new.png")
    bucket.function_for("in/new.png")


def _overwritten_and_made(bucket: Bucket) -> None:
    bucket.move(60)
    bucket.put(KEYS[5], data=PNG + b"\0")
    bucket.function_for(KEYS[5])


def _overwritten_and_lost(bucket: Bucket) -> None:
    bucket.move(60)
    bucket.put(KEYS[5], data=PNG + b"\0")


def _source_gone(bucket: Bucket) -> None:
    bucket.delete(KEYS[5])


def _derivative_gone(bucket: Bucket) -> None:
    bucket.delete(f"out/{KEYS[5]}.t.png")


def planned(bucket: Bucket, happening: Happening) -> Path:
    """The plan that is made while it happens, in a file."""
    path, folder = bucket.folder / "p.parquet", bucket.folder / "store"
    folder.mkdir()
    request = planning.Request(CosUrl(bucket.cos.bucket, ""), REGION, bucket.index)
    made = planning.make(request, Restless(bucket, happening), folder)
    planfile.write(made.store, path, made.head)
    made.store.close()
    return path


@pytest.mark.parametrize("text", [RULES, MANIFEST], ids=["by time", "by manifest"])
@pytest.mark.parametrize(
    "happening", [_new, _overwritten_and_made, _overwritten_and_lost, _source_gone, _derivative_gone]
)
def test_its_plan_can_be_carried_out_and_another_run_ends_it(bucket: Bucket, text: str, happening: Happening) -> None:
    bucket.rules(text)
    bucket.put(*KEYS)
    bucket.move(60)
    bucket.function()
    bucket.move(60)
    path = planned(bucket, happening)
    assert bucket.apply(path).code == 0
    assert bucket.apply().code == 0
    assert bucket.derivo("plan", bucket.address).out.endswith("plan: nothing to do\n")


def test_what_came_meanwhile_is_not_taken_away(bucket: Bucket) -> None:
    bucket.rules(MANIFEST)
    bucket.put(*KEYS)
    bucket.function()
    path = planned(bucket, _new)
    before = bucket.cos.keys()
    done = bucket.derivo("prune", path, "--yes", "--force", bucket.cos.bucket)
    assert "wanted again" in done.out
    assert bucket.cos.keys() == before
