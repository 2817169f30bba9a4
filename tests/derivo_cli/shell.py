"""derivo in a process of its own, in a folder with rule sets, pointed at a coslocal on a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from coslocal.pytest_plugin import Server

RULES = "prefix: in/\nderivatives: [{name: t, to: '/out/{path}.webp', rule: imageMogr2/thumbnail/20x/format/webp}]\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


class Shell:
    """Runs derivo in a folder with rule sets, pointed at coslocal."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        secret_id, secret_key = server.credentials
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DERIVO_COS_SCHEME": "http",
            "DERIVO_COS_PROXY": server.url,
            "TENCENTCLOUD_SECRETID": secret_id,
            "TENCENTCLOUD_SECRETKEY": secret_key,
            "TENCENTCLOUD_REGION": server.region,
        }

    def derivo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from derivo_cli.main import main; main()", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
