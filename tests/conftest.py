"""The whole suite runs with every logger at DEBUG, and no line of it may hold a secret (law 9)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from coslocal.pytest_plugin import SECRET_KEY

# What a signature, a signed URL or a key looks like in a log line.
FORBIDDEN = ("q-signature=", "q-signature%3d", "x-cos-security-token", SECRET_KEY + "'", SECRET_KEY + '"')


class _Watch(logging.Handler):
    """Remembers the lines that hold what no line may hold; lines of the loggers in `ignored` are their own affair."""

    def __init__(self, ignored: tuple[str, ...] = ()) -> None:
        super().__init__(logging.DEBUG)
        self.ignored = ignored
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if self.ignored and record.name.startswith(self.ignored):
            return
        line = record.getMessage()
        lower = line.lower()
        if "q-s" in lower or "token" in lower or SECRET_KEY in line:
            found = [text for text in FORBIDDEN if text.lower() in lower]
            if found:
                self.leaks.append(f"{record.name}: {found[0]}")


@pytest.fixture(autouse=True)
def no_secret_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test in whose course any logger, at any level, let out a signature, a token or a secret key."""
    # these use the bare SDK and fetch presigned URLs themselves
    bare = {"coslocal", "demo", "conformance"} & set(request.node.path.parts)
    watch = _Watch(("qcloud_cos", "urllib3") if bare else ())
    root = logging.getLogger()
    level = root.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(level)
    root.removeHandler(watch)
    assert not watch.leaks, f"secrets in the log: {watch.leaks[:3]}"
