import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.events import ObjectEvent
from coslocal.scf.triggers import EVENTS, Trigger, TriggerError, check, parse

BUCKET = "photos-1250000001"


def event(key: str, name: str = "cos:ObjectCreated:Put", bucket: str = BUCKET) -> ObjectEvent:
    return ObjectEvent(
        name=name, bucket=bucket, region="ap-guangzhou", key=key, size=1, etag="e", time=1, request_id="R"
    )


def trigger(**fields: str) -> Trigger:
    return Trigger(**{"bucket": BUCKET, "function": "fn", **fields})


@pytest.mark.parametrize(
    ("fields", "key", "reached"),
    [
        ({}, "any key at all", True),
        ({"prefix": "in/"}, "in/a.jpg", True),
        ({"prefix": "in/"}, "input/a.jpg", False),
        ({"suffix": ".jpg"}, "in/北京.jpg", True),
        ({"suffix": ".jpg"}, "in/a.JPG", False),
        ({"prefix": "in/", "suffix": ".jpg"}, "in/a b+c%20.jpg", True),
        ({"prefix": "/"}, "a.jpg", False),
        ({"prefix": "/"}, "/a.jpg", True),
    ],
)
def test_filters_compare_the_key_literally(fields: dict[str, str], key: str, reached: bool) -> None:
    assert trigger(**fields).matches(event(key)) is reached


def test_a_family_takes_every_kind_and_an_exact_event_only_its_own() -> None:
    family, exact = trigger(), trigger(event="cos:ObjectCreated:Copy")
    for kind in ("Put", "Post", "Copy", "CompleteMultipartUpload", "Origin", "Replication"):
        created = event("a.jpg", f"cos:ObjectCreated:{kind}")
        assert family.matches(created)
        assert exact.matches(created) is (kind == "Copy")
    assert not family.matches(event("a.jpg", "cos:ObjectRemove:Delete"))
    assert not family.matches(event("a.jpg", bucket="photos-1250000002"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"bucket={BUCKET}", trigger()),
        (
            f"bucket={BUCKET},prefix=in/,suffix=.jpg,event=cos:ObjectCreated:Put",
            trigger(prefix="in/", suffix=".jpg", event="cos:ObjectCreated:Put"),
        ),
        (f"prefix=a,b=c/,bucket={BUCKET}", trigger(prefix="a,b=c/")),
        (f"bucket={BUCKET},prefix=", trigger()),
    ],
)
def test_the_command_line_form_is_read(text: str, expected: Trigger) -> None:
    assert parse(text, function="fn") == expected


@settings(deadline=None)
@given(
    prefix=st.text(),
    suffix=st.text().map(lambda text: f".{text}") | st.just(""),
    name=st.sampled_from(EVENTS),
)
def test_what_a_trigger_prints_is_read_back(prefix: str, suffix: str, name: str) -> None:
    marks = ("bucket=", "prefix=", "suffix=", "event=")
    if not any(f",{mark}" in f"{prefix}{suffix}" for mark in marks):
        made = trigger(prefix=prefix, suffix=suffix, event=name)
        assert parse(str(made), function="fn") == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "form"),
        ("photos", "form"),
        ("prefix=in/", "bucket"),
        ("bucket=photos", "NAME-APPID"),
        ("bucket=a/../b-1", "NAME-APPID"),
        (f"bucket={BUCKET},suffix=jpg", "dot"),
        (f"bucket={BUCKET},event=cos:ObjectMade:*", "cos:ObjectCreated:*"),
        (f"bucket={BUCKET},prefix=a/,prefix=b/", "twice"),
    ],
)
def test_what_the_platform_would_refuse_is_refused_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(TriggerError, match=said.replace("*", r"\*")):
        parse(text, function="fn")


@pytest.mark.parametrize(
    ("one", "other", "collide"),
    [
        ({}, {}, True),
        ({"prefix": "in/"}, {"prefix": "in/a/"}, True),
        ({"prefix": "in/"}, {"prefix": "out/"}, False),
        ({"prefix": "in/", "suffix": ".jpg"}, {"prefix": "in/", "suffix": ".png"}, False),
        ({"suffix": ".tar.gz"}, {"suffix": ".gz"}, True),
        ({"event": "cos:ObjectCreated:Put"}, {}, True),
        ({"event": "cos:ObjectCreated:Put"}, {"event": "cos:ObjectCreated:Copy"}, False),
        ({"event": "cos:ObjectRemove:*"}, {}, False),
        ({"bucket": "other-1250000001"}, {}, False),
    ],
)
def test_bindings_that_overlap_are_refused(one: dict[str, str], other: dict[str, str], collide: bool) -> None:
    pair = (trigger(**one), trigger(**{"function": "second", **other}))
    if collide:
        with pytest.raises(TriggerError, match="overlap"):
            check(pair)
    else:
        assert check(pair) == pair


short = st.text(alphabet="a.", max_size=3)
bindings = st.builds(
    trigger,
    prefix=short,
    suffix=short.map(lambda text: f".{text}") | st.just(""),
    event=st.sampled_from(EVENTS[:4]),
)


@settings(deadline=None)
@given(one=bindings, other=bindings, key=st.text(alphabet="a.b", max_size=8), kind=st.sampled_from(("Put", "Post")))
def test_an_event_never_reaches_two_accepted_bindings(one: Trigger, other: Trigger, key: str, kind: str) -> None:
    created = event(key, f"cos:ObjectCreated:{kind}")
    if one.matches(created) and other.matches(created):
        assert one.overlaps(other)


def test_a_function_has_at_most_ten_triggers() -> None:
    ten = [trigger(prefix=f"{letter}/") for letter in "abcdefghij"]
    check(ten)
    with pytest.raises(TriggerError, match="11 triggers"):
        check([*ten, trigger(prefix="k/")])
