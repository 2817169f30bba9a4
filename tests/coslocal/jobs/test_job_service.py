"""The life of jobs: callbacks, restarts, the thread that runs them."""

from __future__ import annotations

import http.server
import io
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from coslocal.app import Coslocal
from coslocal.jobs import callback
from coslocal.jobs.records import Records
from coslocal.jobs.types import PicJob, decode_job, encode
from coslocal.pytest_plugin import BUCKET, REGION, SECRET_ID, SECRET_KEY
from coslocal.storage.directory import open_directory

from .conftest import Desk


@dataclass
class Ear:
    """A listener on this machine: it answers with `statuses` in turn, then with 200."""

    url: str
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@pytest.fixture
def ear() -> Iterator[Ear]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            given.heard.append((self.path, self.headers["Content-Type"], body))
            self.send_response(given.statuses.pop(0) if given.statuses else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        given = Ear(f"http://127.0.0.1:{server.server_address[1]}/done?x=1")
        yield given
        server.shutdown()
        thread.join()


def test_a_callback_in_xml(desk: Desk, ear: Ear) -> None:
    desk.put("in/a.jpg")
    made = desk.submit(CallBack=ear.url)
    desk.jobs.run_pending()
    ((path, kind, body),) = ear.heard
    root = ElementTree.fromstring(body)
    assert (path, kind, root.tag, root.findtext("EventName")) == (
        "/done?x=1",
        "application/xml",
        "Response",
        "TaskFinish",
    )
    assert root.findtext("JobsDetail/JobId") == made["JobId"]
    assert root.findtext("JobsDetail/Operation/PicProcessResult/UploadResult/ProcessResults/Object/Key") == "out/a.webp"


def test_a_callback_in_json_tells_of_failures_too(desk: Desk, ear: Ear) -> None:
    desk.submit("in/none.jpg", CallBack=ear.url, CallBackFormat="JSON")
    desk.jobs.run_pending()
    ((_, kind, body),) = ear.heard
    told = json.loads(body)
    (job,) = told["JobsDetail"]
    assert (kind, told["EventName"], job["State"], job["Code"]) == (
        "application/json", "TaskFinish", "Failed", "ResourceNotFound",
    )  # fmt: skip


def test_every_object_of_a_batch_is_told_of(desk: Desk, ear: Ear) -> None:
    for key in ("in/a.jpg", "in/b.jpg"):
        desk.put(key)
    desk.submit_batch("Prefix", "in/", CallBack=ear.url, CallBackFormat="JSON")
    desk.jobs.run_pending()
    heard = [json.loads(body)["JobsDetail"][0]["Input"]["Object"] for _, _, body in ear.heard]
    assert heard == ["in/a.jpg", "in/b.jpg"]


def test_the_queue_s_own_callback(desk: Desk, ear: Ear) -> None:
    desk.put("in/a.jpg")
    queue = desk.submit()["QueueId"]
    notify = {"State": "On", "Event": "TaskFinish", "ResultFormat": "JSON", "Type": "Url", "Url": ear.url}
    desk.client.ci_update_media_pic_queue(Bucket=desk.bucket, QueueId=queue, Request={"NotifyConfig": notify})
    (told,) = desk.client.ci_get_media_pic_queue(Bucket=desk.bucket)["QueueList"]
    assert told["NotifyConfig"] == notify
    desk.jobs.run_pending()
    assert [kind for _, kind, _ in ear.heard] == ["application/json"]


def test_a_callback_that_fails_is_made_again_on_the_apps_clock(desk: Desk, ear: Ear) -> None:
    now = [1_700_000_000.0]
    desk.put("in/a.jpg")
    desk.submit(CallBack=ear.url)
    desk.app.clock = lambda: now[0]
    ear.statuses = [500, 302]
    desk.jobs.run_pending()
    assert (len(ear.heard), desk.jobs.wait_idle(0)) == (1, False)
    for delay in callback.DELAYS:
        desk.jobs.run_pending()
        now[0] += delay
        desk.jobs.run_pending()
    assert (len(ear.heard), desk.jobs.wait_idle(0)) == (3, True)


def test_a_callback_is_given_up_after_three_times(desk: Desk, ear: Ear, caplog: pytest.LogCaptureFixture) -> None:
    now = [1_700_000_000.0]
    desk.submit("none", CallBack=ear.url)
    desk.app.clock = lambda: now[0]
    ear.statuses = [500] * 9
    for _ in range(9):
        desk.jobs.run_pending()
        now[0] += 60
    assert len(ear.heard) == 3
    assert "given up: status 500" in caplog.text


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/x", "it is not on this machine"),
        ("http://10.0.0.1/x", "it is not on this machine"),
        ("http://127.0.0.1.example.com/", "it is not on this machine"),
        ("https://127.0.0.1/x", "only http:// URLs"),
        ("ftp://127.0.0.1/x", "only http:// URLs"),
        ("http://127.0.0.1:99999/", "it is no URL"),
        ("http://[::1/", "it is no URL"),
        ("http://127.0.0.1/a b", "it is not percent-encoded"),
        ("not a url", "only http:// URLs"),
    ],
)
def test_coslocal_never_calls_the_outside(desk: Desk, url: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    desk.put("in/a.jpg")
    made = desk.submit(CallBack=url)
    with caplog.at_level(logging.WARNING, "coslocal.jobs"):
        desk.jobs.run_pending()
    assert f"the callback is not made: {why}" in caplog.text
    assert desk.describe(made)["State"] == "Success"
    assert desk.jobs.wait_idle(0)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://localhost/", "127.0.0.1", 80),
        ("http://app.localhost:8080", "127.0.0.1", 8080),
        ("http://[::1]:5/x", "::1", 5),
        ("http://127.9.9.9:5/x", "127.9.9.9", 5),
    ],
)
def test_what_is_this_machine(url: str, host: str, port: int) -> None:
    found = callback.listener(url)
    assert (found.host, found.port) == (host, port)


