"""An event in a process that is up already, against the SDK's bare calls."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import deployed, stub
from bench.pictures import photo
from bench.setting import ROOT, Setting
from bench.table import Goal, Row, compared

_METHOD = (
    "main_handler(event, context), plan and log line included, against the same SDK calls on a client that is made"
    " once, with the header ready; one process, in turn, 20 events a run; the stub answers at once; 4 derivatives"
)


def rows(setting: Setting) -> Iterator[Row]:
    picture = setting.folder / "photo.jpg"
    picture.write_bytes(photo(400, 300))
    event = deployed.write_event(setting.folder, "avatars/1029/me.jpg", picture.stat().st_size)
    with stub.running(picture) as url:
        for immutable in (True, False):
            calls = "ci_image_process" if immutable else "ci_image_process, head_object"
            rules = _rules(setting.folder / str(immutable), immutable=immutable)
            ours, theirs = _measure(setting, event, rules, url)
            yield compared(
                f"warm event, {'immutable sources' if immutable else 'source looked at afterwards'}", ours, theirs,
                unit="s", against=f"{calls} alone", goal=Goal(1.10), method=_METHOD,
            )  # fmt: skip


def _rules(folder: Path, *, immutable: bool) -> Path:
    folder.mkdir()
    text = (ROOT / "rules" / "avatars.yml").read_text(encoding="utf-8")
    (folder / "avatars.yml").write_text(text + ("immutable: true\n" if immutable else ""), encoding="utf-8")
    return folder


def _measure(setting: Setting, event: Path, rules: Path, url: str) -> tuple[list[float], list[float]]:
    results = setting.folder / "warm.json"
    command = [sys.executable, "-m", "bench.workers.warm", str(event), str(results), str(setting.runs(61, 21))]
    environment = {**deployed.worker_environment(url), "DERIVO_RULES": str(rules)}
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    measured = json.loads(results.read_text(encoding="utf-8"))
    return measured["ours"], measured["theirs"]
