"""A log line is one JSON object under 8 KB, whatever goes in, and what failed is the last thing to be left out."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from derivo.log import LINE_BYTES, line

KEYS = st.text(max_size=850)
DETAIL = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["thumb", "card"]),
        "key": KEYS,
        "outcome": st.sampled_from(["written", "failed(permanent, InvalidImageFormat)", "skipped(source_gone)"]),
    }
)


@given(key=KEYS, derivatives=st.lists(DETAIL, max_size=40))
def test_every_line_fits_and_is_json(key: str, derivatives: list[dict[str, Any]]) -> None:
    text = line({"level": "info", "key": key, "written": 3, "derivatives": derivatives})
    assert len(text.encode()) <= LINE_BYTES
    assert "\n" not in text
    fields = json.loads(text)
    assert fields["written"] == 3
    assert fields["key"] == key


def test_what_failed_outlives_what_was_written() -> None:
    derivatives = [{"key": "k" * 400, "outcome": "written"}] * 30
    derivatives.append({"key": "bad", "outcome": "failed(permanent, ImageTooLarge)"})
    fields = json.loads(line({"level": "error", "derivatives": derivatives}))
    assert fields["cut"] is True
    assert fields["derivatives"] == [derivatives[-1]]


def test_a_short_line_keeps_everything_but_the_unknown() -> None:
    assert json.loads(line({"level": "info", "etag": None, "derivatives": [{"outcome": "written"}]})) == {
        "level": "info",
        "derivatives": [{"outcome": "written"}],
    }


def test_a_field_that_is_too_long_by_itself_is_cut() -> None:
    fields = json.loads(line({"level": "error", "error": "x" * 20_000, "failed": 1}))
    assert fields["failed"] == 1
    assert len(fields["error"]) == 500
