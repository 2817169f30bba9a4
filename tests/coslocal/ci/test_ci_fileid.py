"""fileid -> key, and reading the Pic-Operations header (CI 1.2, 1.4)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coslocal.ci.fileid import resolve
from coslocal.ci.pic_operations import AskedRule, read
from coslocal.ci.types import ImageError


@pytest.mark.parametrize(
    ("fileid", "source", "key"),
    [
        ("/p2/test2.jpg", "p1/test1.jpg", "p2/test2.jpg"),  # the vendor's table
        ("p2/test2.jpg", "p1/test1.jpg", "p1/p2/test2.jpg"),
        ("textwatermark.jpg", "pic/textwatermark/deer.jpg", "pic/textwatermark/textwatermark.jpg"),
        ("a.webp", "b.jpg", "a.webp"),
        ("/b.jpg", "b.jpg", "b.jpg"),
        ("//a.jpg", "x/b.jpg", "/a.jpg"),
        ("a b+%2F.jpg", "北京/b.jpg", "北京/a b+%2F.jpg"),
        ("../a.jpg", "x/b.jpg", "x/../a.jpg"),  # a key is text, never a path
        ("a.jpg", "x//b.jpg", "x//a.jpg"),
    ],
)
def test_plain(fileid: str, source: str, key: str) -> None:
    assert resolve(fileid, source) == key


def test_urlencoded_and_base64url_by_dialect() -> None:
    assert resolve("%2Fa%20b.jpg", "x/y.jpg", "urlencoded") == "a b.jpg"
    assert resolve("a+b.jpg", "x/y.jpg", "urlencoded") == "x/a+b.jpg"
    assert resolve("L2Egay5qcGc", "x/y.jpg", "base64url") == "a k.jpg"


@pytest.mark.parametrize("fileid", ["", "/", "a/", "/a/", "\ud800.jpg", "k" * 851])
def test_a_fileid_must_name_an_object(fileid: str) -> None:
    with pytest.raises(ImageError) as refused:
        resolve(fileid, "x/y.jpg")
    assert refused.value.code == "InvalidPicOperations"


@pytest.mark.parametrize("fileid", ["derived/a.webp", "*", "_", "/w"])
def test_what_is_no_base64url_is_refused(fileid: str) -> None:
    with pytest.raises(ImageError):
        resolve(fileid, "x/y.jpg", "base64url")


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda name: name[-1] != "/")


@given(NAME)
def test_an_absolute_fileid_is_its_key_under_every_encoding(name: str) -> None:
    for encoding, text in (
        ("plain", f"/{name}"),
        ("urlencoded", quote(f"/{name}")),
        ("base64url", base64.urlsafe_b64encode(f"/{name}".encode()).decode().rstrip("=")),
    ):
        assert resolve(text, "some/source.jpg", encoding) == name


def test_a_header() -> None:
    rules = [{"bucket": "b-1", "fileid": "a", "rule": " QRcode/cover/1"}, {"fileid": "b", "rule": "r"}]
    found = read(json.dumps({"is_pic_info": 1, "rules": rules}))
    assert found.pic_info
    assert found.rules == (AskedRule("b-1", "a", "QRcode/cover/1"), AskedRule(None, "b", "r"))
    assert read("{}").rules == () and not read("{}").pic_info
    assert read('{"is_pic_info":1,"future":[]}').pic_info


RULE = {"fileid": "a", "rule": "imageMogr2/strip"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "hello",
        "[]",
        '"text"',
        "{",
        '{"is_pic_info":"1"}',
        '{"is_pic_info":true}',
        '{"is_pic_info":2}',
        '{"is_pic_info":NaN}',
        '{"rules":{}}',
        '{"rules":["a"]}',
        '{"rules":[{"fileid":"a"}]}',
        '{"rules":[{"rule":"a"}]}',
        '{"rules":[{"fileid":1,"rule":"a"}]}',
        '{"rules":[{"fileid":"a","rule":""}]}',
        '{"rules":[{"fileid":"a","rule":"b","bucket":7}]}',
        '{"rules":[{"fileid":"a",\n"rule":"b\n"}]}',
        "[" * 100_000,
        '{"is_pic_info":1,"rules":[{"fileid":"\udcff","rule":"b"}]}',
    ],
)
def test_malformed_headers_are_refused(header: str) -> None:
    with pytest.raises(ImageError) as refused:
        read(header)
    assert (refused.value.code, refused.value.number) == ("InvalidPicOperations", -60998)


def test_more_than_five_rules_have_their_own_number() -> None:
    assert len(read(json.dumps({"rules": [RULE] * 5})).rules) == 5
    with pytest.raises(ImageError) as refused:
        read(json.dumps({"rules": [RULE] * 6}))
    assert (refused.value.code, refused.value.number) == ("InvalidPicOperations", -60997)


MEMBER = st.sampled_from(["is_pic_info", "rules", "fileid", "rule", "bucket"])
LEAF = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAF, lambda inner: st.lists(inner) | st.dictionaries(MEMBER, inner)))
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        read(json.dumps(value))
    except ImageError as error:
        assert error.code == "InvalidPicOperations"
