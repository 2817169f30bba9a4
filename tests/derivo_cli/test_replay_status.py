"""What failed is told, waits where one can see it, and goes back through the same path."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from coslocal.events import ObjectEvent
from coslocal.scf.event import envelope, record
from derivo import settings
from derivo.clock import SystemClock
from derivo.cos import Cos
from derivo.handle import Unfinished, handle
from derivo.loading import load
from derivo.matching import RuleSetIndex
from tests.derivo_cli.shell import PNG, RULES, Shell

KEEPING = "on_failure: /failures/\n" + RULES


@pytest.fixture
def failing(shell: Shell) -> Shell:
    """A bucket whose function has failed on a text, and on an image while CI was throttled."""
    (shell.folder / "rules" / "in.yml").write_text(KEEPING, "utf-8")
    run(shell, upload(shell, "in/text 文.png", b"no picture"))
    return shell


def upload(shell: Shell, key: str, data: bytes) -> dict[str, Any]:
    """Put an object; returns the event that its creation raises."""
    seen: list[ObjectEvent] = []
    shell.server.app.subscribe(seen.append)
    shell.server.client().put_object(Bucket=shell.server.bucket, Key="/" + key, Body=io.BytesIO(data))
    return envelope(record(seen[0], target="qcs:0:scf:x", dialects=shell.server.app.dialects))


def run(shell: Shell, event: dict[str, Any]) -> None:
    """One invocation of the function, as the rules in the folder stand."""
    client = Cos(settings.read(shell.environ))
    index = RuleSetIndex(load(str(shell.folder / "rules")).rule_sets)
    handle(event, {"time_limit_in_ms": 5_000}, client=client, rule_sets=index, clock=SystemClock(), log=lambda _: None)


def keys(shell: Shell) -> list[str]:
    return [item.key for item in shell.server.app.store.scan(shell.server.bucket)]


def address(shell: Shell) -> str:
    return f"cos://{shell.server.bucket}/"


def test_a_failure_leaves_one_record_that_status_tells(failing: Shell) -> None:
    assert "failures/in/text 文.png.json" in keys(failing)
    done = failing.derivo("status", address(failing), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "sources": 1,
        "errors": [
            {"code": "InvalidImageFormat", "retryable": False, "derivatives": 1, "sources": ["in/text 文.png"]},
        ],
    }
    shown = failing.derivo("status", address(failing))
    assert "InvalidImageFormat (permanent): 1 derivatives of 1 sources" in shown.stdout
    assert "for example in/text 文.png" in shown.stdout
    assert "1 sources wait" in shown.stdout


def test_a_record_holds_no_secret(failing: Shell) -> None:
    item = failing.server.app.store.get(failing.server.bucket, "failures/in/text 文.png.json")
    assert item is not None
    data = b"".join(failing.server.app.store.read(item.blob))
    assert b"Authorization" not in data
    assert b"q-sign" not in data


def test_what_was_mended_is_done_and_its_record_goes(failing: Shell) -> None:
    failing.server.client().put_object(Bucket=failing.server.bucket, Key="/in/text 文.png", Body=PNG)
    done = failing.derivo("replay", address(failing))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 written" in done.stdout
    assert keys(failing) == ["in/text 文.png", "out/in/text 文.png.webp"]
    assert failing.derivo("status", address(failing)).returncode == 0


def test_what_fails_again_keeps_its_record(failing: Shell) -> None:
    before = keys(failing)
    done = failing.derivo("replay", address(failing))
    assert done.returncode == 1
    assert "InvalidImageFormat" in done.stdout
    assert keys(failing) == before


def test_a_dry_run_does_nothing(failing: Shell) -> None:
    requests = failing.server.app.journal.count("image_process")
    done = failing.derivo("replay", address(failing), "--dry-run")
    assert done.returncode == 0
    assert "1 would be replayed" in done.stdout
    assert failing.server.app.journal.count("image_process") == requests


def test_throttling_leaves_a_record_and_is_raised_too(shell: Shell) -> None:
    (shell.folder / "rules" / "in.yml").write_text(KEEPING, "utf-8")
    event = upload(shell, "in/a.png", PNG)
    rules = RuleSetIndex(load(str(shell.folder / "rules")).rule_sets)
    # too little time for a processing call, enough for a record
    client = Cos(settings.read(shell.environ))
    with pytest.raises(Unfinished):
        handle(
            event, {"time_limit_in_ms": 900}, client=client, rule_sets=rules, clock=SystemClock(), log=lambda _: None
        )
    status = json.loads(shell.derivo("status", address(shell), "--json").stdout)
    assert [(row["code"], row["retryable"]) for row in status["errors"]] == [("Deadline", True)]
    assert shell.derivo("replay", address(shell)).returncode == 0
    assert keys(shell) == ["in/a.png", "out/in/a.png.webp"]


def test_dead_letters_of_a_file_are_replayed(shell: Shell) -> None:
    event = upload(shell, "in/a.png", PNG)
    path = shell.folder / "dead.jsonl"
    body = {"RequestId": "r", "ErrorCode": 430, "ErrorMessage": "m", "Body": {"ClientContext": json.dumps(event)}}
    path.write_text(json.dumps(body) + "\n" + json.dumps(event) + "\n", "utf-8")
    done = shell.derivo("replay", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 replayed, 0 failed" in done.stdout
    assert keys(shell) == ["in/a.png", "out/in/a.png.webp"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{not json", "not JSON"), (b"\xff\xfe", "decode"), (b'{"hello": 1}', "not a COS event")],
)
def test_a_file_that_holds_no_event_is_said(shell: Shell, content: bytes, said: str) -> None:
    path = shell.folder / "dead.jsonl"
    path.write_bytes(content)
    done = shell.derivo("replay", str(path), "--dry-run")
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_that_is_not_there_is_2(shell: Shell, tmp_path: Path) -> None:
    assert shell.derivo("replay", str(tmp_path / "none.jsonl")).returncode == 2
    assert shell.derivo("status", "cos://nowhere-1250000000/").returncode == 1
