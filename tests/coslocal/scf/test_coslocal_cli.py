import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qcloud_cos import CosConfig, CosS3Client
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.scf.v20180416 import models
from tencentcloud.scf.v20180416.scf_client import ScfClient

from coslocal import cli
from coslocal.dialects import TABLE

BUCKET = "photos-1250000001"
PATIENCE = 30.0

FUNCTION = """
import json, os

def main_handler(event, context):
    record = event["Records"][0]
    with open(os.environ["OUT"], "a") as out:
        seen = [record["cos"]["cosObject"]["key"], record["event"]["eventName"], os.environ["PROXY"]]
        out.write(json.dumps(seen) + "\\n")
    print("saw one")
    if "bad" in record["cos"]["cosObject"]["key"]:
        raise ValueError("this one is bad")
"""


class Served:
    """`coslocal serve` as a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        ready = folder / "ready"
        command = [sys.executable, "-m", "coslocal", "serve", "--port", "0", "--ready-file", str(ready), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: ready.exists() or self.process.poll() is not None)
        assert ready.exists(), self.process.communicate()
        self.url = ready.read_text().strip()
        self.ready = ready

    def client(self) -> Any:
        config = CosConfig(
            Region="ap-guangzhou",
            SecretId="AKIDlocal",
            SecretKey="SKlocal",
            Scheme="http",
            Proxies={"http": self.url},
        )
        return CosS3Client(config)

    def stop(self, number: int) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    running: list[Served] = []

    def start(*options: str) -> Served:
        running.append(Served(tmp_path, *options))
        return running[-1]

    yield start
    for one in running:
        one.end()


def test_a_real_client_puts_an_object_and_the_function_sees_it(served: Any, tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(FUNCTION)
    seen, dead = tmp_path / "seen", tmp_path / "dead"
    options = [
        *("--data", str(tmp_path / "data"), "--bucket", BUCKET, "--function", str(tmp_path / "index.py")),
        *("--trigger", f"bucket={BUCKET},prefix=in/,suffix=.jpg", "--dead-letters", str(dead)),
        *("--env", f"OUT={seen}", "--env", "PROXY={url}", "--retry-interval", "0.05", "--retries", "1"),
    ]
    first = served(*options)
    for key in ("in/北京 a+b.jpg", "in/not.txt", "out/not.jpg"):
        first.client().put_object(Bucket=BUCKET, Key=key, Body=b"pixels")
    wait_for(lambda: len(lines(seen)) == 1)
    assert lines(seen) == [["/1250000001/photos/in/北京 a+b.jpg", "cos:ObjectCreated:Put", first.url]]

    first.client().put_object(Bucket=BUCKET, Key="in/bad.jpg", Body=b"pixels")
    wait_for(lambda: lines(dead))
    assert len(lines(seen)) == 3
    assert [letter["ErrorMessage"] for letter in lines(dead)] == ["ValueError: this one is bad"]

    code, out, err = first.stop(signal.SIGTERM)
    assert code == 0
    assert out.splitlines() == [out.strip()]
    assert first.url in out
    assert not first.ready.exists()
    assert re.search(r"^[0-9a-f-]{36} saw one$", err, re.MULTILINE)
    assert "430 cos:ObjectCreated:Put photos-1250000001/in/bad.jpg: ValueError" in err
    assert "q-signature" not in err

    again = served(*options)
    assert again.client().get_object(Bucket=BUCKET, Key="in/北京 a+b.jpg")["Body"].get_raw_stream().read() == b"pixels"
    assert again.stop(signal.SIGINT)[0] == 130


def test_events_that_wait_when_it_is_stopped_are_counted_and_kept(served: Any, tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("def main_handler(event, context): raise ValueError('later')\n")
    dead, log = tmp_path / "dead", tmp_path / "log"
    running = served(
        *("--bucket", BUCKET, "--function", str(tmp_path / "index.py"), "--trigger", f"bucket={BUCKET}"),
        *("--dead-letters", str(dead), "--log", str(log)),
    )
    running.client().put_object(Bucket=BUCKET, Key="a.jpg", Body=b"pixels")
    wait_for(lambda: log.exists() and "ValueError: later" in log.read_text())
    code, _, err = running.stop(signal.SIGTERM)
    assert code == 0
    assert "events not handled: 1" in err
    assert [letter["ErrorCode"] for letter in lines(dead)] == [500]


def test_a_function_without_triggers_is_run_by_timers_and_by_the_vendors_client(served: Any, tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("def main_handler(event, context): return event\n")
    running = served("--function", str(tmp_path / "index.py"), "--timer", "tick=* * * * * * *;to and fro")
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=running.url.removeprefix("http://")))
    client = ScfClient(Credential("AKIDlocal", "SKlocal"), "ap-guangzhou", profile)
    request = models.InvokeRequest()
    request.FunctionName, request.ClientContext = "index", '{"a": 1}'
    assert json.loads(client.Invoke(request).Result.RetMsg) == {"a": 1}

    def page(name: str) -> Any:
        with urllib.request.urlopen(f"{running.url}/_coslocal/scf/{name}") as answer:
            return json.load(answer)

    wait_for(lambda: page("status")["functions"]["index"]["invocations"] >= 2)
    assert any('"TriggerName": "tick"' in line for run in page("logs")["runs"] for line in run["lines"])
    assert running.stop(signal.SIGTERM)[0] == 0


def test_events_that_wait_are_kept_in_the_data_folder(served: Any, tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(
        "import os\ndef main_handler(event, context):\n    if not os.path.exists('go'): raise ValueError('later')\n"
    )
    options = [
        *("--data", str(tmp_path / "data"), "--bucket", BUCKET, "--function", str(tmp_path / "index.py")),
        *("--trigger", f"bucket={BUCKET}", "--log", str(tmp_path / "log"), "--retry-interval", "0.5"),
        *("--retries", "10000"),
    ]
    running = served(*options)
    running.client().put_object(Bucket=BUCKET, Key="a.jpg", Body=b"pixels")
    wait_for(lambda: "ValueError: later" in (tmp_path / "log").read_text())
    _, _, err = running.stop(signal.SIGTERM)
    assert "events not handled: 1; they are kept in" in err

    (tmp_path / "go").touch()
    again = served(*options)

    def status() -> Any:
        with urllib.request.urlopen(f"{again.url}/_coslocal/scf/status") as answer:
            return json.load(answer)

    wait_for(lambda: status()["idle"])
    counts = status()["functions"]["index"]
    assert (counts["invocations"], counts["errors"], counts["dead_letters"]) == (1, 0, 0)


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["coslocal", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--function", "no.py", "--trigger", f"bucket={BUCKET}"], 2, "there is no 'no.py'"),
        (["--trigger", f"bucket={BUCKET}"], 2, "needs a --function"),
        (["--timer", "tick=* * * * * * *"], 2, "needs a --function"),
        (["--function", "index.py", "--timer", "tick"], 2, "NAME=CRON"),
        (["--function", "index.py", "--timer", "tick=* * * * *"], 2, "seven"),
        (["--function", "index.py", "--timer", "tick=0 0 0 30 2 * *"], 2, "no time"),
        (["--function", "index.py", "--trigger", "photos"], 2, "is not of the form"),
        (["--function", "index.py", "--trigger", f"bucket={BUCKET}"], 1, f"add --bucket {BUCKET}"),
        (["--function", "index.py", "--trigger", f"bucket={BUCKET}", "--env", "A"], 2, "write it as NAME=VALUE"),
        (["--function", "index.py", "--trigger", f"bucket={BUCKET}", "--env", "SCF_A=1"], 2, "reserved"),
        (["--function", "index.py", "--trigger", f"bucket={BUCKET}", "--timeout", "901"], 2, "900"),
        (["--function", "index.py", "--trigger", f"bucket={BUCKET}", "--python", "no-such"], 2, "no such interpreter"),
        (
            [
                "--function",
                "index.py",
                "--bucket",
                BUCKET,
                "--trigger",
                f"bucket={BUCKET}",
                "--trigger",
                f"bucket={BUCKET}",
            ],
            2,
            "overlap",
        ),
        (["--bucket", "photos"], 1, "NAME-APPID"),
        (["--credential", "AKIDonly"], 2, "--credential"),
        (["--dialect", "pad-colour=red"], 2, "pad-colour is one of"),
        (["--dialect", "nothing=x"], 2, "there is no dialect"),
        (["--qps", "fast"], 2, "write it as 100"),
        (["--qps", "1,2,3"], 2, "write it as 100"),
        (["--memory", "--data", "d"], 2, "choose one"),
        (["--retry-interval", "0"], 2, "above 0"),
        (["--retries", "-1"], 2, "negative"),
        (["--data", "index.py"], 1, "index.py"),
        (["--host", "192.0.2.1"], 1, "192.0.2.1"),
    ],
)
def test_what_cannot_be_served_ends_in_one_line_and_its_code(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "index.py").write_text("def main_handler(event, context): pass\n")
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(capsys, monkeypatch, "serve", "--port", "0", *arguments)
    assert (ended, out) == (code, "")
    assert said in err
    assert err.startswith("coslocal: ")
    assert len(err.splitlines()) == 1
    assert "AKIDonly" not in err


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return path


def test_a_zip_runs_unpacked_and_apart_and_leaves_nothing(served: Any, tmp_path: Path) -> None:
    code = (
        "import json, os, sys, helping\n"
        "def main_handler(event, context):\n"
        "    told = [helping.NAME, os.getcwd(), os.stat('index.py').st_mode & 0o222, 'site' in sys.modules]\n"
        "    open(os.environ['OUT'], 'a').write(json.dumps(told) + chr(10))\n"
    )
    package = zipped(tmp_path / "function.zip", {"index.py": code, "helping.py": "NAME = 'helps'\n"})
    seen = tmp_path / "seen"
    server = served(
        *("--bucket", BUCKET, "--function", str(package), "--trigger", f"bucket={BUCKET}", "--env", f"OUT={seen}")
    )
    server.client().put_object(Bucket=BUCKET, Key="a.jpg", Body=b"pixels")
    wait_for(lambda: lines(seen))
    ((helped, folder, writable, site),) = lines(seen)
    assert (helped, writable, site) == ("helps", 0, False)
    assert server.stop(signal.SIGTERM)[0] == 0
    assert not Path(folder).exists()


def test_a_zip_that_is_none_or_has_no_function_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 and no more")
    for package, said in (
        (tmp_path / "torn.zip", "cannot be unpacked"),
        (zipped(tmp_path / "bare.zip", {"main.py": ""}), "has no index.py at its root"),
        (zipped(tmp_path / "out.zip", {"../index.py": ""}), "would lie outside"),
        (tmp_path / "gone.zip", "there is no "),
    ):
        code, _, err = run(capsys, monkeypatch, "serve", "--port", "0", "--function", str(package))
        assert (code, len(err.splitlines())) == (2, 1)
        assert said in err


def test_two_servers_do_not_share_a_folder(
    served: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served("--data", str(tmp_path / "data"))
    code, _, err = run(capsys, monkeypatch, "serve", "--port", "0", "--data", str(tmp_path / "data"))
    assert code == 1
    assert "in use by another coslocal" in err


def test_the_dialects_are_listed_with_their_choices_and_reasons(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, monkeypatch, "dialects")
    assert code == 0
    for dialect in TABLE:
        assert f"{dialect.name}={'|'.join(dialect.choices)}" in out
        assert dialect.reason in out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run(capsys, monkeypatch, "--version")
    assert code == 0
    assert re.fullmatch(r"coslocal [0-9.]+\n", out)


def test_the_readme_names_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(cli.__file__).parent / "README.md").read_text(encoding="utf-8")
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    shown = subprocess.run(
        [sys.executable, "-m", "coslocal", "serve", "--help"], capture_output=True, text=True, check=True
    )
    options = set(re.findall(r"--[a-z-]+", shown.stdout)) - {"--help", "--no-memory", "--no-fsync"}
    assert {option for option in options if f"{option}" not in readme} == set()
