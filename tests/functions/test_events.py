"""SCF events: every oddity that the reference tells of (SCF 1), and anything else refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo.events import SHORT_REGIONS, EventError, Removal, Source, Unusable, sources, synthetic_event

SAMPLES = Path(__file__).parent.parent / "events"
BUCKET = "photos-1250000001"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def record(**changes: Any) -> dict[str, Any]:
    """The plain sample's record with members changed by their path; None takes one out."""
    made: dict[str, Any] = sample("put")["Records"][0]
    for path, value in changes.items():
        *folders, name = path.split("__")
        holder = made
        for folder in folders:
            holder = holder[folder]
        if value is None:
            del holder[name]
        else:
            holder[name] = value
    return made


def only(changed: dict[str, Any], **options: Any) -> Source | Unusable:
    (found,) = sources({"Records": [changed]}, **options)
    return found


def source(changed: dict[str, Any], **options: Any) -> Source:
    found = only(changed, **options)
    assert isinstance(found, Source)
    return found


def keyed(key: str, url: str | None) -> Source:
    url = url if url is None else f"http://{BUCKET}.cos.ap-guangzhou.myqcloud.com/{url}"
    return source(record(cos__cosObject__key=f"/1250000001/photos/{key}", cos__cosObject__url=url))


def test_the_plain_event() -> None:
    assert sources(sample("put")) == [
        Source(
            bucket=BUCKET,
            region="ap-guangzhou",
            key="in/a b+c.jpg",
            size=12345,
            etag="0123",
            event_name="cos:ObjectCreated:Put",
            event_time=1700000000,
            request_id="REQ1",
            meta={"content-type": "image/jpeg"},
        )
    ]


def test_every_record_in_order() -> None:
    assert [(s.key, s.event_name) for s in sources(sample("two_records")) if isinstance(s, Source)] == [
        ("in/a.jpg", "cos:ObjectCreated:Put"),
        ("in/猫.png", "cos:ObjectCreated:CompleteMultipartUpload"),
    ]


def test_a_broken_record_does_not_hide_the_others() -> None:
    first, broken, last = sources(sample("broken_among_good"))
    assert isinstance(first, Source)
    assert isinstance(last, Source)
    assert (first.key, last.key) == ("in/1.jpg", "in/2.jpg")
    assert broken == Unusable(
        reason="malformed_record", detail="cos.cosObject.key is missing", bucket="photos", permanent_error=True
    )


@pytest.mark.parametrize(
    "kind", ["Put", "Post", "Copy", "CompleteMultipartUpload", "Origin", "Replication", "*", "New"]
)
def test_every_creation_counts(kind: str) -> None:
    assert source(record(event__eventName=f"cos:ObjectCreated:{kind}")).key == "in/a b+c.jpg"


def test_removals_are_told_apart_and_the_rest_is_passed_over() -> None:
    removal, restored = sources(sample("removals"))
    assert isinstance(removal, Removal)
    assert removal.source.event_name == "cos:ObjectRemove:DeleteMarkerCreated"
    assert isinstance(restored, Unusable)
    assert (restored.reason, restored.detail) == ("not_a_creation", "cos:ObjectRestore:Completed")


def test_folder_markers_and_empty_objects_are_passed_over() -> None:
    found = sources(sample("nothing_to_do"))
    assert [(u.reason, u.key, u.bucket, u.permanent_error) for u in found if isinstance(u, Unusable)] == [
        ("folder_marker", "in/", BUCKET, False),
        ("empty_object", "in/empty.jpg", BUCKET, False),
    ]


def test_the_prefix_of_the_key_is_stripped_once() -> None:
    (found,) = sources(sample("key_repeats_prefix"))
    assert isinstance(found, Source)
    assert found.key == "1250000001/photos/1250000001/photos/a.jpg"


