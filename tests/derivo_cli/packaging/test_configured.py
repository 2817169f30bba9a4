"""A package that was deployed wrongly says what is wrong with every event, and acknowledges none."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from coslocal.scf.function import Account, Function
from coslocal.scf.result import CODE_ERROR
from coslocal.scf.runner import Runner
from derivo import compiled
from tests.derivo_cli.packaging.built import HERE, package


@pytest.mark.parametrize(
    ("damage", "variables", "said"),
    [
        (lambda root: None, {"DERIVO_RULES": "/var/user/rules"}, "DERIVO_RULES is set, and there is no yaml here"),
        (lambda root: (root / compiled.FILE).write_bytes(b"?"), {}, "rules.msgpack:1:1: RS113: not compiled rule sets"),
        (lambda root: (root / compiled.FILE).unlink(), {}, "there is no yaml here"),
        (lambda root: None, {"DERIVO_COS_SCHEME": "ftp"}, "DERIVO_COS_SCHEME='ftp': expected http or https"),
    ],
)
def test_it_says_what_is_wrong(
    tmp_path: Path, damage: Callable[[Path], object], variables: dict[str, str], said: str
) -> None:
    with zipfile.ZipFile(package(HERE).path) as opened:
        opened.extractall(tmp_path)
    damage(tmp_path)
    function = Function(name="fn", root=tmp_path, python=sys.executable, isolated=True, variables=variables, timeout=20)
    runner = Runner(function, Account(secret_id="AKIDtest", secret_key="SKtest"), lambda request_id, line: None)
    try:
        result = runner.run('{"Records": [{"cos": {}}]}', "1")
    finally:
        runner.close()
    assert result.status == CODE_ERROR
    assert said in result.message
