"""Whatever the deploying actions are asked, the answer is one of the API's."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ACTIONS = [
    "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction", "ListTriggers",
    "CreateTrigger", "DeleteTrigger", "PublishVersion", "ListVersionByFunction", "GetFunction", "GetFunctionAddress",
    "CreateAlias", "UpdateAlias", "GetAlias", "ListAliases", "DeleteAlias",
]  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
likely: dict[str, st.SearchStrategy[Any]] = {
    "FunctionName": st.sampled_from(["fn", "other", ""]),
    "Code": st.fixed_dictionaries({"ZipFile": st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode())})
    | st.fixed_dictionaries({"CosBucketName": st.text(max_size=5), "CosObjectName": st.text(max_size=5)}),
    "ZipFile": st.text(max_size=20),
    "Handler": st.text(max_size=10) | st.just("index.main_handler"),
    "Runtime": st.sampled_from(["Python3.10", "Python2.7", ""]),
    "MemorySize": st.integers(),
    "Timeout": st.integers(),
    "InitTimeout": st.integers(),
    "Environment": st.fixed_dictionaries(
        {"Variables": st.lists(st.fixed_dictionaries({"Key": st.text(max_size=5), "Value": st.text(max_size=5)}))}
    ),
    "Type": st.sampled_from(["cos", "timer", "Event", "x"]),
    "TriggerName": st.text(max_size=5) | st.just("b-1250000001.cos.ap-guangzhou.myqcloud.com"),
    "TriggerDesc": st.text(max_size=20) | anything.map(json.dumps) | st.just("0 0 0 * * * *"),
    "Qualifier": st.sampled_from(["$LATEST", "$DEFAULT", "1", "x"]),
    "Enable": st.sampled_from(["OPEN", "CLOSE", "1"]),
    "Name": st.sampled_from(["$DEFAULT", "a", "1"]),
    "FunctionVersion": st.sampled_from(["$LATEST", "1", "x"]),
    "RoutingConfig": anything,
    "Offset": st.integers() | st.text(max_size=3),
    "Limit": st.integers() | st.text(max_size=3),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_parameters_whatever_are_a_bug(deploy: Any, data: st.DataObject) -> None:
    cloud = deploy()
    try:
        for action in data.draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4)):
            names = data.draw(st.lists(st.sampled_from(sorted(likely)), unique=True, max_size=8))
            parameters = {name: data.draw(likely[name] | anything) for name in names}
            content = cloud.send(json.dumps(parameters).encode(), {"X-TC-Action": action})
            assert content.get("Error", {}).get("Code") != "InternalError", content
    finally:
        cloud.scf.close()
