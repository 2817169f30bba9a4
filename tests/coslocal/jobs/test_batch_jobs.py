"""POST /inventorytriggerjob: one rule over many objects."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos import CosServiceError

from coslocal.jobs.sources import output_key
from coslocal.jobs.types import BatchJob, Output, Rule, Wish

from .conftest import THUMB, Desk, picture

HARD = "in/新 品/a b+50%.JPG"


def test_every_object_under_a_prefix(either: Desk) -> None:
    for key in ("in/a.jpg", HARD, "elsewhere/b.jpg"):
        either.put(key)
    made = either.submit_batch("Prefix", "in/")
    assert (made["State"], made["Type"], made["Name"], made["Input"]) == (
        "Submitted",
        "Job",
        "batch",
        {"Prefix": "in/"},
    )
    either.jobs.run_pending()
    job = either.describe_batch(made)
    assert (job["State"], job["Progress"]) == ("Success", "100")
    assert either.stored("out/") == ["out/in/a.webp", "out/in/新 品/a b+50%.webp"]
    assert [job["State"] for job in either.pics()] == ["Success", "Success"]


def test_what_is_no_image_fails_alone(desk: Desk) -> None:
    desk.put("in/a.jpg", b"text")
    desk.put("in/b.jpg")
    made = desk.submit_batch("Prefix", "in/")
    desk.jobs.run_pending()
    assert desk.describe_batch(made)["State"] == "Success"
    assert [(job["Input"]["Object"], job["State"]) for job in desk.pics()] == [
        ("in/a.jpg", "Failed"), ("in/b.jpg", "Success"),
    ]  # fmt: skip


def test_a_batch_does_not_meet_its_own_results(desk: Desk) -> None:
    desk.put("in/a.jpg")
    output = {**desk.output, "Object": "in/${InputName}.thumb.${ext}"}
    made = desk.submit_batch("Prefix", "in/", Output=output)
    desk.jobs.run_pending()
    assert desk.stored() == ["in/a.jpg", "in/a.thumb.jpg"]
    assert desk.describe_batch(made)["State"] == "Success"


def test_a_list_of_urls(desk: Desk) -> None:
    for key in ("in/a.jpg", HARD, "in/c.jpg"):
        desk.put(key)
    host = f"http://{desk.bucket}.cos.ap-guangzhou.myqcloud.com/"
    desk.put("list.txt", f"{host}in/a.jpg\r\n\n{host}{quote(HARD)}\n".encode())
    desk.submit_batch("UrlFile", "list.txt")
    desk.jobs.run_pending()
    assert [job["Input"]["Object"] for job in desk.pics()] == ["in/a.jpg", HARD]


def inventory(desk: Desk, rows: list[str], schema: str = "Appid, Bucket, Key, Size", **change: Any) -> None:
    desk.put("inv/1.csv.gz", gzip.compress("".join(f"{row}\n" for row in rows).encode()))
    manifest = {"fileFormat": "CSV", "fileSchema": schema, "files": [{"key": "inv/1.csv.gz", "size": "1"}], **change}
    desk.put("inv/manifest.json", json.dumps(manifest).encode())


def test_an_inventory(desk: Desk) -> None:
    for key in ("in/a.jpg", HARD):
        desk.put(key)
    name = desk.bucket.rpartition("-")[0]
    rows = [f'"1250000000","{name}","{quote(key)}","1"' for key in ("in/a.jpg", HARD)]
    inventory(desk, [*rows, '"1250000000","other","in/x.jpg","1"'])
    desk.submit_batch("Manifest", "inv/manifest.json")
    desk.jobs.run_pending()
    assert [(job["Input"]["Object"], job["State"]) for job in desk.pics()] == [
        ("in/a.jpg", "Success"),
        (HARD, "Success"),
    ]


def test_delete_markers_of_an_inventory_are_passed_over(desk: Desk) -> None:
    inventory(desk, ['"in/a.jpg","true"'], "Key,IsDeleteMarker")
    desk.submit_batch("Manifest", "inv/manifest.json")
    desk.jobs.run_pending()
    assert desk.pics() == []


@pytest.mark.parametrize(
    ("way", "where", "data", "code"),
    [
        ("UrlFile", "none.txt", b"", "ResourceNotFound"),
        ("UrlFile", "list.txt", b"in/a.jpg", "InvalidUrl"),
        ("UrlFile", "list.txt", b"http://other-1250000000.cos.ap-guangzhou.myqcloud.com/a.jpg", "InvalidUrl"),
        ("Manifest", "none.json", b"", "ResourceNotFound"),
        ("Manifest", "list.txt", b"{}", "InvalidContent"),
        ("Manifest", "list.txt", b"[" * 100_000, "InvalidContent"),
        ("Manifest", "list.txt", b'{"fileSchema": "Size", "files": []}', "InvalidContent"),
        ("Manifest", "list.txt", b'{"fileSchema": "Key", "files": [{"key": "list.txt"}]}', "InvalidContent"),
    ],
)
def test_inputs_that_cannot_be_read(desk: Desk, way: str, where: str, data: bytes, code: str) -> None:
    desk.put("list.txt", data)
    made = desk.submit_batch(way, where)
    desk.jobs.run_pending()
    job = desk.describe_batch(made)
    assert (job["State"], job["Code"]) == ("Failed", code)
    assert job["Message"]


def test_an_inventory_that_is_no_csv(desk: Desk) -> None:
    inventory(desk, ["x" * 200_000], "Key")
    made = desk.submit_batch("Manifest", "inv/manifest.json")
    desk.jobs.run_pending()
    assert desk.describe_batch(made)["Code"] == "InvalidContent"


@pytest.mark.parametrize("template", ["out/", "${ext}", "out/" + "x" * 850])
def test_an_output_that_is_no_key_fails_the_object(desk: Desk, template: str) -> None:
    desk.put("in/a")
    desk.submit_batch("Prefix", "in/", Output={**desk.output, "Object": template})
    desk.jobs.run_pending()
    assert [job["Code"] for job in desk.pics()] == ["InvalidArgument"]
    assert desk.stored() == ["in/a"]


def test_only_what_changed_in_the_interval(desk: Desk) -> None:
    for key, when in (("in/old.jpg", 1_600_000_000), ("in/new.jpg", 1_700_000_000)):
        desk.app.clock = lambda when=when: float(when)  # type: ignore[misc]
        desk.given.put(key, picture())
    interval = {"Start": "2022-01-01T00:00:00+0800", "End": "2024-01-01T00:00:00+0800"}
    desk.app.clock = time.time
    made = desk.submit_batch("Prefix", "in/", TimeInterval=interval)
    assert made["Operation"]["TimeInterval"] == interval
    desk.jobs.run_pending()
    assert [job["Input"]["Object"] for job in desk.pics()] == ["in/new.jpg"]


def test_a_single_object_that_is_missing_fails_as_a_job(desk: Desk) -> None:
    made = desk.submit_batch("Object", "none.jpg", TimeInterval={"Start": "2022-01-01T00:00:00+0800"})
    desk.jobs.run_pending()
    assert desk.describe_batch(made)["State"] == "Success"
    assert [job["Code"] for job in desk.pics()] == ["ResourceNotFound"]


def test_a_cancelled_batch_does_not_begin(desk: Desk) -> None:
    desk.put("in/a.jpg")
    made = desk.submit_batch("Prefix", "in/")
    desk.client.ci_delete_inventory_trigger_jobs(Bucket=desk.bucket, JobId=made["JobId"])
    desk.jobs.run_pending()
    assert desk.describe_batch(made)["State"] == "Cancel"
    assert desk.stored() == ["in/a.jpg"]


def test_a_batch_that_is_cancelled_while_it_runs_stops_before_the_next_object(cos: Any, desk: Desk) -> None:
    for number in range(5):
        desk.put(f"in/{number}.jpg")
    made = desk.submit_batch("Prefix", "in/")

    def cancel_at_the_second(event: Any) -> None:
        if event.key == "out/in/1.webp":
            desk.client.ci_delete_inventory_trigger_jobs(Bucket=desk.bucket, JobId=made["JobId"])

    cos.app.subscribe(cancel_at_the_second)
    desk.jobs.run_pending()
    assert desk.describe_batch(made)["State"] == "Cancel"
    assert desk.stored("out/") == ["out/in/0.webp", "out/in/1.webp"]


def test_batches_are_listed_and_filtered(desk: Desk) -> None:
    one, two = desk.submit_batch("Prefix", "in/", name="one"), desk.submit_batch("Prefix", "x/", name="two")
    desk.jobs.run_pending()

    def names(**filters: Any) -> list[str]:
        filters.setdefault("Type", "Job")
        found = desk.client.ci_list_inventory_trigger_jobs(Bucket=desk.bucket, **filters)
        return [job["Name"] for job in found.get("JobsDetail", [])]

    assert names() == ["two", "one"]
    assert names(OrderByTime="Asc", Size=1) == ["one"]
    assert names(Name="one") == names(JobId=one["JobId"]) == ["one"]
    assert names(States="Success") == ["two", "one"]
    assert names(States="Running") == names(Type="Workflow") == names(WorkflowId="w1") == []
    page = desk.client.ci_list_inventory_trigger_jobs(Bucket=desk.bucket, Type="Job", Size=1)
    assert page["NextToken"] == two["JobId"]
    assert names(NextToken=page["NextToken"]) == ["one"]


def test_the_jobs_of_one_batch_can_be_listed(desk: Desk) -> None:
    for folder in ("one", "two"):
        desk.put(f"{folder}/a.jpg")
        made = desk.submit_batch("Prefix", f"{folder}/")
    desk.jobs.run_pending()
    found = desk.app.jobs.records.pics(desk.bucket)
    assert [job.key for job in found if job.batch == made["JobId"]] == ["two/a.jpg"]


def refusal(desk: Desk, body: dict[str, Any]) -> str:
    with pytest.raises(CosServiceError) as caught:
        desk.client.ci_create_inventory_trigger_jobs(Bucket=desk.bucket, JobBody=body)
    return str(caught.value.get_error_code())


def test_what_cannot_be_a_batch_is_refused_at_once(desk: Desk) -> None:
    operation = {"Tag": "PicProcess", "JobParam": {"PicProcess": {"ProcessRule": THUMB}}, "Output": desk.output}
    good: dict[str, Any] = {"Name": "n", "Type": "Job", "Input": {"Prefix": "in/"}, "Operation": operation}
    assert refusal(desk, {**good, "Type": "Workflow"}) == "NotImplemented"
    for change in (
        {"Name": ""},
        {"Name": "x" * 129},
        {"Type": "Other"},
        {"Input": {}},
        {"Input": {"Prefix": "a", "Object": "b"}},
        {"Operation": {**operation, "JobParam": None}},
        {"Operation": {**operation, "TimeInterval": {"Start": "2022-01-01"}}},
    ):
        assert refusal(desk, {**good, **change}) == "InvalidArgument", change
    found = desk.client.ci_get_inventory_trigger_jobs(Bucket=desk.bucket, JobID="b0")
    assert found["NonExistJobId"] == "b0"


def named(key: str, template: str, input_path: str = "slash") -> str:
    output = Output(region="r", bucket="b-1", object=template)
    wish = Wish(rule=Rule(text=THUMB), output=output)
    job = BatchJob(id="b1", bucket="b-1", region="r", wish=wish, created=0.0, name="n", way="Prefix", where="")
    return output_key(job, key, input_path)


@pytest.mark.parametrize(
    ("key", "template", "result"),
    [
        ("a/b/c.jpg", "${InputPath}${InputName}.${ext}", "a/b/c.jpg"),
        ("a/b/c.jpg", "out/${InputName}_${InventoryTriggerJobId}.webp", "out/c_b1.webp"),
        ("c.jpg", "${InputPath}${InputName}.webp", "c.webp"),
        ("a/c", "${InputPath}${InputName}|${ext}|", "a/c||"),
        ("a/c.tar.gz", "${InputName}+${ext}", "c.tar+gz"),
        ("a/${ext}.jpg", "${InputName}", "${ext}"),
        ("a/c.jpg", "${Other}/${InputName", "${Other}/${InputName"),
    ],
)
def test_wildcards(key: str, template: str, result: str) -> None:
    assert named(key, template) == result


@given(st.text(min_size=1).filter(lambda key: not key.startswith("/")), st.sampled_from(["slash", "bare"]))
def test_path_name_and_extension_make_the_key_again(key: str, input_path: str) -> None:
    folder, _, name = key.rpartition("/")
    joint = "/" if input_path == "bare" and folder else ""
    dot = "." if "." in name else ""
    assert named(key, f"${{InputPath}}{joint}${{InputName}}{dot}${{ext}}", input_path) == key
