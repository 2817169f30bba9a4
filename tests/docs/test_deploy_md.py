"""docs/deploy.md as a reader would follow it: its commands in order, against a coslocal as it says to start one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pyvips
from qcloud_cos import CosConfig, CosS3Client

from derivo_cli import deployments
from tests.derivo_cli.packaging.built import HERE, package
from tools import pages

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
BLOCKS = [(block["info"], block["text"]) for block in pages.BLOCK.finditer(PAGE)]
BUCKET = "photos-1250000000"
PATIENCE = 30.0


@dataclass
class Reader:
    """Who follows the page: in a checkout, with `derivo` and `coslocal` on the path."""

    folder: Path
    environment: dict[str, str]
    said: str = ""

    def type(self, commands: str, code: int = 0) -> None:
        done = subprocess.run(
            ["bash", "-e", "-c", commands], cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=PATIENCE,
        )  # fmt: skip
        self.said += done.stdout
        assert done.returncode == code, f"{commands}\n{done.stdout}"

    def client(self) -> CosS3Client:
        proxies = {"http": self.environment["DERIVO_COS_PROXY"]}
        return CosS3Client(
            CosConfig(Region="ap-guangzhou", SecretId="AKIDlocal", SecretKey="SKlocal", Scheme="http", Proxies=proxies)
        )

    def stored(self) -> set[str]:
        return {item["Key"] for item in self.client().list_objects(Bucket=BUCKET).get("Contents", [])}

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, self.said + (self.folder / "coslocal.log").read_text()[-3000:]
            time.sleep(0.1)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    for name in ("functions", "rules"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("serverless.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, module in {"derivo": "derivo_cli.main", "coslocal": "coslocal.cli"}.items():
        script = f'#!/bin/sh\nexec "{sys.executable}" -c "from {module} import main; main()" "$@"\n'
        (commands / name).write_text(script)
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(ROOT), str(ROOT / "functions")])
    environment = {
        "PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(tmp_path), "PYTHONPATH": path, "COLUMNS": "160",
        "LANG": "C.UTF-8",
    }  # fmt: skip
    yield from serving(Reader(tmp_path, environment))


def serving(reader: Reader) -> Iterator[Reader]:
    """The page's own coslocal, on a port that is free."""
    (command,) = [text for info, text in BLOCKS if info == "sh serve"]
    ready = reader.folder / "ready"
    command = command.replace("--port 9000", f"--port 0 --ready-file {ready}")
    assert f"--ready-file {ready}" in command
    with (reader.folder / "coslocal.log").open("wb") as log:
        child = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=reader.folder, env=reader.environment, stdout=log, stderr=log
        )
    try:
        reader.wait(lambda: ready.exists() or child.poll() is not None)
        reader.environment["DERIVO_COS_PROXY"] = ready.read_text().strip()  # wins over the page's port
        of_account = [line for line in variables("").splitlines() if line.startswith("DERIVO_")]
        of_coslocal = variables(", for coslocal").splitlines()
        (reader.folder / ".env.dev").write_text("\n".join([*of_account, *of_coslocal]))
        yield reader
    finally:
        child.terminate()
        child.wait(PATIENCE)


def variables(title: str) -> str:
    """The lines of the page's file `.env.dev` of this title."""
    (text,) = re.findall(rf"^```\n# \.env\.dev{re.escape(title)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(text)


def pack(reader: Reader, more: str) -> None:
    """What `derivo package --python 3.11` builds, made another one by a file."""
    archive = reader.folder / "dist" / "function.zip"
    archive.parent.mkdir(exist_ok=True)
    shutil.copy(package(HERE).path, archive)
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr("version.txt", more)


def test_the_page_leads_to_the_first_derivative_and_back(reader: Reader) -> None:
    picture = pyvips.Image.black(400, 300, bands=3).write_to_buffer(".jpg")
    for info, text in BLOCKS:
        if info == "sh package":
            pack(reader, "1")
        elif info == "sh account":
            reader.client().put_object(Bucket=BUCKET, Key="products/photo.jpg", Body=picture)
            reader.wait(lambda: "derived/products/photo.jpg.thumb.webp" in reader.stored())
        elif info == "sh version":
            pack(reader, "2")
            reader.type("derivo deploy --yes")
            reader.type(text)
            assert "version 2 -> 1" in reader.said
            reader.type("derivo deploy --yes")
            assert "version 1 -> 2" in reader.said
        elif info.startswith("sh") and info != "sh serve":
            reader.type(text, int(info.removeprefix("sh").removeprefix(" exit-") or 0))
        if "derivo stop" in text and info == "sh":
            reader.client().put_object(Bucket=BUCKET, Key="products/later.jpg", Body=picture)
            time.sleep(1)
            assert not any("derived/products/later" in key for key in reader.stored())
        if "derivo start" in text and info == "sh":
            reader.wait(lambda: "derived/products/later.jpg.thumb.webp" in reader.stored())
    assert "no changes" in reader.said
    assert "derived cos://photos-1250000000/products/photo.jpg" in reader.said
    assert "s3cret" not in reader.said and "SKlocal" not in reader.said
    assert {"products/photo.jpg", "products/later.jpg"} <= reader.stored()


def test_every_command_about_the_deployed_function_is_on_the_page() -> None:
    names = {command.callback.__name__ for command in deployments.app.registered_commands if command.callback}
    told = set(re.findall(r"derivo ([a-z]+)", PAGE))
    assert told <= names | {"apply", "lint", "plan"}
    assert {"package", "preflight", "policy", "triggers", "deploy", "logs", "stop", "start", "rollback"} <= told
