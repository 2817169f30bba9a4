"""derivo preflight: each thing that would go wrong is told with its mend, before anything is deployed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coslocal.app import Coslocal
from coslocal.cam import api as cam
from coslocal.front import Front
from coslocal.pytest_plugin import BUCKET, REGION, SECRET_ID, SECRET_KEY, new_app
from coslocal.server import LocalServer
from coslocal.tencentapi.api import TencentApi
from derivo_cli.exits import DONE, FINDINGS, USAGE
from derivo_cli.preflight import offline
from tests.derivo_cli.running import Derivo, Done

ROOT = Path(__file__).resolve().parents[3]
RULE = """prefix: {prefix}
derivatives: [{{name: t, to: '{to}', rule: 'imageMogr2/auto-orient/thumbnail/20x20>/strip/format/webp'}}]
"""
VARIABLES = {"DERIVO_BUCKET": BUCKET, "DERIVO_REGION": REGION, "DERIVO_ROLE": "derivo"}
EVENTS = "  events:\n"


@pytest.fixture
def folder(tmp_path: Path, derivo: Derivo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of which nothing is wrong: our own file, with the triggers of one rule set."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "index.py").touch()
    (tmp_path / "rules").mkdir()
    rule(tmp_path)
    (tmp_path / "serverless.yml").write_bytes((ROOT / "serverless.yml").read_bytes())
    assert derivo("triggers", "--write").code == DONE
    package(tmp_path)
    return tmp_path


def rule(folder: Path, prefix: str = "in/", to: str = "/out/{path}.webp", more: str = "", name: str = "r") -> None:
    (folder / "rules" / f"{name}.yml").write_text(RULE.format(prefix=prefix, to=to) + more, "utf-8")


def package(folder: Path, *, other: str = "", unpacked: int = 0) -> None:
    path = folder / "dist" / "function.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.py", "")
        archive.writestr("rules/r.yml", (folder / "rules" / "r.yml").read_text("utf-8") + other)
        archive.writestr("big", b"\0" * unpacked)


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "serverless.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def lines(done: Done) -> list[dict[str, str]]:
    return [json.loads(line) for line in done.out.splitlines()]


def levels(done: Done, check: str) -> list[str]:
    return [line["level"] for line in lines(done) if line["check"] == check]


def test_a_checkout_in_order_passes(derivo: Derivo, folder: Path) -> None:
    done = derivo("preflight", "--offline", "--json")
    assert done.code == DONE
    assert [(line["check"], line["level"], line["mend"]) for line in lines(done)] == [
        (check, "ok", "") for check in ("variables", "region", "buckets", "function", "rules", "triggers", "package")
    ]
    assert "preflight: 7 ok, 0 to look at, 0 to mend" in done.err
    assert "ok   triggers: 1 of 10" in derivo("preflight", "--offline").out


@pytest.mark.parametrize("name", VARIABLES)
def test_an_undefined_variable_is_told(
    derivo: Derivo, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    done = derivo("preflight", "--offline", "--json")
    assert (done.code, levels(done, "variables")) == (FINDINGS, ["fail"])
    assert name in lines(done)[0]["says"]
    assert ".env.dev" in lines(done)[0]["mend"]
    (folder / ".env.dev").write_text(f"{name}={VARIABLES[name]}\n", "utf-8")
    assert derivo("preflight", "--offline").code == DONE


@pytest.mark.parametrize(
    ("name", "value", "check", "level", "said"),
    [
        ("DERIVO_REGION", "gz", "region", "fail", "is no region"),
        ("DERIVO_REGION", "ap-lhasa", "region", "warn", "no region that"),
        ("DERIVO_BUCKET", "photos", "buckets", "fail", "full name"),
        ("DERIVO_BUCKET", "Photos-1250000000", "buckets", "fail", "full name"),
        ("DERIVO_BUCKET", "a-1.cos.ap-beijing.myqcloud.com#", "buckets", "fail", "full name"),
    ],
)
def test_values_are_looked_at(
    derivo: Derivo,
    folder: Path,
    name: str,
    value: str,
    check: str,
    level: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, value)
    found = [line for line in lines(derivo("preflight", "--offline", "--json")) if line["check"] == check]
    assert [line["level"] for line in found] == [level]
    assert said in found[0]["says"]
    assert found[0]["mend"]


@pytest.mark.parametrize(
    ("old", "new", "check", "said"),
    [
        ("timeout: 120", "timeout: 3", "function", "inputs.timeout"),
        ("  role: ${env:DERIVO_ROLE}", "  # no role", "function", "inputs.role"),
        ("runtime: Python3.10", "runtime: Nodejs18", "function", "inputs.runtime"),
        ("exclude: [.env, .env.*]", "exclude: []", "function", "inputs.src.exclude"),
        ("  region: ${env:DERIVO_REGION}\n", "", "region", "inputs.region"),
        (".cos.${env:DERIVO_REGION}.", ".cos.ap-beijing.", "buckets", "ap-beijing"),
        ("prefix: in/", "prefix: other/", "triggers", "others than"),
        ("enable: true", "enable: false", "function", "enable"),
        ("${name}-${stage}", "${output:x}", "variables", "platform's own tool"),
    ],
)
def test_what_the_file_says_is_looked_at(
    derivo: Derivo, folder: Path, old: str, new: str, check: str, said: str
) -> None:
    change(folder, old, new)
    found = [line for line in lines(derivo("preflight", "--offline", "--json")) if line["check"] == check]
    assert any(said in line["says"] and line["level"] != "ok" and line["mend"] for line in found), found


@pytest.mark.parametrize(
    ("to", "more", "check", "said"),
    [
        ("/in/{path}", "", "rules", "PF101"),
        ("/in/out/{path}.webp", 'exclude: ["in/out/**"]\n', "triggers", "would fire it"),
        ("/out/{path", "", "rules", "RS"),
    ],
)
def test_rule_sets_are_looked_at(derivo: Derivo, folder: Path, to: str, more: str, check: str, said: str) -> None:
    rule(folder, to=to, more=more)
    done = derivo("preflight", "--offline", "--json")
    assert done.code == FINDINGS
    assert any(line["check"] == check and said in line["says"] for line in lines(done)), done.out


def test_more_than_ten_triggers_are_told(derivo: Derivo, folder: Path) -> None:
    for name in "abcdefghijkl":
        rule(folder, prefix=f"{name}/", name=name)
    (line,) = [x for x in lines(derivo("preflight", "--offline", "--json")) if x["check"] == "triggers"]
    assert (line["level"], "12 COS triggers are needed" in line["says"]) == ("fail", True)


def test_the_package_is_looked_at(derivo: Derivo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[str]:
        return levels(derivo("preflight", "--offline", "--json"), "package")

    package(folder, other="# changed")
    assert found() == ["fail"]
    package(folder, unpacked=2_000_000)
    assert found() == ["ok"]
    monkeypatch.setattr(offline.limits, "CODE_BYTES", 1_000_000)
    assert found() == ["fail"]
    monkeypatch.setattr(offline.limits, "CODE_BYTES", 500_000_000)
    monkeypatch.setattr(offline.limits, "ZIP_BYTES", 100)
    assert found() == ["warn"]
    (folder / "dist" / "function.zip").write_bytes(b"no zip")
    assert found() == ["fail"]
    (folder / "dist" / "function.zip").unlink()
    assert found() == ["warn"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no serverless.yml"), (b"a: [", "not YAML"), (b"\xff", "utf-8"), (b"x: 1", "component")],
)
def test_without_a_file_there_is_nothing_to_look_at(
    derivo: Derivo, folder: Path, content: bytes | None, said: str
) -> None:
    path = folder / "serverless.yml"
    path.unlink() if content is None else path.write_bytes(content)
    done = derivo("preflight", "--offline")
    assert (done.code, said in done.err) == (USAGE, True), done.err
    assert derivo("preflight", "--rules", "no").code == USAGE


# -- asking the cloud


@dataclass(frozen=True)
class Cloud:
    app: Coslocal


@pytest.fixture
def cloud(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    app = new_app()
    front = Front(app)
    front.api = TencentApi([cam.service(["derivo"], REGION)], credentials=app.credentials, journal=app.journal)
    server = LocalServer(front)
    with server.start_in_thread():
        monkeypatch.setenv("TENCENTCLOUD_SECRETID", SECRET_ID)
        monkeypatch.setenv("TENCENTCLOUD_SECRETKEY", SECRET_KEY)
        monkeypatch.setenv("DERIVO_COS_SCHEME", "http")
        monkeypatch.setenv("DERIVO_COS_PROXY", server.url)
        yield Cloud(app)
        app.faults.close()
    app.jobs.close()
    app.store.close()


def online(done: Done) -> dict[str, str]:
    asked = ("keys", "role", "bucket", "versioning", "processing")
    return {line["check"]: line["level"] for line in lines(done) if line["check"] in asked}


def test_the_cloud_is_asked_and_nothing_is_written(derivo: Derivo, cloud: Cloud) -> None:
    done = derivo("preflight", "--json")
    assert done.code == DONE
    assert online(done) == {"role": "ok", "bucket": "ok", "processing": "ok"}
    assert list(cloud.app.store.scan(BUCKET)) == []
    methods = {entry.method for entry in cloud.app.journal.entries() if entry.bucket}
    assert methods == {"HEAD", "GET", "POST"}


def test_a_role_that_is_not_there_is_told(derivo: Derivo, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVO_ROLE", "another")
    done = derivo("preflight", "--json")
    assert (done.code, online(done)["role"]) == (FINDINGS, "fail")
    assert "derivo policy" in done.out


def test_a_bucket_that_is_not_there_is_told(
    derivo: Derivo, folder: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(folder, more="bucket: gone-1250000000\n")
    assert derivo("triggers", "--write").code == DONE
    package(folder)
    found = [line for line in lines(derivo("preflight", "--json")) if line["check"] == "bucket"]
    assert [(line["level"], "gone-1250000000" in line["says"]) for line in found] == [("fail", True)]
    monkeypatch.setenv("DERIVO_REGION", "ap-beijing")
    assert derivo("preflight").code == FINDINGS


def test_a_bucket_that_cloud_infinite_may_not_process_is_told(derivo: Derivo, cloud: Cloud) -> None:
    cloud.app.faults.add("error", code="NoProcessAuthority", operation="image_process")
    done = derivo("preflight", "--json")
    assert (done.code, online(done)["processing"]) == (FINDINGS, "fail")
    assert "bind it" in done.out


def test_versions_are_told(derivo: Derivo, cloud: Cloud) -> None:
    document = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    cloud.app.store.put_configuration(BUCKET, "", "versioning", document)
    done = derivo("preflight", "--json")
    assert (done.code, online(done)["versioning"]) == (DONE, "warn")


@pytest.mark.parametrize(("fault", "level"), [("AccessDenied", "fail"), ("ServiceUnavailable", "fail")])
def test_a_bucket_that_cannot_be_looked_at_is_told(derivo: Derivo, cloud: Cloud, fault: str, level: str) -> None:
    cloud.app.faults.add("error", code=fault, operation="head_bucket")
    done = derivo("preflight", "--json")
    assert (done.code, online(done)["bucket"]) == (FINDINGS, level)


def test_without_keys_or_a_cloud_that_is_told(
    derivo: Derivo, folder: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVO_COS_PROXY", "http://127.0.0.1:9")
    done = derivo("preflight", "--json")
    assert (done.code, online(done)) == (FINDINGS, {"role": "warn", "bucket": "fail"})
    monkeypatch.delenv("TENCENTCLOUD_SECRETKEY")
    done = derivo("preflight", "--json")
    assert (done.code, online(done)) == (FINDINGS, {"keys": "fail"})
    assert "--offline" in done.out