@pytest.mark.parametrize(
    ("key", "url", "expected", "other"),
    [
        ("a b.jpg", "a%20b.jpg", "a b.jpg", None),  # raw, and the url agrees
        ("a%20b.jpg", "a%2520b.jpg", "a%20b.jpg", None),  # a percent sign of the key's own
        ("a%20b.jpg", "a%20b.jpg", "a b.jpg", "a%20b.jpg"),  # the event's key was encoded
        ("a%2520b.jpg", "a%2520b.jpg", "a%20b.jpg", "a%2520b.jpg"),
        ("a+b.jpg", "a%2Bb.jpg", "a+b.jpg", None),
        ("a+b.jpg", "a+b.jpg", "a+b.jpg", None),
        ("a+b.jpg", "a%20b.jpg", "a+b.jpg", "a b.jpg"),  # disagreement: both readings are kept
        ("a%20b.jpg", None, "a%20b.jpg", "a b.jpg"),  # no url: open
        ("a b.jpg", None, "a b.jpg", None),
        ("a%FF.jpg", None, "a%FF.jpg", None),  # the other reading would not be text
        ("a%FF.jpg", "a%FF.jpg", "a%FF.jpg", None),
        ("/a.jpg", "/a.jpg", "/a.jpg", None),
        ("a?b#c.jpg", "a?b#c.jpg", "a?b#c.jpg", None),
        ("猫.jpg", "%E7%8C%AB.jpg", "猫.jpg", None),
        ("%E7%8C%AB.jpg", "%E7%8C%AB.jpg", "猫.jpg", "%E7%8C%AB.jpg"),
    ],
)
def test_raw_against_encoded(key: str, url: str | None, expected: str, other: str | None) -> None:
    found = keyed(key, url)
    assert (found.key, found.other_key) == (expected, other)


def test_samples_of_both_encodings() -> None:
    (encoded,) = sources(sample("key_encoded"))
    (literal,) = sources(sample("key_with_percent"))
    assert isinstance(encoded, Source)
    assert isinstance(literal, Source)
    assert (encoded.key, encoded.other_key) == ("in/a b+c%20.jpg", "in/a%20b%2Bc%2520.jpg")
    assert (literal.key, literal.other_key) == ("in/100%25 a%20b.jpg", None)


def test_the_order_in_which_the_region_is_told() -> None:
    def region(default: str | None = None, **changes: Any) -> str:
        return source(record(**changes), default_region=default).region

    no_full: dict[str, Any] = {"cos__cosBucket__cosRegion": None, "cos__cosBucket__s3Region": None}
    bare: dict[str, Any] = {**no_full, "cos__cosObject__url": None}
    assert region(cos__cosBucket__cosRegion="ap-one", cos__cosBucket__s3Region="ap-two") == "ap-one"
    assert region(cos__cosBucket__cosRegion=None, cos__cosBucket__s3Region="ap-two") == "ap-two"
    assert region(default="ap-four", **no_full) == "ap-guangzhou"
    assert region(default="ap-four", **bare) == "ap-four"
    assert region(**bare) == "ap-guangzhou"
    assert region(cos__cosBucket__region="ap-nanjing", **bare) == "ap-nanjing"
    for short, full in SHORT_REGIONS.items():
        assert region(cos__cosBucket__region=short, **bare) == full


def test_an_old_event_has_its_region_in_the_url() -> None:
    (found,) = sources(sample("put_2019"))
    assert isinstance(found, Source)
    assert (found.region, found.request_id, found.etag) == ("ap-chengdu", "NWM=", None)
    assert found.meta == {"content-type": "", "x-cos-meta-mykey": "myvalue"}


def test_members_that_are_not_needed_may_be_missing() -> None:
    (without_meta,) = sources(sample("without_meta"))
    assert isinstance(without_meta, Source)
    assert (without_meta.etag, without_meta.meta, without_meta.request_id) == (None, {}, "")
    assert source(record(cos__cosObject__size=None)).size is None
    assert source(record(cos__cosObject__size="12")).size is None
    assert source(record(cos__cosBucket__appid=1250000001)).bucket == BUCKET


def test_a_bucket_name_that_has_its_appid_already() -> None:
    found = source(record(cos__cosBucket__name=BUCKET))
    assert (found.bucket, found.key) == (BUCKET, "in/a b+c.jpg")


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"event__eventName": None}, "event.eventName is missing"),
        ({"event__eventName": 7}, "event.eventName is not a text"),
        ({"event__eventName": "s3:ObjectCreated:Put"}, "not the name of a COS event"),
        ({"cos__cosBucket__name": None}, "cos.cosBucket.name is missing"),
        ({"cos__cosBucket__name": "evil.example/x"}, "not the name of a bucket"),
        ({"cos__cosBucket__appid": None}, "cos.cosBucket.appid is missing"),
        ({"cos__cosBucket__appid": True}, "not a number"),
        ({"cos__cosBucket__appid": 10**5000}, "not a number"),
        ({"cos__cosObject__key": "/1250000001/other/a.jpg"}, "does not begin with /1250000001/photos/"),
        ({"cos__cosObject__key": "/1250000001/photos/"}, "holds no object key"),
        ({"cos__cosObject__key": "/1250000001/photos/\ud800"}, "UTF-8"),
        ({"cos": None}, "cos.cosBucket.name is missing"),
    ],
)
def test_a_malformed_record_says_what_is_wrong(changes: dict[str, Any], detail: str) -> None:
    found = only(record(**changes))
    assert isinstance(found, Unusable)
    assert found.reason == "malformed_record"
    assert found.permanent_error
    assert detail in found.detail


