"""The package, run as the cloud would: from its zip, apart from all that is installed here, by the Python it is for."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from demo.landscapes import sea
from demo.pictures import PUT, picture
from demo.run import report, run
from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo_cli.packaging import archive
from tests.derivo_cli.packaging.built import AT_HAND, HERE, ROOT, package

# Stands before the package's own index.py: tells after each event what was asked for by then.
LISTENING = """
import json, sys

ASKED = set()


class Listener:
    @staticmethod
    def find_spec(name, path=None, target=None):
        ASKED.add(name)


sys.meta_path.insert(0, Listener)
import deployed


def main_handler(event, context):
    try:
        return deployed.main_handler(event, context)
    finally:
        print(json.dumps({"asked": sorted(ASKED), "path": sys.path}))
"""


def demonstrated(path: Path, folder: Path) -> None:
    """A short form of the demo, on the package at `path`: every derivative is opened and looked at."""
    jpeg = bytes(sea(300, 200, 0.3).jpegsave_buffer(Q=92))
    pictures = [
        picture("products/新品/茶 50%+1.jpg", jpeg, "two calls"),
        picture("avatars/put.jpg", jpeg, "at upload", PUT),
    ]
    said = io.StringIO()
    console = Console(file=said, width=160)
    results = run(pictures, RuleSetIndex(load(str(ROOT / "rules")).rule_sets), folder, console, path)
    assert report(results, folder, console) == 0, said.getvalue()
    assert [derived.problems for result in results for derived in result.derivatives] == [()] * 11
    assert (results[0].calls, results[1].skipped) == (2, 4)


@pytest.mark.parametrize("python", [python for python in AT_HAND if python != HERE])
def test_the_package_passes_the_demo_under_its_own_python(python: str, tmp_path: Path) -> None:
    demonstrated(package(python).path, tmp_path)


def test_it_asks_for_nothing_that_is_not_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(package(HERE).path) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    files["deployed.py"], files["index.py"] = files["index.py"], LISTENING.encode()
    del files[next(name for name in files if name.startswith("__pycache__/index."))]
    archive.write(tmp_path / "listening.zip", files)
    (tmp_path / "demo").mkdir()
    demonstrated(tmp_path / "listening.zip", tmp_path / "demo")
    log = (tmp_path / "demo" / "function.log").read_text("utf-8")
    told = [json.loads(line.partition(" ")[2]) for line in log.splitlines() if '"asked"' in line]
    asked = {name for each in told for name in each["asked"]}
    assert {"qcloud_cos", "qcloud_cos.cos_client", "requests", "msgspec", "derivo.handle"} <= asked
    assert not {name.partition(".")[0] for name in asked} & {"Crypto", "Cryptodome", "yaml", "rich", "typer", "aiohttp"}
    assert not asked & {"derivo.loading", "derivo.ci.grammar", "qcloud_cos.crypto", "qcloud_cos.cos_encryption_client"}
    (path,) = {tuple(each["path"]) for each in told}
    assert not [entry for entry in path if "site-packages" in entry or "dist-packages" in entry or str(ROOT) in entry]
