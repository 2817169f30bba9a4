"""Faults on demand: what is added strikes, and only that; the same seed and requests give the same faults."""

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from qcloud_cos import CosClientError, CosServiceError

from coslocal.faults import FaultError, Faults, Injection, Occasion
from coslocal.faultshapes import EFFECTS, STATUSES, Error, written
from coslocal.pytest_plugin import BUCKET, Cos, Server, new_app
from coslocal.routes import ROUTES


@pytest.fixture(params=["mounted", "server"])
def given_cos(request: pytest.FixtureRequest) -> "Cos | Server":
    """Every request fault is the same with a socket and without one."""
    return request.getfixturevalue("cos" if request.param == "mounted" else "coslocal_server")  # type: ignore[no-any-return]


def put(given_cos: Any, key: str = "a", data: bytes = b"hello") -> Any:
    return given_cos.client(retry=0).put_object(Bucket=BUCKET, Key=key, Body=data)


def code_of(given_cos: Any, key: str = "a") -> "tuple[str, int]":
    with pytest.raises(CosServiceError) as caught:
        put(given_cos, key)
    return caught.value.get_error_code(), caught.value.get_status_code()


# -- what strikes


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_error_before_or_after_the_effect(given_cos: Any, when: str) -> None:
    given_cos.faults.add("error", code="ServiceUnavailable", message="Too busy", when=when, times=1)
    assert code_of(given_cos) == ("ServiceUnavailable", 503)
    assert given_cos.keys() == (["a"] if when == "after" else [])
    assert [event.key for event in given_cos.events] == given_cos.keys()
    put(given_cos, "b")
    entry = given_cos.journal.entries()[0]
    assert (entry.status, entry.error, entry.fault) == (503, "ServiceUnavailable", "error")


def test_any_code_with_its_status_given(given_cos: Any) -> None:
    given_cos.faults.add("error", code="SomethingNew", status=418)
    assert code_of(given_cos) == ("SomethingNew", 418)


def test_throttling(given_cos: Any) -> None:
    given_cos.faults.add("throttle")
    assert code_of(given_cos) == ("SlowDown", 503)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_before_or_after_the_effect(given_cos: Any, when: str) -> None:
    given_cos.faults.add("reset", when=when, times=1)
    with pytest.raises(CosClientError, match="reset"):
        put(given_cos)
    assert given_cos.keys() == (["a"] if when == "after" else [])
    assert given_cos.journal.entries()[0].status == 0


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_a_truncated_answer(given_cos: Any, size: int) -> None:
    given_cos.put("a", b"x" * size)
    given_cos.faults.add("truncate", bytes=60, times=1)
    given_cos.faults.add("truncate", bytes=60, clean=True, times=1)
    address = f"http://{BUCKET}.cos.ap-guangzhou.myqcloud.com/a"
    given_cos.client().put_object_acl(Bucket=BUCKET, Key="a", ACL="public-read")
    proxies = getattr(given_cos, "proxies", None)
    given_cos.faults.restart()  # the request that set the list was struck too
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(address, proxies=proxies, timeout=5)
    clean = requests.get(address, proxies=proxies, timeout=5)
    assert (clean.content, clean.headers["Content-Length"]) == (b"x" * 60, "60")
    assert len(requests.get(address, proxies=proxies, timeout=5).content) == size


def test_a_head_has_nothing_to_truncate(given_cos: Any) -> None:
    given_cos.put("a", b"x" * 100)
    given_cos.faults.add("truncate")
    assert given_cos.client().head_object(Bucket=BUCKET, Key="a")["Content-Length"] == "100"


@pytest.mark.parametrize(
    ("body", "content_type"), [("<html>down</html>", "text/html"), ("", ""), ("{}", "application/json")]
)
def test_another_answer(given_cos: Any, body: str, content_type: str) -> None:
    more = {"content_type": content_type} if content_type else {}
    given_cos.faults.add("replace", body=body, operation="head_bucket", **more)
    given_cos.faults.add("replace", body=body, operation="list_objects", **more)
    address = f"http://{BUCKET}.cos.ap-guangzhou.myqcloud.com/"
    given_cos.client().put_bucket_acl(Bucket=BUCKET, ACL="public-read")
    answer = requests.get(address, proxies=getattr(given_cos, "proxies", None), timeout=5)
    assert (answer.status_code, answer.text, answer.headers.get("Content-Type", "")) == (200, body, content_type)
    assert requests.head(address, proxies=getattr(given_cos, "proxies", None), timeout=5).content == b""


