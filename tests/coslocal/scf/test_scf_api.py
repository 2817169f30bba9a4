import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tencentcloud.scf.v20180416.scf_client import ScfClient

from coslocal.scf import actions


def test_every_action_of_the_vendors_client_is_answered_or_refused_by_its_name(deploy: Any) -> None:
    cloud = deploy()
    known = {name for name in vars(ScfClient) if name[0].isupper()}
    offered = set(actions.service(cloud.scf).actions)
    assert offered | actions.UNOFFERED == known
    assert not offered & actions.UNOFFERED
    for name in sorted(actions.UNOFFERED):
        error = cloud.call(name)["Error"]
        assert error["Code"] == "UnsupportedOperation"
        assert name in error["Message"]
    assert cloud.refusal("RunFunction") == "InvalidAction"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-TC-Action": ""}, "MissingParameter"),
        ({"X-TC-Version": ""}, "MissingParameter"),
        ({"X-TC-Version": "2017-03-12"}, "NoSuchVersion"),
        ({"X-TC-Region": ""}, "MissingParameter"),
        ({"X-TC-Region": "ap-shanghai"}, "UnsupportedRegion"),
        ({"X-TC-Token": "somebody's"}, "AuthFailure.TokenFailure"),
        ({"Authorization": ""}, "AuthFailure.InvalidAuthorization"),
        ({"Host": "cvm.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
    ],
)
def test_common_parameters(deploy: Any, headers: dict[str, str], code: str) -> None:
    content = deploy().send(b'{"FunctionName": "fn"}', {"X-TC-Action": "GetFunction", **headers})
    assert content["Error"]["Code"] == code


def test_the_functions_own_session_token_is_taken(deploy: Any) -> None:
    content = deploy().send(b"{}", {"X-TC-Action": "ListFunctions", "X-TC-Token": "coslocal"})
    assert content["TotalCount"] == 1


