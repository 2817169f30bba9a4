"""Whatever stands in serverless.yml, it is understood or refused, with all that is wrong."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from derivo_cli import serverless
from derivo_cli.deploy import reading
from derivo_cli.deploy.model import Package, Wanted
from derivo_cli.exits import Stop

GOOD: dict[str, Any] = {
    "name": "fn", "type": "event", "region": "ap-guangzhou", "runtime": "Python3.10", "handler": "index.main_handler",
    "memorySize": 128, "timeout": 60, "role": "r", "publicAccess": True, "src": {"exclude": [".env"]},
    "events": [{"cos": {"parameters": {
        "bucket": "b-1250000000.cos.ap-guangzhou.myqcloud.com", "filter": {"prefix": "in/"},
        "events": "cos:ObjectCreated:*", "enable": True,
    }}}],
}  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [*GOOD, "description", "namespace", "initTimeout", "environment", "deadLetter", "cls", "ignoreTriggers", "layers"]
)
nested = st.fixed_dictionaries({"variables": st.dictionaries(st.text(max_size=5), scalars, max_size=3)})


def read(inputs: dict[str, Any], folder: Path) -> Wanted:
    (folder / "functions").mkdir(exist_ok=True)
    (folder / "functions" / "index.py").touch()
    deployment = serverless.understood({"component": "scf", "name": "fn", "inputs": inputs})
    with zipfile.ZipFile(folder / "function.zip", "w") as archive:
        archive.writestr("index.py", "")
    return reading.wanted(deployment, Package(folder / "function.zip", b""), reading.Options(), folder)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(names, anything | nested, max_size=3))
def test_nothing_in_the_file_is_a_bug(changes: dict[str, Any], tmp_path: Path) -> None:
    with suppress(Stop, ValueError):
        wanted = read({**GOOD, **changes}, tmp_path)
        assert all(isinstance(value, str) for value in wanted.config.variables.values())
        assert 0 < wanted.reserve.megabytes <= 128_000


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"initTimeout": "long"}, "inputs.initTimeout"),
        ({"deadLetter": "QUEUE"}, "inputs.deadLetter"),
        ({"deadLetter": {"type": "QUEUE"}}, "inputs.deadLetter"),
        ({"cls": {"topicId": "x"}}, "inputs.cls"),
        ({"environment": {"variables": ["A"]}}, "inputs.environment"),
        ({"environment": {"variables": {"A": {"b": "c"}}}}, "inputs.environment.variables.A"),
        ({"layers": []}, "inputs.layers"),
    ],
)
def test_what_would_be_passed_over_is_refused(inputs: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(Stop, match=said):
        read({**GOOD, **inputs}, tmp_path)
