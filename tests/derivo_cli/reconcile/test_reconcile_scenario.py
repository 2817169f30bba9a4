"""The scenario of `make scenario` with fewer images: disorder is told exactly, mended once, and kills repeat little."""

from __future__ import annotations

from pathlib import Path

from coslocal.pytest_plugin import Server
from tests.derivo_cli.reconcile.scenario import Numbers, Scenario

FEW = Numbers(images=60, deleted=5, overwritten=3, foreign=2, kills=2)


def test_disorder_is_told_and_mended_through_kills(coslocal_server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    Scenario(coslocal_server.url, coslocal_server.bucket, tmp_path, FEW, said.append).run()
    assert said[-1].endswith("0 requests")