def test_invoke_function_needs_no_region(deploy: Any) -> None:
    content = deploy().send(b'{"FunctionName": "fn"}', {"X-TC-Action": "InvokeFunction", "X-TC-Region": ""})
    assert json.loads(content["Result"]["RetMsg"]) == {"got": {}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "InvalidParameter"),
        (b"[]", "InvalidParameter"),
        (b"{", "InvalidParameter"),
        (b"\xff", "InvalidParameter"),
        (b"[" * 100_000, "InvalidParameter"),
        (b"{}", "MissingParameter"),
        (b'{"FunctionName": null}', "MissingParameter"),
        (b'{"FunctionName": "fn", "Fast": 1}', "UnknownParameter"),
        (b'{"FunctionName": 7}', "InvalidParameter"),
        (b'{"FunctionName": "fn", "InvocationType": "Later"}', "InvalidParameter"),
        (b'{"FunctionName": "fn", "LogType": "All"}', "InvalidParameter"),
        (b'{"FunctionName": "other"}', "ResourceNotFound.Function"),
        (b'{"FunctionName": "\\ud800"}', "ResourceNotFound.Function"),
        (b'{"FunctionName": "fn", "Namespace": "other"}', "ResourceNotFound.Namespace"),
        (b'{"FunctionName": "fn", "Qualifier": "3"}', "ResourceNotFound.Qualifier"),
        (b'{"FunctionName": "fn", "ClientContext": "{"}', "InvalidParameterValue.Param"),
        (b'{"FunctionName": "fn", "ClientContext": "NaN"}', "InvalidParameterValue.Param"),
        (b'{"FunctionName": "fn", "ClientContext": "' + b"[" * 100_000 + b'"}', "InvalidParameterValue.Param"),
        (b'{"a": "' + b"x" * 10 * 1024 * 1024 + b'"}', "RequestSizeLimitExceeded"),
    ],
)
def test_parameters_that_cannot_be_used_have_the_documented_code(deploy: Any, body: bytes, code: str) -> None:
    assert deploy().send(body, {"X-TC-Action": "Invoke"})["Error"]["Code"] == code


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    action=st.sampled_from(["Invoke", "ListFunctions", "GetFunctionLogs", "UpdateFunctionEventInvokeConfig"]),
    parameters=st.dictionaries(
        st.sampled_from(["FunctionName", "Limit", "Filter", "AsyncTriggerConfig", "Order", "StartTime", "X"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    ),
)
def test_no_parameters_whatever_are_a_bug(deploy: Any, action: str, parameters: dict[str, Any]) -> None:
    cloud = deploy()
    try:
        content = cloud.send(json.dumps(parameters).encode(), {"X-TC-Action": action})
    finally:
        cloud.scf.close()
    assert content.get("Error", {}).get("Code") != "InternalError"


def test_only_get_and_json_posts_are_spoken(deploy: Any) -> None:
    cloud = deploy()
    assert cloud.send(b"", {"X-TC-Action": "ListFunctions"}, method="PUT")["Error"]["Code"] == "UnsupportedProtocol"


def test_a_get_has_its_parameters_in_the_query(deploy: Any) -> None:
    cloud = deploy()
    assert cloud.send(b"", {"X-TC-Action": "ListFunctions"}, method="GET", query="Limit=0&Order=DESC") == {
        "TotalCount": 1,
        "Functions": [],
    }
    query = "FunctionName=fn&AsyncTriggerConfig.MsgTTL=60&AsyncTriggerConfig.RetryConfig.0.RetryNum=1"
    assert cloud.send(b"", {"X-TC-Action": "UpdateFunctionEventInvokeConfig"}, method="GET", query=query) == {}
    config = {"MsgTTL": 60, "RetryConfig": [{"RetryNum": 1}]}
    assert cloud.call("GetFunctionEventInvokeConfig", FunctionName="fn") == {"AsyncTriggerConfig": config}
    for odd in ("Limit=x", "Order.a=1&Order=2", "Order=2&Order.a=1", f"Names.{'9' * 5000}=1"):
        code = cloud.send(b"", {"X-TC-Action": "ListFunctions"}, method="GET", query=odd)["Error"]["Code"]
        assert code in ("InvalidParameter", "UnknownParameter")


# -- running


def test_a_synchronous_invocation_gives_the_value_as_json_text(deploy: Any) -> None:
    result = deploy().call("Invoke", FunctionName="fn", ClientContext='["é", "\\ud800"]')["Result"]
    assert json.loads(result["RetMsg"]) == {"got": ["é", "\ud800"]}
    assert (result["InvokeResult"], result["ErrMsg"], result["Log"]) == (0, "", "")
    assert result["BillDuration"] >= result["Duration"] > 0
    assert result["MemUsage"] > 1024 * 1024


def test_a_failed_run_is_an_answer_with_the_documented_json(deploy: Any) -> None:
    result = deploy().call("InvokeFunction", FunctionName="fn", Event='"bad"')["Result"]
    assert result["InvokeResult"] != 0
    assert result["ErrMsg"] == "ValueError: bad event"
    body = json.loads(result["RetMsg"])
    stack = body.pop("stackTrace")
    assert body == {
        "errorCode": -1,
        "errorMessage": "user code exception caught",
        "requestId": result["FunctionRequestId"],
        "statusCode": 430,
    }
    assert stack.endswith("ValueError: bad event")


def test_the_tail_of_the_log_is_four_kilobytes_with_the_platforms_lines(deploy: Any) -> None:
    cloud = deploy()
    result = cloud.call("Invoke", FunctionName="fn", ClientContext='"你"', LogType="Tail")["Result"]
    request_id = result["FunctionRequestId"]
    lines = result["Log"].splitlines()
    assert lines[0] == f"START RequestId:{request_id}"
    assert "hello 你" in lines
    assert f'Response RequestId:{request_id} RetMsg:{{"got": "\\u4f60"}}' in lines
    assert lines[-2] == f"END RequestId:{request_id}"
    assert lines[-1].startswith(f"Report RequestId:{request_id} Duration:")
    assert "Memory:128MB MemUsage:" in lines[-1]
    long = json.dumps("长" * 9000)
    tail = cloud.call("Invoke", FunctionName="fn", ClientContext=long, LogType="Tail")["Result"]["Log"]
    assert len(tail.encode()) <= 4096
    assert tail.splitlines()[-1].startswith("Report ")


def test_an_asynchronous_invocation_is_queued_and_retried_like_any_event(deploy: Any) -> None:
    cloud = deploy()
    result = cloud.call("Invoke", FunctionName="fn", InvocationType="Event", ClientContext='"bad"')["Result"]
    assert (result["RetMsg"], result["ErrMsg"], result["InvokeResult"]) == ("", "", 0)
    assert cloud.scf.drain()
    runs = cloud.scf.runs.of(result["FunctionRequestId"])
    assert [(run.retry, run.result.status) for run in runs] == [(0, 430), (1, 430), (2, 430)]


def test_events_that_are_too_large_are_refused(deploy: Any) -> None:
    cloud = deploy()
    small, large = (json.dumps("x" * size) for size in (128 * 1024 - 100, 128 * 1024))
    assert "Result" in cloud.call("Invoke", FunctionName="fn", InvocationType="Event", ClientContext=small)
    code = "InvalidParameter.RequestTooLarge"
    assert cloud.refusal("Invoke", FunctionName="fn", InvocationType="Event", ClientContext=large) == code
    whole = json.dumps("x" * 6 * 1024 * 1024)
    assert cloud.refusal("Invoke", FunctionName="fn", ClientContext=whole) == code
    assert cloud.refusal("InvokeFunction", FunctionName="fn", Event=whole) == code
    assert cloud.scf.drain()
    assert cloud.scf.status()["functions"]["fn"]["dead_letters"] == 0


# -- describing


def test_what_is_deployed_is_described(deploy: Any) -> None:
    cloud = deploy(function={"variables": {"MODE": "模式"}, "memory_size": 256})
    described = cloud.call("GetFunction", FunctionName="fn")
    assert {name: described[name] for name in ("FunctionName", "Handler", "MemorySize", "Timeout", "Status")} == {
        "FunctionName": "fn",
        "Handler": "index.main_handler",
        "MemorySize": 256,
        "Timeout": 20,
        "Status": "Active",
    }
    assert described["Environment"]["Variables"] == [{"Key": "MODE", "Value": "模式"}]
    listed = cloud.call("ListFunctions", SearchKey="f")
    assert [item["FunctionName"] for item in listed["Functions"]] == ["fn"]
    assert cloud.call("ListFunctions", SearchKey="g")["TotalCount"] == 0
    assert cloud.refusal("ListFunctions", Offset=-1) == "InvalidParameterValue.Limit"
    assert cloud.refusal("ListFunctions", Filters=[{"Name": "Runtime", "Values": ["Python3.9"]}]) == (
        "UnsupportedOperation"
    )


def test_logs_are_found_by_request_result_and_time(deploy: Any) -> None:
    cloud = deploy()
    good = cloud.call("Invoke", FunctionName="fn", ClientContext='"one"')["Result"]["FunctionRequestId"]
    cloud.clock.advance(3600)
    bad = cloud.call("Invoke", FunctionName="fn", ClientContext='"bad"')["Result"]["FunctionRequestId"]

    def found(**parameters: Any) -> list[str]:
        content = cloud.call("GetFunctionLogs", FunctionName="fn", **parameters)
        assert content["TotalCount"] >= len(content["Data"])
        return [entry["RequestId"] for entry in content["Data"]]

    assert found() == [bad, good]
    assert found(Order="asc") == [good, bad]
    assert found(Limit=1, Offset=1) == [good]
    assert found(FunctionRequestId=bad) == [bad]
    assert found(Filter={"RetCode": "is0"}) == [good]
    assert found(Filter={"RetCode": "not0"}) == [bad]
    assert found(Filter={"RetCode": "UserCodeException"}) == [bad]
    assert found(Filter={"RetCode": "TimeLimitExceeded"}) == []
    assert found(EndTime="2023-11-14 22:13:20") == [good]
    assert found(StartTime="2023-11-14 22:13:21") == [bad]
    assert sorted(found(OrderBy="duration")) == sorted([good, bad])
    assert cloud.refusal("GetFunctionLogs", StartTime="today") == "InvalidParameterValue.StartTime"
    assert cloud.refusal("GetFunctionLogs", Offset=9999, Limit=2) == "InvalidParameterValue.Limit"
    (entry,) = cloud.call("GetFunctionLogs", FunctionRequestId=bad)["Data"]
    assert (entry["RetCode"], entry["InvokeFinished"], entry["RetryNum"]) == (430, 1, 0)
    assert "hello bad" in entry["Log"]
    (state,) = cloud.call("GetRequestStatus", FunctionName="fn", FunctionRequestId=good)["Data"]
    assert (state["RetCode"], json.loads(state["RetMsg"])) == (0, {"got": "one"})
    assert cloud.call("GetRequestStatus", FunctionName="fn", FunctionRequestId="no")["TotalCount"] == 0


# -- settings


def test_reserved_concurrency_stops_and_frees_a_running_function(deploy: Any) -> None:
    cloud = deploy()
    assert cloud.call("GetReservedConcurrencyConfig", FunctionName="fn") == {"ReservedMem": None}
    assert cloud.call("PutReservedConcurrencyConfig", FunctionName="fn", ReservedConcurrencyMem=127) == {}
    assert cloud.call("GetReservedConcurrencyConfig", FunctionName="fn") == {"ReservedMem": 127}
    stopped = json.loads(cloud.call("Invoke", FunctionName="fn")["Result"]["RetMsg"])
    assert stopped["statusCode"] == 432
    assert stopped["errorMessage"] == "Function [ fn ] concurrency exceeded reserved quota 127 MB"
    cloud.call("PutReservedConcurrencyConfig", FunctionName="fn", ReservedConcurrencyMem=128)
    assert cloud.call("Invoke", FunctionName="fn")["Result"]["InvokeResult"] == 0
    cloud.call("PutReservedConcurrencyConfig", FunctionName="fn", ReservedConcurrencyMem=0)
    event = cloud.call("Invoke", FunctionName="fn", InvocationType="Event")["Result"]["FunctionRequestId"]
    for _ in range(3):
        assert cloud.scf.functions["fn"].wait_quiet(60)
        cloud.clock.advance(60)
    assert cloud.scf.functions["fn"].wait_quiet(60)
    cloud.call("DeleteReservedConcurrencyConfig", FunctionName="fn")
    assert cloud.scf.drain()
    *throttled, last = [run.result.status for run in cloud.scf.runs.of(event)]
    assert throttled == [432] * 4
    assert last == 200


def test_retries_and_age_of_events_are_set_while_it_runs(deploy: Any) -> None:
    cloud = deploy()
    assert cloud.call("GetFunctionEventInvokeConfig", FunctionName="fn")["AsyncTriggerConfig"] == {
        "RetryConfig": [{"RetryNum": 2}],
        "MsgTTL": 21600,
    }

    def attempts() -> int:
        result = cloud.call("Invoke", FunctionName="fn", InvocationType="Event", ClientContext='"bad"')["Result"]
        assert cloud.scf.drain()
        return len(cloud.scf.runs.of(result["FunctionRequestId"]))

    def update(retries: int, age: int) -> dict[str, Any]:
        config = {"RetryConfig": [{"RetryNum": retries}], "MsgTTL": age}
        return dict(cloud.call("UpdateFunctionEventInvokeConfig", FunctionName="fn", AsyncTriggerConfig=config))

    assert update(0, 21600) == {}
    assert attempts() == 1
    assert update(2, 90) == {}
    assert attempts() == 2
    for retries, age, code in [
        (3, 60, "LimitExceeded.RetryNum"),
        (1, 21601, "LimitExceeded.MsgTTL"),
        (-1, 60, "InvalidParameterValue.AsyncTriggerConfig"),
        (1, 0, "InvalidParameterValue.AsyncTriggerConfig"),
    ]:
        assert update(retries, age)["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("memory", "code"), [(-1, "InvalidParameterValue"), (10**9, "LimitExceeded.FunctionReservedConcurrencyMemory")]
)
def test_a_reserved_concurrency_that_cannot_be(deploy: Any, memory: int, code: str) -> None:
    refused = deploy().refusal("PutReservedConcurrencyConfig", FunctionName="fn", ReservedConcurrencyMem=memory)
    assert refused == code
