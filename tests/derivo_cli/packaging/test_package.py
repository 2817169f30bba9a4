"""derivo package: what is in the zip, and that the same input gives the same bytes."""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import shutil
import zipfile
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo import compiled
from derivo.loading import load
from derivo_cli.packaging import archive
from derivo_cli.packaging.building import CLOUD, build
from derivo_cli.packaging.bytecode import CODE_ROOT, interpreter
from derivo_cli.packaging.licences import is_allowed
from derivo_cli.packaging.requirements import read
from derivo_cli.packaging.sbom import facts_of
from tests.derivo_cli.packaging.built import HERE, ROOT, package
from tests.derivo_cli.running import Derivo

TARGET = CLOUD[-1]


@pytest.fixture(scope="module")
def entries() -> dict[str, bytes]:
    """The package for the cloud's newest Python, path -> content."""
    with zipfile.ZipFile(package(TARGET).path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(package(TARGET).path) as opened:
        opened.extractall(folder)
    return folder


def test_the_same_input_gives_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    for name in ("functions", "rules"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "serverless.yml", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    again = build(tmp_path, tmp_path / "rules", tmp_path / "out" / "a.zip", python=TARGET)
    assert again.sha256 == package(TARGET).sha256
    assert again.path.read_bytes() == package(TARGET).path.read_bytes()
    assert [path.name for path in again.path.parent.iterdir()] == ["a.zip"]


def test_entries_are_sorted_and_of_one_date_and_mode() -> None:
    with zipfile.ZipFile(package(TARGET).path) as opened:
        found = opened.infolist()
    assert [entry.filename for entry in found] == sorted(entry.filename for entry in found)
    assert {entry.date_time for entry in found} == {(1980, 1, 1, 0, 0, 0)}
    assert {(entry.external_attr >> 16, entry.create_system) for entry in found} == {(0o100644, 3)}


@given(st.dictionaries(st.from_regex(r"[a-zé/]{1,9}[a-z]", fullmatch=True), st.binary(max_size=50), max_size=6))
def test_a_zip_depends_on_nothing_but_its_files(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    one, other = (tmp_path_factory.mktemp("zip") / "a.zip" for _ in range(2))
    archive.write(one, files)
    archive.write(other, dict(reversed(files.items())))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files


def test_nothing_is_in_it_that_does_not_run(entries: dict[str, bytes]) -> None:
    assert {"index.py", "derivo/handle.py", "qcloud_cos/cos_client.py", "rules/products.yml"} <= entries.keys()
    assert "certifi/cacert.pem" in entries
    parts = {part for name in entries for part in name.split("/")}
    assert not parts & {"Crypto", "yaml", "_yaml", "tests", "test", "test.py", "py.typed", "ruff.toml", "schema.json"}
    assert not [part for part in parts if part.endswith((".pyi", ".dist-info", ".egg-info", ".data", ".exe"))]
    assert not [name for name in entries if name.startswith(("derivo_cli/", "coslocal/", "bin/", "."))]
    natives = {name for name in entries if name.endswith(".so")}
    assert natives
    assert all(f"cpython-{TARGET.replace('.', '')}-x86_64-linux-gnu" in name for name in natives)


def test_every_package_comes_with_its_licence(entries: dict[str, bytes]) -> None:
    for name in ["derivo", *(pin.name for pin in read(ROOT / "requirements.txt"))]:
        texts = [data for path, data in entries.items() if path.startswith(f"licences/{name}/")]
        assert texts, name
        assert all(len(text) > 300 for text in texts if b"NOTICE" not in text)


def test_the_rule_sets_in_it_equal_those_beside_them(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(unpacked)
    assert compiled.load(unpacked / compiled.FILE).rule_sets == load("rules").rule_sets
    assert len(load("rules").rule_sets) == package(TARGET).rule_sets > 0


def test_every_source_has_byte_code_that_is_never_checked(entries: dict[str, bytes]) -> None:
    by = interpreter(HERE)
    assert by is not None
    with zipfile.ZipFile(package(HERE).path) as opened:
        found = {name: opened.read(name) for name in opened.namelist()}
    sources = [name for name in found if name.endswith(".py")]
    assert len(sources) > 100
    for name in sources:
        data = found[importlib.util.cache_from_source(name)]
        assert data[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(data[4:8], "little") == 0b01  # by hash, and unchecked
        code = marshal.loads(data[16:])
        assert isinstance(code, CodeType)
        assert code.co_filename == CODE_ROOT + name
    assert facts_of(package(HERE).path)["byte-code"] == f"CPython {by.version}"


def test_licences_in_it_are_allowed_and_files_are_the_pinned_ones(entries: dict[str, bytes]) -> None:
    pins = {pin.name: pin for pin in read(ROOT / "requirements.txt")}
    found = package(TARGET).packages
    assert {part.name for part in found} == pins.keys()
    for part in found:
        assert part.version == pins[part.name].version
        assert part.sha256 in pins[part.name].hashes
        assert is_allowed(part.licence), part


def test_without_an_interpreter_of_its_python_it_has_sources_only_and_says_so(
    small_checkout: Path, derivo: Derivo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(small_checkout))
    monkeypatch.setenv("PATH", str(small_checkout))
    other = next(python for python in CLOUD if python != HERE)
    said = [derivo("package", "--python", other, "-o", f"{number}.zip") for number in (1, 2)]
    assert [done.code for done in said] == [0, 0]
    assert f"no byte code, as there is no CPython {other} here" in " ".join(said[0].out.split())
    one, two = (small_checkout / f"{number}.zip" for number in (1, 2))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as opened:
        assert {"index.py", "six.py", "rules/in.yml", "licences/six/LICENSE"} <= set(opened.namelist())
        assert not [name for name in opened.namelist() if name.endswith(".pyc")]
    assert facts_of(one)["byte-code"] == "none"


def test_the_report_tells_parts_size_and_digest(small_checkout: Path, derivo: Derivo) -> None:
    done = derivo("package", "-o", "a.zip", "--python", HERE)
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    data = (small_checkout / "a.zip").read_bytes()
    assert f"a.zip: {len(data):,} bytes, 1 rule set, Python {HERE}" in said
    assert f"SHA-256 {hashlib.sha256(data).hexdigest()}" in said
    with zipfile.ZipFile(small_checkout / "a.zip") as opened:
        sizes = [entry.file_size for entry in opened.infolist()]
    assert f"together {len(sizes)} {sum(sizes):,}" in said
    assert "six 1.17.0 1 34,703" in said
