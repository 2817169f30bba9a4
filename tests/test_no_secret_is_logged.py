"""The watch over the suite's log sees what it is for."""

from __future__ import annotations

import logging

import pytest

from tests.conftest import FORBIDDEN, _Watch


@pytest.mark.parametrize("text", FORBIDDEN)
def test_the_watch_sees_a_secret(text: str) -> None:
    watch = _Watch()
    watch.emit(logging.LogRecord("urllib3", logging.DEBUG, "f", 1, "headers: %s", (f"{text}abc",), None))
    assert watch.leaks


def test_the_watch_leaves_other_lines_alone() -> None:
    watch = _Watch()
    watch.emit(logging.LogRecord("urllib3", logging.DEBUG, "f", 1, "POST /in/a.jpg?image_process= HTTP/1.1", (), None))
    assert watch.leaks == []


def test_the_sdk_is_silenced_as_soon_as_derivo_uses_it() -> None:
    import derivo.cos  # noqa: F401

    assert not logging.getLogger("qcloud_cos.cos_auth").isEnabledFor(logging.CRITICAL)
