"""Listings: any page size gives the same list, and a plain reading of the rule gives it too."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.operations.listing import page
from coslocal.storage.memory import open_memory
from coslocal.storage.types import Bucket, Store, StoredObject

B = "b-1"
keys = st.sets(st.text("ab/é中\U0001f600", min_size=1, max_size=5), max_size=25)
short = st.sampled_from(["", "/", "a", "a/", "b/a", "中", "ab"])


def filled(names: set[str]) -> Store:
    store = open_memory()
    store.create_bucket(Bucket(name=B, region="r", created=0.0))
    for key in names:
        blob = store.take_in(io.BytesIO(b""))
        store.put(StoredObject(bucket=B, key=key, blob=blob.name, size=0, etag="e", crc64="0", modified=0.0))
    return store


def plain_reading(names: set[str], prefix: str, delimiter: str) -> list[str]:
    entries = set()
    for key in names:
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            folds = bool(delimiter) and delimiter in rest
            entries.add(prefix + rest[: rest.index(delimiter) + len(delimiter)] if folds else key)
    return sorted(entries, key=str.encode)


@settings(max_examples=150)
@given(names=keys, prefix=short, delimiter=short, limit=st.integers(1, 7))
def test_pages_make_the_whole_list(names: set[str], prefix: str, delimiter: str, limit: int) -> None:
    store = filled(names)
    seen: list[str] = []
    marker = ""
    while True:
        found = page(store, B, prefix=prefix, delimiter=delimiter, marker=marker, limit=limit)
        entries = [item.key for item in found.contents] + found.prefixes
        assert len(entries) <= limit
        seen += sorted(entries, key=str.encode)
        if found.next_marker is None:
            break
        assert len(entries) == limit
        marker = found.next_marker
    assert seen == plain_reading(names, prefix, delimiter)
    store.close()


def test_zero_keys_and_bad_numbers(core: Any) -> None:
    core.ask("PUT", "/a")
    assert core.ask("GET", "/?max-keys=0").xml.findtext("IsTruncated") == "false"
    assert core.ask("GET", "/?max-keys=5000").xml.findtext("MaxKeys") == "1000"
    for bad in ("-1", "x", "1.5", "٣", "9" * 30):
        assert core.ask("GET", f"/?max-keys={bad}").code == "InvalidArgument"
    assert core.ask("GET", "/?encoding-type=base64").code == "InvalidArgument"


@pytest.mark.parametrize("key", ["%00", "%0D%0A", "a%FFb", "%EF%BF%BE", "%3C%26%3E%22"])
def test_a_listing_is_well_formed_whatever_the_key(core: Any, key: str) -> None:
    assert core.ask("PUT", f"/{key}").status == 200
    assert core.ask("GET", "/").xml.find("Contents/Key") is not None
    encoded = core.ask("GET", "/?encoding-type=url").xml
    assert encoded.findtext("Contents/Key") == key
    assert encoded.findtext("EncodingType") == "url"


def test_a_marker_is_exclusive_and_need_not_exist(core: Any) -> None:
    for key in ("a", "b", "c"):
        core.ask("PUT", f"/{key}")
    for marker, wanted in (("a", ["b", "c"]), ("aa", ["b", "c"]), ("c", []), ("", ["a", "b", "c"])):
        assert [item.text for item in core.ask("GET", f"/?marker={marker}").xml.iterfind("Contents/Key")] == wanted
