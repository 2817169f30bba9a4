"""The part of `make conformance` for which nothing is installed: the Python SDK's wide surface, HTTP by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.clients import python, wire
from tests.conformance.results import title
from tests.conformance.target import Target, serve


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with serve(tmp_path_factory.mktemp("coslocal")) as served:
        yield served


@pytest.mark.parametrize("check", python.CHECKS, ids=title)
def test_the_python_sdk(target: Target, tmp_path: Path, check: Any) -> None:
    python.one(check, target, tmp_path)


@pytest.mark.parametrize("check", wire.CHECKS, ids=title)
def test_http_by_hand(target: Target, tmp_path: Path, check: Any) -> None:
    wire.one(check, target, tmp_path)
