import json
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.dialects import Dialects
from coslocal.events import ObjectEvent
from coslocal.scf.event import envelope, record

EVENT = ObjectEvent(
    name="cos:ObjectCreated:Put",
    bucket="photos-1250000001",
    region="ap-guangzhou",
    key="in/a b+c.jpg",
    size=12345,
    etag="0123",
    time=1_700_000_000,
    request_id="REQ1",
    meta={"Content-Type": "image/jpeg"},
    source_ip="203.0.113.9",
    request_headers={"Authorization": "redacted"},
)
TARGET = "default.fn.$DEFAULT"


def test_an_event_has_the_documented_shape() -> None:
    """The sample of SCF 1.8, member for member."""
    assert envelope(record(EVENT, target=TARGET, dialects=Dialects())) == {
        "Records": [
            {
                "cos": {
                    "cosSchemaVersion": "1.0",
                    "cosNotificationId": "unkown",
                    "cosBucket": {
                        "region": "gz",
                        "cosRegion": "ap-guangzhou",
                        "s3Region": "ap-guangzhou",
                        "name": "photos",
                        "appid": "1250000001",
                    },
                    "cosObject": {
                        "key": "/1250000001/photos/in/a b+c.jpg",
                        "url": "http://photos-1250000001.cos.ap-guangzhou.myqcloud.com/in/a%20b%2Bc.jpg",
                        "vid": "",
                        "size": 12345,
                        "meta": {"Content-Type": "image/jpeg", "x-cos-request-id": "REQ1", "ETag": '"0123"'},
                    },
                },
                "event": {
                    "eventName": "cos:ObjectCreated:Put",
                    "eventVersion": "1.0",
                    "eventSource": "qcs::cos",
                    "eventTime": 1_700_000_000,
                    "eventQueue": "qcs:0:scf:ap-guangzhou:appid/1250000001:default.fn.$DEFAULT",
                    "reservedInfo": "",
                    "reqid": 0,
                    "requestParameters": {
                        "requestSourceIP": "203.0.113.9",
                        "requestHeaders": {"Authorization": "redacted"},
                    },
                },
            }
        ]
    }


def test_the_short_only_dialect_names_the_region_once() -> None:
    made = record(EVENT, target=TARGET, dialects=Dialects({"event-region": "short-only"}))
    assert made["cos"]["cosBucket"] == {"region": "gz", "name": "photos", "appid": "1250000001"}
    assert made["event"]["eventQueue"].startswith("qcs:0:scf:gz:")
    assert ".cos.ap-guangzhou." in made["cos"]["cosObject"]["url"]


def test_a_region_without_a_documented_short_name_keeps_its_own() -> None:
    made = record(replace(EVENT, region="ap-nanjing"), target=TARGET, dialects=Dialects())
    assert made["cos"]["cosBucket"]["region"] == "ap-nanjing"


def test_the_bucket_name_may_hold_dashes() -> None:
    made = record(replace(EVENT, bucket="my-shop-2-1250000001"), target=TARGET, dialects=Dialects())
    assert made["cos"]["cosBucket"]["name"] == "my-shop-2"
    assert made["cos"]["cosObject"]["key"] == "/1250000001/my-shop-2/in/a b+c.jpg"


def test_a_removal_has_no_etag() -> None:
    made = record(replace(EVENT, name="cos:ObjectRemove:Delete", etag=""), target=TARGET, dialects=Dialects())
    assert "ETag" not in made["cos"]["cosObject"]["meta"]


@settings(deadline=None)
@given(key=st.text(min_size=1), encoding=st.sampled_from(["raw", "percent-encoded"]))
def test_any_key_survives_json_and_is_found_again_in_key_and_url(key: str, encoding: str) -> None:
    made = record(replace(EVENT, key=key), target=TARGET, dialects=Dialects({"event-key": encoding}))
    sent = json.loads(json.dumps(made))["cos"]["cosObject"]
    prefix = "/1250000001/photos/"
    host = "http://photos-1250000001.cos.ap-guangzhou.myqcloud.com/"
    assert sent["key"].startswith(prefix)
    assert sent["url"].startswith(host)
    tail = sent["key"][len(prefix) :]
    assert (tail if encoding == "raw" else unquote(tail)) == key
    assert unquote(sent["url"][len(host) :]) == key
    assert sent["url"].isascii()


@pytest.mark.parametrize("key", ["in/\udcff.jpg", "/leading", "a//b"])
def test_odd_keys_are_carried_as_they_are(key: str) -> None:
    made = record(replace(EVENT, key=key), target=TARGET, dialects=Dialects())
    sent = json.loads(json.dumps(made))["cos"]["cosObject"]
    assert sent["key"] == f"/1250000001/photos/{key}"
    assert unquote(sent["url"].split(".com/", 1)[1], errors="surrogateescape") == key