def test_nobody_listening_costs_the_job_nothing(desk: Desk) -> None:
    desk.put("in/a.jpg")
    made = desk.submit(CallBack="http://127.0.0.1:1/")
    desk.jobs.run_pending()
    assert desk.describe(made)["State"] == "Success"


# -- restarts


def start(folder: Path) -> Coslocal:
    app = Coslocal(open_directory(folder), credentials={SECRET_ID: SECRET_KEY}, region=REGION)
    app.jobs.hold()
    return app


def end(app: Coslocal) -> None:
    app.jobs.close()
    app.store.close()


def test_what_was_not_finished_is_run_after_a_restart(tmp_path: Path, desk: Desk) -> None:
    """As a killed process leaves them: one Submitted, one Running, one done; a batch half-way under its own prefix."""
    for key in ("in/a.jpg", "in/b.jpg"):
        desk.put(key)
    output = {**desk.output, "Object": "in/${InputName}.thumb.jpg"}
    desk.submit(Output={**desk.output, "Object": "done.webp"})
    desk.submit_batch("Prefix", "in/", Output=output)
    desk.jobs.run_pending()
    desk.submit(Output={**desk.output, "Object": "new.webp"})
    desk.submit("in/none.jpg")
    records = Records(desk.app.store)
    (batch,) = records.batches(desk.bucket)
    done, *parts, submitted, begun = records.pics(desk.bucket)
    records.save(msgspec.structs.replace(batch, state="Running", done=1))
    records.save(msgspec.structs.replace(parts[1], state="Running"))
    records.save(msgspec.structs.replace(begun, state="Running", started=1.0))

    first = start(tmp_path)
    for bucket in desk.app.store.buckets():
        first.store.create_bucket(bucket)
    for item in desk.app.store.scan(desk.bucket):
        blob = first.store.take_in(io.BytesIO(b"".join(desk.app.store.read(item.blob))))
        first.store.put(replace(item, blob=blob.name))
    for name, value in desk.app.store.configurations(desk.bucket, ""):
        first.store.put_configuration(desk.bucket, "", name, value)
    end(first)

    app = start(tmp_path)
    assert app.jobs.resume() == 3
    app.jobs.run_pending()
    found = {job.id: job for job in app.jobs.records.pics(BUCKET)}
    assert (found[submitted.id].state, found[begun.id].code) == ("Success", "ResourceNotFound")
    assert found[done.id] == done
    (again,) = app.jobs.records.batches(BUCKET)
    assert (again.state, again.done, again.total) == ("Success", 2, 2)
    keys = [item.key for item in app.store.scan(BUCKET)]
    assert keys == ["done.webp", "in/a.jpg", "in/a.thumb.jpg", "in/b.jpg", "in/b.thumb.jpg", "new.webp"]
    end(app)
    last = start(tmp_path)
    assert last.jobs.resume() == 0
    end(last)


def test_a_job_s_record_reads_back_as_it_was() -> None:
    job = decode_job(
        json.dumps(
            {
                "type": "pic", "id": "p1", "bucket": "b-1", "region": "r", "created": 1.5, "key": "a\udcff/ü",
                "wish": {"rule": {"text": "r"}, "output": {"region": "r", "bucket": "b-1", "object": "o"}},
            }
        ).encode()
    )  # fmt: skip
    assert isinstance(job, PicJob)
    assert decode_job(encode(job)) == job


def test_held_jobs_wait_and_a_closed_service_begins_nothing(desk: Desk) -> None:
    desk.put("in/a.jpg")
    desk.submit()
    assert not desk.jobs.wait_idle(0.05)
    desk.jobs.close()
    assert desk.jobs.run_pending() == 0


def test_the_thread_ends_with_its_work(desk: Desk) -> None:
    desk.jobs.release()
    desk.put("in/a.jpg")
    desk.submit()
    assert desk.jobs.wait_idle(30)
    desk.jobs.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "coslocal-jobs"]


def test_many_clients_at_once(desk: Desk) -> None:
    desk.jobs.release()
    desk.put("in/a.jpg")

    def ask(number: int) -> None:
        desk.submit(Output={**desk.output, "Object": f"out/{number}.webp"})

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.jobs.wait_idle(60)
    assert len(desk.stored()) == 13
    assert {job["State"] for job in desk.pics()} == {"Success"}
