import json
import stat
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.scf.clock import ManualClock
from coslocal.scf.deadletters import DeadLetters
from coslocal.scf.function import Account, Function, FunctionError
from coslocal.scf.schedule import Policy
from coslocal.scf.service import Scf
from coslocal.scf.triggers import Trigger, TriggerError

ACCOUNT = Account(secret_id="AKIDtest", secret_key="SKtest", appid="1250000001")
BUCKET = "photos-1250000001"

CODE = """
import json, os

def main_handler(event, context):
    for record in event["Records"]:
        key = record["cos"]["cosObject"]["key"]
        with open("seen", "a") as seen:
            seen.write(json.dumps([context["request_id"], context["function_name"], key]) + "\\n")
        tries = key.count("!")
        if key.endswith("never"):
            raise RuntimeError("cannot " + key)
        with open("seen") as seen:
            if sum(json.loads(line)[2] == key for line in seen) <= tries:
                raise RuntimeError("not yet " + key)
    print("handled " + key)
"""


def event(key: str, **fields: Any) -> ObjectEvent:
    made: dict[str, Any] = {
        "name": "cos:ObjectCreated:Put",
        "bucket": BUCKET,
        "region": "ap-guangzhou",
        "key": key,
        "size": 1,
        "etag": "e",
        "time": 1,
        "request_id": "R",
        "request_headers": {"Authorization": "q-signature=secret"},
        **fields,
    }
    return ObjectEvent(**made)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.log: list[tuple[str, str]] = []
        self.opened: list[Scf] = []
        (folder / "index.py").write_text(textwrap.dedent(CODE))

    def start(self, *triggers: Trigger, **fields: Any) -> Scf:
        bound = triggers or (Trigger(bucket=BUCKET, function="fn"),)
        names = sorted({trigger.function for trigger in bound})
        settings: dict[str, Any] = {
            "functions": [Function(name=name, root=self.folder, **fields.pop("function", {})) for name in names],
            "triggers": bound,
            "account": ACCOUNT,
            "clock": self.clock,
            "dead_letters": DeadLetters(self.folder / "dead"),
            "log": lambda request_id, line: self.log.append((request_id, line)),
            **fields,
        }
        self.opened.append(Scf(**settings))
        return self.opened[-1]

    def seen(self) -> list[list[str]]:
        return self._lines("seen")

    def dead(self) -> list[dict[str, Any]]:
        return self._lines("dead")

    def _lines(self, name: str) -> list[Any]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def logged(self) -> str:
        return "\n".join(line for _, line in self.log)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for scf in made.opened:
        scf.close()


def test_an_event_reaches_the_one_function_that_its_trigger_names(bench: Bench) -> None:
    scf = bench.start(
        Trigger(bucket=BUCKET, function="jpegs", suffix=".jpg"),
        Trigger(bucket=BUCKET, function="pngs", suffix=".png"),
    )
    for key in ("a.jpg", "b.png", "c.txt"):
        scf.notify(event(key))
    scf.notify(event("d.jpg", bucket="others-1250000001"))
    scf.notify(event("e.jpg", name="cos:ObjectRemove:Delete"))
    assert scf.drain()
    assert sorted(seen[1:] for seen in bench.seen()) == [
        ["jpegs", "/1250000001/photos/a.jpg"],
        ["pngs", "/1250000001/photos/b.png"],
    ]
    assert bench.dead() == []


def test_a_failing_event_is_tried_again_under_its_own_request_id_until_it_succeeds(bench: Bench) -> None:
    start = bench.clock.now()
    scf = bench.start()
    scf.notify(event("slow!!.jpg"))
    assert scf.drain()
    assert len(bench.seen()) == 3
    assert len({request_id for request_id, _, _ in bench.seen()}) == 1
    assert bench.clock.now() - start == 120
    assert bench.dead() == []
    assert "430 cos:ObjectCreated:Put photos-1250000001/slow!!.jpg: RuntimeError: not yet" in bench.logged()


def test_an_event_that_always_fails_becomes_a_dead_letter_that_can_be_replayed(bench: Bench) -> None:
    scf = bench.start()
    scf.notify(event("never"))
    assert scf.drain()
    assert len(bench.seen()) == 3
    (letter,) = bench.dead()
    body = letter.pop("Body")
    assert letter == {
        "RequestId": bench.seen()[0][0],
        "ErrorCode": 430,
        "ErrorMessage": "RuntimeError: cannot /1250000001/photos/never",
    }
    assert json.loads(body.pop("ClientContext"))["Records"][0]["cos"]["cosObject"]["key"] == "/1250000001/photos/never"
    assert body.pop("RequestId") == letter["RequestId"]
    assert body.pop("TimeStampForInvoker") - body.pop("PushTime") * 1000 == 120_000
    assert body == {
        "AppId": 1250000001,
        "Uin": "100000000001",
        "SubAccountUin": "100000000001",
        "RequestSource": "COS",
        "FunctionName": "fn",
        "Namespace": "default",
        "Qualifier": "$DEFAULT",
        "InvocationType": "Event",
        "LogType": "None",
        "RetryNum": 2,
        "Ttl": 21600,
    }


