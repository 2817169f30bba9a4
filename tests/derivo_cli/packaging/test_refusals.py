"""What cannot be packaged is refused with what to do, and leaves nothing half-written."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from derivo_cli.exits import FINDINGS, USAGE, Stop
from derivo_cli.packaging import distributions
from derivo_cli.packaging.bytecode import compile_all, interpreter
from derivo_cli.packaging.sbom import facts_of
from tests.derivo_cli.packaging.built import HERE, RULE, SIX
from tests.derivo_cli.running import Derivo

CRCMOD = "crcmod==1.7 --hash=sha256:dc7051a0db5f2bd48665a990d3ec1cc305a466a77358ca4492826f41f283601e\n"


@pytest.fixture
def checkout(small_checkout: Path) -> Iterator[Path]:
    """One that has an older package in dist, which must be there unchanged at the end, and nothing beside it."""
    older = small_checkout / "dist" / "function.zip"
    older.parent.mkdir()
    older.write_text("the older one")
    yield small_checkout
    assert [path.name for path in older.parent.iterdir()] == [older.name]
    assert older.read_text() == "the older one"


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        ("six==1.17.0\n", "requirements.txt:1: six has no --hash=sha256:...; run python tools/pin.py"),
        ("# one\nsix>=1.17\n", "requirements.txt:2: 'six>=1.17' is no NAME==VERSION --hash=sha256:..."),
        ("-r others.txt\n", "requirements.txt:1: '-r others.txt' is no NAME==VERSION"),
        ("six==1.17.0 \\\n    --hash=md5:abc\n", "is no NAME==VERSION --hash=sha256:..."),
        (SIX.replace("4721", "4722"), "mend: a file is not the one that is pinned."),
        ("--only-binary :all:\n" + CRCMOD, "mend: there is no wheel of that version for this Python on manylinux2014"),
    ],
)
def test_packages_that_are_not_pinned_or_not_there(
    checkout: Path, derivo: Derivo, requirements: str, said: str
) -> None:
    (checkout / "requirements.txt").write_text(requirements, "utf-8")
    done = derivo("package")
    assert done.code in (FINDINGS, USAGE)
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_registry_that_cannot_be_reached(checkout: Path, derivo: Derivo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_RETRIES", "0")
    done = derivo("package")
    assert done.code == FINDINGS
    assert "mend: the package registry cannot be reached" in done.err


@pytest.mark.parametrize(
    ("rule_set", "said"),
    [
        ("prefix: [\n", "in.yml:2:1: error RS105"),
        ("prefix: in/\n" + RULE % "/in/{path}.jpg", "PF1"),
        ("prefix: in/\nderivatives: [{name: t, to: /o/t, rule: imageMogr2/thumbnial/2x}]\n", "CI104"),
    ],
)
def test_rule_sets_that_lint_refuses(checkout: Path, derivo: Derivo, rule_set: str, said: str) -> None:
    (checkout / "rules" / "in.yml").write_text(rule_set, "utf-8")
    done = derivo("package")
    assert done.code == FINDINGS
    assert said in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--python", "3.8"], "--python 3.8: the platform runs 3.9 and 3.10"),
        (["--python", "3"], "--python 3: the platform runs 3.9 and 3.10"),
        (["-o", "dist"], "-o dist: name the zip file to write"),
        (["-o", "dist/function"], "-o dist/function: name the zip file to write"),
        (["--rules", "nowhere"], "there is no nowhere"),
        (["--root", "dist"], "dist/functions is not there; run this in Derivo's own folder, or give --root"),
    ],
)
def test_arguments_that_cannot_be(checkout: Path, derivo: Derivo, arguments: list[str], said: str) -> None:
    done = derivo("package", *arguments)
    assert done.code == USAGE
    assert said in done.err


def test_a_folder_without_rule_sets(checkout: Path, derivo: Derivo) -> None:
    (checkout / "rules" / "in.yml").unlink()
    done = derivo("package")
    assert done.code == USAGE
    assert "there are no rule sets in rules" in done.err


def test_a_source_that_is_not_of_that_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("def f(:\n")
    by = interpreter(HERE)
    assert by is not None
    with pytest.raises(Stop, match=rf"(?s)Python {by.version} cannot compile the function:.*/var/user/new\.py"):
        compile_all(tmp_path, ["new.py"], by)


def wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return path


def test_of_a_wheel_only_what_runs_is_taken(tmp_path: Path) -> None:
    told = "Metadata-Version: 2.4\nName: Some_Thing\nVersion: 1.0\nLicense-Expression: MIT\n\nbody"
    files = {
        "some/__init__.py": "x = 1", "some/stub.pyi": "", "some/py.typed": "", "some/tests/test_it.py": "",
        "one.so": "native", "some/data.pem": "x", "some/__pycache__/old.cpython-39.pyc": "",
        "some_thing-1.0.data/scripts/run": "", "some_thing-1.0.dist-info/METADATA": told,
        "some_thing-1.0.dist-info/licenses/LICENSE": "the text", "some_thing-1.0.dist-info/RECORD": "",
    }  # fmt: skip
    found = distributions.read(wheel(tmp_path / "some_thing-1.0-py3-none-any.whl", files))
    assert (found.name, found.version, found.licence) == ("some-thing", "1.0", "MIT")
    assert set(found.files) == {"some/__init__.py", "some/data.pem", "one.so"}
    assert found.licences == {"LICENSE": b"the text"}


def sdist(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as opened:
        entry = tarfile.TarInfo("thing-1.0/setup.py")
        opened.addfile(entry, io.BytesIO(b""))
    return path


def test_files_that_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "torn-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "crcmod-1.7.tar.gz").write_bytes(b"no tar")
    odd = {"odd-1.0.data/purelib/odd.py": "", "odd-1.0.dist-info/METADATA": ""}
    files = [
        (tmp_path / "torn-1.0-py3-none-any.whl", "cannot be used"),
        (tmp_path / "crcmod-1.7.tar.gz", "cannot be used"),
        (sdist(tmp_path / "thing-1.0.tar.gz"), "would have to be built; pin a wheel"),
        (wheel(tmp_path / "bare-1.0-py3-none-any.whl", {"bare.py": ""}), "it holds no metadata"),
        (wheel(tmp_path / "odd-1.0-py3-none-any.whl", odd), "keeps code in a .data folder"),
    ]
    for file, said in files:
        with pytest.raises(Stop, match=said):
            distributions.read(file)


@pytest.mark.parametrize("content", [None, b"", b"PK"])
def test_what_is_no_package_of_ours_has_no_facts(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.zip"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Stop, match="is no package of derivo"):
        facts_of(file)
    archive = wheel(tmp_path / "b.zip", {"index.py": ""})
    with pytest.raises(Stop, match="is no package of derivo"):
        facts_of(archive)
