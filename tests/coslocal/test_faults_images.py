"""Faults of single rules, and requests a second: what Cloud Infinite does when it has a bad day."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import pyvips

from coslocal.rates import Rates
from coslocal.wire.errors import SlowDown

HALF = "imageMogr2/thumbnail/!50p"


@pytest.fixture
def picture() -> bytes:
    data: bytes = pyvips.Image.black(40, 20, bands=3).pngsave_buffer()
    return data


def operations(count: int) -> "dict[str, str]":
    listed = [{"fileid": f"/out/{n}.png", "rule": HALF} for n in range(1, count + 1)]
    return {"Pic-Operations": json.dumps({"rules": listed})}


def process(core: Any, count: int = 3) -> Any:
    return core.ask("POST", "/in/a.png?image_process", headers=operations(count))


def listed(answer: Any) -> "list[str]":
    return [item.text for item in answer.xml.iterfind("ProcessResults/Object/Key")]


def stored(core: Any) -> "list[str]":
    return [item.text for item in core.ask("GET", "/?prefix=out/").xml.iterfind("Contents/Key")]


@pytest.mark.parametrize(
    ("how", "in_the_answer", "in_the_bucket"),
    [("omit", "13", "13"), ("unlisted", "13", "123"), ("unwritten", "123", "13")],
)
def test_a_rule_is_left_out(core: Any, picture: bytes, how: str, in_the_answer: str, in_the_bucket: str) -> None:
    core.ask("PUT", "/in/a.png", picture)
    core.app.faults.add("partial", rule=2, how=how)
    assert listed(process(core)) == [f"out/{n}.png" for n in in_the_answer]
    assert stored(core) == [f"out/{n}.png" for n in in_the_bucket]
    assert [event.key for event in core.events][1:] == stored(core)
    assert [(each.effect, each.mark) for each in core.app.faults.injected] == [("partial", "rule 2")]


@pytest.mark.parametrize("core_with", [{"partial-failure": "refuse"}, {"partial-failure": "omit"}], indirect=True)
def test_a_rule_fails_as_the_dialect_says(core_with: Any, picture: bytes) -> None:
    core_with.ask("PUT", "/in/a.png", picture)
    core_with.app.faults.add("partial", rule=2, code="ImageResolutionExceed")
    answer = process(core_with)
    if core_with.app.dialects["partial-failure"] == "refuse":
        assert (answer.status, answer.code, stored(core_with)) == (400, "ImageResolutionExceed", [])
    else:
        assert (answer.status, listed(answer)) == (200, ["out/1.png", "out/3.png"])


def test_any_rule_may_be_struck_by_chance_and_again_the_same(core: Any, picture: bytes) -> None:
    core.ask("PUT", "/in/a.png", picture)
    core.app.faults.restart(seed=4)
    core.app.faults.add("partial", how="omit", probability=0.5)
    first = [listed(process(core, 5)) for _ in range(4)]
    core.app.faults.restart()
    assert [listed(process(core, 5)) for _ in range(4)] == first
    assert len({tuple(keys) for keys in first}) > 1


# -- requests a second


@pytest.fixture
def fast(core: Any) -> Iterator[Any]:
    core.app.rates = Rates(persistent=3, download=5)
    yield core


def statuses(core: Any, count: int, method: str, target: str, **more: Any) -> "list[int]":
    return [core.ask(method, target, **more).status for _ in range(count)]


def test_processing_above_the_rate_is_told_to_slow_down(fast: Any, picture: bytes) -> None:
    fast.ask("PUT", "/in/a.png", picture)
    assert statuses(fast, 5, "POST", "/in/a.png?image_process", headers=operations(1)) == [200, 200, 200, 503, 503]
    refused = process(fast)
    assert (refused.code, refused.headers["X-ErrNo"]) == ("SlowDown", "-60949")
    fast.now += 0.34  # a third of a second is one request
    assert statuses(fast, 2, "POST", "/in/a.png?image_process", headers=operations(1)) == [200, 503]
    fast.now += 3600
    assert statuses(fast, 4, "POST", "/in/a.png?image_process", headers=operations(1)) == [200, 200, 200, 503]


def test_a_put_that_is_too_fast_stores_nothing(fast: Any, picture: bytes) -> None:
    keys = [f"/in/{n}.png" for n in range(4)]
    assert [fast.ask("PUT", key, picture, operations(1)).status for key in keys] == [200, 200, 200, 503]
    assert fast.ask("HEAD", keys[3]).status == 404
    assert fast.ask("PUT", keys[3], picture).status == 200  # without processing there is no such limit


def test_downloads_have_their_own_rate(fast: Any, picture: bytes) -> None:
    fast.ask("PUT", "/in/a.png", picture)
    assert statuses(fast, 7, "GET", f"/in/a.png?{HALF}") == [200] * 5 + [503] * 2
    assert fast.ask("GET", f"/in/a.png?{HALF}").headers["X-ErrNo"] == "-29214"
    assert statuses(fast, 20, "GET", "/in/a.png") == [200] * 20
    assert process(fast).status == 200


def test_the_platform_s_own_rates(core: Any) -> None:
    def taken(way: str, region: str) -> int:
        rates = Rates()
        count = 0
        while count < 5000:
            try:
                rates.take(way, "b-1", region, lambda: 0.0)
            except SlowDown:
                break
            count += 1
        return count

    assert [taken(way, "ap-guangzhou") for way in ("upload", "cloud", "async", "download")] == [100, 100, 100, 3000]
    assert taken("cloud", "ap-singapore") == taken("cloud", "ap-shenzhen-fsi") == 50
    assert taken("download", "ap-singapore") == 3000


def test_every_account_and_region_has_its_own(core: Any) -> None:
    rates = Rates(persistent=1)
    for bucket, region in (("a-1", "ap-guangzhou"), ("a-2", "ap-guangzhou"), ("a-1", "ap-beijing")):
        rates.take("cloud", bucket, region, lambda: 0.0)
