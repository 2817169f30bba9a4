"""The pages under /_coslocal/ over a socket: snapshots, events, reset."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from coslocal.pytest_plugin import Server


class Pages:
    def __init__(self, server: Server) -> None:
        self._url = f"{server.url}/_coslocal/"

    def ask(self, method: str, page: str, **more: Any) -> tuple[int, Any]:
        answer = requests.request(method, self._url + page, timeout=20, **more)
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status_code, answer.json()

    def names(self) -> list[str]:
        return [item["name"] for item in self.ask("GET", "snapshots")[1]["snapshots"]]


@pytest.fixture
def pages(coslocal_server: Server) -> Pages:
    return Pages(coslocal_server)


def put(server: Server, key: str, body: bytes = b"x") -> None:
    server.client().put_object(Bucket=server.bucket, Key=key, Body=body)


def test_snapshots_are_taken_listed_restored_and_dropped(coslocal_server: Server, pages: Pages) -> None:
    put(coslocal_server, "a", b"one")
    status, listed = pages.ask("POST", "snapshots/first%20%E4%B8%AD")
    assert status == 200
    assert [(item["name"], item["buckets"], item["objects"], item["bytes"]) for item in listed["snapshots"]] == [
        ("first 中", 1, 1, 3)
    ]
    put(coslocal_server, "a", b"two")
    put(coslocal_server, "b")
    pages.ask("POST", "snapshots/second")
    assert pages.ask("PUT", "snapshots/first%20%E4%B8%AD")[0] == 200
    assert (coslocal_server.keys(), coslocal_server.get("a")) == (["a"], b"one")
    pages.ask("POST", "snapshots/second")  # in place of the one that had the name
    assert pages.ask("DELETE", "snapshots/first%20%E4%B8%AD")[0] == 200
    assert pages.names() == ["second"]
    pages.ask("PUT", "snapshots/second")
    assert coslocal_server.keys() == ["a"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_snapshot_that_is_not_there_is_named_with_those_that_are(pages: Pages, method: str) -> None:
    pages.ask("POST", "snapshots/kept")
    assert pages.ask(method, "snapshots/none") == (404, {"error": "there is no snapshot 'none'; there are kept"})


@pytest.mark.parametrize("name", ["x" * 201, "a%00b", "a%0Ab"])
def test_a_name_that_no_snapshot_can_have(pages: Pages, name: str) -> None:
    status, answer = pages.ask("POST", f"snapshots/{name}")
    assert (status, answer["error"]) == (400, "a snapshot's name is text of at most 200 characters")
    assert pages.names() == []


def test_events_are_shown_by_bucket_and_prefix_newest_last(coslocal_server: Server, pages: Pages) -> None:
    for key in ("in/1", "in/2", "out/1"):
        put(coslocal_server, key)
    coslocal_server.client().delete_object(Bucket=coslocal_server.bucket, Key="in/1")
    _, found = pages.ask("GET", "events?prefix=in%2F")
    assert [(event["name"], event["key"]) for event in found["events"]] == [
        ("cos:ObjectCreated:Put", "in/1"),
        ("cos:ObjectCreated:Put", "in/2"),
        ("cos:ObjectRemove:Delete", "in/1"),
    ]
    assert pages.ask("GET", "events?last=1")[1]["events"][0]["name"] == "cos:ObjectRemove:Delete"
    assert pages.ask("GET", "events?last=0")[1] == {"count": 4, "events": []}
    assert pages.ask("GET", "events?bucket=other-1")[1] == {"count": 0, "events": []}
    assert pages.ask("GET", "events?last=-1")[0] == 400
    assert "q-signature" not in str(found)


def test_a_reset_forgets_all_that_is_not_to_be_kept(coslocal_server: Server, pages: Pages) -> None:
    put(coslocal_server, "a")
    pages.ask("POST", "snapshots/seed")
    pages.ask("POST", "faults", json={"effect": "latency", "seconds": 0})
    assert pages.ask("POST", "reset?keep=buckets,snapshots,faults")[0] == 200
    assert (coslocal_server.keys(), pages.names()) == ([], ["seed"])
    assert len(pages.ask("GET", "faults")[1]["faults"]) == 1
    assert pages.ask("GET", "health")[1]["buckets"] == 1
    assert pages.ask("GET", "events")[1]["count"] == 0
    assert pages.ask("GET", "journal")[1]["counts"] == {}
    assert pages.ask("POST", "reset")[0] == 200
    assert (pages.names(), pages.ask("GET", "health")[1]["buckets"]) == ([], 0)
    assert pages.ask("GET", "faults")[1]["faults"] == []


def test_a_reset_that_keeps_what_it_does_not_know_is_refused_and_forgets_nothing(
    coslocal_server: Server, pages: Pages
) -> None:
    put(coslocal_server, "a")
    status, answer = pages.ask("POST", "reset?keep=buckets,objects")
    assert (status, answer["error"]) == (400, "keep takes buckets, snapshots, faults, not 'objects'")
    assert coslocal_server.keys() == ["a"]