def test_a_region_is_never_guessed() -> None:
    broken = record(cos__cosBucket__region="mars")
    for name in ("cosRegion", "s3Region"):
        broken["cos"]["cosBucket"][name] = "evil.example/?"
    del broken["cos"]["cosObject"]["url"]
    found = only(broken, default_region="")
    assert isinstance(found, Unusable)
    assert "region" in found.detail


def test_a_dead_letter_is_opened() -> None:
    letter = sample("dead_letter")
    body_as_text = {**letter, "Body": json.dumps(letter["Body"])}
    for envelope in (letter, body_as_text, letter["Body"]):
        (found,) = sources(envelope)
        assert isinstance(found, Source)
        assert found.key == "in/dead.jpg"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (sample("timer"), "a timer event"),
        (sample("s3"), "an S3 event"),
        (sample("ckafka"), "a CKafka event"),
        (sample("api_gateway"), "an API gateway request"),
        (None, "no event at all"),
        ([], "a list"),
        ("SECRET-IN-EVENT", "a text"),
        (1.5, "a number"),
        (True, "a truth value"),
        ({}, "an object without a list of Records"),
        ({"Records": "SECRET-IN-EVENT"}, "an object without a list of Records"),
        ({"Records": []}, "a COS event with no records"),
        ({"Records": [1, None]}, "Records of another service"),
        ({"Body": "SECRET-IN-EVENT"}, "Body of the dead-letter message is not JSON"),
        ({"Body": {"ClientContext": "[" * 100_000}}, "ClientContext of the dead-letter message is not JSON"),
    ],
)
def test_another_event_is_refused_by_its_kind_and_not_repeated(event: Any, kind: str) -> None:
    with pytest.raises(EventError) as refused:
        sources(event)
    assert kind in str(refused.value)
    assert "SECRET-IN-EVENT" not in str(refused.value)


names = st.sampled_from(
    ["Records", "Body", "ClientContext", "cos", "event", "cosBucket", "cosObject", "eventName", "key", "name", "appid"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=4)
)


@given(anything)
def test_any_json_is_read_or_refused(event: Any) -> None:
    try:
        assert all(isinstance(found, (Source, Unusable)) for found in sources(event))
    except EventError as error:
        assert "\n" not in str(error)


MEMBERS = [
    "cos", "event", "event__eventName", "event__eventTime", "cos__cosBucket", "cos__cosBucket__name", "cos__cosObject",
    "cos__cosBucket__appid", "cos__cosBucket__cosRegion", "cos__cosObject__url", "cos__cosObject__key",
    "cos__cosObject__meta", "cos__cosObject__size", "cos__cosObject__vid",
]  # fmt: skip


@given(st.sampled_from(MEMBERS), anything)
def test_any_value_in_any_member_gives_one_answer(member: str, value: Any) -> None:
    assert isinstance(only(record(**{member: value})), (Source, Unusable))


object_keys = st.text(min_size=1, max_size=30).filter(lambda key: not key.endswith("/"))
percents = st.lists(st.sampled_from(["%20", "%25", "+", "a", "猫", "%E7%8C%AB", "/", "%"]), min_size=1).map("".join)
any_keys = object_keys | percents.filter(lambda key: not key.endswith("/"))
encoded = any_keys.map(lambda key: quote(key, safe=""))
read_sources = st.builds(keyed, any_keys | encoded, st.none() | any_keys | encoded)


@given(st.lists(read_sources, min_size=1, max_size=3))
def test_a_synthetic_event_gives_its_sources_back(found: list[Source]) -> None:
    event = json.loads(json.dumps(synthetic_event(found)))
    assert sources(event) == found


def test_a_synthetic_event_of_a_listing() -> None:
    listed = Source(bucket=BUCKET, region="ap-guangzhou", key="a b.jpg", size=3, etag="abc")
    (found,) = sources(synthetic_event([listed]))
    assert isinstance(found, Source)
    assert (found.key, found.size, found.etag, found.event_name) == ("a b.jpg", 3, "abc", "cos:ObjectCreated:Put")
