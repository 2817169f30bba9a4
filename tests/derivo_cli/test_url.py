"""cos:// addresses: a bucket with its appid, and the key as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo_cli import url
from derivo_cli.exits import USAGE, Stop


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_nothing_in_a_key_is_taken_for_something_else(key: str) -> None:
    assert url.parse(f"cos://photos-1250000000/{key}") == url.CosUrl("photos-1250000000", key)


def test_a_bucket_alone() -> None:
    assert url.parse("cos://photos-1250000000") == url.CosUrl("photos-1250000000", "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "cos:/b-1/k", "COS://b-1/k", "b-1/k", "cos://", "cos:///k", "cos://b/k", "cos://B-1/k", "cos://b-1-/k"),
        *("cos://b_-1/k", "cos://b-x/k", "cos://-1/k", "cos://b-1\n/k", "cos://b-1/\ud800"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Stop) as stopped:
        url.parse(text)
    assert stopped.value.code == USAGE


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        found = url.parse(text)
    except Stop:
        return
    assert f"cos://{found.bucket}/{found.key}" in (text, text + "/")