def test_an_answer_in_place_of_the_operation(cos: Cos) -> None:
    cos.faults.add("replace", when="before", status=502)
    assert code_of(cos)[1] == 502
    assert cos.keys() == []


def test_waits_add_up_and_other_faults_come_on_top(cos: Cos) -> None:
    waited: list[float] = []
    cos.faults.sleep = waited.append
    cos.faults.add("latency", seconds=2)
    cos.faults.add("latency", seconds=3, when="after", times=1)
    cos.faults.add("error", code="SlowDown", nth=1)
    code_of(cos)
    assert waited == [2]  # what follows the effect has no place where there is none
    put(cos)
    assert waited == [2, 2]
    assert [each.effect for each in cos.faults.injected] == ["latency", "latency", "error", "latency"]


def test_a_wait_ends_when_faults_are_cleared(coslocal_server: Server) -> None:
    coslocal_server.faults.add("latency", seconds=3000)
    begun = requests.Session()
    url = coslocal_server.url + "/_coslocal/faults"
    with pytest.raises(requests.exceptions.Timeout):
        requests.get(f"http://{BUCKET}.x.localhost/a", proxies=coslocal_server.proxies, timeout=0.05)
    begun.delete(url, timeout=5)
    assert coslocal_server.faults.as_json()["faults"] == []


# -- whom it strikes


def test_where(cos: Cos) -> None:
    cos.faults.add("error", operation=["delete_object", "put_object"], prefix="in/", bucket=BUCKET)
    put(cos, "out/a")
    cos.client().list_objects(Bucket=BUCKET)
    assert code_of(cos, "in/a")[0] == "InternalError"
    with pytest.raises(CosServiceError):
        cos.client(retry=0).delete_object(Bucket=BUCKET, Key="in/a")
    cos.faults.clear()
    cos.faults.add("error", bucket="other-1250000000")
    put(cos, "in/a")


def test_when(cos: Cos) -> None:
    cos.faults.add("error", nth=3)
    outcomes = [_fails(cos) for _ in range(5)]
    assert outcomes == [False, False, True, False, False]
    cos.faults.clear()
    cos.faults.add("error", times=2)
    assert [_fails(cos) for _ in range(4)] == [True, True, False, False]


def _fails(cos: Cos) -> bool:
    try:
        put(cos)
    except CosServiceError:
        return True
    return False


def test_what_is_beside_the_api_is_never_struck(cos: Cos) -> None:
    cos.faults.add("reset")
    assert requests.get("http://any/_coslocal/health", timeout=1).status_code == 200


# -- events


def test_events_doubled_lost_and_late(cos: Cos) -> None:
    cos.faults.add("duplicate", copies=2, prefix="twice")
    cos.faults.add("lose", prefix="lost")
    cos.faults.add("delay", seconds=3600, prefix="late")
    for key in ("late1", "late2", "twice", "lost", "plain"):
        put(cos, key)
    assert [event.key for event in cos.events] == ["twice", "twice", "twice", "plain"]
    assert cos.keys() == ["late1", "late2", "lost", "plain", "twice"]
    assert cos.faults.release() == 2
    assert [event.key for event in cos.events][4:] == ["late1", "late2"]
    assert cos.faults.release() == 0


def test_a_delay_is_on_the_app_s_clock(core: Any) -> None:
    core.app.faults.add("delay", seconds=60, event="cos:ObjectCreated:*")
    core.ask("PUT", "/a", b"x")
    core.ask("DELETE", "/a")
    assert [event.name for event in core.events] == ["cos:ObjectRemove:Delete"]
    core.now += 59
    core.ask("GET", "/")
    assert len(core.events) == 1
    core.now += 1
    core.ask("GET", "/")
    assert [event.name for event in core.events][1:] == ["cos:ObjectCreated:Put"]
    core.app.faults.close()


