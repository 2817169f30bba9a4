import json
from pathlib import Path

import pytest

from coslocal.scf.function import Account, Function, FunctionError, locate

ACCOUNT = Account(secret_id="AKIDtest", secret_key="SKtest", region="ap-shanghai", appid="1250000001", uin="42")


def function(**fields: object) -> Function:
    return Function(**{"name": "fn", "root": Path("/code"), **fields})  # type: ignore[arg-type]


def test_the_context_is_the_documented_dict_without_credentials() -> None:
    context = function(variables={"MODE": "a;b"}, timeout=60, memory_size=256).context(ACCOUNT, "R1")
    assert json.loads(context.pop("environment"))["MODE"] == "a;b"
    assert "SCF_FUNCTIONNAME=fn;" in context.pop("environ")
    assert context == {
        "memory_limit_in_mb": 256,
        "time_limit_in_ms": 60_000,
        "request_id": "R1",
        "function_version": "$LATEST",
        "function_name": "fn",
        "namespace": "default",
        "tencentcloud_region": "ap-shanghai",
        "tencentcloud_appid": "1250000001",
        "tencentcloud_uin": "42",
    }
    assert "SKtest" not in json.dumps(function().context(ACCOUNT, "R1"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "9lives"}, "begins with a letter"),
        ({"name": "x" * 61}, "60 characters"),
        ({"root": Path("code")}, "absolute"),
        ({"handler": "index"}, "index.main_handler"),
        ({"handler": "a/b.main"}, "index.main_handler"),
        ({"timeout": 901}, "900"),
        ({"timeout": 0}, "900"),
        ({"memory_size": 100}, "steps of 128"),
        ({"instances": 0}, "at least one"),
        ({"reserved": -1}, "negative"),
        ({"variables": {"1A": "x"}}, "cannot name a variable"),
        ({"variables": {"A=B": "x"}}, "cannot name a variable"),
        ({"variables": {"TENCENTCLOUD_SECRETID": "x"}}, "reserved"),
        ({"variables": {"SCF_X": "x"}}, "reserved"),
        ({"variables": {"QCLOUD_X": "x"}}, "reserved"),
        ({"variables": {"A": "x" * 4096}}, "4096"),
        ({"variables": {"A": "x\0"}}, "NUL"),
    ],
)
def test_settings_that_the_platform_would_refuse_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(FunctionError, match=said):
        function(**fields)


def test_reserved_concurrency_is_counted_in_memory() -> None:
    made = [function(memory_size=256, reserved=reserved) for reserved in (None, 9, 1, 0)]
    assert [one.reserved_memory for one in made] == [None, 2304, 256, 0]


def test_a_function_is_found_by_its_file(tmp_path: Path) -> None:
    file, archive = tmp_path / "my_index.py", tmp_path / "function.zip"
    file.touch()
    archive.touch()
    assert locate(str(file)) == (file.resolve(), "my_index.main_handler")
    assert locate(f"{file}:other") == (file.resolve(), "my_index.other")
    assert locate(str(archive)) == (archive.resolve(), "index.main_handler")
    for absent in (tmp_path / "no.py", f"{tmp_path}/no.py:main", tmp_path, ""):
        with pytest.raises(FunctionError, match="to take the function from"):
            locate(str(absent))