def test_the_dead_letter_file_is_its_owners_alone(bench: Bench) -> None:
    bench.start()
    assert stat.S_IMODE((bench.folder / "dead").stat().st_mode) == 0o600


def test_a_key_cannot_forge_lines_of_the_log(bench: Bench) -> None:
    scf = bench.start()
    scf.notify(event("a\n\x1b[2Jb\udcffnever"))
    assert scf.drain()
    told = [line for _, line in bench.log if line.startswith(("430 ", "given up"))]
    assert len(told) == 4
    for line in told:
        assert r"photos-1250000001/a\n\x1b[2Jb\udcffnever" in line
        assert line.isprintable()


def test_no_signature_is_logged(bench: Bench) -> None:
    scf = bench.start()
    scf.notify(event("never"))
    assert scf.drain()
    assert "q-signature" not in bench.logged()


def test_a_function_with_reserved_concurrency_zero_is_stopped_for_six_hours(bench: Bench) -> None:
    scf = bench.start(function={"reserved": 0}, policy=Policy())
    scf.notify(event("a.jpg"))
    assert scf.drain()
    assert bench.seen() == []
    assert [letter["ErrorCode"] for letter in bench.dead()] == [432]
    assert "432" in bench.logged()


def test_an_event_over_128_kilobytes_is_a_dead_letter_at_once(bench: Bench) -> None:
    scf = bench.start()
    scf.notify(event("a.jpg", meta={"x-cos-meta-big": "x" * 128 * 1024}))
    assert scf.drain()
    assert bench.seen() == []
    assert [letter["ErrorCode"] for letter in bench.dead()] == [406]


def test_what_was_not_handled_when_it_stops_is_reported_and_kept(bench: Bench) -> None:
    scf = bench.start()
    scf.pause(0)
    for key in ("a.jpg", "b.jpg"):
        scf.notify(event(key))
    left = scf.close()
    assert [message.subject for message in left] == [
        f"cos:ObjectCreated:Put {BUCKET}/{key}" for key in ("a.jpg", "b.jpg")
    ]
    assert [letter["ErrorCode"] for letter in bench.dead()] == [500, 500]
    assert "stopped before" in bench.dead()[0]["ErrorMessage"]


def test_what_is_forgotten_is_neither_run_nor_tried_again(bench: Bench) -> None:
    scf = bench.start()
    scf.notify(event("later!.jpg"))
    while scf.status()["functions"]["fn"]["retrying"] == 0:  # until it has failed once
        threading.Event().wait(0.01)
    scf.forget()
    assert scf.status()["idle"]
    scf.notify(event("after.jpg"))
    assert scf.drain()
    assert [key for _, _, key in bench.seen()] == ["/1250000001/photos/later!.jpg", "/1250000001/photos/after.jpg"]
    assert bench.dead() == []


def test_a_dead_letter_that_cannot_be_written_is_told(bench: Bench) -> None:
    scf = bench.start()
    (bench.folder / "dead").unlink()
    (bench.folder / "dead").mkdir()
    scf.notify(event("never"))
    assert scf.drain()
    assert "the dead letter could not be written" in bench.logged()


def test_a_synchronous_run_gives_its_result_and_is_never_tried_again(bench: Bench) -> None:
    (bench.folder / "index.py").write_text(
        "def main_handler(event, context):\n    if event == 'bad': raise ValueError('bad')\n    return {'got': event}\n"
    )
    scf = bench.start()
    assert json.loads(scf.invoke("fn", [1, "é"]).value) == {"got": [1, "é"]}
    assert scf.invoke("fn", "bad").status == 430
    assert scf.invoke("fn", "x" * 6 * 1024 * 1024).status == 406
    assert scf.wait_idle(0)
    assert bench.dead() == []


def test_the_dialects_reach_the_event(bench: Bench) -> None:
    scf = bench.start(dialects=Dialects({"event-key": "percent-encoded"}))
    scf.notify(event("a b.jpg"))
    assert scf.drain()
    assert bench.seen()[0][2] == "/1250000001/photos/a%20b.jpg"


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (
            lambda bench: bench.start(Trigger(bucket=BUCKET, function="a"), Trigger(bucket=BUCKET, function="b")),
            TriggerError,
        ),
        (lambda bench: bench.start(functions=[]), FunctionError),
    ],
)
def test_bindings_that_cannot_be_are_refused_at_the_start(
    bench: Bench, make: Callable[[Bench], Scf], error: type[Exception]
) -> None:
    with pytest.raises(error):
        make(bench)