def test_a_real_delay_ends_by_itself(cos: Cos) -> None:
    arrived = []
    done = threading.Event()
    cos.app.subscribe(lambda event: (arrived.append(event.key), done.set()))
    cos.faults.add("delay", seconds=0.05)
    put(cos)
    assert done.wait(20)
    assert arrived == ["a"]


def test_events_out_of_order(cos: Cos) -> None:
    cos.faults.add("reorder", behind=2, prefix="0")
    for key in "01234":
        put(cos, key)
    assert [event.key for event in cos.events] == ["1", "2", "0", "3", "4"]


def test_clearing_lets_held_events_go_and_a_reset_forgets_them(cos: Cos) -> None:
    cos.faults.add("delay", seconds=3600)
    put(cos)
    cos.faults.clear()
    assert [event.key for event in cos.events] == ["a"]
    cos.faults.add("delay", seconds=3600)
    put(cos)
    cos.reset("buckets")
    assert cos.events == [] and cos.faults.release() == 0 and cos.keys() == []
    put(cos)
    assert [event.key for event in cos.events] == ["a"]


# -- the same again

occasions = st.lists(
    st.builds(
        Occasion,
        st.sampled_from(["put_object", "get_object"]), st.just("b-1"), st.sampled_from("abcdef"),
        st.sampled_from(["", "1"]),
    ),
    max_size=40,
)  # fmt: skip


def told(faults: Faults, met: "list[Occasion]") -> "list[tuple[Occasion, list[str]]]":
    return [(occasion, [each.effect for each in faults.strike(occasion).all]) for occasion in met]


@settings(max_examples=60)
@given(occasions, st.integers(), st.floats(0, 1), st.randoms())
def test_a_seed_decides_whatever_the_order(
    met: "list[Occasion]", seed: int, chance: float, order: random.Random
) -> None:
    faults = Faults(seed=seed, sleep=lambda seconds: None)
    faults.chaos(chance)
    faults.add("latency", seconds=1, probability=chance)
    first = told(faults, met)
    log = faults.injected
    faults.restart()
    assert told(faults, met) == first
    assert [_apart(each) for each in faults.injected] == [_apart(each) for each in log]
    faults.restart()
    shuffled = list(met)
    order.shuffle(shuffled)
    key = lambda pair: (repr(pair[0]),)  # noqa: E731
    # each occasion in its own order meets what it met before
    assert sorted(told(faults, shuffled), key=key) == sorted(first, key=key)


def _apart(injection: Injection) -> "tuple[object, ...]":
    return (injection.fault, injection.effect, injection.operation, injection.key, injection.mark)


def test_another_seed_decides_otherwise() -> None:
    met = [Occasion("put_object", "b-1", str(number)) for number in range(200)]
    faults = Faults(seed=1)
    faults.chaos(0.3)
    first = told(faults, met)
    faults.restart(seed=2)
    assert told(faults, met) != first
    struck = sum(bool(effects) for _, effects in first)
    assert 30 < struck < 90  # about 0.3 of 200


def test_a_run_of_requests_replays(cos: Cos) -> None:
    def run() -> "list[object]":
        cos.reset("buckets", "faults")
        outcomes: list[object] = []
        for number in range(30):
            try:
                put(cos, f"in/{number % 7}")
                outcomes.append(200)
            except (CosServiceError, CosClientError) as error:
                outcomes.append(type(error).__name__)
        return [*outcomes, [event.key for event in cos.events], cos.keys()]

    cos.faults.restart(seed=11)
    cos.faults.chaos(0.5, lossy=True)
    first = run()
    cos.faults.events.forget()
    cos.faults.restart()
    assert run() == first
    assert any(outcome != 200 for outcome in first[:30])


# -- the shapes


