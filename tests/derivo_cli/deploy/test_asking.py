"""On a terminal derivo deploy asks, and does what is answered."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import Any

import pytest

PATIENCE = 60.0


@pytest.mark.parametrize(("answer", "code"), [(b"y", 0), (b"yes", 0), (b"n", 1), (b"", 1)])
def test_what_is_answered_is_done(make: Any, answer: bytes, code: int) -> None:
    world = make(settling=0)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from derivo_cli.main import main; main()", "deploy"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TERM": "xterm"}
    child = subprocess.Popen(command, cwd=world.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said, end = b"", time.monotonic() + PATIENCE
    try:
        while b"[y/N]" not in said:
            assert time.monotonic() < end and child.poll() is None, said
            if select.select([ours], [], [], 0.1)[0]:
                said += os.read(ours, 4096)
        os.write(ours, answer + b"\n")
        assert child.wait(PATIENCE) == code
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    assert ("derivo-dev" in world.scf.functions) == (code == 0)