@pytest.mark.parametrize(
    ("given_members", "told_why"),
    [
        ({}, "effect must be one of error, throttle"),
        ({"effect": "eror"}, "did you mean 'error'"),
        ({"effect": 5}, "effect must be one of"),
        ({"effect": "error", "code": "Nope"}, "give its status"),
        ({"effect": "error", "code": "slowdown"}, "did you mean 'SlowDown'"),
        ({"effect": "error", "operation": "put_objct"}, "did you mean 'put_object'"),
        ({"effect": "error", "operation": ["put_object", 5]}, "operation"),
        ({"effect": "error", "probability": 2}, "probability"),
        ({"effect": "error", "probability": "often"}, "probability"),
        ({"effect": "error", "nth": 0}, "nth"),
        ({"effect": "error", "times": 0}, "times"),
        ({"effect": "error", "when": "during"}, "when"),
        ({"effect": "error", "nonsense": 1}, "it takes operation, bucket"),
        ({"effect": "latency"}, "seconds"),
        ({"effect": "latency", "seconds": -1}, "seconds"),
        ({"effect": "truncate", "bytes": -1}, "bytes"),
        ({"effect": "replace", "content_type": "a\r\nb: c"}, "content_type"),
        ({"effect": "partial", "rule": 6}, "rule"),
        ({"effect": "partial", "how": "badly"}, "how"),
        ({"effect": "delay", "seconds": float("nan")}, "seconds"),
        ([], "a fault is an object"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(given_members: Any, told_why: str) -> None:
    faults = new_app().faults
    with pytest.raises(FaultError, match=told_why) as caught:
        faults.add_all([{"effect": "reset"}, given_members])
    assert "\n" not in str(caught.value)
    assert faults.as_json()["faults"] == []  # all or none


def test_a_fault_may_be_given_as_a_value() -> None:
    faults = Faults()
    assert faults.add(Error(code="AccessDenied", times=2)) == Error(code="AccessDenied", times=2)
    assert faults.as_json()["faults"][0]["code"] == "AccessDenied"


def test_every_effect_has_a_default_and_is_written_as_it_is_read() -> None:
    faults = Faults()
    for effect in EFFECTS:
        more = {"seconds": 1} if effect in ("latency", "delay") else {}
        fault = faults.add(effect, **more)
        assert faults.add_all([written(fault)]) == [fault]


def test_every_operation_and_every_code_can_be_struck() -> None:
    faults = new_app().faults
    for route in ROUTES:
        faults.add("error", operation=route.operation)
    for code in STATUSES:
        faults.add("error", code=code)


# -- the pages


@pytest.fixture
def page(cos: Cos) -> Iterator[Any]:
    def ask(method: str, path: str, **more: Any) -> Any:
        return requests.request(method, f"http://any/_coslocal/{path}", timeout=1, **more)

    yield ask


def test_faults_by_http(cos: Cos, page: Any) -> None:
    assert page("POST", "faults", json={"effect": "throttle", "times": 1}).json()["faults"][0]["effect"] == "throttle"
    assert page("POST", "faults", json={"seed": 9, "faults": [{"effect": "lose"}, {"effect": "reset", "nth": 5}]}).ok
    assert code_of(cos)[0] == "SlowDown"
    put(cos)
    told = page("GET", "faults").json()
    assert (told["seed"], [each["struck"] for each in told["faults"]]) == (9, [1, 1, 0])
    assert [each["effect"] for each in told["injected"]] == ["throttle", "lose"]
    assert page("DELETE", "faults").ok
    assert page("GET", "faults").json()["faults"] == []
    cos.faults.add("delay", seconds=60)
    put(cos, "late")
    assert page("GET", "faults").json()["held_events"] == 1
    assert page("POST", "faults/release").json() == {"released": 1}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"null", b'{"faults": 1}', b'{"seed": "a", "faults": []}',
             b'{"faults": [], "x": 1}', b'{"seed": 1.5, "faults": []}', b"[" * 100_000, b"\xff",
             b'{"effect": "error", "code": "Nope"}'],
)  # fmt: skip
def test_what_is_no_fault_is_refused_in_one_line(cos: Cos, page: Any, body: bytes) -> None:
    answer = page("POST", "faults", data=body)
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]
    assert cos.faults.as_json()["faults"] == []
